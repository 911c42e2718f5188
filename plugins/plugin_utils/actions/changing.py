# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of every action that changes a host: its gates decide before the half is sent, however it was called."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.actions.host_task import HostTask
from ansible_collections.egov.ops.plugins.plugin_utils.actions.machine import acceptance
from ansible_collections.egov.ops.plugins.plugin_utils.actions.outcome import outcome_of
from ansible_collections.egov.ops.plugins.plugin_utils.actions.task import Options
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, user_name
from ansible_collections.egov.ops.plugins.plugin_utils.gates import (
    GATES,
    Check,
    Decision,
    Evidence,
    Request,
    counted,
    decide,
    evidence,
    hosts_in_words,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import LedgerError, iso, record, witness
from ansible_collections.egov.ops.plugins.plugin_utils.machines import memory
from ansible_collections.egov.ops.plugins.plugin_utils.operations import registry
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan, check, load_schema
from ansible_collections.egov.ops.plugins.plugin_utils.report import OVERRIDE

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Fact, Observation, Permission
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.types import Outcome, TaskVars

#: The check of every action, whatever gates the plan gives it: that the right machine answers.
MACHINE = "machine"
_EMERGENCY = "In an emergency: egov_ops_override with a reason."


class Passed(NamedTuple):
    """What the gates have decided, on which request, whose approvals count, and why they are overridden, if so.

    machine are the marks of the machine that must answer, {} where it is not known yet, or in an emergency.
    """

    decision: Decision
    request: Request | None
    approvers: tuple[str, ...]
    override: str
    machine: Mapping[str, str] = {}


class ChangingTask(HostTask[Options]):
    """An action whose half changes the host.

    The half is given, beside its options, `operation`, `operation_id` (the request's digest), `gates` (the names of
    those that were passed), `requester` and `approvers`.
    """

    MISDIRECTED = ("failed", "refused")

    @property
    def action(self) -> str:
        """Return the action whose gates are asked: the one that this module carries out."""
        return registry.carried_out_by(self._name)

    def operation(self, arguments: Options, plan: Plan, host: str) -> Mapping[str, object]:
        """Return what is to be done where the request does not say it, {} where it does; raises OpsError."""
        return {}

    def _attempt(
        self, arguments: Options, plan: Plan, host: str, run_id: str, now: datetime, task_vars: TaskVars
    ) -> Outcome:
        """Ask the gates, record what they say, and send the half only then; in check mode send it anyway, to plan."""
        try:
            self._accept(plan, self._works_on(host), host, now)
            with self._decided(arguments, plan, host, now) as passed:
                operation = self.operation(arguments, plan, host)
                if not operation and passed.request and host in passed.request.hosts:
                    operation = dict(passed.request.operation)
                if not operation:
                    passed = passed._replace(decision=_without_operation(passed, host), override="")
                if run_id:
                    self._note(plan, passed, host, now)
        except OpsError as error:
            return {**outcome_of("skipped" if self._task.check_mode else "failed", "refused", str(error)), "gate": {}}
        gate = passed.decision.shown()
        if not self._task.check_mode and not (passed.decision.allowed or passed.override):
            return {**outcome_of("failed", "refused", f"{passed.decision.message} {_EMERGENCY}"), "gate": gate}
        if not operation:
            return {**outcome_of("skipped", "refused", passed.decision.message), "gate": gate}
        # The options that people cannot give: each half has them, and what an operation holds is its own.
        given = cast("Options", {**arguments, "operation": operation, **_facts_of(passed)})
        self._meant = passed.machine
        outcome = super()._attempt(given, plan, host, run_id, now, task_vars)
        if run_id and outcome["status"] == "ok" and passed.request and passed.request.action == self.action:
            done = observation(evidence.DONE, passed.request.digest, "ok", action=self.action, message=outcome["msg"])
            self._append(plan, host, [done], now)
        if self._task.check_mode:
            outcome["msg"] = f"{outcome['msg']} {passed.decision.message}".strip()
            if not passed.decision.allowed:
                said = passed.decision.message
                refusal = observation(evidence.DECISION, self.action, "skipped", "refused", message=said)
                outcome["evidence"] = [*outcome["evidence"], refusal]
        return {**outcome, "gate": gate}

    @contextmanager
    def _decided(self, arguments: Options, plan: Plan, host: str, now: datetime) -> Iterator[Passed]:
        """Give what the gates say. While it is noted, no other run's gate can pass for the same host.

        Raises OpsError for what cannot even be decided: a plan variable on the command line, an unreadable ledger.
        """
        refuse_plan_variables(self.extra_variables())
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        override = str(plan["egov_ops_override"].get("reason", ""))
        wanted = str(arguments.get("request") or plan["egov_ops_request"])
        where = self._works_on(host)
        if self._task.check_mode:
            yield ask(self.action, wanted, host, plan, state, "", override, now, where)
            return
        own = self._run(plan).id
        with state.lock("gate"):
            yield ask(self.action, wanted, host, plan, state, own, override, now, where)

    def _accept(self, plan: Plan, where: str, host: str, now: datetime) -> None:
        """Accept the machine that a person names beside this very operation, and record it; raises OpsError."""
        wanted = plan["egov_ops_accept_machine"]
        if where not in wanted or self._task.check_mode:
            return
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        if not memory.recall(state, where).fault:  # an earlier task of this run has accepted it
            return
        known, seen = acceptance(state, where, wanted, plan["egov_ops_reason"])
        self._append(plan, where, [seen], now, memory.DOMAIN)
        memory.keep(state, known)

    def _note(self, plan: Plan, passed: Passed, host: str, now: datetime) -> None:
        """Record the decision, and tell the system's log too of an override; raises SpoolError."""
        decision = passed.decision
        override = "" if decision.allowed else passed.override
        subject = decision.request or self.action
        shown, module = decision.shown(), self._name
        machine: dict[str, Fact] = {}
        if passed.machine:
            machine["machine"] = {"name": self._works_on(host), **passed.machine}
        if decision.allowed:
            seen = [
                observation(
                    evidence.DECISION, subject, "ok", message=decision.message, **shown, **machine, module=module
                )
            ]
        elif override:
            names = ", ".join(check.gate for check in decision.refused)
            user = user_name(os.geteuid())
            message = f"{self.action} goes on although refused by {names}: {override}"
            seen = [
                observation(
                    evidence.DECISION, subject, "warning", message=decision.message, **shown, **machine, module=module
                ),
                observation(
                    OVERRIDE,
                    subject,
                    "critical",
                    message=message,
                    why=override,
                    user=user,
                    gates=names,
                    next="Have this looked at by a second person, and make the request that was due.",
                ),
            ]
        else:
            seen = [
                observation(
                    evidence.DECISION, subject, "failed", "refused", message=decision.message, **shown, module=module
                )
            ]
        self._append(plan, host, seen, now)
        if override:
            witness.log(f"override {host} {subject} by {user}: {message}")
            self._display.warning(f"OVERRIDE on {host}: {message}")

    def _append(
        self, plan: Plan, host: str, seen: list[Observation], now: datetime, domain: str = evidence.DOMAIN
    ) -> None:
        run, finished = self._run(plan), iso(datetime.now(timezone.utc))
        run.append(
            record(
                run=run.id,
                procedure=run.procedure,
                host=host,
                domain=domain,
                observation=item,
                started=iso(now),
                finished=finished,
            )
            for item in seen
        )


def refuse_plan_variables(extra: Mapping[str, Any]) -> None:
    """Refuse by name a variable of the plan, or one that there is not, among the extra variables; raises OpsError."""
    for problem in check({}, load_schema(), extra):
        if problem.fatal:
            raise OpsError(problem.message)


def ask(
    action: str,
    wanted: str,
    host: str,
    plan: Plan,
    state: StateDir,
    own: str,
    override: str,
    now: datetime,
    where: str = "",
) -> Passed:
    """Return what the gates say of the request whose digest begins so, "" for none.

    where is the host whose machine does the work, "" for the host itself.

    Raises LedgerError where the ledger cannot be read; with an override the gates then refuse, and the request comes
    from the state folder. Raises OpsError for a request that there is not.
    """
    try:
        request = evidence.find(state, wanted) if wanted else None
        known = evidence.gather(request, action, host, plan, state, now)
    except LedgerError as error:
        if not override:
            raise
        request = evidence.find_export(state, wanted) if wanted else None
        alone = Evidence(host, action, running=evidence.running(state, host, own, now))
        checks = (Check("ledger", False, str(error)), GATES["lock"](request, plan, alone, now))
        return Passed(Decision(action, host, request.digest if request else "", checks), request, (), override)
    known = replace(known, running=evidence.running(state, host, own, now))
    approvers = tuple(sorted(counted(request, plan, known, now))) if request else ()
    decision = decide(request, plan, known, now)
    doubts, machine = _machine(state, where or host, request, plan)
    decision = replace(decision, checks=(*decision.checks, *doubts))
    return Passed(decision, request, approvers, override, {} if override else machine)


def _machine(state: StateDir, where: str, request: Request | None, plan: Plan) -> tuple[list[Check], Mapping[str, str]]:
    """Return the check that refuses a machine with which something is wrong, if so, and the marks of the right one."""
    known = memory.recall(state, where)
    machine: Mapping[str, str] = known.accepted or {}
    if known.fault and plan["egov_ops_accept_machine"].get(where) == memory.short(known.seen):
        return [], known.seen  # the operation itself accepts it, before its gates are asked
    if known.fault:
        return [Check(MACHINE, False, known.message, known.remedy)], machine
    asked = request.operation.get("machine") if request and where in request.hosts else None
    if asked and known.accepted is not None and not memory.are_same(asked, known.accepted):
        message = (
            f"The request is for the machine {memory.short(asked)}, and the one that is known as {where} is "
            f"{memory.short(known.accepted)}."
        )
        return [Check(MACHINE, False, message, "Make a new request.")], machine
    # One that a person has accepted without an identity cannot be told from others.
    return [], asked or (machine if memory.MACHINE in machine else {})


def _without_operation(passed: Passed, host: str) -> Decision:
    """Return the decision where there is nothing to do: it refuses, whatever the gates say."""
    if not passed.decision.allowed:
        return passed.decision
    request = passed.request
    message = (
        f"The request is for {hosts_in_words(request)}, and not for {host}." if request else "No request is named."
    )
    refused = Check("operation", False, message, "Name a request for this host in egov_ops_request.")
    return replace(passed.decision, checks=(*passed.decision.checks, refused))


def _facts_of(passed: Passed) -> Permission:
    """Return what the half records of its permission."""
    names = [check.gate if check.allowed else f"overridden: {check.gate}" for check in passed.decision.checks]
    return {
        "operation_id": passed.decision.request,
        "gates": names,
        "requester": passed.request.requester if passed.request else "",
        "approvers": list(passed.approvers),
    }
