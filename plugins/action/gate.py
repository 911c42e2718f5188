# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse early what a changing task would refuse later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.actions import Task, ask, refuse_plan_variables
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.runs import Run

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

    class Options(TypedDict):
        """What the task takes."""

        action: str
        request: str | None


class ActionModule(Task["Options"]):
    """See plugins/modules/gate.py."""

    ARGUMENTS = {"action": {"type": "str", "required": True}, "request": {"type": "str"}}

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Ask the gates of this host; fail with what they say, unless in check mode."""
        refuse_plan_variables(self.extra_variables())
        host = task_vars["inventory_hostname"]
        plan = self.plan_of(host)
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        run = Run.of_this_process(state)
        wanted, override = arguments["request"] or plan["egov_ops_request"], plan["egov_ops_override"].get("reason", "")
        now, own = datetime.now(timezone.utc), run.id if run else ""
        decision = ask(arguments["action"], wanted, host, plan, state, own, override, now).decision
        failed = not (decision.allowed or override or self._task.check_mode)
        return {"changed": False, "failed": failed, "msg": decision.message, "gate": decision.shown()}
