# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the actions that must know which machine they work on: the one that the inventory means, or none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from multiprocessing import current_process, parent_process
from typing import TYPE_CHECKING, Any, ClassVar

from ansible.errors import AnsibleError
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.actions.outcome import outcome_of
from ansible_collections.egov.ops.plugins.plugin_utils.actions.sending import SendingTask
from ansible_collections.egov.ops.plugins.plugin_utils.actions.task import Options
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, user_name
from ansible_collections.egov.ops.plugins.plugin_utils.machines import Chosen, Known, choice_fault, memory, short
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.runs import Run

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.types import Met, Outcome, TaskVars
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record


class MachineTask(SendingTask[Options]):
    """An action that works on the machine of its host, or on the one that the plan names for it."""

    #: What a task is that would work on another machine than the one that is meant: status and reason.
    MISDIRECTED: ClassVar[tuple[str, str]] = ("unknown", "other_machine")
    #: The marks of the machine that must answer, {} where any may and what answers is recorded.
    _meant: Mapping[str, str] = {}

    def elsewhere(self, plan: Plan, host: str) -> str:
        """Return the other host on which the plan has this done, "" where that is the host itself."""
        return ""

    def _works_on(self, host: str) -> str:
        """Return the name in the inventory of the machine that does the work."""
        return str(self._task.delegate_to or host)

    def _misdirected(self, plan: Plan, host: str, task_vars: TaskVars) -> Outcome | None:
        """Return the outcome where the task would work on another machine than the one that is meant, else None."""
        try:
            fault = self._delegation_fault(plan, host) or self._choice_fault(host, task_vars)
        except OpsError as error:
            fault = str(error)
        except AnsibleError as error:
            text = " ".join(str(error).split())[:300]
            fault = f"Which machine {host} is cannot be told from the inventory alone ({text}): write it there."
        return outcome_of(*self.MISDIRECTED, fault) if fault else None

    def _delegation_fault(self, plan: Plan, host: str) -> str:
        """Return why this host's task must not be done where it is, as a sentence; "" for nothing. Raises OpsError."""
        worker = current_process()
        real = str(getattr(getattr(worker, "_host", None), "name", "" if parent_process() else host))
        if not real:
            return f"This ansible-core does not tell for which host {worker.name} works; use a version of the README."
        if real != host:
            return f"inventory_hostname is set to {host} by -e, a play, a task or a fact, and the task is for {real}."
        where = self._works_on(host)
        if where == host:
            return ""
        named = self.elsewhere(plan, host) or host
        if where == named:
            return ""
        return (
            f"{self._name} of {host} is delegated to {where}, and the plan has it done on {named} alone: take "
            "delegate_to out of the task."
        )

    def _choice_fault(self, host: str, task_vars: TaskVars) -> str:
        """Return what chooses another machine than the inventory, "" for nothing. Raises OpsError and AnsibleError."""
        where, variables = self._works_on(host), task_vars
        if self._task.delegate_to:
            variables = task_vars.get("ansible_delegated_vars", {}).get(where, task_vars)
        chosen = Chosen(variables, str(self._connection._load_name), str(self._task.connection), self._task.port)
        if self._task.get_variable_manager()._inventory.get_host(where) is None:
            return ""  # what is sent there says so
        reader = self.inventory_plan()
        inventory = reader.written(where)
        return choice_fault(
            where, chosen, inventory, self._templar.template, lambda value: reader.value(where, inventory, value)
        )

    def _alias(self, plan: Plan, host: str) -> str:
        """Return what tells simulated hosts of one machine apart, of the one that does the work. Raises OpsError."""
        where = self._works_on(host)
        return str((plan if where == host else self.plan_of_other(where))["egov_ops_machine_alias"])

    def open_run(self, plan: Plan) -> Run | None:
        """Return the run, or in check mode the check, that this process has begun; None where it has begun none."""
        if self._task.check_mode:
            return Run.of_this_check()
        return Run.of_this_process(StateDir.resolve(plan["egov_ops_state_dir"]))

    def _met(
        self, plan: Plan, host: str, marks: Mapping[str, str], earlier: list[Record], inventory: list[str]
    ) -> tuple[Met, list[tuple[str, Observation]]]:
        """Remember the machine that has answered, of which earlier are this run's steps.

        Return what the step says of it, and what else is to be recorded, by host: a fault once in a run.
        """
        where, state = self._works_on(host), StateDir.resolve(plan["egov_ops_state_dir"])
        try:
            if self._task.check_mode:
                known = memory.compared(state, where, marks, inventory)
                changed = list[memory.Known]()
            else:
                known, changed = memory.visited(state, where, marks, inventory)
        except OpsError as error:  # what was seen of the host is not lost with it
            message = f"Whether the right machine answers to {where} is not known: {error}"
            unread = observation(memory.FINDING, memory.SUBJECT, "unknown", message=message)
            return {"machine": dict(marks), "machine_fault": "unread"}, [(host, unread)]
        news = {host if one.host == where else one.host: finding(one) for one in changed}
        if known.fault and not any(step["detail"].get("machine_fault") == known.fault for step in earlier):
            news.setdefault(host, finding(known))
        met: Met = {"machine": dict(marks)}
        if known.fault:
            met["machine_fault"] = known.fault
        return met, list(news.items())


def finding(known: Known) -> Observation:
    """Return the observation of what is wrong with the machine behind a name, or that nothing is any longer."""
    if not known.fault:
        message = f"The machine that answers to {known.host} is the one that is known, {short(known.seen)}."
        return observation(memory.FINDING, memory.SUBJECT, "ok", message=message)
    return observation(
        memory.FINDING,
        memory.SUBJECT,
        "critical",
        message=f"{known.message} Nothing is changed there until a person accepts it.",
        next=known.remedy,
        fault=known.fault,
        others=list(known.others),
        seen=dict(known.seen),
        accepted=dict(known.accepted or {}),
    )


def acceptance(state: StateDir, host: str, wanted: Mapping[str, Any], reason: str) -> tuple[Known, Observation]:
    """Return what is known of a machine once it is accepted, and the observation that says who did so and why.

    wanted are the digits of machines by host, as egov_ops_accept_machine has them. Raises OpsError.
    """
    if not reason.strip():
        raise OpsError("To accept a machine needs a reason, one sentence: give egov_ops_reason.")
    before = memory.recall(state, host)
    known = memory.accept(state, host, str(wanted[host]))
    person = user_name(os.geteuid())
    message = f"{person} accepts the machine {short(known.seen)} as {host}: {reason}"
    return known, observation(
        memory.ACCEPTED,
        memory.SUBJECT,
        "ok",
        message=message,
        person=person,
        why=reason,
        fault=before.fault,
        machine=dict(known.seen),
        before=dict(before.accepted or {}),
        tolerated=list(known.tolerated),
    )
