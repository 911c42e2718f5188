# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger in SQLite: what is asked of it, and what it refuses."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import migrations, schema_update
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, first_break
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Head
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.ledger_cases import TIME, fill, in_child, make_record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "账 本.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger(path) as opened:
        yield opened


def frame(run: str, kind: str, **given: Any) -> dict[str, Any]:
    procedure = given.pop("procedure", "daily")
    return make_record(
        run=run, procedure=procedure, host="controller", domain="run", kind=kind, subject=procedure, **given
    )


def test_an_empty_ledger_has_an_empty_head(ledger: Ledger) -> None:
    assert ledger.head() == Head(0, "", "sha256")


def test_records_are_numbered_chained_and_kept_as_canonical_json(ledger: Ledger) -> None:
    records = [make_record(), make_record(subject="负载")]
    assert ledger.append(records) == 2
    rows = list(ledger.records())
    assert [row.seq for row in rows] == [1, 2]
    assert [row.body for row in rows] == [canonical(record) for record in records]
    assert first_break(rows) is None
    assert ledger.head() == Head(2, rows[1].hash, "sha256")


def test_a_record_whose_id_is_stored_is_left_out(ledger: Ledger) -> None:
    one, two = make_record(), make_record()
    ledger.append([one])
    assert ledger.append([one, two, two]) == 1
    assert [row.record["id"] for row in ledger.records()] == [one["id"], two["id"]]


def test_another_algorithm_goes_on_in_the_same_chain(path: Path) -> None:
    for algorithm in ("sha256", "sha512", "sm3"):
        with Ledger(path, algorithm=algorithm) as ledger:
            ledger.append([make_record()])
    with Ledger(path) as ledger:
        assert [row.algorithm for row in ledger.records()] == ["sha256", "sha512", "sm3"]
        assert first_break(ledger.records()) is None


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), ledger.transaction():
        ledger.append([make_record()])
        raise RuntimeError
    assert ledger.head().count == 0


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["1", "2", "3", "4"]),
        ({"run": "r2"}, ["3", "4"]),
        ({"host": "db1"}, ["2"]),
        ({"domain": "backup"}, ["4"]),
        ({"kind": "step", "subject": "health_probe"}, ["3"]),
        ({"status": "critical"}, ["2"]),
        ({"status": ["critical", "failed"]}, ["2", "4"]),
        ({"since": "2026-01-02T00:00:00Z"}, ["2", "3", "4"]),
        ({"until": "2026-01-02T00:00:00Z"}, ["1"]),
        ({"since": "2026-01-02T00:00:00Z", "host": "web1"}, ["3", "4"]),
        ({"upto": 2}, ["1", "2"]),
        ({"newest_first": True, "limit": 2}, ["4", "3"]),
        ({"procedure": "weekly"}, []),
    ],
)
def test_records_are_found_by_what_is_asked(ledger: Ledger, asked: dict[str, Any], found: list[str]) -> None:
    ledger.append(
        [
            make_record(identifier="1", finished="2026-01-01T00:00:00Z"),
            make_record(identifier="2", host="db1", status="critical", finished="2026-01-02T00:00:00Z"),
            make_record(identifier="3", run="r2", kind="step", subject="health_probe", finished="2026-01-03T00:00:00Z"),
            make_record(identifier="4", run="r2", domain="backup", status="failed", finished="2026-01-04T00:00:00Z"),
        ]
    )
    assert [stored.record["id"] for stored in ledger.records(**asked)] == found


def test_a_bound_that_is_no_time_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="'yesterday' is not a time"):
        list(ledger.records(since="yesterday"))


def test_runs_are_told_newest_first_with_their_end(ledger: Ledger) -> None:
    ledger.append(
        [
            frame("r1", "begin", started="2026-01-01T00:00:00Z"),
            frame("r1", "seal", status="warning", finished="2026-01-01T00:09:00Z", detail={"hosts": 2}),
            frame("r2", "begin", procedure="weekly"),
            make_record(run="alone"),
        ]
    )
    weekly, daily = ledger.runs()
    assert (daily.run, daily.started, daily.finished) == ("r1", "2026-01-01T00:00:00Z", "2026-01-01T00:09:00Z")
    assert (daily.status, daily.detail) == ("warning", {"hosts": 2})
    assert (weekly.run, weekly.finished, weekly.status) == ("r2", "", "")
    assert [run.run for run in ledger.runs(procedure="daily")] == ["r1"]
    assert [run.run for run in ledger.runs(limit=1)] == ["r2"]


def test_the_statuses_of_a_run_are_those_of_its_work(ledger: Ledger) -> None:
    ledger.append([make_record(subject=str(number), status="critical") for number in range(29)])
    ledger.append([make_record(), make_record(run="r2", status="failed"), frame("r1", "begin"), frame("r1", "seal")])
    assert ledger.statuses("r1") == {"critical": 29, "ok": 1}
    assert ledger.statuses("nobody") == {}


