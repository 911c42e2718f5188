# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drain: whose spools it takes, what it adds to those that were interrupted, and what it leaves alone."""

from __future__ import annotations

import os
import resource
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.drain import drain_spools, missing, running
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError, SpoolError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity, identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import Header
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import verify_ledger

from tests.support.ledger_cases import (
    NOW,
    append,
    dead_process,
    end_of,
    in_child,
    living_process,
    make_header,
    make_record,
    make_state,
    start_child,
)


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return make_state(tmp_path)


def put(state: StateDir, process: Identity, *records: dict[str, Any], header: Header | None = None) -> Spool:
    """Make the spool of a process and append records to it."""
    spool = Spool.find_or_create(state.spool, process, header or make_header(), NOW)
    append(spool, list(records))
    return spool


def stored(state: StateDir) -> list[dict[str, Any]]:
    with Ledger(state.ledger, read_only=True) as ledger:
        assert verify_ledger(ledger, []).ok
        return [row.record for row in ledger.records()]


def step(host: str, module: str, **given: Any) -> dict[str, Any]:
    return make_record(host=host, kind="step", subject=module, **given)


def seal_record() -> dict[str, Any]:
    return make_record(host="controller", domain="run", kind="seal", subject="daily")


def rows(records: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(item["host"], item["subject"], item["status"], item["reason"]) for item in records]


def test_the_current_run_is_moved_and_its_spool_removed(state: StateDir) -> None:
    records = [make_record(), seal_record()]
    spool = put(state, identity(os.getpid()), *records)
    with Ledger(state.ledger) as ledger:
        drained = drain_spools(state, ledger, NOW, spool)
    assert (drained.moved, drained.orphans, drained.head.count) == (2, [], 2)
    assert stored(state) == records
    assert list(state.spool.iterdir()) == []


def test_the_run_of_a_living_process_is_left_alone(state: StateDir) -> None:
    spool = put(state, identity(os.getpid()), make_record())
    with Ledger(state.ledger) as ledger:
        assert drain_spools(state, ledger, NOW).moved == 0
    assert spool.path.exists()


def test_an_interrupted_run_gets_a_row_for_each_open_step_and_its_seal(state: StateDir) -> None:
    with living_process() as (process, end):
        put(state, process, step("db1", "health_probe"), make_record(host="db1"))
        end()
        with Ledger(state.ledger) as ledger:
            drained = drain_spools(state, ledger, NOW)
    assert len(drained.orphans) == 1
    assert rows(stored(state)[2:]) == [
        ("db1", "backup_run", "failed", "interrupted"),
        ("web1", "health_probe", "failed", "interrupted"),
        ("web1", "backup_run", "failed", "interrupted"),
        ("controller", "daily", "failed", "interrupted"),
    ]


def test_a_run_that_was_sealed_and_not_drained_is_only_moved(state: StateDir) -> None:
    put(state, dead_process(), seal_record())
    with Ledger(state.ledger) as ledger:
        assert drain_spools(state, ledger, NOW).moved == 1


def test_hosts_that_waited_behind_a_sealed_batch_end_the_run_as_interrupted(state: StateDir) -> None:
    put(state, dead_process(), seal_record(), header=make_header(batch=["db1"]))
    with Ledger(state.ledger) as ledger:
        drain_spools(state, ledger, NOW)
    assert rows(stored(state))[1:] == [
        ("web1", "health_probe", "failed", "interrupted"),
        ("web1", "backup_run", "failed", "interrupted"),
        ("controller", "daily", "failed", "interrupted"),
    ]


def test_a_second_play_that_was_begun_after_a_seal_is_interrupted(state: StateDir) -> None:
    put(state, dead_process(), seal_record()).announce(make_header(hosts=["web1"]))
    with Ledger(state.ledger) as ledger:
        assert drain_spools(state, ledger, NOW).moved == 1 + 2 + 1


def test_a_module_used_alone_is_moved_as_it_is(state: StateDir) -> None:
    alone = step("web1", "health_probe", reason="standalone")
    put(state, dead_process(), alone, header={"procedure": "health_probe", "begun": ""})
    with Ledger(state.ledger) as ledger:
        drained = drain_spools(state, ledger, NOW)
    assert stored(state) == [alone]
    assert drained.orphans == [], "nothing was promised, so nothing was interrupted"


def test_hosts_that_are_not_ours_are_skipped_even_where_a_run_was_interrupted(state: StateDir) -> None:
    put(state, dead_process(), header=make_header(hosts=[], not_ours=["win1"]))
    with Ledger(state.ledger) as ledger:
        drain_spools(state, ledger, NOW)
    assert rows(stored(state))[:2] == [
        ("win1", "health_probe", "skipped", "not_ours"),
        ("win1", "backup_run", "skipped", "not_ours"),
    ]


