# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the probes of the plan side by side, each in a process of its own, and return one observation for each thing.

A process and not a thread: one that waits for a hung mount cannot be ended, and no thread of it either. So the parent
never waits for a child; it kills it at its deadline and, where that has no effect, leaves it behind and says so.
"""

import json
import os
import select
import signal
import time

from ansible_collections.egov.ops.plugins.module_utils.health import registry
from ansible_collections.egov.ops.plugins.module_utils.health.entry import subject_of, understand
from ansible_collections.egov.ops.plugins.module_utils.health.probe import Absent, Probe, Unusable
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.record import SEVERITY, counts_of
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.types import Parameters, ProbeArguments, Settings
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation, Result

#: Seconds: a probe's longest life, how long a killed process may take to be gone, what the answer needs at the end.
_LONGEST = 4.0
_GRACE = 0.3
_MARGIN = 1.0
#: Hung probes occupy their place until their deadline, so there have to be many places.
_AT_ONCE = 32
_OUTPUT_LIMIT = 512 * 1024


def probe(arguments, host, root="/"):
    # type: (ProbeArguments, Host, str) -> Result
    """Check the health of the host.

    arguments: `probes`, a dictionary of entries by name: {kind, layer, warning, critical, severity, timeout, state}
    and the parameters of the kind. Returns the result of a half within the host's deadline; raises HalfError, before
    any probe runs, for an entry that makes no sense. root: see Probe.
    """
    children = []
    for name, settings in sorted((arguments.get("probes") or {}).items()):
        if not (isinstance(settings, dict) and settings.get("state") == "absent"):
            children += _children(name, settings, host, root)
    if not children:
        raise HalfError("No probe is configured for this host; add one to egov_ops_probes.")
    _run(children, host.deadline - _MARGIN)
    evidence = _distinct([found for child in children for found in child.observations])
    summary = counts_of(evidence)
    return {"changed": False, "msg": _sentence(evidence, summary), "summary": summary, "evidence": evidence}


class _Child:
    """A check on one thing and the process that performs it."""

    def __init__(self, probe, kind, parameters):
        # type: (Probe, registry.Kind, Parameters) -> None
        self.probe = probe
        self.kind = kind
        self.parameters = parameters
        self.pid = 0
        self.pipe = -1
        self.started = 0.0
        self.deadline = 0.0
        self.killed = False
        self.output = bytearray()
        self.observations = []  # type: list[Observation]

    def start(self, end):
        # type: (float) -> None
        """Fork; the deadline is the probe's own or the end of the check. Raises OSError at a limit of the host."""
        self.pipe, writer = os.pipe()
        self.started = time.monotonic()
        self.deadline = self.probe.deadline = min(self.started + self.probe.timeout, end)
        try:
            self.pid = os.fork()
        except OSError:
            os.close(self.pipe)
            os.close(writer)
            raise
        if self.pid == 0:
            _live(writer, self)
        os.close(writer)

    def read(self):
        # type: () -> bool
        """Take what the process wrote; False once there is no more to come."""
        chunk = os.read(self.pipe, 65536)
        self.output += chunk
        return bool(chunk) and len(self.output) <= _OUTPUT_LIMIT

    def kill(self):
        # type: () -> None
        """Kill the process and the tools it has started."""
        self.killed = True
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has hardly begun and has no group yet
            os.kill(self.pid, signal.SIGKILL)

    def finish(self, gone):
        # type: (bool) -> None
        """Turn what the process left into observations; gone tells whether it has ended."""
        os.close(self.pipe)
        seconds = time.monotonic() - self.started
        if self.killed:
            self.observations = [self._unanswered(gone)]
        elif len(self.output) > _OUTPUT_LIMIT:
            self.kill()
            message = "Probe %s found more than a record can hold." % self.probe.name
            self.observations = [self.probe.finding("unknown", message, "Narrow the probe.", reason="too_large")]
        else:
            try:
                self.observations = json.loads(bytes(self.output).decode("ascii"))
            except ValueError:
                message = "Probe %s died without a result." % self.probe.name
                act = "Look for its end in the kernel log: dmesg | tail."
                self.observations = [self.probe.finding("unknown", message, act, reason="error")]
        for found in self.observations:
            found["duration"] = round(seconds, 4)

    def _unanswered(self, gone):
        # type: (bool) -> Observation
        probe = self.probe
        reason = "timeout" if gone else "stuck"
        act = "Look at what it depends on: the mount, the disk, the name servers or the service."
        seconds = self.deadline - _GRACE - self.started
        if self.kind.silence:
            message = "%s did not answer within %.1f s." % (probe.subject, seconds)
            return probe.finding(probe.severity, message, act, reason=reason)
        message = "Probe %s of %s did not end within %.1f s" % (probe.name, probe.subject, seconds)
        message += "." if gone else " and cannot be killed."
        return probe.finding("unknown", message, act, reason=reason)


def _children(name, settings, host, root):
    # type: (str, Settings, Host, str) -> list[_Child]
    """Check an entry of the plan and return a child for each thing that it looks at; raises HalfError."""
    try:
        kind, parameters = understand(settings)
        required = [key for key, needed in kind.parameters().items() if needed]
        subject = subject_of(name, kind, required, parameters)
        probe = Probe(name, settings, subject, host, root)
        if not 0 < probe.timeout <= _LONGEST:
            raise ValueError("its timeout has to be more than 0 and at most %d seconds" % _LONGEST)
        if kind.limit and not (probe.warning or probe.critical):
            raise ValueError("it measures a value, so it needs `warning` or `critical`")
    except ValueError as error:
        raise HalfError("Probe %s cannot be used: %s." % (name, error))
    if kind.each is None:
        return [_Child(probe, kind, parameters)]
    try:
        things = registry.call(kind.each, probe, parameters)
        if not things:
            raise Absent("The host has nothing that probe %s could look at." % name)
    except Exception as error:
        child = _Child(probe, kind, parameters)
        child.observations = [_explain(probe, error)]
        return [child]
    return [_Child(Probe(name, settings, thing, host, root), kind, parameters) for thing in things]


