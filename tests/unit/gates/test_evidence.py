# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the gate sees: the ledger, the spools of all runs, and who is at work; and what that costs."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.actions.changing import ask
from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence as gate_evidence
from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import Approval
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity, identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.gate_cases import NOW, SNAPSHOT, operation, plan, request, signed_by

PLAN = plan()


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "state")
    made.prepare()
    return made


def dead() -> Identity:
    """Return a process of our boot and namespace that is gone."""
    mine = identity(os.getpid())
    return Identity(mine.boot, mine.namespace, mine.pid, 0)


def entry(run: str, kind: str, subject: str, status: str = "ok", host: str = "web1", **detail: Any) -> dict[str, Any]:
    seen = observation(kind, subject, status, **detail)
    domain = {"proof": "backup", "drill": "backup", "step": "restore"}.get(kind, "gate")
    times = {"started": iso(NOW), "finished": iso(NOW)}
    return record(run=run, procedure="standalone", host=host, domain=domain, observation=seen, **times)


def spool_of(state: StateDir, process: Identity, *entries: tuple[Any, ...], begun: str = "") -> Spool:
    """Write a run's spool; entries are kind, subject, status and detail."""
    spool = Spool.find_or_create(state.spool, process, {"procedure": "restore", "begun": begun, "hosts": ["web1"]}, NOW)
    spool.append([entry(spool.run, kind, subject, status, **detail) for kind, subject, status, detail in entries])
    return spool


PASSED = ("gate", "f" * 64, "ok", {"module": "restore_run"})
REFUSED = ("gate", "f" * 64, "failed", {"module": "restore_run"})
STEP = ("step", "restore_run", "ok", {})


def running(state: StateDir, own: str = "", host: str = "web1") -> tuple[str, ...]:
    return gate_evidence.running(state, host, own, NOW)


@pytest.mark.parametrize(
    ("entries", "begun", "held"),
    [
        ([PASSED], "", True),
        ([PASSED, STEP], "", False),
        ([PASSED, STEP, PASSED], "", True),
        ([REFUSED], "", False),
        ([PASSED, STEP, REFUSED, STEP], "", False),
        ([PASSED, STEP], iso(NOW), True),
        ([REFUSED, STEP], iso(NOW), False),
        ([], iso(NOW), False),
    ],
)
def test_a_live_run_holds_the_hosts_that_its_gates_have_opened(
    state: StateDir, entries: list[Any], begun: str, held: bool
) -> None:
    spool = spool_of(state, identity(os.getpid()), *entries, begun=begun)
    assert running(state) == ((spool.run,) if held else ())
    assert running(state, own=spool.run) == ()
    assert running(state, host="db1") == ()


def test_a_dead_run_holds_nothing(state: StateDir) -> None:
    spool_of(state, dead(), PASSED, begun=iso(NOW))
    assert running(state) == ()


def test_a_file_that_is_no_spool_holds_nothing(state: StateDir) -> None:
    (state.spool / "20260304T050607Z-0123456789ab.jsonl").write_text("no spool\n")
    assert running(state) == ()


def stored(state: StateDir, in_spool: bool = False, **given: Any) -> str:
    """Store a request of li's for web1 that wang has approved, with the proof of its snapshot; return its digest."""
    asked = request(**given)
    approval = Approval(asked.digest, "wang", iso(NOW))
    gate_evidence.store(state, asked)
    gate_evidence.store(state, approval)
    entries = [
        ("request", asked.digest, "ok", {"signature": signed_by("li_1", asked)}),
        (
            "approval",
            asked.digest,
            "ok",
            {"signature": signed_by("wang_1", approval), "document": digest(approval.body.encode())},
        ),
        ("proof", "portal", "ok", {"snapshot_id": SNAPSHOT}),
    ]
    if in_spool:
        spool_of(state, dead(), *entries)
    else:
        with Ledger(state.ledger) as ledger:
            ledger.append(
                entry("r1", kind, subject, status, asked.host, **detail) for kind, subject, status, detail in entries
            )
    return asked.digest


def allowed(state: StateDir, wanted: str, host: str = "web1") -> bool:
    return ask("restore", wanted, host, PLAN, state, "", "", NOW).decision.allowed


@pytest.mark.parametrize("in_spool", [False, True])
def test_what_waits_in_a_spool_counts_like_what_is_in_the_ledger(state: StateDir, in_spool: bool) -> None:
    name = stored(state, in_spool)
    assert allowed(state, name)
    assert allowed(state, name[:8])


