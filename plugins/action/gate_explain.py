# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say what may be done on these hosts now, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.actions import Task, ask, refuse_plan_variables
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, inert
from ansible_collections.egov.ops.plugins.plugin_utils.plan import load_schema, merge

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars
    from ansible_collections.egov.ops.plugins.plugin_utils.gates import ShownDecision

    class Options(TypedDict):
        """What the task takes."""

        action: str | None
        request: str | None


class ActionModule(Task["Options"]):
    """See plugins/modules/gate_explain.py."""

    ARGUMENTS = {"action": {"type": "str"}, "request": {"type": "str"}}

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Ask the gates of each host of the play and print what they say, one a line."""
        refuse_plan_variables(self.extra_variables())
        now = datetime.now(timezone.utc)
        decisions: dict[str, ShownDecision] = {}
        action = arguments["action"] or str(merge({}, load_schema(), self.extra_variables())["egov_ops_action"])
        for host in task_vars["ansible_play_hosts_all"]:
            plan = self.plan_of(host)
            state = StateDir.resolve(plan["egov_ops_state_dir"])
            wanted = arguments["request"] or plan["egov_ops_request"]
            try:
                decision = ask(action, wanted, host, plan, state, "", "", now).decision
            except OpsError as error:
                decisions[host] = {"allowed": False, "action": action, "request": wanted, "checks": []}
                self.say(f"{host}  {action}: refused. {inert(str(error))}")
                continue
            decisions[host] = decision.shown()
            self.say(f"{host}  {decision.action}: {'allowed' if decision.allowed else 'refused'}")
            for check in decision.checks:
                mark = "passes" if check.allowed else "refuses"
                self.say(f"  {check.gate:<14} {mark:<8} {inert(f'{check.message} {check.remedy}'.strip())}")
        allowed = sum(decision["allowed"] for decision in decisions.values())
        message = f"{action} is allowed on {allowed} of {len(decisions)} hosts."
        return {"changed": False, "msg": message, "decisions": decisions}
