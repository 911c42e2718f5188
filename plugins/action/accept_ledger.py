# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record that a person accepts a ledger that its witnesses contradict."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.actions import SigningTask
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import continuity, controller, open_ledger, run_id

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

    class Options(TypedDict):
        """What the task takes."""

        name: str | None
        reason: str | None


#: Characters of a name or a reason.
LIMIT = 500


class ActionModule(SigningTask["Options"]):
    """See plugins/modules/accept_ledger.py."""

    ARGUMENTS = {"name": {"type": "str"}, "reason": {"type": "str"}}

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Say what the witnesses contradict, and unless in check mode record that it is accepted."""
        now = datetime.now(timezone.utc)
        given = {name: value for name, value in arguments.items() if value is not None}
        name, reason = _person({**given, **self.run_options()["egov_ops_accept_ledger"]})
        plan = self.plan_of(task_vars["inventory_hostname"])
        state = self.state(plan)
        with open_ledger(state, read_only=self._task.check_mode) as ledger:
            loss = continuity.loss_in(state, ledger)
            if not loss:
                message = "Nothing to accept: the ledger holds what its witnesses saw."
                self.say(message)
                return {"changed": False, "msg": message}
            self.say(loss)
            if self._task.check_mode:
                return {"changed": True, "msg": "Check mode: nothing is recorded.", "loss": loss}
            key = plan["egov_ops_witness_key"]
            run = run_id(controller(), now)
            accepted = continuity.accept(state, ledger, run, now, name, reason, Path(key) if key else None)
        message = accepted["detail"]["message"] if accepted else "Another process has accepted the ledger meanwhile."
        self.say(message)
        return {"changed": accepted is not None, "msg": message, "loss": loss}


def _person(options: Mapping[str, object]) -> tuple[str, str]:
    """Return who accepts the ledger and why; raises OpsError where either is missing or is no text."""
    for name in options.keys() - {"name", "reason"}:
        raise OpsError(f"egov_ops_accept_ledger has the key {name}, but name and reason are allowed.")
    values = [options.get(name) for name in ("name", "reason")]
    for name, value in zip(("name", "reason"), values, strict=True):
        if not isinstance(value, str) or not 0 < len(value.strip()) <= LIMIT:
            raise OpsError(
                f"The {name} is {value!r:.80}, but a text of 1 to {LIMIT} characters is needed; give it with "
                '-e \'{"egov_ops_accept_ledger": {"name": "...", "reason": "..."}}\'.'
            )
    return str(values[0]).strip(), str(values[1]).strip()