def test_the_last_of_several_ends_counts(state: StateDir) -> None:
    name = stored(state)
    asked = gate_evidence.find(state, name)
    for finished in ("2026-03-04T06:00:00Z", "2026-03-04T07:00:00Z"):
        with Ledger(state.ledger) as ledger:
            ledger.append([{**entry("r2", gate_evidence.DONE, name, "ok"), "finished": finished}])
    assert gate_evidence.gather(asked, "restore", "web1", PLAN, state, NOW).done == "2026-03-04T07:00:00Z"


def test_the_newest_proof_counts(state: StateDir) -> None:
    name = stored(state)
    failed = {
        **entry("r2", "proof", "portal", "failed", snapshot_id=SNAPSHOT),
        "finished": iso(NOW + timedelta(seconds=1)),
    }
    with Ledger(state.ledger) as ledger:
        ledger.append([failed])
    assert not allowed(state, name)


def test_a_drill_proves_what_it_brought_back_and_a_newer_one_that_failed_counts(state: StateDir) -> None:
    name = stored(state)
    other = {
        **entry("r2", "proof", "portal", "failed", snapshot_id=SNAPSHOT),
        "finished": iso(NOW + timedelta(seconds=1)),
    }
    drilled = {**entry("r3", "drill", "portal", snapshot_id=SNAPSHOT), "finished": iso(NOW + timedelta(seconds=2))}
    failed = {
        **entry("r4", "drill", "portal", "failed", snapshot_id=SNAPSHOT),
        "finished": iso(NOW + timedelta(seconds=3)),
    }
    for newest, allows in ((other, False), (drilled, True), (failed, False)):
        with Ledger(state.ledger) as ledger:
            ledger.append([newest])
        assert allowed(state, name) is allows


def test_a_copy_is_proved_by_the_proof_of_its_original_and_another_s_data_by_its_own(state: StateDir) -> None:
    copy = {"snapshot": "c" * 64, "original": SNAPSHOT}
    assert allowed(state, stored(state, operation=operation(**copy)))
    assert not allowed(state, stored(state, operation=operation(**copy, of="db1")))
    with Ledger(state.ledger) as ledger:
        ledger.append([entry("r5", "proof", "portal", host="db1", snapshot_id=SNAPSHOT)])
    assert allowed(state, stored(state, operation=operation(**copy, of="db1"), nonce="cd" * 16))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("1a2b3c4", "8 to 64 hexadecimal digits"),
        ("1A2B3C4D", "8 to 64 hexadecimal digits"),
        ("../../etc/passwd", "8 to 64 hexadecimal digits"),
        ("[0-9a-f]*", "8 to 64 hexadecimal digits"),
        ("0" * 8, "No request begins with 00000000"),
        ("0" * 64, "No request begins with"),
    ],
)
def test_a_request_that_there_is_not_is_one_sentence(state: StateDir, wanted: str, words: str) -> None:
    stored(state)
    for find in (gate_evidence.find, gate_evidence.find_export):
        with pytest.raises(OpsError, match=rf"{words}[^\n]*\.$"):
            find(state, wanted)


def test_without_a_ledger_the_gate_refuses_and_an_override_reads_the_state_folder(state: StateDir) -> None:
    name = stored(state)
    state.ledger.write_text("this is no database at all, and long enough to be told from one")
    with pytest.raises(OpsError, match="ledger"):
        allowed(state, name)
    passed = ask("restore", name[:8], "web1", PLAN, state, "", "The portal is down", NOW)
    assert passed.request == request()
    assert [check.gate for check in passed.decision.refused] == ["ledger"]
    other = spool_of(state, identity(os.getpid()), PASSED)
    passed = ask("restore", name[:8], "web1", PLAN, state, "", "The portal is down", NOW)
    assert [check.gate for check in passed.decision.refused] == ["ledger", "lock"]
    assert other.run in passed.decision.message


def test_a_request_that_was_changed_in_the_state_folder_is_refused(state: StateDir) -> None:
    name = stored(state)
    other = request(operation=operation(host="db1"))
    (state.requests / f"{name}.json").write_text(other.body)
    with pytest.raises(OpsError, match="is another one"):
        gate_evidence.find_export(state, name)


def cpu() -> float:
    return sum(os.times()[:4])


