# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether each redaction of a ledger was asked for and approved: by real signatures, stored as a run stores them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence as gate_evidence
from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import Approval, Request
from ansible_collections.egov.ops.plugins.plugin_utils.gates.redaction_authority import unauthorised
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.gate_cases import NOW, OWNERS, key, plan, request, signed_by
from tests.support.ledger_cases import make_state

PLAN = plan()
#: When the redaction was done: after the request and its approvals.
DONE = NOW + timedelta(minutes=10)
UPTO = 7


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return make_state(tmp_path)


def asked_for(**given: Any) -> Request:
    places = {"records": 1, "artefacts": 0, "files": 0, "places": ["record #3"], "digest": "e" * 64}
    wanted = {
        "action": "ledger_redact",
        "operation": {"host": "controller", "what": "a password", "upto": UPTO, **places},
    }
    return request(**{**wanted, **given})


def stored(
    kind: str, subject: str, host: str, domain: str = "gate", at: datetime = NOW, **detail: Any
) -> dict[str, Any]:
    seen = observation(kind, subject, "ok", **detail)
    times = {"started": iso(at), "finished": iso(at)}
    return record(run="r1", procedure="ledger_redact", host=host, domain=domain, observation=seen, **times)


def put(state: StateDir, asked: Request, *by: str, signer: str = "li_1", made: datetime = NOW) -> None:
    """Store a request and its approvals by the owners of keys."""
    gate_evidence.store(state, asked)
    found = [stored("request", asked.digest, asked.host, signature=signed_by(signer, asked))]
    for name in by:
        approval = Approval(asked.digest, OWNERS[name], iso(made))
        gate_evidence.store(state, approval)
        document = digest(approval.body.encode())
        found.append(
            stored("approval", asked.digest, asked.host, signature=signed_by(name, approval), document=document)
        )
    with Ledger(state.ledger) as ledger:
        ledger.append(found)


def redact(state: StateDir, name: str, upto: int = UPTO, at: datetime = DONE) -> int:
    """Store that a redaction was done by a request; return the record's number."""
    with Ledger(state.ledger) as ledger:
        ledger.append([stored("redaction", "ledger", "controller", "run", at, request=name, upto=upto)])
        return ledger.head().count


def judged(state: StateDir, followed: Mapping[str, Any] = PLAN) -> tuple[int, str] | None:
    with Ledger(state.ledger) as ledger:
        return unauthorised(ledger, state, followed)


def test_a_ledger_without_redactions_has_none_that_nobody_allowed(state: StateDir) -> None:
    put(state, asked_for())
    assert judged(state) is None


@pytest.mark.parametrize("by", [("wang_1", "zhao_1"), ("wang_1", "zhao_1", "chen_1")])
def test_a_redaction_that_two_people_approved_is_authorised(state: StateDir, by: tuple[str, ...]) -> None:
    asked = asked_for()
    put(state, asked, *by)
    redact(state, asked.digest)
    assert judged(state) is None


@pytest.mark.parametrize(
    ("by", "counted"),
    [
        ((), 0),
        (("wang_1",), 1),
        (("wang_1", "wang_1"), 1),
        (("wang_1", "li_1"), 1),
        (("wang_1", "li_2"), 1),
    ],
)
def test_a_redaction_with_fewer_approvals_is_named(state: StateDir, by: tuple[str, ...], counted: int) -> None:
    asked = asked_for()
    put(state, asked, *by)
    number = redact(state, asked.digest)
    assert judged(state) == (number, f"Record #{number} is a redaction with {counted} of 2 approvals.")


def test_an_approval_of_the_same_second_counts(state: StateDir) -> None:
    asked = asked_for()
    put(state, asked, "wang_1", "zhao_1", made=DONE)
    redact(state, asked.digest)
    assert judged(state) is None


def test_an_approval_of_a_second_later_is_no_authority(state: StateDir) -> None:
    asked = asked_for()
    put(state, asked, "wang_1", "zhao_1", made=DONE + timedelta(seconds=1))
    number = redact(state, asked.digest)
    assert judged(state) == (number, f"Record #{number} is a redaction with 0 of 2 approvals.")


def test_a_request_that_looked_further_than_the_redaction_is_no_authority(state: StateDir) -> None:
    asked = asked_for()
    put(state, asked, "wang_1", "zhao_1")
    said = f"is a redaction that the request {asked.digest[:8]} has not asked for."
    number = redact(state, asked.digest, upto=UPTO - 1)
    assert judged(state) == (number, f"Record #{number} {said}")


def test_a_redaction_that_went_further_than_its_request_looked_is_authorised(state: StateDir) -> None:
    asked = asked_for()
    put(state, asked, "wang_1", "zhao_1")
    redact(state, asked.digest, upto=UPTO + 1)
    assert judged(state) is None


def test_a_request_stands_for_one_redaction(state: StateDir) -> None:
    asked = asked_for()
    put(state, asked, "wang_1", "zhao_1")
    redact(state, asked.digest)
    number = redact(state, asked.digest)
    said = f"Record #{number} is a redaction that the request {asked.digest[:8]} has not asked for."
    assert judged(state) == (number, said)


def test_a_request_of_another_action_is_no_authority(state: StateDir) -> None:
    asked = request()
    put(state, asked, "wang_1", "zhao_1")
    number = redact(state, asked.digest)
    said = f"Record #{number} is a redaction that the request {asked.digest[:8]} has not asked for."
    assert judged(state) == (number, said)


def test_a_redaction_without_its_request_is_named(state: StateDir) -> None:
    number = redact(state, "f" * 64)
    found = judged(state)
    assert found is not None
    assert found[0] == number
    assert found[1].startswith(f"Record #{number} is a redaction without its request: No request begins with ffff")


def test_a_request_that_another_signed_is_no_authority(state: StateDir) -> None:
    asked = asked_for()
    put(state, asked, "wang_1", "zhao_1", signer="chen_1")
    number = redact(state, asked.digest)
    found = judged(state)
    assert found is not None
    assert found[0] == number
    assert "names li, and is signed by the key chen_1 of chen" in found[1]


@pytest.mark.parametrize(
    ("revoked", "is_authorised"), [("2026-03-04 05:16 UTC", False), ("2026-03-04 05:17 UTC", True)]
)
def test_keys_count_as_they_were_when_it_was_done(state: StateDir, revoked: str, is_authorised: bool) -> None:
    asked = asked_for()
    put(state, asked, "wang_1", "zhao_1")
    redact(state, asked.digest)
    signers = {name: {"person": person, "key": key(name)} for name, person in OWNERS.items()}
    later = plan(signers={**signers, "wang_1": {**signers["wang_1"], "revoked": revoked}})
    assert (judged(state, later) is None) == is_authorised
