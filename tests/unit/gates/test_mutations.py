# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""More than a hundred changes of a request and its approval, in a real ledger with real signatures: none passes."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.actions.changing import ask
from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence as gate_evidence
from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import Approval, Request, read_request
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.gate_cases import NOW, OWNERS, SNAPSHOT, key, operation, plan, request, signed_by

SEED = 20260304


@dataclass
class Attempt:
    """A request with its approval as somebody has put them into the ledger, and where and when they are used."""

    request: Request = field(default_factory=request)
    approval: Approval | None = None
    signatures: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    plan: dict[str, Any] = field(default_factory=dict)
    host: str = "web1"
    action: str = "restore"
    now: datetime = NOW
    done: bool = False
    snapshot: str = SNAPSHOT

    def sealed(self) -> Attempt:
        """Return the same, signed and approved as it should be."""
        approval = self.approval or Approval(self.request.digest, "wang", iso(NOW))
        signatures = self.signatures or [signed_by("li_1", self.request), signed_by("wang_1", approval)]
        bodies = self.bodies or [self.request.body, approval.body]
        return replace(self, approval=approval, signatures=signatures, bodies=bodies)


@functools.cache
def original() -> Attempt:
    """Return the good one, which passes."""
    return Attempt().sealed()


def put(attempt: Attempt, folder: Path) -> tuple[StateDir, str]:
    """Write an attempt into a new ledger, past all our own checks; return its state folder and the request's digest."""
    state = StateDir(folder / "state")
    state.prepare()
    request_body, approval_body = (body.encode() for body in attempt.bodies)
    try:
        name = read_request(request_body).digest
        request_body = read_request(request_body).body.encode()
    except OpsError:
        name = digest(request_body)
    seen = [
        ("request", {"signature": attempt.signatures[0]}),
        ("approval", {"signature": attempt.signatures[1], "document": digest(approval_body)}),
        *([(gate_evidence.DONE, {})] if attempt.done else []),
    ]
    context = {"run": "r1", "procedure": "standalone", "started": iso(NOW), "finished": iso(NOW)}
    with Ledger(state.ledger) as ledger:
        for body in (request_body, approval_body):
            ledger.put_artefact(body, "document", "application/json", iso(NOW))
        ledger.append(
            record(**context, host="web1", domain="gate", observation=observation(kind, name, "ok", **detail))
            for kind, detail in seen
        )
        proof = observation("proof", "portal", "ok", snapshot_id=attempt.snapshot)
        ledger.append([record(**context, host=host, domain="backup", observation=proof) for host in ("web1", "db1")])
    return state, name


def passes(attempt: Attempt, folder: Path) -> bool:
    """Tell whether the gates let an attempt pass; one that cannot be read does not."""
    state, name = put(attempt, folder)
    try:
        return ask(
            attempt.action, name, attempt.host, plan(**attempt.plan), state, "", "", attempt.now
        ).decision.allowed
    except OpsError as error:
        assert str(error).endswith(".")
        assert "\n" not in str(error)
        return False


def of_operation() -> Iterator[tuple[str, Attempt]]:
    """Yield requests of which something was changed after they were signed."""
    for name, value in {
        "host": "db1",
        "set": "config",
        "repository": "remote",
        "snapshot": SNAPSHOT[::-1],
        "snapshot_time": "2026-03-03T01:00:00Z",
        "paths": ["/srv/portal", "/srv/portal2"],
        "mode": "beside",
        "files": 121,
        "bytes": 0,
        "stop": [],
        "seconds": 4,
    }.items():
        changed = operation(**{name: value})
        if name == "mode":
            changed["destination"] = "/srv/restored"
        asked = request(operation=changed)
        attempt = replace(
            original(), request=asked, bodies=[asked.body, original().bodies[1]], snapshot=changed["snapshot"]
        )
        yield f"operation with another {name}", attempt
        renamed = Approval(asked.digest, "wang", iso(NOW))
        yield f"operation with another {name}, approval too", replace(attempt, bodies=[asked.body, renamed.body])
        if name == "host":
            yield "operation with another host, used there", replace(attempt, host="db1")
    for paths in (["/"], [], ["/srv"], ["/etc/shadow"]):
        asked = request(operation=operation(paths=paths))
        yield f"operation with the paths {paths}", replace(original(), bodies=[asked.body, original().bodies[1]])


