# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done once, when ansible loads our actions: before it forks its workers, one for each task and host."""

from __future__ import annotations

import codecs
import gc
import sys
from contextlib import suppress

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, terminal
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import remember_controller
from ansible_collections.egov.ops.plugins.plugin_utils.plan import load_schema, merge
from ansible_collections.egov.ops.plugins.plugin_utils.transport import sources


def read_shared() -> None:
    """Read what each worker needs, and leave all that stands then out of later searches for cycles.

    It is the schema's own layer of the plan, whose worker it is, and a codec. Such a search costs more than the
    reading, and would copy in each worker the memory that all share.
    """
    gc.disable()
    with suppress(OpsError):  # a task that needs it says so
        merge({}, load_schema())
    remember_controller()
    terminal.remember_width()
    codecs.lookup("ascii")
    gc.freeze()
    gc.enable()


def flush_lines() -> None:
    """Print each line at once: ansible-core from 2.19 on flushes nothing, and a pipe would show progress at the end."""
    with suppress(AttributeError, OSError, ValueError):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def pack(half: str) -> None:
    """Pack what a half needs on its host; half is its module's name below module_utils."""
    with suppress(OSError):  # a task that needs it says so
        sources(half)