def _live(writer, child):
    # type: (int, _Child) -> None
    """Be the process of one probe; never returns."""
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        # a process that cannot be killed must not hold open the connection that its parent came by
        os.closerange(3, writer)
        os.closerange(writer + 1, 256)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(child.probe.timeout) + 2)  # should the parent die first
        data = json.dumps(_check(child)).encode("ascii")
        while data:
            data = data[os.write(writer, data) :]
    finally:
        os._exit(0)


def _check(child):
    # type: (_Child) -> list[Observation]
    try:
        found = list(registry.call(child.kind.check, child.probe, child.parameters))
    except Exception as error:
        found = [_explain(child.probe, error, bool(child.kind.secret))]
    for name, secrets_of in child.kind.secret.items():
        if child.parameters.get(name):
            scrubber = Scrubber(secrets_of(child.parameters[name]))
            for item in found:
                item["detail"] = scrubber.value(item["detail"])
    return found


def _explain(probe, error, secret=False):
    # type: (Probe, Exception, bool) -> Observation
    """Return the observation of a check that could not be performed; secret tells that the error may hold one."""
    if isinstance(error, Absent):
        return probe.finding("skipped", str(error), reason="not_applicable")
    if isinstance(error, PermissionError):
        message = "Probe %s may not read %s." % (probe.name, error.filename or error)
        act = "Run the health check with become."
        if os.geteuid() == 0:
            act = "Find out what denies it to root on that host: a container, a security module, a network file system."
        return probe.finding("unknown", message, act, reason="permission")
    if isinstance(error, TimeoutError):
        message = "Probe %s was not finished: %s." % (probe.name, error)
        return probe.finding("unknown", message, "Run the tool by hand and see what it waits for.", reason="timeout")
    said = str(error)
    if secret and not isinstance(error, Unusable):
        said = getattr(error, "strerror", "")
    said = said or type(error).__name__
    message = "Probe %s of %s could not be performed: %s." % (probe.name, probe.subject, said)
    return probe.finding("unknown", message, "Correct the probe's parameters in the plan.", reason="error")


def _run(children, end):
    # type: (list[_Child], float) -> None
    """Let all children live, some at a time, and return when each has answered, died or been given up."""
    waiting = [child for child in reversed(children) if not child.observations]
    running = {}  # type: dict[int, _Child]
    uncollected = []  # type: list[int]
    poller = select.poll()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, as some starters leave it, it would lose us the children
    while waiting or running:
        if time.monotonic() >= end:
            for child in waiting:
                message = "The time for the whole check was over before probe %s began." % child.probe.name
                act = "Mend what the slow probes found, or give the check more time."
                child.observations = [child.probe.finding("unknown", message, act, reason="not_reached")]
            waiting = []
        while waiting and len(running) < _AT_ONCE:
            child = waiting.pop()
            try:
                child.start(end)
            except OSError as error:
                message = "No process could be started for probe %s: %s." % (child.probe.name, error.strerror)
                act = "Raise the host's limit of processes or open files, or stop who uses them up."
                child.observations = [child.probe.finding("unknown", message, act, reason="error")]
                continue
            running[child.pipe] = child
            poller.register(child.pipe, select.POLLIN)
        pause = min([child.deadline for child in running.values()] or [0]) - time.monotonic()
        over = []
        for descriptor, _event in poller.poll(max(0, pause) * 1000 + 1):
            if not running[descriptor].read():
                over.append((running[descriptor], True))
        ended = {child for child, _gone in over}
        for child in running.values():
            if child not in ended and child.deadline <= time.monotonic():
                if child.killed:
                    over.append((child, False))
                else:
                    child.kill()
                    child.deadline += _GRACE
        for child, gone in over:
            poller.unregister(child.pipe)
            del running[child.pipe]
            child.finish(gone)
            uncollected.append(child.pid)
    _collect(uncollected)


def _collect(pids):
    # type: (list[int]) -> None
    """Collect the processes that have ended; one that cannot end is left behind."""
    until = time.monotonic() + 0.1
    for pid in pids:
        while os.waitpid(pid, os.WNOHANG)[0] == 0 and time.monotonic() < until:
            time.sleep(0.001)


def _distinct(evidence):
    # type: (list[Observation]) -> list[Observation]
    """Tell apart what two probes of one kind found on the same subject, by the name of the later probe."""
    seen = set()
    for found in evidence:
        if (found["kind"], found["subject"]) in seen:
            found["subject"] = "%s (%s)" % (found["subject"], found["detail"]["probe"])
        seen.add((found["kind"], found["subject"]))
    return evidence


def _sentence(evidence, summary):
    # type: (list[Observation], dict[str, int]) -> str
    """Return the verdict in one line: the counts, worst first, and the worst finding."""
    counts = ", ".join("%d %s" % (summary[status], status) for status in SEVERITY if status in summary)
    worst = min(evidence, key=lambda found: SEVERITY.index(found["status"]))
    if worst["status"] in ("ok", "skipped"):
        return "Health: %s." % counts
    return "Health: %s; worst: %s" % (counts, worst["detail"]["message"])
