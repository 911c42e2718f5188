# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at a host's packages in one trip."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.packages.options import SCAN
from ansible_collections.egov.ops.plugins.plugin_utils.actions import HostTask
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.transport import Expected

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.packages.types import ScanArguments

#: By kind what is looked at, on each host.
_SUBJECTS = {
    "package_list": ("pending", "installed"),
    "held": ("packages",),
    "restarts": ("processes",),
    "reboot": ("host",),
}


class ActionModule(HostTask["ScanArguments"]):
    """See plugins/modules/package_scan.py."""

    DOMAIN = "updates"
    HALF = ("packages.scan", "scan")
    SYSTEM_PYTHON = True
    ARGUMENTS = SCAN
    KINDS = tuple(_SUBJECTS)

    def prepare(
        self, arguments: ScanArguments, plan: Plan, host: str, now: datetime
    ) -> tuple[ScanArguments, dict[str, str]]:
        """Take from the plan what is not given: how old lists may be, which sources are for security, the deadlines."""
        age = arguments["max_lists_age"]
        deadlines = {name: plan[f"egov_ops_patch_deadline_{name}"] for name in ("critical", "high", "other")}
        return {
            **arguments,
            "max_lists_age": plan["egov_ops_max_lists_age"] if age is None else age,
            "security_origins": arguments["security_origins"] or plan["egov_ops_security_origins"],
            "deadlines": {**deadlines, **arguments["deadlines"]},
        }, {}

    def expected(self, given: ScanArguments) -> Expected:
        """Expect the same on each host."""
        return self._expected(subjects=_SUBJECTS)
