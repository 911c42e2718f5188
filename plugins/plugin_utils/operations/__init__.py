# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes that people ask for: one table of them, their fields, and what an approver reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.operations import registry
    from ansible_collections.egov.ops.plugins.plugin_utils.operations.fields import (
        HOST,
        HOSTS,
        TEXT,
        Field,
        Lines,
        Operation,
        Snapshot,
        Texts,
        fault_of,
        is_path,
        no_fault,
        plain_lines,
    )
else:
    __getattr__ = offering(
        __name__,
        {
            "fields": (
                "Field",
                "HOST",
                "HOSTS",
                "Lines",
                "Operation",
                "Snapshot",
                "TEXT",
                "Texts",
                "fault_of",
                "is_path",
                "no_fault",
                "plain_lines",
            ),
        },
    )