def of_fields() -> Iterator[tuple[str, Attempt]]:
    """Yield requests and approvals whose own fields were changed after they were signed."""
    for name, value in {
        "requester": "zhao",
        "reason": "Nothing",
        "made": iso(NOW - timedelta(minutes=1)),
        "not_after": iso(NOW + timedelta(hours=23)),
        "nonce": "cd" * 16,
        "action": "restore_undo",
    }.items():
        asked = replace(request(), **{name: value})
        yield f"request with another {name}", replace(original(), bodies=[asked.body, original().bodies[1]])
        both = [asked.body, Approval(asked.digest, "wang", iso(NOW)).body]
        yield f"request with another {name}, approval too", replace(original(), bodies=both)
    for name, value in {"request": "0" * 64, "approver": "zhao", "made": iso(NOW + timedelta(seconds=1))}.items():
        changed = Approval(**{**original().approval.__dict__, name: value}).body
        yield f"approval with another {name}", replace(original(), bodies=[original().bodies[0], changed])


def of_shape() -> Iterator[tuple[str, Attempt]]:
    """Yield documents that are not exactly a request or an approval, signed as they are by the right people."""
    for place, kind in enumerate(("request", "approval")):
        fields = json.loads(original().bodies[place])
        broken = {f"{kind} without {name}": {k: v for k, v in fields.items() if k != name} for name in fields}
        broken |= {f"{kind} with a number as {name}": {**fields, name: 7} for name in fields}
        broken |= {f"{kind} with one key more": {**fields, "note": "x"}, f"{kind} of schema 2": {**fields, "schema": 2}}
        broken |= {f"{kind} with true as schema": {**fields, "schema": True}, f"{kind} in a list": [fields]}
        for name, document in broken.items():
            yield name, _signed_anyway(place, json.dumps(document, sort_keys=True, separators=(",", ":")))
        body = original().bodies[place]
        for name, text in {
            "with a key twice": body[:-1] + ',"schema":1}',
            "with a key twice by its escape": body[:-1] + ',"\\u0073chema":1}',
            "that is cut": body[:-1],
            "that is empty": "",
            "that is no JSON": "{schema: 1}",
            "with NaN": body.replace('"schema":1', '"schema":NaN'),
        }.items():
            yield f"{kind} {name}", _signed_anyway(place, text)
    inner = original().bodies[0].replace('"host":"web1"', '"host":"db1","host":"web1"')
    yield "request with a key twice inside its operation", _signed_anyway(0, inner)
    for name, value in {
        "snapshot": SNAPSHOT[:8],
        "paths": ["srv/portal"],
        "mode": "over",
        "files": -1,
        "bytes": True,
        "stop": ["nginx.service; reboot"],
        "destination": "/srv/elsewhere",
        "host": "",
        "seconds": "3",
    }.items():
        asked = request(operation=operation(**{name: value}))
        yield f"operation with a {name} that cannot be", _signed_anyway(0, asked.body)
    for paths in (["/srv/../etc"], ["/b", "/a"], ["/a", "/a"], ["/a//b"], ["/a/"], ["/\ud800"]):
        body = json.dumps({**json.loads(original().bodies[0]), "operation": operation(paths=paths)})
        yield f"operation with the paths {paths!a}", _signed_anyway(0, body)


def _signed_anyway(place: int, body: str) -> Attempt:
    """Return an attempt in which a document was replaced by any text and signed anew, and the other fits it."""

    class Text:
        def __init__(self, text: str) -> None:
            self.body = text

    names = ("egov.ops.request@1", "egov.ops.approval@1")
    bodies = list(original().bodies)
    bodies[place] = body
    if place == 0:
        bodies[1] = Approval(digest(body.encode()), "wang", iso(NOW)).body
    signatures = [
        signed_by(signer, Text(text), namespace)  # type: ignore[arg-type]
        for signer, text, namespace in zip(("li_1", "wang_1"), bodies, names, strict=True)
    ]
    return replace(original(), bodies=bodies, signatures=signatures)


