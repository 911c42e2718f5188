# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fail exactly the hosts whose run is not good."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.actions import Task
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import controller, open_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.runs import UNWELL, Run, judge, rehearsal

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import NoOptions, TaskVars


class ActionModule(Task["NoOptions"]):
    """See plugins/modules/run_verdict.py."""

    def perform(self, arguments: NoOptions, task_vars: TaskVars) -> Mapping[str, object]:
        """Read the host's sealed records and judge them."""
        host = task_vars["inventory_hostname"]
        plan = self.plan_of(host)
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        run = Run.of_this_check() if self._task.check_mode else Run.of_this_process(state)
        if run and self._task.check_mode:
            reasons = rehearsal.reasons(run, host, plan["egov_ops_fail_on"])
        elif run is not None and not run.header.get("waiting"):
            raise OpsError(f"The run is not sealed; its evidence is kept in spool {run.spool.path}.")
        else:
            reasons = self._reasons(state, host, plan["egov_ops_fail_on"])
        if reasons:
            more = f" And {len(reasons) - 3} more." if len(reasons) > 3 else ""
            return {"failed": True, "msg": " ".join(reasons[:3]) + more, "reasons": reasons}
        return {"changed": False, "msg": "Everything could be done and proved.", "reasons": []}

    @staticmethod
    def _reasons(state: StateDir, host: str, fail_on: str) -> list[str]:
        if state.ledger.exists():
            with open_ledger(state, read_only=True) as ledger:
                run = ledger.run_of(controller().hash)
                if run is not None:
                    steps = ledger.records(run=run, host=host, kind="step")
                    bad = ledger.records(run=run, host=host, status=UNWELL)
                    found = {stored.seq: stored.record for stored in chain(steps, bad)}
                    return judge([found[seq] for seq in sorted(found)], fail_on)
        raise OpsError("No run of this process was sealed; put egov.ops.run_begin first, outside any block.")
