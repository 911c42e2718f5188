# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare a host with the controls of the plan in one trip."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from ansible_collections.egov.ops.plugins.module_utils.hardening.options import AUDIT
from ansible_collections.egov.ops.plugins.plugin_utils.actions import HostTask, wanted
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.transport import Expected

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import AuditArguments, Control


class ActionModule(HostTask["AuditArguments"]):
    """See plugins/modules/hardening_audit.py."""

    DOMAIN = "hardening"
    HALF = ("hardening.auditor", "audit")
    ARGUMENTS = AUDIT
    KINDS = ("control",)

    def prepare(
        self, arguments: AuditArguments, plan: Plan, host: str, now: datetime
    ) -> tuple[AuditArguments, dict[str, str]]:
        """Take the controls from the plan where none are given; why they matter stays on the controller."""
        controls = arguments["controls"] or {
            name: cast("Control", {key: value for key, value in control.items() if key != "why"})
            for name, control in plan["egov_ops_controls"].items()
        }
        return {**arguments, "controls": controls}, {}

    def expected(self, given: AuditArguments) -> Expected:
        """Expect each control."""
        return self._expected(subjects={"control": wanted(given["controls"] or {})})
