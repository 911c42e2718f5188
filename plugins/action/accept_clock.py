# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record that the controller's clock is right although the ledger holds later records."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.actions import SigningTask
from ansible_collections.egov.ops.plugins.plugin_utils.common import GATE, OpsError, user_name
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import CONTROLLER, clock, open_ledger

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

    class Options(TypedDict):
        """What the task takes."""

        reason: str | None


class ActionModule(SigningTask["Options"]):
    """See plugins/modules/accept_clock.py."""

    ARGUMENTS = {"reason": {"type": "str"}}

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Say which record is ahead of the clock, and unless in check mode record that a person accepts it."""
        now, options = datetime.now(timezone.utc), self.run_options()
        plan = self.plan_of(task_vars["inventory_hostname"])
        state = self.state(plan)
        with open_ledger(state, read_only=True) as ledger:
            ahead = clock.record_ahead(ledger, now)
            fault = clock.fault(ledger, now)
        if ahead is None:
            message = "Nothing to accept: no new record of the ledger is ahead of the clock."
            self.say(message)
            return {"changed": False, "msg": message}
        self.say(fault)
        reason = (arguments["reason"] or options["egov_ops_reason"]).strip()
        if not reason:
            raise OpsError("Accepting the clock needs a reason, one sentence: give egov_ops_reason.")
        seen = clock.acceptance(ahead, reason, user_name(os.geteuid()), now)
        result = {"changed": True, "record": ahead.seq}
        if self._task.check_mode:
            return {**result, "msg": f"Check mode: not recorded: {seen['detail']['message']}"}
        self.record(plan, [CONTROLLER], seen, now, GATE)
        self.say(str(seen["detail"]["message"]))
        return {**result, "msg": str(seen["detail"]["message"])}
