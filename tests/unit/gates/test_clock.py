# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock behind the ledger refuses changes until a person accepts it; what is ahead of the clock proves nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.actions.changing import ask
from ansible_collections.egov.ops.plugins.plugin_utils.backup import freshness
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence as gate_evidence
from ansible_collections.egov.ops.plugins.plugin_utils.gates.decision import Decision, decide
from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import Approval
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import clock
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.gate_cases import NOW, SNAPSHOT, approved, evidence, plan, request, signed_by

PLAN = plan()
YEARS = timedelta(days=5 * 365)


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "state")
    made.prepare()
    return made


def entry(
    kind: str, subject: str, after: timedelta, status: str = "ok", run: str = "r1", **detail: Any
) -> dict[str, Any]:
    """Return a record of web1 that was made a time after now."""
    time = iso(NOW + after)
    domain = "gate" if kind in ("request", "approval") else "backup"
    seen = observation(kind, subject, status, **detail)
    return record(run=run, procedure="x", host="web1", domain=domain, observation=seen, started=time, finished=time)


def add(state: StateDir, *entries: dict[str, Any]) -> None:
    with Ledger(state.ledger) as ledger:
        ledger.append(entries)


def approved_request(state: StateDir, approval_after: timedelta = timedelta(0)) -> str:
    """Store a request of li's that wang has approved, without any proof; return its digest."""
    asked = request()
    approval = Approval(asked.digest, "wang", iso(NOW + approval_after))
    for document in (asked, approval):
        gate_evidence.store(state, document)
    document = digest(approval.body.encode())
    add(
        state,
        entry("request", asked.digest, timedelta(0), signature=signed_by("li_1", asked)),
        entry("approval", asked.digest, timedelta(0), signature=signed_by("wang_1", approval), document=document),
    )
    return asked.digest


def proof(after: timedelta, kind: str = "proof", status: str = "ok", **detail: Any) -> dict[str, Any]:
    return entry(kind, "portal", after, status, snapshot_id=SNAPSHOT, **detail)


def asked(state: StateDir, name: str, action: str = "restore", override: str = "", **given: Any) -> Decision:
    return ask(action, name, "web1", plan(**given) if given else PLAN, state, "", override, NOW).decision


def accept(state: StateDir) -> None:
    """Do what egov.ops.accept_clock does when a person gives a reason."""
    with Ledger(state.ledger) as ledger:
        ahead = clock.record_ahead(ledger, NOW)
        assert ahead is not None
        seen = clock.acceptance(ahead, "The clock ran ahead", "zhao", NOW)
        times = {"started": iso(NOW), "finished": iso(NOW)}
        ledger.append([record(run="r2", procedure="x", host="controller", domain="gate", observation=seen, **times)])


@pytest.mark.parametrize(
    ("after", "behind"),
    [
        (timedelta(minutes=4, seconds=59), False),
        (timedelta(minutes=5), False),
        (timedelta(minutes=5, seconds=1), True),
        (timedelta(hours=2), True),
        (YEARS, True),
    ],
)
def test_a_clock_is_behind_from_more_than_five_minutes_on(state: StateDir, after: timedelta, behind: bool) -> None:
    add(state, entry("backup", "portal", after), entry("backup", "portal", -timedelta(hours=1)))
    with Ledger(state.ledger, read_only=True) as ledger:
        assert bool(clock.fault(ledger, NOW)) is behind
        assert not behind or f"record #1 of the ledger was made at {iso(NOW + after)}" in clock.fault(ledger, NOW)