def test_the_gate_costs_at_most_50_ms_of_cpu_for_each_host(state: StateDir) -> None:
    """With a thousand days of each host's proofs in the ledger, and a request of its own for each host."""

    def day(number: int) -> str:
        return iso(NOW - timedelta(days=number))

    hosts = [f"web{number}" for number in range(10)]
    names = [stored(state, operation=operation(host=host)) for host in hosts]
    with Ledger(state.ledger) as ledger:
        ledger.append(
            {**entry("r0", "proof", "portal", host=host, snapshot_id="0" * 64), "finished": day(number)}
            for host in hosts
            for number in range(1000)
        )

    before = cpu()
    assert all(allowed(state, name, host) for name, host in zip(names, hosts, strict=True))
    assert (cpu() - before) / len(hosts) < 0.05
    before = cpu()
    assert not any(allowed(state, names[0], host) for host in hosts[1:])
    assert (cpu() - before) / len(hosts[1:]) < 0.05


def test_a_request_is_found_without_the_ledger_by_the_beginning_of_its_digest(state: StateDir) -> None:
    asked, other = request(), request(nonce="cd" * 16)
    for document in (asked, other):
        gate_evidence.store(state, document)
    state.ledger.unlink()
    for digits in (8, 20, 64):
        assert gate_evidence.find_export(state, asked.digest[:digits]) == asked
    with pytest.raises(OpsError, match=r"No request begins with ffffffff; see egov.ops.ledger_info"):
        gate_evidence.find_export(state, "f" * 8)
    path = state.requests / f"{asked.digest}.json"
    (state.requests / f"{asked.digest[:10]}{'0' * 54}.json").write_bytes(path.read_bytes())
    with pytest.raises(OpsError, match=f"2 requests begin with {asked.digest[:8]}"):
        gate_evidence.find_export(state, asked.digest[:8])
    path.write_bytes((state.requests / f"{other.digest}.json").read_bytes())
    with pytest.raises(OpsError, match=f"The request stored as {asked.digest[:8]} is another one"):
        gate_evidence.find_export(state, asked.digest)
    path.unlink()
    path.mkdir()
    with pytest.raises(OpsError, match=r"cannot be read .*mend its permissions"):
        gate_evidence.find_export(state, asked.digest)


@pytest.mark.parametrize("wanted", ["", "abcdef0", "a" * 65, "ABCDEF01", "abcdefg1", "abcdef0 "])
def test_what_is_no_beginning_of_a_digest_is_refused(wanted: str) -> None:
    with pytest.raises(OpsError, match="A request is named by 8 to 64 hexadecimal digits"):
        gate_evidence.check_prefix(wanted)
    gate_evidence.check_prefix("abcdef01")
    gate_evidence.check_prefix("a" * 64)


def test_a_request_that_cannot_be_kept_is_stored_nowhere(state: StateDir) -> None:
    state.requests.rmdir()
    state.requests.write_text("no folder")
    with pytest.raises(OpsError, match=r"The request cannot be kept in .*free space there"):
        gate_evidence.store(state, request())
    assert not state.ledger.exists()


def test_the_newest_of_a_sets_proofs_and_drills_tells_of_it(state: StateDir) -> None:
    assert gate_evidence.newest_proof(state, "web1", "portal", NOW) is None
    with Ledger(state.ledger) as ledger:
        ledger.append([entry("r1", "proof", "portal", "failed"), entry("r2", "drill", "other")])
    assert gate_evidence.newest_proof(state, "web1", "portal", NOW)["status"] == "failed"  # type: ignore[index]
    later = {**entry("r3", "drill", "portal"), "finished": iso(NOW + timedelta(seconds=5))}
    with Ledger(state.ledger) as ledger:
        ledger.append([later])
    assert gate_evidence.newest_proof(state, "web1", "portal", NOW)["kind"] == "drill"  # type: ignore[index]
    assert gate_evidence.newest_proof(state, "web2", "portal", NOW) is None


def test_the_proved_snapshots_of_a_set_come_newest_first_and_once(state: StateDir) -> None:
    def proof(seconds: int, name: str, status: str = "ok", **given: Any) -> dict[str, Any]:
        made = entry(f"r{seconds}", "proof", given.pop("subject", "portal"), status, snapshot_id=name, **given)
        return {**made, "finished": iso(NOW + timedelta(seconds=seconds))}

    with Ledger(state.ledger) as ledger:
        ledger.append(
            [
                *(proof(1, "a"), proof(2, "b"), proof(3, "a"), proof(4, "c", "failed"), proof(5, "")),
                *(proof(6, "d", subject="config"), proof(7, "e", host="web2"), proof(3600, "f")),
            ]
        )
    assert gate_evidence.proved(state, "web1", NOW + timedelta(seconds=60)) == {"portal": ["a", "b"], "config": ["d"]}
