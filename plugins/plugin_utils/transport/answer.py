# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host may answer: the one way from what it sent, by either transport, to what actions and records see.

A host is not trusted. Its answer is data with a closed list of keys: nothing that Ansible obeys passes, it speaks only
of the step that it was asked for, and each value is of the type that the controller's own code relies on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ansible_collections.egov.ops.plugins.module_utils.host.record import MESSAGE_LIMIT, REASONS, STATUSES
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.transport.answer_shape import (
    DEPTH,
    LINE_LIMIT,
    Check,
    dotted,
    either,
    fields,
    flag,
    integer,
    job,
    line,
    list_of,
    map_of,
    number,
    one_of,
    optional,
    scalar,
    shown,
    text,
    tree,
)

TOO_DEEP = f"it must not be nested deeper than {DEPTH}"
#: Digits of a whole number of 64 bits, with its sign.
_DIGITS = 20
#: Observations of one answer, and the clauses of one of them.
_OBSERVATIONS, _CLAUSES = 10_000, 100

#: The key of the answer whose texts stay as they are: a later command needs its paths (see host/half.py).
EXACT = "operation"


class AnswerError(OpsError):
    """The answer is not one: where in it, and what is allowed there, as the rest of a sentence."""


class Expected(NamedTuple):
    """What one call of a half may answer.

    kinds are those of its observations. subjects are by kind the names of which a whole answer has an observation
    each and no other; None stands for at least one of any name. some tells that it has at least one of any kind.
    results are the keys beside the common ones. again is how work that goes on may be asked for: `attach`, `job`.
    """

    kinds: Collection[str] = ()
    subjects: Mapping[str, Collection[str] | None] = {}
    some: bool = False
    results: Mapping[str, Check] = {}
    again: Collection[str] = ()


class Answer(NamedTuple):
    """What a host said. more are the results beside the common ones; again are the options of the next call."""

    changed: bool
    msg: str
    evidence: list[dict[str, Any]]
    summary: dict[str, int]
    failed: bool
    reason: str
    running: bool
    again: dict[str, Any]
    python: str
    cpu: float | None
    more: dict[str, Any]


def decode(body: str) -> dict[str, Any]:
    """Return the JSON object in a body; raises AnswerError for anything else, keys that stand twice included."""
    try:
        found = json.loads(body, object_pairs_hook=_once, parse_constant=_no_number, parse_int=_integer)
    except RecursionError:
        raise AnswerError(TOO_DEEP) from None
    except ValueError as error:
        raise AnswerError(f"it must be JSON ({shown(str(error))})") from None
    if type(found) is not dict:
        raise AnswerError("it must be a JSON object")
    return found


def parse_answer(value: Any, expected: Expected) -> Answer:
    """Return the answer in a JSON value; raises AnswerError for anything that is not exactly one."""
    if type(value) is not dict:
        raise AnswerError("it must be a mapping")
    known = {**_COMMON, **expected.results}
    for name, item in value.items():
        check = known.get(name) if type(name) is str else None
        if check is None:
            raise AnswerError(f"it has the key {shown(name)}; allowed are {', '.join(sorted(known))}")
        # Of evidence each field has its check, and of a detail `_detail` looks at the whole.
        fault = None if name == "evidence" else tree(item, DEPTH - 1, name == EXACT)[1]
        fault = fault or check(item)
        if fault:
            raise AnswerError(f"{name}{fault[0]} {fault[1]}")
    if "msg" not in value:
        raise AnswerError("it must have the key msg")
    answer = Answer(
        changed=value.get("changed", False),
        msg=value["msg"],
        evidence=[_observation(item) for item in value.get("evidence", ())],
        summary=value.get("summary", {}),
        failed=value.get("failed", False),
        reason=value.get("reason", ""),
        running=value.get("running", False),
        again=value.get("again", {}),
        python=value.get("python", ""),
        cpu=value.get("cpu"),
        more={name: value[name] for name in expected.results if name in value},
    )
    if answer.running:
        _check_running(answer, expected)
    else:
        _check_observations(answer, expected)
    return answer


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
    seen = set()
    for place, item in enumerate(answer.evidence):
        kind, subject = item["kind"], item["subject"]
        if kind not in expected.kinds:
            allowed = ", ".join(sorted(expected.kinds)) or "none"
            raise AnswerError(
                f"evidence[{place}].kind is {shown(kind)}, of another step; allowed in this one are {allowed}"
            )
        names = expected.subjects.get(kind)
        if names is not None and subject not in names:
            raise AnswerError(f"evidence[{place}].subject is {shown(subject)}, a {kind} that was not asked for")
        seen.add((kind, subject))
    if answer.failed:
        return
    kinds = {kind for kind, _subject in seen}
    for kind, names in expected.subjects.items():
        if names is None and kind not in kinds:
            raise AnswerError(f"evidence must hold an observation of the kind {kind}")
        for name in names or ():
            if (kind, name) not in seen:
                raise AnswerError(f"evidence must hold the {kind} {shown(name)}, which was asked for")
    if expected.some and not seen:
        raise AnswerError("evidence must hold an observation: this step always makes one")


def _observation(item: dict[str, Any]) -> dict[str, Any]:
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
    fault = tree(value, DEPTH - 3)[1]
    if fault:
        return fault
    for name, item in value.items():
        check = _READ.get(name)
        fault = check(item) if check else None
        if fault:
            return f"{dotted(name)}{fault[0]}", fault[1]
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise AnswerError("it must not have a key twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS:  # to read thousands of digits takes long, or is refused by Python
        raise AnswerError("it must hold no whole number of more than 64 bits")
    return int(digits)


def _no_number(name: str) -> Any:
    raise AnswerError(f"it must hold finite numbers, and {name} is none")


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
    **dict.fromkeys(("added_bytes", "bytes", "files", "used", "seconds", "restore_seconds"), number),
    "duration": optional(number),
    "value": scalar,
    "title": either(text, map_of(line(), text, 100)),
    "changed_during_backup": fields({"count": integer, "first": list_of(text, 1000)}),
    "version": fields({"changes": list_of(_CHANGE, 1000), "more": integer, "message": text}, ("changes", "more")),
}

_OBSERVATION = fields(
    {
        "kind": line(100, empty=False),
        "subject": line(LINE_LIMIT, empty=False),
        "status": one_of(STATUSES),
        "reason": one_of(("", *REASONS)),
        "clauses": list_of(line(200), _CLAUSES),
        "duration": optional(number),
        "detail": _detail,
    },
    needed=("kind", "subject", "status"),
)

#: The keys that each half may return.
_COMMON: dict[str, Check] = {
    "changed": flag,
    "failed": flag,
    "running": flag,
    "msg": line(MESSAGE_LIMIT),
    "reason": one_of(("", *REASONS)),
    "summary": map_of(one_of(STATUSES), integer, len(STATUSES)),
    "evidence": list_of(_OBSERVATION, _OBSERVATIONS),
    "again": fields({"attach": lambda value: None if value is True else ("", "must be true"), "job": job}, needed=()),
    "python": line(100),
    "cpu": optional(number),
}
