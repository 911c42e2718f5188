# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take the machine that has answered to a host's name for the right one, and record who says so and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.actions import SigningTask, acceptance
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.machines import memory

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

    class Options(TypedDict):
        """What the task takes."""

        machines: Mapping[str, str] | None
        reason: str | None


class ActionModule(SigningTask["Options"]):
    """See plugins/modules/accept_machine.py."""

    ARGUMENTS = {"machines": {"type": "dict"}, "reason": {"type": "str"}}

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Check each machine that is named, and unless in check mode record and remember them all."""
        now, options = datetime.now(timezone.utc), self.run_options()
        machines = arguments["machines"] or options["egov_ops_accept_machine"]
        reason = arguments["reason"] or options["egov_ops_reason"]
        if not machines:
            raise OpsError(
                'No machine is named; give egov_ops_accept_machine, for example {"db2": "5f3c01ab"} with the digits '
                "that the finding names."
            )
        for host in machines:
            if host not in (*task_vars["groups"]["all"], "localhost"):
                raise OpsError(f"There is no host {host} in this inventory; name one that is.")
        plan = self.plan_of(task_vars["inventory_hostname"])
        state = self.state(plan)
        accepted = {host: acceptance(state, host, machines, reason) for host in machines}
        messages = [str(seen["detail"]["message"]) for _known, seen in accepted.values()]
        if self._task.check_mode:
            return {"changed": True, "msg": f"Check mode: not recorded: {'; '.join(messages)}"}
        for host, (known, seen) in accepted.items():
            self.record(plan, [host], seen, now, memory.DOMAIN)
            memory.keep(state, known)
        return {"changed": True, "msg": "; ".join(messages)}
