# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the evidence layer raises. Each message is one sentence: what failed, on what, what to do next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError


class LedgerError(OpsError):
    """Evidence could not be stored, read or trusted."""


class SpoolError(LedgerError):
    """Evidence could not be written to, or read from, the spool of a run."""


class DamagedSpool(SpoolError):
    """A spool's header is missing or damaged, so that nothing but its name says whose it is."""


class NewerSpool(SpoolError):
    """A spool was written by a newer release."""


@contextmanager
def errors_of(path: Path, done: str) -> Iterator[None]:
    """Turn an error of a ledger's database into a LedgerError: it cannot be opened, read or written."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise LedgerError(
            f"The ledger {path} cannot be {done}: {error}; free its disk, mend its permissions or restore it."
        ) from None
