# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at the host with all controls of the plan in one process, and return one observation for each.

Nothing is written, and what several controls need is read once. A control that makes no sense is an observation too.
"""

from ansible_collections.egov.ops.plugins.module_utils.hardening import expect, registry
from ansible_collections.egov.ops.plugins.module_utils.hardening.clauses import CLAUSES
from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Absent, Machine, Unreadable
from ansible_collections.egov.ops.plugins.module_utils.hardening.sshd import MATCH
from ansible_collections.egov.ops.plugins.module_utils.hardening.tree import TooMuch
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.members import members_of
from ansible_collections.egov.ops.plugins.module_utils.host.record import SEVERITY, counts_of, observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import (
        Arguments,
        AuditArguments,
        Control,
        Found,
    )
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Fact, Observation, Result

#: What an entry of the plan may hold beside the arguments of its primitive.
_SETTINGS = ("title", "why", "severity", "clauses", "primitive", "expected", "families", "deb", "rpm", "act", "state")
_FAMILIES = ("deb", "rpm")
#: Seconds that the answer needs at the end; things that one record names.
_MARGIN = 1.0
_MOST_THINGS = 20


def audit(arguments, host, root="/"):
    # type: (AuditArguments, Host, str) -> Result
    """Compare the host with the controls of the plan.

    arguments: `controls`, a dictionary of entries by id: see plugins/modules/hardening_audit.py. Returns the result of
    a half within the host's deadline; raises HalfError where there is no control. root: see Machine.
    """
    entries = {
        name: entry
        for name, entry in sorted((arguments.get("controls") or {}).items())
        if not (isinstance(entry, dict) and entry.get("state") == "absent")
    }
    if not entries:
        raise HalfError("No control is configured for this host; add one to egov_ops_controls.")
    machine = Machine(host, root)
    family = machine.packages()
    controls = [_Control(name, entry, family) for name, entry in entries.items()]
    machine.entries = {control.name: control.arguments for control in controls}
    evidence = [control.judge(machine) for control in controls]
    summary = counts_of(evidence)
    return {"changed": False, "msg": _sentence(evidence, summary), "summary": summary, "evidence": evidence}


class _Control:
    """A control of the plan, as it holds for this kind of host."""

    def __init__(self, name, entry, family):
        # type: (str, Control, str) -> None
        self.name = name
        self.entry = entry if isinstance(entry, dict) else {}  # type: Control
        self.arguments = {}  # type: Arguments
        self.wrong = ""
        self.foreign = False
        try:
            self._understand(entry, family)
        except ValueError as error:
            self.wrong = str(error)

    def _understand(self, entry, family):
        # type: (Control, str) -> None
        """Take the entry apart; raises ValueError with the half of a sentence."""
        if not isinstance(entry, dict):
            raise ValueError("it has to be a dictionary with `primitive` and `expected`")
        families = entry.get("families") or list(_FAMILIES)
        for given in families if isinstance(families, list) else [families]:
            if given not in _FAMILIES:
                raise ValueError("there is no family %s; known are %s" % (given, ", ".join(_FAMILIES)))
        own = entry.get(family) or {}
        if not isinstance(own, dict):
            raise ValueError("its %s has to be a dictionary of what differs there" % family)
        settings = dict(entry, **own)
        primitive = str(settings.get("primitive"))
        if primitive not in registry.PRIMITIVES:
            raise ValueError("there is no primitive %s%s" % (primitive, _near(primitive)))
        self.primitive = registry.PRIMITIVES[primitive]
        self.expected = expect.Expectation(settings.get("expected"))
        self.severity = settings.get("severity") or "warning"
        if self.severity not in ("warning", "critical"):
            raise ValueError("its severity has to be warning or critical")
        clauses = settings.get("clauses")
        if not isinstance(clauses, list) or not clauses:
            raise ValueError("its clauses have to be a list with at least one")
        for clause in clauses:
            if not isinstance(clause, str) or clause not in CLAUSES:
                raise ValueError("there is no clause %s in GB/T 22239-2019 or the plan" % (clause,))
        self.arguments = {key: value for key, value in settings.items() if key not in _SETTINGS and value is not None}
        _check_arguments(primitive, self.primitive.parameters(), self.arguments)
        self.foreign = bool(family) and family not in families

    def judge(self, machine):
        # type: (Machine) -> Observation
        """Look at the host and return the observation."""
        if self.wrong:
            message = "Control %s cannot be used: %s." % (self.name, self.wrong)
            return self._finding("unknown", message, "Correct the control in egov_ops_controls.", "error")
        if self.foreign:
            message = "The control is for hosts with %s packages." % self.entry["families"][0]
            return self._finding("skipped", message, reason="not_applicable")
        if machine.host.remaining() < _MARGIN:
            message = "The time for the whole audit was over before this control."
            return self._finding("unknown", message, "Give the audit more time.", "not_reached")
        seen = []  # type: list[tuple[str, Found]]
        gap = None  # type: Exception | None
        try:
            for thing, found in self.primitive.look(machine, **self.arguments):
                if isinstance(found, Exception):
                    gap = gap or found
                else:
                    seen.append((thing, found))
        except Exception as error:
            gap = error
        bad = [(thing, found) for thing, found in seen if not self.expected.accepts(found)]
        if bad:
            return self._failed(bad)
        if gap is not None:
            return self._gap(gap)
        words = "; ".join(_said(thing, found) for thing, found in seen[:3])
        return self._finding("ok", "%s: %s." % (self._title(), words), found=_facts(seen))

    def _failed(self, bad):
        # type: (list[tuple[str, Found]]) -> Observation
        """Return the observation of things that are not as wanted."""
        # a value that some connections alone get is a hole, and not the door
        exception = all(MATCH in thing for thing, _found in bad)
        words = "; ".join(_said(thing, found) for thing, found in bad[:3])
        more = " and %d more" % (len(bad) - 3) if len(bad) > 3 else ""
        wanted = self.expected.words()
        message = "%s: %s%s; wanted: %s." % (self._title(), words, more, wanted)
        things = ", ".join(thing for thing, _found in bad[:5] if thing)
        found = ", ".join(item for _thing, value in bad if isinstance(value, list) for item in value[:10])
        values = {key: ", ".join(value) if isinstance(value, list) else value for key, value in self.arguments.items()}
        act = self.entry.get("act") or self.primitive.act.format(
            **dict(values, things=things or self._title(), found=found or "those named", wanted=wanted)
        )
        status = "warning" if exception else self.severity
        return self._finding(status, message, act, found=_facts(bad), **members_of(_members(bad)))

    def _gap(self, error):
        # type: (Exception) -> Observation
        """Return the observation of a control that could not be looked at, or not wholly."""
        if isinstance(error, Absent):
            return self._finding("skipped", str(error), reason="not_applicable")
        if isinstance(error, (Unreadable, PermissionError)):
            what = getattr(error, "filename", None) or str(error)
            return self._finding("unknown", "%s may not be read." % what, "Run the audit with become.", "permission")
        if isinstance(error, TooMuch):
            return self._finding("unknown", str(error), "Look for the rest with find on the host.", "too_large")
        if isinstance(error, TimeoutError):
            act = "Run the tool by hand and see what it waits for."
            return self._finding("unknown", "%s." % error, act, "timeout")
        said = str(error) or type(error).__name__
        message = "Control %s could not be judged: %s." % (self.name, said.rstrip("."))
        return self._finding("unknown", message, "Correct what it names, or the control's arguments.", "error")

    def _title(self):
        # type: () -> str
        title = self.entry.get("title")
        return str(title.get("en") if isinstance(title, dict) else title or self.name)

    def _finding(self, status, message, act="", reason="", found=None, **members):
        # type: (str, str, str, str, dict[str, Found] | None, Fact) -> Observation
        entry = self.entry
        clauses = entry.get("clauses")
        return observation(
            "control",
            self.name,
            status,
            reason,
            [str(clause) for clause in clauses] if isinstance(clauses, list) else [],
            title=entry.get("title") or self.name,
            severity=entry.get("severity") or "warning",
            primitive=str(entry.get("primitive")),
            expected=str(entry.get("expected")),
            found=found or {},
            message=_printable(message),
            next=_printable(act),
            **members,
        )


def _check_arguments(primitive, known, arguments):
    # type: (str, dict[str, bool], Arguments) -> None
    for key in arguments:
        if key not in known:
            raise ValueError(
                "primitive %s has no argument %s; it takes %s" % (primitive, key, ", ".join(known) or "none")
            )
    for key, needed in known.items():
        if needed and key not in arguments:
            raise ValueError("primitive %s needs the argument %s" % (primitive, key))
        given = arguments.get(key)
        if key in registry.LISTS and given is not None:
            if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
                raise ValueError("its %s has to be a list of texts" % key)
        elif not isinstance(given, (str, int, type(None))):
            raise ValueError("its %s has to be a text" % key)


def _near(name):
    # type: (str) -> str
    from difflib import get_close_matches

    near = get_close_matches(name, list(registry.PRIMITIVES), 1)
    return "; did you mean %s" % near[0] if near else ""


def _said(thing, found):
    # type: (str, Found) -> str
    return "%s is %s" % (thing, expect.shown(found)) if thing else expect.shown(found)


def _members(bad):
    # type: (list[tuple[str, Found]]) -> Iterator[str]
    """Yield each thing that is not as wanted; where one has a list, each entry of it."""
    for thing, found in bad:
        for item in (found if isinstance(found, list) else []) or [""]:
            yield " ".join(part for part in (thing, str(item)) if part) or "value"


def _facts(seen):
    # type: (list[tuple[str, Found]]) -> dict[str, Found]
    """Return what was found, as much of it as a record takes."""
    return {
        _printable(thing)[:200]: [_printable(item) for item in found[:_MOST_THINGS]]
        if isinstance(found, list)
        else _printable(found)
        if isinstance(found, str)
        else found
        for thing, found in seen[:_MOST_THINGS]
    }


def _printable(text):
    # type: (str) -> str
    """Return a text that every store takes: names of files may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")[:1000]


def _sentence(evidence, summary):
    # type: (list[Observation], dict[str, int]) -> str
    """Return the verdict in one line: the counts, worst first, and the worst finding."""
    counts = ", ".join("%d %s" % (summary[status], status) for status in SEVERITY if status in summary)
    worst = min(evidence, key=lambda found: SEVERITY.index(found["status"]))
    if worst["status"] in ("ok", "skipped"):
        return "Hardening: %s." % counts
    return "Hardening: %s; worst: %s" % (counts, worst["detail"]["message"])