@pytest.mark.parametrize(("silent", "taken"), [(timedelta(minutes=59), 0), (timedelta(minutes=61), 1)])
@pytest.mark.parametrize("elsewhere", ["boot", "namespace"])
def test_a_run_of_another_boot_or_namespace_is_an_orphan_when_silent_too_long(
    state: StateDir, elsewhere: str, silent: timedelta, taken: int
) -> None:
    mine = identity(os.getpid())
    process = Identity(**{**vars(mine), elsewhere: "other", "machine": "another"})
    spool = put(state, process, make_record())
    last = (NOW - silent).timestamp()
    os.utime(spool.path, (last, last))
    with Ledger(state.ledger) as ledger:
        assert len(drain_spools(state, ledger, NOW).orphans) == taken


def test_a_record_that_is_already_stored_is_not_doubled(state: StateDir) -> None:
    records = [make_record(), make_record()]
    with Ledger(state.ledger) as ledger:
        put(state, dead_process(), *records, header=make_header(begun=""))
        ledger.append(records[:1])
        assert drain_spools(state, ledger, NOW).moved == 1
    assert stored(state) == records


def test_torn_lines_are_counted(state: StateDir) -> None:
    spool = put(state, dead_process(), make_record(), make_record(), seal_record())
    spool.path.write_text(spool.path.read_text()[:-20])
    with Ledger(state.ledger) as ledger:
        drained = drain_spools(state, ledger, NOW)
    assert drained.torn == 1


def test_a_file_that_is_no_spool_is_set_aside_and_stops_no_other(state: StateDir) -> None:
    alien = state.spool / "0-alien.jsonl"
    alien.write_text("notes\n")
    put(state, dead_process(), seal_record())
    with Ledger(state.ledger) as ledger:
        drained = drain_spools(state, ledger, NOW)
        assert drained.moved == 2
        assert drained.unreadable == []
        (aside,) = state.rejected.iterdir()
        assert aside.read_text() == "notes\n"
        assert len(drained.rejected) == 1 and str(aside) in drained.rejected[0]
        assert not alien.exists()
        again = drain_spools(state, ledger, NOW)
    assert (again.moved, again.rejected) == (0, [])


def test_orphans_are_drained_in_the_order_of_their_runs(state: StateDir) -> None:
    for number in (2, 0, 1):
        header = make_header(run=f"2026010{number}T000000Z-{dead_process(number).hash}", begun="")
        put(state, dead_process(number), make_record(identifier=str(number)), header=header)
    with Ledger(state.ledger) as ledger:
        drain_spools(state, ledger, NOW)
    assert [record["id"] for record in stored(state)] == ["0", "1", "2"]


def test_a_ledger_that_is_full_leaves_the_evidence_in_the_spool_and_says_where(state: StateDir) -> None:
    records = [make_record(detail={"text": "x" * 10000}) for _ in range(20)]
    spool = put(state, identity(os.getpid()), *records)
    with Ledger(state.ledger):
        limit = state.ledger.stat().st_size

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with Ledger(state.ledger) as ledger, pytest.raises(LedgerError, match=f"kept in the spool .*{spool.run}.jsonl"):
            drain_spools(state, ledger, NOW, spool)

    assert in_child(work) == 0
    assert spool.read().records == records
    assert stored(state) == []


def test_twenty_runs_that_seal_at_once_store_everything_once(state: StateDir) -> None:
    def work() -> None:
        records = [make_record(run=str(os.getpid())) for _ in range(10)]
        spool = put(state, identity(os.getpid()), *records, seal_record())
        with Ledger(state.ledger) as ledger:
            drain_spools(state, ledger, NOW, spool)

    assert [end_of(child) for child in [start_child(work) for _ in range(20)]] == [0] * 20
    with Ledger(state.ledger) as ledger:
        drain_spools(state, ledger, NOW)
    ids = [record["id"] for record in stored(state)]
    assert len(ids) == len(set(ids)) == 20 * 11


def test_what_a_run_announced_and_did_not_do_is_filled_for_the_hosts_of_a_batch() -> None:
    header: Header = {**make_header(), "run": "r1"}
    made = missing(header, [step("db1", "health_probe")], NOW, hosts=["db1"])
    assert rows(made) == [("db1", "backup_run", "skipped", "not_reached")]
    assert (made[0]["domain"], made[0]["run"], made[0]["detail"]["message"][-1]) == ("backup", "r1", ".")


def test_a_run_that_is_under_way_is_known_by_its_procedure(state: StateDir) -> None:
    with living_process() as (daily, end_daily), living_process() as (sealed, _):
        first = put(state, daily)
        put(state, sealed, seal_record())
        put(state, identity(os.getpid()), header=make_header(procedure="weekly"))
        put(state, dead_process())
        assert running(state, "daily", NOW) == [first.run]
        end_daily()
        assert running(state, "daily", NOW) == []


