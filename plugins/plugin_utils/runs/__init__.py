# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The frame of a run: what is refused at its beginning, the open run, its end and its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.runs import begin, finish, interrupted, rehearsal, targets
    from ansible_collections.egov.ops.plugins.plugin_utils.runs.begin import (
        is_built,
        is_foreign,
        refuse_settings,
        role_value_problems,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.runs.current import Run, check_folder, check_spool
    from ansible_collections.egov.ops.plugins.plugin_utils.runs.requested import hosts_of_request
    from ansible_collections.egov.ops.plugins.plugin_utils.runs.targets import refuse_no_match, source_files
    from ansible_collections.egov.ops.plugins.plugin_utils.runs.verdict import UNWELL, judge
else:
    __getattr__ = offering(
        __name__,
        {
            "begin": ("is_built", "is_foreign", "refuse_settings", "role_value_problems"),
            "current": ("Run", "check_folder", "check_spool"),
            "requested": ("hosts_of_request",),
            "targets": ("refuse_no_match", "source_files"),
            "verdict": ("UNWELL", "judge"),
        },
    )