def test_the_previous_run_is_the_last_sealed_before_this_one_of_the_same_procedure(ledger: Ledger) -> None:
    for run, procedure in (("r1", "daily"), ("w1", "weekly"), ("r2", "daily"), ("r3", "daily")):
        ledger.append([frame(run, kind, procedure=procedure) for kind in ("begin", "seal")])
    ledger.append([frame("r4", "begin")])
    assert ledger.previous_run("r2", "daily") == "r1"
    assert ledger.previous_run("r4", "daily") == "r3"
    assert ledger.previous_run("not-there-yet", "daily") == "r3"
    assert ledger.previous_run("r1", "daily") is None


def test_the_run_of_a_process_is_found_again(ledger: Ledger) -> None:
    ledger.append([frame("20260101T000000Z-aaaaaaaaaaaa", "begin"), frame("20260101T000000Z-bbbbbbbbbbbb", "begin")])
    assert ledger.run_of("aaaaaaaaaaaa") == "20260101T000000Z-aaaaaaaaaaaa"
    assert ledger.run_of("cccccccccccc") is None


def test_the_last_success_passes_over_what_failed_and_was_skipped(ledger: Ledger) -> None:
    ledger.append([make_record(status=status) for status in ("ok", "warning", "critical", "failed", "skipped")])
    found = ledger.last_success(domain="health", kind="probe", subject="disk:/")
    assert found and found.seq == 2
    assert ledger.last_success(domain="backup", kind="backup") is None


def test_a_streak_begins_after_the_last_other_status(ledger: Ledger) -> None:
    statuses = ("critical", "ok", "critical", "critical", "ok", "critical")
    times = [f"2026-01-0{day}T00:00:00Z" for day in range(1, 7)]
    ledger.append([make_record(status=status, finished=time) for status, time in zip(statuses, times, strict=True)])
    ledger.append([make_record(status="critical", finished="2026-02-01T00:00:00Z", subject="another")])
    run = make_record()["run"]
    began = {1: times[0], 3: times[2], 4: times[2], 6: times[5], 7: "2026-02-01T00:00:00Z"}
    assert ledger.streaks(run, ("critical",)) == began
    assert ledger.streaks("20260101T000000Z-cccccccccccc", ("critical",)) == {}


def test_a_document_is_kept_once_by_its_digest(ledger: Ledger) -> None:
    content = b"x" * 100_000
    name = ledger.put_artefact(content, "report.html", "text/html", TIME)
    assert ledger.put_artefact(content, "again.html", "text/html", TIME) == name
    kept = ledger.artefact(name)
    assert kept and (kept.name, kept.content) == ("report.html", content)
    assert ledger.path.stat().st_size < 100_000
    assert ledger.artefact("sha256:unknown") is None


def test_a_large_document_is_kept_by_digest_and_place(ledger: Ledger, tmp_path: Path) -> None:
    place = tmp_path / "manifest"
    place.write_bytes(b"large")
    name = ledger.put_artefact(b"large", "manifest", "application/jsonl", TIME, str(place))
    kept = ledger.artefact(name)
    assert kept and kept.content == b"large"
    place.write_bytes(b"other")
    with pytest.raises(LedgerError, match="manifest is not what was stored"):
        ledger.artefact(name)
    place.unlink()
    with pytest.raises(LedgerError, match=r"manifest .* cannot be read"):
        ledger.artefact(name)


@pytest.mark.parametrize("statement", ["UPDATE record SET body = '{}'", "DELETE FROM record WHERE seq = 1"])
def test_the_file_itself_refuses_change_and_removal(path: Path, ledger: Ledger, statement: str) -> None:
    fill(ledger, 3)
    with sqlite3.connect(path) as other, pytest.raises(sqlite3.IntegrityError, match="append only"):
        other.execute(statement)


def test_read_only_without_a_file_says_what_to_run(path: Path) -> None:
    with pytest.raises(LedgerError, match=r"no ledger at .* run a procedure"):
        Ledger(path, read_only=True)
    assert not path.exists()


def test_read_only_refuses_to_write(path: Path, ledger: Ledger) -> None:
    with Ledger(path, read_only=True) as reader, pytest.raises(LedgerError, match="cannot be written"):
        reader.append([make_record()])


def test_only_the_owner_can_read_the_file(path: Path, ledger: Ledger) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_programs_database_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(LedgerError, match="another program's database"):
        Ledger(path)


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"plain text, long enough to be no header" * 100)
    with pytest.raises(LedgerError, match="cannot be opened: file is not a database"):
        Ledger(path)


def test_a_newer_schema_is_refused(path: Path, ledger: Ledger) -> None:
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match=r"newer egov.ops \(schema 99"):
        Ledger(path)


def test_a_migration_keeps_records_and_leaves_a_copy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger(path) as ledger:
        fill(ledger, 3)
    monkeypatch.setattr(schema_update, "MIGRATIONS", (*migrations.MIGRATIONS, ("CREATE TABLE added (x)",)))
    with pytest.raises(LedgerError, match="older schema 1"):
        Ledger(path, read_only=True)
    with Ledger(path) as ledger:
        assert ledger.head().count == 3
    monkeypatch.undo()
    with pytest.raises(LedgerError, match="newer"):
        Ledger(path)
    with Ledger(path.with_name(path.name + ".schema1")) as copy:
        assert copy.head().count == 3


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger(path) as ledger:
        fill(ledger, 3)
    monkeypatch.setattr(schema_update, "MIGRATIONS", (*migrations.MIGRATIONS, ("CREATE TABLE added (x)", "NO SQL")))
    with pytest.raises(LedgerError, match="cannot be written"):
        Ledger(path)
    monkeypatch.undo()
    with Ledger(path) as ledger:
        assert ledger.head().count == 3