def test_the_spool_of_a_run_that_is_not_the_current_one_is_named_where_it_cannot_be_read(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = put(state, dead_process(), seal_record())

    def fail(_self: Spool) -> None:
        raise SpoolError("It cannot be read.")

    monkeypatch.setattr(Spool, "salvage", fail)
    with Ledger(state.ledger) as ledger:
        drained = drain_spools(state, ledger, NOW)
    assert (drained.moved, drained.unreadable) == (0, ["It cannot be read."])
    assert spool.path.exists()


def test_a_run_of_a_newer_release_is_left_alone_and_named(state: StateDir) -> None:
    spool = put(state, dead_process(), seal_record())
    spool.path.write_text(spool.path.read_text().replace('"schema":2', '"schema":3', 1))
    with Ledger(state.ledger) as ledger:
        drained = drain_spools(state, ledger, NOW)
    assert drained.moved == 0
    assert "was written by a newer egov.ops (schema 3, this one reads 2)" in drained.unreadable[0]
    assert spool.path.exists()


def test_records_of_the_run_itself_alone_seal_it_or_say_what_it_announced(state: StateDir) -> None:
    put(state, dead_process(), make_record(kind="seal", subject="daily", domain="backup", host="controller"))
    with Ledger(state.ledger) as ledger:
        drained = drain_spools(state, ledger, NOW)
    assert len(drained.orphans) == 1
    assert [row for row in rows(stored(state)) if row[1] == "daily"] == [
        ("controller", "daily", "ok", ""),
        ("controller", "daily", "failed", "interrupted"),
    ]


def test_what_an_interrupted_run_left_out_says_so(state: StateDir) -> None:
    put(state, dead_process(), step("web1", "health_probe"))
    with Ledger(state.ledger) as ledger:
        drain_spools(state, ledger, NOW + timedelta(seconds=30))
    found = {(item["host"], item["subject"]): item for item in stored(state)}
    left_out = found["db1", "health_probe"]
    assert (left_out["status"], left_out["reason"], left_out["clauses"]) == ("failed", "interrupted", ["S3.1-1"])
    assert (left_out["domain"], left_out["kind"], left_out["procedure"]) == ("health", "step", "daily")
    assert (left_out["started"], left_out["finished"]) == (iso(NOW), iso(NOW + timedelta(seconds=30)))
    assert left_out["detail"] == {"message": "The run was stopped before this step had a result."}
    seal = found["controller", "daily"]
    assert (seal["domain"], seal["kind"], seal["reason"]) == ("run", "seal", "interrupted")
    assert seal["detail"] == {"message": "The run was stopped before its seal."}


def test_a_run_that_begun_after_the_clock_began_no_later_than_now(state: StateDir) -> None:
    put(state, dead_process(), header=make_header(begun=iso(NOW + timedelta(hours=1))))
    with Ledger(state.ledger) as ledger:
        drain_spools(state, ledger, NOW)
    assert {item["started"] for item in stored(state)} == {iso(NOW)}


def test_hosts_that_are_not_ours_are_filled_beside_those_of_a_batch() -> None:
    header = {**make_header(run="r1"), "not_ours": ["mainframe"]}
    made = missing(header, [], NOW, hosts=["web1", "mainframe"])  # type: ignore[arg-type]
    assert rows(made) == [  # type: ignore[arg-type]
        ("web1", "health_probe", "skipped", "not_reached"),
        ("web1", "backup_run", "skipped", "not_reached"),
        ("mainframe", "health_probe", "skipped", "not_ours"),
        ("mainframe", "backup_run", "skipped", "not_ours"),
    ]
    assert made[0]["detail"]["message"] == "The run ended without reaching this step on this host."
    assert made[2]["detail"]["message"] == "This host is not managed by the platform's plan."


def test_an_empty_file_and_one_that_is_held_keep_no_other_spool_from_the_ledger(state: StateDir) -> None:
    (state.spool / "0-empty.jsonl").write_text("")
    spool = put(state, dead_process(), seal_record())
    with Ledger(state.ledger) as ledger:
        drained = drain_spools(state, ledger, NOW)
    assert drained.moved == 2
    assert not spool.path.exists()
    assert "(it is empty)" in drained.rejected[0]


def test_a_living_run_keeps_no_later_one_from_the_ledger(state: StateDir) -> None:
    header = make_header(run=f"20200101T000000Z-{identity(os.getpid()).hash}")
    living = put(state, identity(os.getpid()), make_record(), header=header)
    put(state, dead_process(), seal_record())
    with Ledger(state.ledger) as ledger:
        assert drain_spools(state, ledger, NOW).moved == 1
    assert living.path.exists()