def of_signatures() -> Iterator[tuple[str, Attempt]]:
    """Yield good documents with signatures that are not what they should be."""
    asked, approval = original().request, original().approval
    assert approval is not None
    good = original().signatures
    others: dict[str, list[str]] = {
        "the approval's in place of the request's": [good[1], good[1]],
        "the request's in place of the approval's": [good[0], good[0]],
        "none for the request": ["", good[1]],
        "none for the approval": [good[0], ""],
        "the request's by a stranger": [signed_by("stranger", asked), good[1]],
        "the approval's by a stranger": [good[0], signed_by("stranger", approval)],
        "the request's by the approver": [signed_by("wang_1", asked), good[1]],
        "the approval's by the requester": [good[0], signed_by("li_1", approval)],
        "the approval's by the requester's other key": [good[0], signed_by("li_2", approval)],
        "the approval's by one who may not": [good[0], signed_by("chen_1", approval)],
    }
    for namespace in ("file", "git", "egov-ops-witness", "egov.ops.request@2", "egov.ops.request"):
        others[f"the request's for {namespace}"] = [signed_by("li_1", asked, namespace), good[1]]
        others[f"the approval's for {namespace}"] = [good[0], signed_by("wang_1", approval, namespace)]
    others["the request's for approvals"] = [signed_by("li_1", asked, "egov.ops.approval@1"), good[1]]
    others["the approval's for requests"] = [good[0], signed_by("wang_1", approval, "egov.ops.request@1")]
    chance = random.Random(SEED)
    for number in range(20):
        place = number % 2
        text = good[place]
        spot = chance.randrange(text.index("\n") + 1, text.rindex("\n-----END"))
        other = chance.choice([letter for letter in "ABCDwxyz0189" if letter != text[spot]])
        flipped = list(good)
        flipped[place] = text[:spot] + other + text[spot + 1 :]
        others[f"{'approval' if place else 'request'} with character {spot} changed to {other}"] = flipped
    for name, signatures in others.items():
        yield f"signature: {name}", replace(original(), signatures=signatures)


def of_circumstances() -> Iterator[tuple[str, Attempt]]:
    """Yield good documents that are used where, when or by whom they do not count."""
    signers = {name: {"person": person, "key": key(name)} for name, person in OWNERS.items()}
    yield "used on another host", replace(original(), host="db1")
    yield "used for another action", replace(original(), action="reformat")
    yield "used after its end", replace(original(), now=NOW + timedelta(hours=1))
    yield "used long before it was made", replace(original(), now=NOW - timedelta(hours=1))
    yield "replayed after it was carried out", replace(original(), done=True)
    for person in ("li", "zhao", "zhou"):
        own = f"{person}_1"
        asked = request(requester=person)
        approval = Approval(asked.digest, person, iso(NOW))
        signatures = [signed_by(own, asked), signed_by(own, approval)]
        yield f"approved by {person}, who asks", Attempt(asked, approval, signatures).sealed()
    for name in ("li_1", "wang_1"):
        gone = {**signers, name: {**signers[name], "revoked": "2026-03-04 05:00 UTC"}}
        yield f"with the key {name} revoked", replace(original(), plan={"signers": gone})
        without = {other: entry for other, entry in signers.items() if other != name}
        yield f"with the key {name} taken out of the plan", replace(original(), plan={"signers": without})
    approval = Approval(original().request.digest, "wang", iso(NOW))
    same = {**signers, "wang_2": {"person": "wang", "key": key("li_1")}}
    signatures = [original().signatures[0], signed_by("li_1", approval)]
    yield "the same key under another name", replace(original(), plan={"signers": same}, signatures=signatures)
    moved = {**signers, "li_1": {"person": "li", "key": key("li_2")}, "wang_1": {"person": "wang", "key": key("li_1")}}
    moved.pop("li_2")
    yield "the same key moved to another person", replace(original(), plan={"signers": moved}, signatures=signatures)
    yield "with the proof of another snapshot", replace(original(), snapshot=SNAPSHOT[::-1])
    yield "with two approvals wanted", replace(original(), plan={"gates": {"restore": {"approvals": 2}}})


GROUPS = (of_operation, of_fields, of_shape, of_signatures, of_circumstances)


@pytest.mark.parametrize("group", GROUPS)
def test_none_passes(group: Callable[[], Iterator[tuple[str, Attempt]]], tmp_path: Path) -> None:
    tried = dict(group())
    found = [name for number, (name, attempt) in enumerate(tried.items()) if passes(attempt, tmp_path / str(number))]
    assert found == []


def test_there_are_more_than_a_hundred() -> None:
    attempts = [name for group in GROUPS for name, _attempt in group()]
    assert len(set(attempts)) == len(attempts) > 150


def test_the_original_passes(tmp_path: Path) -> None:
    assert passes(original(), tmp_path)


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, Mapping):
        names = list(value)
        chance.shuffle(names)
        return {name: _shuffled(value[name], chance) for name in names}
    return value


@pytest.mark.parametrize("number", range(10))
def test_order_white_space_and_escapes_make_no_other_request(number: int, tmp_path: Path) -> None:
    chance = random.Random(SEED + number)
    layout: Callable[[Any], str] = lambda value: json.dumps(  # noqa: E731
        value, indent=chance.choice([None, 1, 4]), ensure_ascii=chance.choice([True, False])
    )
    body = layout(_shuffled(json.loads(original().bodies[0]), chance))
    assert read_request(f" \n{body}\t".encode()) == original().request
    assert passes(replace(original(), bodies=[body, original().bodies[1]]), tmp_path)
