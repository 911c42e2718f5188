# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Export and remove the oldest records of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.actions import Task
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import (
    controller,
    iso,
    open_ledger,
    purge,
    run_id,
    witness,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report import Shelf

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

    class Options(TypedDict):
        """What the task takes."""

        retention_days: int | None


class ActionModule(Task["Options"]):
    """See plugins/modules/ledger_purge.py."""

    ARGUMENTS = {"retention_days": {"type": "int"}}

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Name what is too old, and unless in check mode export and remove it."""
        plan = self.plan_of(task_vars["inventory_hostname"])
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        days = arguments["retention_days"] or plan["egov_ops_ledger_retention_days"]
        now = datetime.now(timezone.utc)
        with open_ledger(state, read_only=self._task.check_mode) as ledger:
            segment = purge.plan(ledger, days, now)
            if segment is None:
                return {"changed": False, "msg": f"No record is older than {days} days."}
            result = {"changed": True, "first": segment.first, "last": segment.last}
            if self._task.check_mode:
                return {**result, "msg": f"Records #{segment.first} to #{segment.last} would be exported and removed."}
            run = run_id(controller(), now)
            checkpoint = purge.purge(state, ledger, days, now, run)
            Shelf(ledger, state.rollups).forget()
            key = plan["egov_ops_witness_key"]
            detail = checkpoint["detail"] if checkpoint else {}
            digest = str(detail.get("digest", ""))
            signing_key = Path(key) if key else None
            witness.publish_head(state.witness, ledger.head(), run, iso(now), signing_key, export=digest)
        self.say(detail.get("message", ""))
        return {**result, "msg": detail.get("message", ""), "export": detail.get("export", "")}
