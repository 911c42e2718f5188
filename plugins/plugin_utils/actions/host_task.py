# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the actions over a half: whatever happens to it is caught, and recorded before the task ends."""

from __future__ import annotations

import signal
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.egov.ops.plugins.module_utils.host.half import secret_values
from ansible_collections.egov.ops.plugins.module_utils.host.record import MESSAGE_LIMIT, SEVERITY, observation
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber
from ansible_collections.egov.ops.plugins.plugin_utils.actions import secrecy
from ansible_collections.egov.ops.plugins.plugin_utils.actions.machine import MachineTask
from ansible_collections.egov.ops.plugins.plugin_utils.actions.outcome import brief, counts_of, first_line, outcome_of
from ansible_collections.egov.ops.plugins.plugin_utils.actions.task import Options
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, inert
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import iso, record_or_failure
from ansible_collections.egov.ops.plugins.plugin_utils.machines import memory
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.runs import Run
from ansible_collections.egov.ops.plugins.plugin_utils.transport import (
    Answer,
    AnswerError,
    Check,
    Expected,
    parse_answer,
    sources,
    stream,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Context, Observation
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.types import (
        Circumstances,
        HostResult,
        Outcome,
        Results,
        TaskVars,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record

#: Records shown in Ansible's own result, in a procedure in brief; all of them go to the spool, whole.
SHOWN = 5
#: Seconds between the half's own deadline and the moment the controller gives up on it.
GRACE = 30
#: Seconds between two calls of work that goes on, however fast the host answers.
PAUSE = 1.0


class HostTask(MachineTask[Options]):
    """An action over a half: one trip to the host, and its evidence in the spool."""

    DOMAIN: ClassVar[str]
    #: Whether the half starts a job of its own on the host (host/job.py). It is then called, with `attach` from the
    #: second time on, until its result is no longer `running`, with a line of progress between two calls; and once
    #: more, with `recorded`, when its evidence is on the controller's disk.
    DETACHES: ClassVar[bool] = False
    #: Whether the half's work may take long (host/watched.py): it is then asked for by the id of its job.
    WATCHED: ClassVar[bool] = False
    #: The kinds of observations that the half may make.
    KINDS: ClassVar[tuple[str, ...]] = ()
    #: The results of the half beside the common ones, each with what it may be.
    RESULTS: ClassVar[Mapping[str, Check]] = {}
    _acknowledge: Callable[[], object]
    _known: Scrubber = Scrubber()

    @abstractmethod
    def prepare(self, arguments: Options, plan: Plan, host: str, now: datetime) -> tuple[Options, dict[str, str]]:
        """Return what the half is given, filled from the plan where an option is absent, and the secrets it needs."""

    def expected(self, given: Options) -> Expected:
        """Return what the half may answer to the options that it is given; by itself at least one observation."""
        return self._expected(some=True)

    def _expected(self, **more: Any) -> Expected:
        """Return what holds for each call of the half, with what else is given here."""
        again = ("attach",) if self.DETACHES else ("job",) if self.WATCHED else ()
        return Expected(**{"kinds": self.KINDS, "results": self.RESULTS, "again": again, **more})

    def longest(self, given: Options, timeout: float) -> float:
        """Return the seconds that the half's work may take over all calls, timeout being those of one call."""
        return timeout

    def perform(self, arguments: Options, task_vars: TaskVars) -> HostResult:
        """Send the half and record what came of it.

        In a run that only observes, a failed or unreachable host is a record, and `run_verdict` fails the host;
        anywhere else the task itself fails. In check mode the evidence ends with the process.
        """
        host: str = task_vars["inventory_hostname"]
        plan = self.plan_of(host)
        self._known = self.known_secrets(task_vars, plan)
        checks = bool(self._task.check_mode)
        run = self.open_run(plan) if checks else self._run(plan)
        earlier = run.steps(host) if run else []
        started, clock = datetime.now(timezone.utc), time.monotonic()
        outcome = (
            self._excused(run, host, earlier)
            or self._misdirected(plan, host, task_vars)
            or self._attempt(arguments, plan, host, run.id if run and not checks else "", started, task_vars)
        )
        outcome["msg"] = inert(outcome["msg"])
        outcome = secrecy.scrubbed(self.complete(outcome, arguments, plan, host, started), self._known)
        marks = outcome.pop("machine", None)
        if run:
            if marks is not None:
                outcome["met"], news = self._met(plan, host, marks, earlier, task_vars["groups"]["all"])
                for name, seen in news:
                    if name in (host, *run.header.get("hosts", ())):
                        self._record(run, name, [seen], started, 1, "none", memory.DOMAIN)
            step = self._step(run, outcome, time.monotonic() - clock, task_vars)
            attempt = 1 + sum(entry["subject"] == self._name for entry in earlier)
            self._record(run, host, [*outcome["evidence"], step], started, attempt, outcome["transport"])
            if self.DETACHES and outcome["evidence"] and not checks:
                with suppress(OpsError, AnsibleError, _Timeout):  # then the next call is told of the end once more
                    self._acknowledge()
        if outcome["status"] in ("failed", "unreachable", "unknown") and not (run and run.observes):
            if outcome["status"] == "unreachable":
                raise AnsibleConnectionFailure(outcome["msg"])
            outcome["failed"] = True
        outcome.pop("met", None)
        observations = outcome["evidence"]
        worst = sorted(observations, key=lambda item: SEVERITY.index(item["status"]))[:SHOWN]
        result = {
            **outcome,
            "summary": outcome["summary"] or counts_of(observations),
            "evidence": brief(worst) if run and run.header.get("begun") else worst,
            "evidence_count": len(observations),
        }
        return cast("HostResult", result)  # without what an outcome has of the machine

    def complete(self, outcome: Outcome, arguments: Options, plan: Plan, host: str, now: datetime) -> Outcome:
        """Return the outcome with what the controller adds to it, also where the host did not answer."""
        return outcome

    def _step(self, run: Run, outcome: Outcome, seconds: float, task_vars: TaskVars) -> Observation:
        """Return the observation that the work was done, or why it was not."""
        return observation(
            "step",
            self._name,
            outcome["status"],
            outcome["reason"] or ("" if run.header.get("begun") else "standalone"),
            run.clauses_of(self._name),
            duration=seconds,
            message=outcome["msg"],
            counts=counts_of(outcome["evidence"]),
            **self._circumstances(outcome, task_vars),
        )

    def _record(
        self,
        run: Run,
        host: str,
        observations: list[Observation],
        started: datetime,
        attempt: int,
        via: str,
        domain: str = "",
    ) -> None:
        """Append the observations of one call to the run's spool; raises SpoolError."""
        began, finished = iso(started), iso(datetime.now(timezone.utc))
        run.append(
            record_or_failure(
                run=run.id,
                procedure=run.procedure,
                host=host,
                domain=domain or self.DOMAIN,
                observation=item,
                started=began,
                finished=finished,
                attempt=attempt,
                via=via,
            )
            for item in observations
        )

    def _run(self, plan: Plan) -> Run:
        state = StateDir.resolve(plan["egov_ops_state_dir"], group=plan["egov_ops_state_group"])
        return Run.of_this_process(state) or Run.standalone(state)

    def _excused(self, run: Run | None, host: str, earlier: list[Record]) -> Outcome | None:
        """Return why this host is left alone in this run, None if it is to be visited."""
        if run is None:
            return None
        if run.header.get("busy"):
            others = ", ".join(run.header["others"])
            return outcome_of("skipped", "busy", f"{others} was still running; run {run.procedure} again after it.")
        if host in run.header.get("not_ours", ()):
            return outcome_of("skipped", "not_ours", "This host is not managed by the platform's plan.")
        if any(step["status"] == "unreachable" for step in earlier):
            message = f"{host} did not answer an earlier task of this run and was not tried again."
            return outcome_of("unreachable", "", message)
        return None

    def _circumstances(self, outcome: Outcome, task_vars: TaskVars) -> Circumstances:
        """Return what an auditor may ask of a step: Python, CPU and sources of the half, loop item, delegation."""
        found: Circumstances = {
            "python": outcome.get("python", ""),
            "cpu": outcome.get("cpu"),
            "sources": sources(self.HALF[0]).digest,
        }
        found.update(cast("Circumstances", outcome.get("met", {})))
        loop_variable = self._task.loop_control.loop_var if self._task.loop_control else "item"
        if self._task.loop is not None or self._task.loop_with:
            found["item"] = self._known.text(str(task_vars.get(loop_variable)))[:200]
        if self._task.delegate_to:
            found["delegated_to"] = str(self._task.delegate_to)
        return found

    def _attempt(
        self, arguments: Options, plan: Plan, host: str, run_id: str, now: datetime, task_vars: TaskVars
    ) -> Outcome:
        """Return the half's result, or the failure that stands in its place; only a defect of ours escapes."""
        try:
            prepared, secrets = self.prepare(arguments, plan, host, now)
            expected = self.expected(prepared)
            self._vaulted.update(secret_values(secrets))  # should anything break from here on
            secrets = secrecy.with_hidden(secrets, self._known, prepared, {host, *plan.names()})
            given: dict[str, object] = {**prepared}
            # Each half has this option, of the type float: Ansible has checked it.
            timeout, place = float(cast("float", given.pop("timeout"))), self._place(plan, host)
            context: Context = {
                "check_mode": bool(self._task.check_mode),
                "diff": bool(self._task.diff),
                "now": iso(now),
                "run": run_id,
                "timeout": timeout,
                "tool_path": place["egov_ops_tool_path"],
                "state_dir": place["egov_ops_host_state_dir"],
                "alias": self._alias(plan, host),
                "machine": dict(self._meant),
            }
            if self.DETACHES:
                context["program"] = stream.program(self.HALF[0])

            limit = self.longest(prepared, timeout) + 2 * GRACE
            until = time.monotonic() + limit

            def call(allowed: Expected, **more: Any) -> tuple[Answer, str]:
                with _alarm(0 if self._task.timeout else timeout + GRACE):
                    found, transport = self._send(plan, {**given, **more}, context, secrets, task_vars)
                    answer = parse_answer(found, allowed)
                return self._without_stack(answer, task_vars), transport

            begun = time.monotonic()
            answer, transport = call(expected)
            while answer.running:
                self.say(f"{host}: {inert(self._known.text(answer.msg))}")
                if time.monotonic() >= until:
                    message = f"{self._name} still said that it is running after {limit:g} s and was not asked again."
                    return outcome_of("failed", "timeout", message, transport)
                time.sleep(max(0.0, begun + PAUSE - time.monotonic()))
                begun = time.monotonic()
                context["now"] = iso(datetime.now(timezone.utc))
                answer, transport = call(expected, **(answer.again or {"attach": True}))
            self._acknowledge = partial(call, self._expected(), recorded=True)
        except AnswerError as error:
            message = f"The answer of {self._elsewhere(host) or host} to {self._name} is malformed: {error}."
            return outcome_of("failed", "malformed_answer", message)
        except stream.StreamError as error:
            message = str(error)
            if error.stack:
                message = _with_end(message, self.keep_crash(error.stack, task_vars))
            return outcome_of("unknown" if error.reason == "no_python" else "failed", error.reason, message)
        except OpsError as error:
            return outcome_of("failed", "refused", str(error))
        except AnsibleConnectionFailure as error:
            where = self._elsewhere(host)
            if where:  # the host itself is not known to be away
                return outcome_of("failed", "error", f"{where} cannot be reached: {first_line(error)}.")
            return outcome_of("unreachable", "", f"{host} cannot be reached: {first_line(error)}.")
        except AnsibleError as error:
            # A wrong or missing become password, a variable that is not defined: of this host, and not of the run.
            return outcome_of("failed", "error", f"{self._name} could not be started on {host}: {first_line(error)}.")
        except _Timeout:
            return outcome_of("failed", "timeout", f"{self._name} did not answer within {timeout + GRACE:g} s.")
        except BaseException as error:
            # Ansible's own task timeout is a BaseException whose class has moved between releases.
            if type(error).__name__ != "TaskTimeoutError":
                raise
            return outcome_of("failed", "timeout", f"{self._name} did not end within the task's timeout.")
        if answer.failed:
            message = answer.msg or "The module failed and said nothing."
            failure = outcome_of("failed", answer.reason or "error", message, transport)
            return {**failure, "evidence": answer.evidence, "machine": answer.machine or None}
        return {
            **cast("Results", answer.more),
            **outcome_of("ok", "", answer.msg, transport),
            "changed": answer.changed,
            "summary": answer.summary,
            "evidence": answer.evidence,
            "python": answer.python,
            "cpu": answer.cpu,
            "machine": answer.machine,
        }

    def _without_stack(self, answer: Answer, task_vars: TaskVars) -> Answer:
        """Return an answer whose traceback, if it has one, is in the log of crashes, which its message then names."""
        if not answer.traceback:
            return answer
        where = self.keep_crash(answer.traceback, task_vars)
        return answer._replace(msg=_with_end(answer.msg, where), traceback="")

    def _elsewhere(self, host: str) -> str:
        """Return the other host that the task is delegated to, "" for none."""
        delegate = str(self._task.delegate_to or "")
        return "" if delegate in (host, "localhost") else delegate

    def _place(self, plan: Plan, host: str) -> Plan:
        """Return the plan of the host that does the work; raises OpsError for one that is not in the inventory."""
        where = self._elsewhere(host)
        return self.plan_of_other(where) if where else plan


def _with_end(message: str, sentence: str) -> str:
    """Return a message with a sentence after it, which is there however long the message is."""
    return f"{message[: MESSAGE_LIMIT - len(sentence) - 1]} {sentence}"


class _Timeout(BaseException):
    """The controller's own ceiling, for a task that has no `timeout:`; nothing on the way may swallow it."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    if not seconds:
        yield
        return

    def ring(_signal: int, _frame: object) -> None:
        raise _Timeout

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
