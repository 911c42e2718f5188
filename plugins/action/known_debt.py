# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accept the findings of today as debt, with an owner and a day until which it stands."""

from __future__ import annotations

from ansible_collections.egov.ops.plugins.plugin_utils.actions import StatementTask
from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement


class ActionModule(StatementTask):
    """See plugins/modules/known_debt.py."""

    SORT = acknowledgement.DEBT
    VARIABLE = "egov_ops_known_debt"
    ARGUMENTS = {
        "finding": {"type": "str"},
        **{name: {"type": "str"} for name in acknowledgement.PARTS},
        **{name: {"type": "str"} for name in ("until", "ticket", "owner", "name", "reason")},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
