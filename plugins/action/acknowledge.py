# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record that findings are known, until a day and under a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.actions import SigningTask
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import CONTROLLER, open_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.report import LOUD, acknowledgement

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

#: Runs of which the findings can be acknowledged.
RUNS = 10


class ActionModule(SigningTask["Mapping[str, str | None]"]):
    """See plugins/modules/acknowledge.py."""

    ARGUMENTS = {
        "finding": {"type": "str"},
        **{name: {"type": "str"} for name in acknowledgement.PARTS},
        **{name: {"type": "str"} for name in ("until", "ticket", "name", "reason")},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }

    def perform(self, arguments: Mapping[str, str | None], task_vars: TaskVars) -> Mapping[str, object]:
        """Compare with what stands, and unless in check mode record what is new."""
        now = datetime.now(timezone.utc)
        given = {name: value for name, value in arguments.items() if value is not None}
        options = {**given, **self.run_options()["egov_ops_acknowledge"]}
        plan = self.plan_of(task_vars["inventory_hostname"])
        state = self.state(plan)
        with open_ledger(state, read_only=True) as ledger:
            runs = [run.run for run in ledger.runs(limit=RUNS)]
            findings = [stored.record for run in runs for stored in ledger.records(run=run, status=LOUD)]
            wanted = acknowledgement.make(options, findings, plan["egov_ops_timezone"], now)
            stored = ledger.records(domain=acknowledgement.DOMAIN, kind=acknowledgement.KIND, subject=wanted.subject)
            standing = next(iter(acknowledgement.read(stored)), None)
        seen = wanted.observation()
        is_new = standing is not None if wanted.withdrawn else not wanted.says_the_same(standing)
        result = {"changed": is_new, "key": wanted.subject, "until": wanted.until}
        if not is_new:
            return {**result, "msg": f"Nothing to record: this is what the ledger says of {wanted.subject}."}
        if self._task.check_mode:
            return {**result, "msg": f"Check mode: not recorded: {seen['detail']['message']}"}
        self.record(plan, [CONTROLLER], seen, now, acknowledgement.DOMAIN)
        return {**result, "msg": seen["detail"]["message"]}