def test_twenty_processes_that_open_a_new_ledger_at_once_make_one(path: Path) -> None:
    children = []
    for _ in range(20):
        child = os.fork()
        if child == 0:
            with Ledger(path) as ledger:
                ledger.append([make_record()])
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 20
    with Ledger(path) as ledger:
        assert ledger.head().count == 20
        assert first_break(ledger.records()) is None


def test_a_full_disk_is_one_sentence_and_undoes_the_whole_append(path: Path, ledger: Ledger) -> None:
    fill(ledger, 3)
    limit = path.stat().st_size

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with Ledger(path) as full, pytest.raises(LedgerError, match="cannot be written"):
            full.append(make_record(detail={"text": "x" * 10000}) for _ in range(50))

    assert in_child(work) == 0
    assert ledger.head().count == 3


def weekly(run: str, hosts: int = 2, bad: int = 0, reason: str = "", **announced: Any) -> list[dict[str, Any]]:
    """Return the frame of a weekly run."""
    counts = {"hosts": hosts, "bad": bad}
    status = "failed" if bad or reason == "interrupted" else "ok"
    return [
        frame(run, "begin", procedure="weekly", detail=announced),
        frame(run, "seal", procedure="weekly", status=status, reason=reason, detail=counts),
    ]


@pytest.mark.parametrize(
    "fruitless",
    [{"limit": "web1"}, {"tags": ["health"]}, {"reason": "busy"}, {"reason": "interrupted"}, {"bad": 2}, {"hosts": 0}],
    ids=str,
)
def test_a_run_that_did_not_do_its_procedures_work_is_not_its_last_one(
    ledger: Ledger, fruitless: dict[str, Any]
) -> None:
    ledger.append([*weekly("r1", bad=1), *weekly("r2", **fruitless), frame("r3", "seal", procedure="daily")])
    found = ledger.last_whole_run("weekly", upto=ledger.head().count)
    assert found
    assert found.record["run"] == "r1"


def test_the_last_run_is_told_as_a_report_of_an_earlier_one_knew_it(ledger: Ledger) -> None:
    ledger.append([*weekly("r1"), *weekly("r2")])
    found = ledger.last_whole_run("weekly", upto=3)
    assert found
    assert found.record["run"] == "r1"
    assert ledger.last_whole_run("weekly", upto=1) is None


def test_subjects_are_found_by_how_they_begin(ledger: Ledger) -> None:
    ledger.append(
        make_record(identifier=str(number), kind="request", subject=subject)
        for number, subject in enumerate(["abc", "abd", "abc", "b", "ab%", "AB"])
    )
    ledger.append([make_record(identifier="x", kind="proof", subject="abe")])
    assert ledger.subjects("health", "request", "ab") == ["ab%", "abc", "abd"]
    assert ledger.subjects("health", "request", "ab%") == ["ab%"]
    assert ledger.subjects("backup", "request", "ab") == []


def test_a_sqlite_that_is_too_old_is_one_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 30, 9))
    with pytest.raises(LedgerError, match=r"the ledger needs 3\.31; use a newer Python"):
        Ledger(path)
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 31, 0))
    Ledger(path).close()


def test_a_ledger_that_may_only_be_read_is_read(path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ledger, 2)
    modes, connect = [], sqlite3.connect

    def noted(address: str, **options: Any) -> sqlite3.Connection:
        modes.append(address.partition("?")[2])
        return connect(address, **options)

    monkeypatch.setattr("sqlite3.connect", noted)
    for may_write, read_only, mode in ((False, True, "ro"), (True, True, "rw"), (False, False, "rw")):
        monkeypatch.setattr("os.access", lambda *_arguments, answer=may_write: answer)
        with Ledger(path, read_only=read_only) as reader:
            assert reader.head() == ledger.head()
        assert modes[-1] == f"mode={mode}"


def test_a_name_of_a_file_with_signs_of_an_address_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "ledger?mode=memory#1%20.db"
    with Ledger(path) as ledger:
        fill(ledger, 1)
    with Ledger(path, read_only=True) as reader:
        assert reader.head().count == 1


@pytest.mark.parametrize("statement", ["PRAGMA application_id = 5", "PRAGMA user_version = 1"])
def test_an_empty_database_that_another_program_has_marked_is_refused(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as other:
        other.execute(statement)
    with pytest.raises(LedgerError, match="another program's database"):
        Ledger(path)


def test_an_empty_file_becomes_a_ledger(path: Path) -> None:
    path.write_bytes(b"")
    with Ledger(path) as ledger:
        assert ledger.head().count == 0