def test_where_no_record_is_ahead_none_is_read(state: StateDir) -> None:
    """Each gate and each run asks, and a ledger of years has millions of records."""
    statements: list[str] = []
    add(state, entry("backup", "portal", timedelta(0)))
    with Ledger(state.ledger, read_only=True) as ledger, ledger.database("read") as db:
        db.set_trace_callback(statements.append)
        assert clock.fault(ledger, NOW) == ""
        db.set_trace_callback(None)
        plans = [row[3] for text in statements for row in db.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert any("record_finished" in text for text in plans)
    assert not any(text.startswith("SCAN") for text in plans)


def test_a_clock_behind_refuses_every_action_and_says_how_it_is_accepted(state: StateDir) -> None:
    name = approved_request(state)
    add(state, proof(timedelta(0)), entry("backup", "portal", YEARS))
    for action in ("restore", "backup_prune", "restore_undo", "key_rotate"):
        decision = asked(state, name if action == "restore" else "", action)
        assert [check.gate for check in decision.refused] == ["clock"], action
        assert "ansible-playbook egov.ops.accept_clock" in decision.message
    accept(state)
    assert asked(state, name).allowed
    assert asked(state, "", "backup_prune").allowed


def test_one_record_of_2031_is_accepted_once_and_a_later_one_is_a_new_case(state: StateDir) -> None:
    name = approved_request(state)
    add(state, proof(timedelta(0)), entry("backup", "portal", YEARS), entry("backup", "portal", 2 * YEARS))
    accept(state)
    add(state, entry("backup", "portal", timedelta(0)))
    assert asked(state, name).allowed
    add(state, entry("backup", "portal", timedelta(minutes=6)))
    assert [check.gate for check in asked(state, name).refused] == ["clock"]
    accept(state)
    assert asked(state, name).allowed


def test_nobody_but_the_controller_accepts_a_clock(state: StateDir) -> None:
    add(state, entry("backup", "portal", YEARS))
    seen = observation("clock", "ledger", "ok", upto=10)
    times = {"started": iso(NOW), "finished": iso(NOW)}
    add(
        state,
        record(run="r2", procedure="x", host="web1", domain="gate", observation=seen, **times),
        record(run="r2", procedure="x", host="controller", domain="health", observation=seen, **times),
    )
    with Ledger(state.ledger, read_only=True) as ledger:
        assert clock.fault(ledger, NOW)


@pytest.mark.parametrize("in_spool", [False, True])
@pytest.mark.parametrize(("after", "counts"), [(timedelta(minutes=5), True), (timedelta(minutes=6), False)])
def test_a_proof_of_the_future_does_not_count(state: StateDir, after: timedelta, counts: bool, in_spool: bool) -> None:
    name = approved_request(state)
    if in_spool:
        header = {"procedure": "standalone", "begun": ""}
        spool = Spool.find_or_create(state.spool, identity(os.getpid()), header, NOW)
        spool.append([proof(after, run=spool.run)])
    else:
        add(state, proof(after))
        if not counts:
            accept(state)
    assert asked(state, name).allowed is counts


def test_an_older_proof_counts_beside_one_of_the_future(state: StateDir) -> None:
    name = approved_request(state)
    add(state, proof(-timedelta(hours=1)), proof(YEARS, status="failed"))
    accept(state)
    assert asked(state, name).allowed
    about = (state, "web1", "portal", NOW)
    newest = gate_evidence.newest_proof(*about)
    assert newest is not None
    assert newest["finished"] == iso(NOW - timedelta(hours=1))
    assert gate_evidence.proved(state, "web1", NOW) == {"portal": [SNAPSHOT]}


def test_a_proof_of_the_future_keeps_no_snapshot_and_no_set_proved(state: StateDir) -> None:
    add(state, proof(YEARS), entry("backup", "portal", YEARS, added_bytes=1))
    assert gate_evidence.newest_proof(state, "web1", "portal", NOW) is None
    assert gate_evidence.proved(state, "web1", NOW) == {}
    assert freshness.newest(state, "web1", "portal", {"full": {"every": "week"}}, NOW) == ""


@pytest.mark.parametrize(("after", "counts"), [(timedelta(minutes=5), True), (timedelta(minutes=6), False)])
def test_an_approval_of_the_future_does_not_count(state: StateDir, after: timedelta, counts: bool) -> None:
    name = approved_request(state, after)
    add(state, proof(timedelta(0)))
    assert asked(state, name).allowed is counts


def test_the_decision_alone_refuses_what_is_ahead_of_the_clock() -> None:
    good = evidence(request(), "wang_1")
    late = {"status": "ok", "finished": iso(NOW + timedelta(minutes=6))}
    for known, gate in (
        (replace(good, proof=late), "proved_backup"),
        (replace(good, approvals=approved(request(), "wang_1", made=NOW + timedelta(minutes=6))), "approval"),
        (replace(good, clock="The clock is behind."), "clock"),
    ):
        assert [check.gate for check in decide(request(), PLAN, known, NOW).refused] == [gate]


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ({"kind": "proof"}, False),
        ({"kind": "drill"}, False),
        ({"kind": "drill", "drilled_on": "web1"}, False),
        ({"kind": "drill", "drilled_on": ""}, False),
        ({"kind": "proof", "drilled_on": "vault1"}, False),
        ({"kind": "drill", "drilled_on": "vault1"}, True),
    ],
)
def test_by_drill_host_only_a_drill_of_another_machine_counts(
    state: StateDir, given: dict[str, Any], counts: bool
) -> None:
    name = approved_request(state)
    add(state, proof(timedelta(0), **given))
    decision = asked(state, name, proof_by="drill_host")
    assert decision.allowed is counts
    assert counts or "egov_ops_drill_host, and drill the newest snapshot: ansible-playbook" in decision.message
    assert asked(state, name).allowed


def test_by_drill_host_what_the_host_says_badly_of_its_backup_counts_too(state: StateDir) -> None:
    name = approved_request(state)
    add(state, proof(-timedelta(hours=1), "drill", drilled_on="vault1"), proof(timedelta(0), status="failed"))
    assert not asked(state, name, proof_by="drill_host").allowed
    add(state, proof(timedelta(minutes=1)))  # its own good word does not take that back
    assert not asked(state, name, proof_by="drill_host").allowed
    add(state, proof(timedelta(minutes=2), "drill", drilled_on="vault1"))
    assert asked(state, name, proof_by="drill_host").allowed
