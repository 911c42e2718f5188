# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the health of a host in one trip."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.health.options import PROBE
from ansible_collections.egov.ops.plugins.plugin_utils.actions import HostTask
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.transport import Expected

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.types import ProbeArguments


class ActionModule(HostTask["ProbeArguments"]):
    """See plugins/modules/health_probe.py."""

    DOMAIN = "health"
    HALF = ("health.prober", "probe")
    ARGUMENTS = PROBE

    def prepare(
        self, arguments: ProbeArguments, plan: Plan, host: str, now: datetime
    ) -> tuple[ProbeArguments, dict[str, str]]:
        """Take the probes from the plan where none are given."""
        return {**arguments, "probes": arguments["probes"] or plan["egov_ops_probes"]}, {}

    def expected(self, given: ProbeArguments) -> Expected:
        """Expect observations of the kinds that the probes have."""
        probes = (given["probes"] or {}).values()
        return self._expected(kinds={str(probe.get("kind")) for probe in probes if isinstance(probe, dict)}, some=True)
