# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the actions in which a person signs something with a key of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.actions.changing import refuse_plan_variables
from ansible_collections.egov.ops.plugins.plugin_utils.actions.task import Options, Task
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, public_key
from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence, signer_fault
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import (
    Actor,
    continuity,
    drain_spools,
    forget_untold,
    iso,
    open_ledger,
    record,
    untold,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan, load_schema, merge
from ansible_collections.egov.ops.plugins.plugin_utils.runs import Run, interrupted

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation


class SigningTask(Task[Options]):
    """An action of the controller alone: who signs is told by the key, never by a variable."""

    def run_options(self) -> Plan:
        """Return the run options of the command line; raises OpsError for a plan variable among them."""
        extra = self.extra_variables()
        refuse_plan_variables(extra)
        return merge({}, load_schema(), extra)

    def state(self, plan: Plan) -> StateDir:
        """Return the state folder, ready to be written unless in check mode. Raises StateDirError."""
        state = StateDir.resolve(plan["egov_ops_state_dir"], group=plan["egov_ops_state_group"])
        if not self._task.check_mode:
            state.prepare()
        return state

    def key_file(self, given: str | None, plan: Plan) -> Path:
        """Return the file of the key to sign with; raises OpsError where none is named."""
        if not given and not plan["egov_ops_signing_key"]:
            raise OpsError("No key to sign with is named; give egov_ops_signing_key, the path of your own SSH key.")
        return Path(given or plan["egov_ops_signing_key"]).expanduser()

    def signer(self, key: Path, plan: Plan, now: datetime) -> tuple[str, str]:
        """Return whose key it is, and its public half; raises OpsError for a key that the plan does not know."""
        public = public_key(key)
        person = next((entry["person"] for entry in plan["egov_ops_signers"].values() if entry["key"] == public), "")
        fault = signer_fault(public, True, person, plan, now)
        if fault:
            raise OpsError(f"What would be signed with {key} {fault}; nothing is signed.")
        return str(person), public

    def record(
        self,
        plan: Plan,
        hosts: Sequence[str],
        seen: Observation,
        now: datetime,
        domain: str = evidence.DOMAIN,
        more: Sequence[Observation] = (),
    ) -> None:
        """Append what a person has said of some hosts to the open run; without one it goes into the ledger at once.

        more are what else the same command says of them.

        Raises LedgerError; what is written by then waits in a spool. Raises OpsError, with the record in the ledger,
        where something else had to be set aside.
        """
        state = StateDir.resolve(plan["egov_ops_state_dir"], group=plan["egov_ops_state_group"])
        run = Run.of_this_process(state) or Run.standalone(state)
        run.append(
            [
                record(
                    run=run.id,
                    procedure=run.procedure,
                    host=host,
                    domain=domain,
                    observation=observation,
                    started=iso(now),
                    finished=iso(datetime.now(timezone.utc)),
                )
                for observation in (seen, *more)
                for host in hosts
            ]
        )
        if not run.header.get("begun"):
            with open_ledger(state) as ledger:
                loss = continuity.loss_in(state, ledger)
                drained = drain_spools(state, ledger, now, current=run.spool, actor=Actor(run.id, run.procedure))
                reports = list(interrupted.report(drained, ledger, state, plan))
            for sentence in [*reports, *drained.unreadable]:
                self._display.warning(sentence)
            sentences = dict.fromkeys([*([loss] if loss else []), *drained.rejected, *untold(state.untold)])
            if sentences:  # no seal follows that would say so
                kept = f"The {seen['kind']} is in the ledger and need not be repeated."
                message = " ".join([kept, *sentences])
                forget_untold(state.untold, message)
                raise OpsError(message)
