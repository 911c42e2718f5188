# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the records of backups say, of the ledger and of spools that still wait: what was made, proved and moved."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.gate_cases import NOW

#: When the gates ask.
LATER = NOW + timedelta(days=1)


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "state")
    made.prepare()
    return made


def at(hours: int) -> str:
    return iso(NOW + timedelta(hours=hours))


def entry(
    kind: str, hours: int, status: str = "ok", subject: str = "portal", host: str = "web1", **detail: Any
) -> Record:
    """Return a record of a backup, `hours` after NOW."""
    seen = observation(kind, subject, status, **detail)
    times = {"started": at(hours), "finished": at(hours)}
    return record(run="r1", procedure="backup", host=host, domain="backup", observation=seen, **times)


def store(state: StateDir, *records: Record) -> None:
    with Ledger(state.ledger) as ledger:
        ledger.append(records)


def leave(state: StateDir, *records: Record) -> None:
    """Leave records in the spool of a run."""
    header = {"procedure": "backup", "begun": "", "hosts": ["web1"]}
    spool = Spool.find_or_create(state.spool, identity(os.getpid()), header, NOW)
    spool.append([{**record, "run": spool.run} for record in records])


@pytest.mark.parametrize("later", ["ledger", "spool"])
def test_the_newest_record_of_a_set_counts_wherever_it_lies(state: StateDir, later: str) -> None:
    put, put_older = (store, leave) if later == "ledger" else (leave, store)
    put(state, entry("proof", 1), entry("proof", 2, "failed"))
    put_older(state, entry("proof", 0))
    put(state, entry("proof", 3, host="db1"), entry("proof", 3, subject="mail"), entry("drill", 3))
    newest = evidence.newest(state, "web1", "proof", "portal", LATER)
    assert newest and (newest["finished"], newest["status"]) == (at(2), "failed")


def test_without_records_there_is_no_newest_and_nothing_else(tmp_path: Path, state: StateDir) -> None:
    for empty in (state, StateDir(tmp_path / "never")):
        assert evidence.newest(empty, "web1", "proof", "portal", LATER) is None
        assert evidence.newest_proof(empty, "web1", "portal", LATER) is None
        assert evidence.moved_files(empty, "web1", "portal", LATER) == {}
        assert (evidence.made(empty, "web1"), evidence.proved(empty, "web1", LATER)) == ({}, {})


@pytest.mark.parametrize("newer", ["proof", "drill"])
def test_a_set_is_judged_by_its_proof_or_its_drill_whichever_is_newer(state: StateDir, newer: str) -> None:
    store(state, entry("proof", int(newer == "proof")), entry("drill", int(newer == "drill"), "failed"))
    newest = evidence.newest_proof(state, "web1", "portal", LATER)
    assert newest and newest["kind"] == newer


def changed(*paths: str) -> dict[str, Any]:
    return {"changed_during_backup": {"count": len(paths), "first": list(paths)}}


def test_moved_files_are_those_of_the_newest_backup_that_has_made_a_snapshot(state: StateDir) -> None:
    store(state, entry("backup", 0, snapshot="a" * 8, **changed("old")), entry("backup", 1, snapshot="b" * 8))
    assert evidence.moved_files(state, "web1", "portal", LATER) == {"snapshot": "a" * 8, "paths": ["old"]}
    store(state, entry("backup", 2, snapshot="c" * 8, **changed("log", "db")))
    assert evidence.moved_files(state, "web1", "portal", LATER) == {"snapshot": "c" * 8, "paths": ["log", "db"]}
    leave(state, entry("backup", 3, snapshot="d" * 8, **changed()))
    assert evidence.moved_files(state, "web1", "portal", LATER) == {"snapshot": "d" * 8, "paths": []}


def test_a_snapshot_was_made_when_it_was_first_recorded(state: StateDir) -> None:
    store(
        state,
        entry("backup", 1, snapshot="a" * 8),
        entry("backup", 2, "warning", snapshot_id="b" * 8),
        entry("backup", 4, "failed", snapshot="c" * 8),
        entry("backup", 4, snapshot="d" * 8, host="db1"),
        entry("backup", 4),
    )
    leave(state, entry("backup", 3, snapshot="a" * 8), entry("backup", 0, snapshot_id="b" * 8, snapshot="e" * 8))
    assert evidence.made(state, "web1") == {"a" * 8: (at(1), True), "b" * 8: (at(0), True)}


def test_proved_snapshots_come_newest_first_and_once(state: StateDir) -> None:
    store(
        state,
        entry("proof", 0, snapshot_id="a" * 8),
        entry("proof", 2, snapshot_id="b" * 8),
        entry("proof", 3, "failed", snapshot_id="c" * 8),
        entry("proof", 3, "warning", snapshot_id="c" * 8),
        entry("proof", 3),
        entry("proof", 1, subject="mail", snapshot_id="d" * 8),
        entry("proof", 1, host="db1", snapshot_id="e" * 8),
    )
    leave(state, entry("proof", 1, snapshot_id="b" * 8), entry("proof", 4, subject="mail", snapshot_id="f" * 8))
    assert evidence.proved(state, "web1", LATER) == {"portal": ["b" * 8, "a" * 8], "mail": ["f" * 8, "d" * 8]}


def test_records_since_a_time_have_those_of_just_that_time(state: StateDir) -> None:
    store(state, *(entry("storage", hours) for hours in (0, 1, 2)))
    found = evidence.records_of(state, "web1", "storage", ("ok",), at(1))
    assert [item["finished"] for item in found] == [at(1), at(2)]
