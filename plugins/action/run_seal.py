# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Move a run's evidence into the ledger and render its report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.actions import Task
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import forget_untold
from ansible_collections.egov.ops.plugins.plugin_utils.runs import Run, finish, rehearsal, targets

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import NoOptions, TaskVars


class ActionModule(Task["NoOptions"]):
    """See plugins/modules/run_seal.py."""

    def perform(self, arguments: NoOptions, task_vars: TaskVars) -> Mapping[str, object]:
        """Complete the spool, store it, publish the head, then render: evidence comes before what shows it."""
        plan, checks = self.plan_of(task_vars["inventory_hostname"]), bool(self._task.check_mode)
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        run = Run.of_this_check() if checks else Run.of_this_process(state)
        if run is None or not run.header.get("begun"):
            raise OpsError("No run has begun in this process; put egov.ops.run_begin first, outside any block.")
        play = self.play()
        batch = finish.Batch(
            all_hosts=list(task_vars["ansible_play_hosts_all"]),
            hosts=run.header["batch"],
            alive=set(task_vars["ansible_play_hosts"]),
            any_errors_fatal=bool(play.any_errors_fatal),
            max_fail_percentage=play.max_fail_percentage,
        )
        seal = rehearsal.seal if checks else finish.seal
        sealed = seal(run, state, plan, batch, datetime.now(timezone.utc))
        for sentence in sealed.warnings:
            self._display.warning(sentence)
        self.say(sealed.text)
        if not sealed.fault:
            targets.refuse_only_foreign(batch.all_hosts, run.header["not_ours"])
        if checks:
            message = sealed.fault or "Check mode: the run is not recorded."
            return {"failed": bool(sealed.fault), "changed": False, "msg": message, "records": sealed.records}
        result = {
            "run": run.id,
            "records": sealed.records,
            "head": {"count": sealed.head.count, "hash": sealed.head.hash},
            "report": sealed.report,
        }
        if sealed.fault:
            forget_untold(state.untold, sealed.fault)
            return {"failed": True, "changed": True, "msg": sealed.fault, **result}
        return {"changed": True, "msg": f"{sealed.records} records of run {run.id} are in the ledger.", **result}
