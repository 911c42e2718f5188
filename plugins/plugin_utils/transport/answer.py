# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# To isinstance a bool is an int: types are compared. pylint: disable=unidiomatic-typecheck
"""What a host may answer: the one way from what it sent, by either transport, to what actions and records see.

A host is not trusted. Its answer is data with a closed list of keys: nothing that Ansible obeys passes, it speaks only
of the step that it was asked for, and each value is of the type that the controller's own code relies on.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ansible_collections.egov.ops.plugins.module_utils.host.members import MEMBER_LENGTH, MEMBERS
from ansible_collections.egov.ops.plugins.module_utils.host.record import MESSAGE_LIMIT, REASONS, STATUSES
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.transport.answer_shape import (
    DEPTH,
    LINE_LIMIT,
    TEXT_LIMIT,
    VALUES,
    Check,
    dotted,
    either,
    fields,
    flag,
    integer,
    is_sound,
    job,
    line,
    list_of,
    machine,
    map_of,
    number,
    one_of,
    optional,
    scalar,
    shown,
    stack,
    text,
    texts,
    tree,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import JSON, Observation

TOO_DEEP = f"it must not be nested deeper than {DEPTH}"
#: Characters of a body in which no text can be too long, and not too many values can stand: each takes two.
_SMALL = min(TEXT_LIMIT, 2 * VALUES)
#: How a control character or half a character is written in JSON that is ASCII, and \\ before a text like these.
_ACTIVE = re.compile(r"\\(?:[bfr]|u(?:00[0189]|007[fF]|[dD][89a-fA-F]))")
#: Observations of one answer, and the clauses of one of them.
_OBSERVATIONS, _CLAUSES = 10_000, 100

#: The key of the answer whose texts stay as they are: a later command needs its paths (see host/half.py).
EXACT = "operation"


class AnswerError(OpsError):
    """The answer is not one: where in it, and what is allowed there, as the rest of a sentence."""


class Expected(NamedTuple):
    """What one call of a half may answer.

    kinds are those of its observations. subjects are by kind the names of which a whole answer has an observation each
    and no other, None for one or more of any name; some: it has one or more of any kind. results are the keys beside
    the common ones. again is how work that goes on may be asked for: `attach`, `job`.
    """

    kinds: Collection[str] = ()
    subjects: Mapping[str, Collection[str] | None] = {}
    some: bool = False
    results: Mapping[str, Check] = {}
    again: Collection[str] = ()


class Plain(dict[str, "JSON"]):
    """A JSON object of `decode` in which each text and key is one that any answer may hold."""


class Answer(NamedTuple):
    """What a host said. more are the results beside the common ones; again are the options of the next call.

    traceback is of a half that broke: it goes to the log of crashes alone. machine are the marks of host/identity.py.
    """

    changed: bool
    msg: str
    evidence: list[Observation]
    summary: dict[str, int]
    failed: bool
    reason: str
    running: bool
    again: Mapping[str, JSON]
    python: str
    cpu: float | None
    traceback: str
    machine: Mapping[str, str]
    more: Mapping[str, Any]  # Any: each half has results of its own, which its `Expected.results` check


def decode(body: str) -> dict[str, JSON]:
    """Return the JSON object in a body; raises AnswerError for anything else.

    Of a key that stands twice the last counts. It is a `Plain` one where the body as a whole shows that no text in it
    needs a closer look.
    """
    try:
        value = _DECODER.decode(body)
    except RecursionError:
        raise AnswerError(TOO_DEEP) from None
    except ValueError as error:
        raise AnswerError(f"it must be JSON ({shown(str(error))})") from None
    if type(value) is not dict:
        raise AnswerError("it must be a JSON object")
    plain = len(body) <= _SMALL and body.isascii() and "\x7f" not in body and not _ACTIVE.search(body)
    return Plain(value) if plain else value


def parse_answer(value: Any, expected: Expected) -> Answer:
    """Return the answer in a JSON value; raises AnswerError for anything that is not exactly one."""
    plain = type(value) is Plain
    if not plain and type(value) is not dict:
        raise AnswerError("it must be a mapping")
    known = {**_COMMON, **expected.results}
    usual = plain and _are_usual(value.get("evidence", []))
    for name, item in value.items():
        allowed = known.get(name) if type(name) is str else None
        if allowed is None:
            raise AnswerError(f"it has the key {shown(name)}; allowed are {', '.join(sorted(known))}")
        if name == "evidence":  # each of its fields has its check, and of a detail `_detail` looks at the whole
            fault = None if usual else allowed(item)
        elif plain and (type(item) is str or is_sound(item, DEPTH - 1)):
            fault = allowed(item)
        else:
            fault = tree(item, DEPTH - 1, name == EXACT)[1] or allowed(item)
        if fault:
            raise AnswerError(f"{name}{fault[0]} {fault[1]}")
    if "msg" not in value:
        raise AnswerError("it must have the key msg")
    evidence = value.get("evidence", [])
    answer = Answer(
        changed=value.get("changed", False),
        msg=value["msg"],
        evidence=evidence if usual else [_observation(item) for item in evidence],
        summary=value.get("summary", {}),
        failed=value.get("failed", False),
        reason=value.get("reason", ""),
        running=value.get("running", False),
        again=value.get("again", {}),
        python=value.get("python", ""),
        cpu=value.get("cpu"),
        traceback=value.get("traceback", ""),
        machine=value.get("machine", {}),
        more={name: value[name] for name in expected.results if name in value},
    )
    if answer.traceback and not answer.failed:
        raise AnswerError("traceback must not be said of a step that did not fail")
    check = _check_running if answer.running else _check_observations
    check(answer, expected)
    return answer


def _are_usual(items: Any) -> bool:
    """Tell whether a plain value is observations just as halves write them; others may be allowed all the same.

    It says yes to nothing that `_OBSERVATION` refuses, at half of the cost.
    """
    if type(items) is not list or len(items) > _OBSERVATIONS:
        return False
    allowed: set[tuple[str, ...]] = set()  # what is the same in many observations
    for item in items:
        if type(item) is not dict or tuple(item) != _ORDER:
            return False
        kind, subject, status, reason, clauses, duration, detail = item.values()
        if type(subject) is not str or type(clauses) is not list or type(detail) is not dict:
            return False
        common = (kind, status, reason, *clauses)
        try:
            is_new = common not in allowed
        except TypeError:  # a list or a mapping among them
            return False
        if is_new:
            if any(_FIELDS[name](item[name]) for name in ("kind", "status", "reason", "clauses")):
                return False
            allowed.add(common)
        if not 0 < len(subject) <= LINE_LIMIT or not subject.isprintable():
            return False
        if duration is not None and _FIELDS["duration"](duration):
            return False
        for name, value in detail.items():
            if type(value) is str:
                if name in _ANY_TEXT:
                    continue
            elif value and not is_sound(value, DEPTH - 4):  # infinity is true
                return False
            if name in _READ and _READ[name](value):
                return False
    return True


def _check_running(answer: Answer, expected: Expected) -> None:
    if not expected.again:
        raise AnswerError("running must not be said by a step that is one trip")
    if answer.failed or answer.evidence:
        raise AnswerError("running must not be said beside failed or evidence")
    for name in answer.again:
        if name not in expected.again:
            raise AnswerError(f"again has the key {shown(name)}; allowed are {', '.join(sorted(expected.again))}")
    if not answer.again and "attach" not in expected.again:
        raise AnswerError(f"again must have the key {', '.join(expected.again)}")


def _check_observations(answer: Answer, expected: Expected) -> None:
    """Refuse what is not of the step that was asked for, and a whole answer that leaves out what it was asked."""
    seen: dict[str, set[str]] = {}
    for item in answer.evidence:
        seen.setdefault(item["kind"], set()).add(item["subject"])
    for kind, subjects in seen.items():
        if kind not in expected.kinds:
            place = [item["kind"] for item in answer.evidence].index(kind)
            allowed = ", ".join(sorted(expected.kinds)) or "none"
            raise AnswerError(
                f"evidence[{place}].kind is {shown(kind)}, of another step; allowed in this one are {allowed}"
            )
        names = expected.subjects.get(kind)
        if names is not None and not subjects.issubset(names):
            for place, item in enumerate(answer.evidence):
                if item["kind"] == kind and item["subject"] not in names:
                    raise AnswerError(
                        f"evidence[{place}].subject is {shown(item['subject'])}, a {kind} that was not asked for"
                    )
    if answer.failed:
        return
    for kind, names in expected.subjects.items():
        if names is None and kind not in seen:
            raise AnswerError(f"evidence must hold an observation of the kind {kind}")
        there = seen.get(kind, set())
        if not there.issuperset(names or ()):
            missing = next(name for name in names or () if name not in there)
            raise AnswerError(f"evidence must hold the {kind} {shown(missing)}, which was asked for")
    if expected.some and not seen:
        raise AnswerError("evidence must hold an observation: this step always makes one")


def _observation(item: Mapping[str, Any]) -> Observation:
    """Return an observation with each of its keys."""
    return {
        "kind": item["kind"],
        "subject": item["subject"],
        "status": item["status"],
        "reason": item.get("reason", ""),
        "clauses": item.get("clauses", []),
        "duration": item.get("duration"),
        "detail": item.get("detail", {}),
    }


def _detail(value: Any) -> tuple[str, str] | None:
    """Allow a mapping whose keys that the controller reads are of the type that it relies on."""
    if type(value) is not dict:
        return "", "must be a mapping"
    if fault := tree(value, DEPTH - 3)[1]:
        return fault
    for name, item in value.items():
        check = _READ.get(name)
        if check and (fault := check(item)):
            return f"{dotted(name)}{fault[0]}", fault[1]
    return None


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise AnswerError("it must hold no whole number of more than 64 bits")
    return int(digits)


def _no_number(name: str) -> Any:
    raise AnswerError(f"it must hold finite numbers, and {name} is none")


#: Digits of a whole number of 64 bits, with its sign.
_DIGITS = 20
#: To read a number of many digits takes Python long, where it does not refuse that by itself (before 3.10.7).
_READ_INTEGER = None if hasattr(sys, "get_int_max_str_digits") else _integer
_DECODER = json.JSONDecoder(parse_constant=_no_number, parse_int=_READ_INTEGER)

#: A file of a version, and who changed it when.
_CHANGE = fields(
    dict.fromkeys(("path", "change", "author", "time"), text) | {"diff": list_of(text, 10_000)},
    ("path", "change"),
)

#: What the controller reads of the details of records: for reports, forecasts, gates and what the next call is given.
_READ: dict[str, Check] = {
    **dict.fromkeys(("message", "next", "why"), text),
    **dict.fromkeys(("unit", "layer", "probe", "severity", "stage", "old", "new", "backup"), line()),
    **dict.fromkeys(("snapshot", "snapshot_id", "repository", "copy", "tested", "person"), optional(line())),
    **dict.fromkeys(("warning", "critical"), optional(either(line(), number))),
    **dict.fromkeys(("added_bytes", "bytes", "files"), integer),
    **dict.fromkeys(("used", "seconds", "restore_seconds"), number),
    "duration": optional(number),
    "members": list_of(line(2 * MEMBER_LENGTH, empty=False), MEMBERS),  # twice: what is scrubbed may grow
    "more_members": integer,
    "value": scalar,
    "title": either(text, texts),
    "changed_during_backup": fields({"count": integer, "first": list_of(text, 1000)}),
    "version": fields({"changes": list_of(_CHANGE, 1000), "more": integer, "message": text}, ("changes", "more")),
}

#: Those of them that may be any text.
_ANY_TEXT = frozenset(name for name, check in _READ.items() if not check("\n" * TEXT_LIMIT))

_FIELDS: dict[str, Check] = {
    "kind": line(100, empty=False),
    "subject": line(LINE_LIMIT, empty=False),
    "status": one_of(STATUSES),
    "reason": one_of(("", *REASONS)),
    "clauses": list_of(line(200), _CLAUSES),
    "duration": optional(number),
    "detail": _detail,
}
#: The order in which `observation` writes the fields.
_ORDER = tuple(_FIELDS)
_OBSERVATION = fields(_FIELDS, needed=("kind", "subject", "status"))

#: The keys that each half may return.
_COMMON: dict[str, Check] = {
    **dict.fromkeys(("changed", "failed", "running"), flag),
    "msg": line(MESSAGE_LIMIT),
    "reason": one_of(("", *REASONS)),
    "summary": map_of(one_of(STATUSES), integer, len(STATUSES)),
    "evidence": list_of(_OBSERVATION, _OBSERVATIONS),
    "again": fields({"attach": lambda value: None if value is True else ("", "must be true"), "job": job}, needed=()),
    "python": line(100),
    "cpu": optional(number),
    "traceback": stack,
    "machine": machine,
}
