# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Purge: what is old leaves as a file, and the chain still verifies from its checkpoint."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.purge import plan, purge
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import verify_export, verify_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import Witness

from tests.support.ledger_cases import NOW, TIME, in_child, kill_here, make_record, make_state

DAYS = 200


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return make_state(tmp_path)


@pytest.fixture
def ledger(state: StateDir) -> Iterator[Ledger]:
    """Give a ledger with records of 300, 250, 100, 220 and 0 days ago."""
    with Ledger(state.ledger) as opened:
        opened.append(make_record(finished=iso(NOW - timedelta(days=days))) for days in (300, 250, 100, 220, 0))
        yield opened


def witness(ledger: Ledger, number: int) -> Witness:
    return next(Witness(TIME, "r1", row.seq, row.hash, "sha256") for row in ledger.records() if row.seq == number)


@pytest.mark.parametrize("days", [189, 0, -1])
def test_a_retention_below_the_floor_is_refused(ledger: Ledger, days: int) -> None:
    with pytest.raises(LedgerError, match="below the floor of 190"):
        plan(ledger, days, NOW)


def test_the_floor_itself_is_a_retention(ledger: Ledger) -> None:
    segment = plan(ledger, 190, NOW)
    assert segment and segment.last == 2


@pytest.mark.parametrize(("over", "expected"), [(timedelta(0), None), (timedelta(seconds=1), 1)])
def test_a_record_is_kept_to_the_last_second_of_its_retention(
    state: StateDir, over: timedelta, expected: int | None
) -> None:
    with Ledger(state.ledger) as ledger:
        ledger.append([make_record(finished=iso(NOW - timedelta(days=DAYS) - over)), make_record(finished=iso(NOW))])
        segment = plan(ledger, DAYS, NOW)
    assert (segment and segment.last) == expected


def test_only_what_has_nothing_younger_before_it_is_planned(ledger: Ledger) -> None:
    segment = plan(ledger, DAYS, NOW)
    assert segment and (segment.first, segment.last) == (1, 2)


def test_nothing_old_is_nothing_to_do(state: StateDir, ledger: Ledger) -> None:
    assert purge(state, ledger, 400, NOW, "r2") is None
    assert ledger.head().count == 5


def test_after_a_purge_the_ledger_verifies_from_its_checkpoint(state: StateDir, ledger: Ledger) -> None:
    witnesses = [witness(ledger, number) for number in (1, 2, 5)]
    checkpoint = purge(state, ledger, DAYS, NOW, "r2")
    assert checkpoint and checkpoint["detail"]["count"] == 2
    assert [row.seq for row in ledger.records()] == [3, 4, 5, 6]
    found = verify_ledger(ledger, witnesses)
    assert (found.ok, found.tail) == (True, "proved to #5")


def test_a_second_purge_goes_on_from_the_first(state: StateDir, ledger: Ledger) -> None:
    purge(state, ledger, DAYS, NOW, "r2")
    later = NOW + timedelta(days=DAYS + 1)
    purge(state, ledger, DAYS, later, "r3")
    assert [row.seq for row in ledger.records()] == [7]
    assert verify_ledger(ledger, []).ok
    assert sorted(path.name for path in state.exports.iterdir()) == ["ledger-1-2.jsonl", "ledger-3-6.jsonl"]
    assert verify_export(state.exports / "ledger-3-6.jsonl", ledger).ok


def test_the_export_holds_what_was_removed_and_verifies(state: StateDir, ledger: Ledger) -> None:
    bodies = [row.body for row in ledger.records(upto=2)]
    checkpoint = purge(state, ledger, DAYS, NOW, "r2")
    assert checkpoint
    export = state.exports / checkpoint["detail"]["export"]
    assert verify_export(export, ledger).ok
    text = export.read_text(encoding="utf-8")
    assert all(body.replace('"', '\\"') in text for body in bodies)
    assert len(text.splitlines()) == 3


@pytest.mark.parametrize(("old", "new", "kind"), [("12.5", "12.4", "edited"), ('"last":2', '"last":3', "cut")])
def test_an_export_that_was_changed_is_found(state: StateDir, ledger: Ledger, old: str, new: str, kind: str) -> None:
    purge(state, ledger, DAYS, NOW, "r2")
    export = state.exports / "ledger-1-2.jsonl"
    export.write_text(export.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    found = verify_export(export, ledger)
    assert (found.ok, found.kind) == (False, kind)


def test_an_export_that_no_checkpoint_names_is_found(state: StateDir, ledger: Ledger) -> None:
    purge(state, ledger, DAYS, NOW, "r2")
    export = state.exports / "ledger-1-2.jsonl"
    lines = export.read_text(encoding="utf-8").splitlines(keepends=True)
    export.write_text("".join(line.replace('"algorithm":"sha256"', '"algorithm": "sha256"') for line in lines))
    assert verify_export(export, ledger).kind == "rewritten"


def test_a_file_that_is_no_export_is_one_sentence(tmp_path: Path, ledger: Ledger) -> None:
    path = tmp_path / "notes"
    path.write_text("notes\n")
    with pytest.raises(LedgerError, match="cannot be read as an exported segment"):
        verify_export(path, ledger)


def test_a_ledger_that_does_not_verify_is_not_purged(state: StateDir, ledger: Ledger) -> None:
    with sqlite3.connect(state.ledger) as other:
        other.execute("DROP TRIGGER record_update")
        other.execute("UPDATE record SET body = replace(body, '12.5', '12.4') WHERE seq = 4")
    with pytest.raises(LedgerError, match=r"Nothing is purged.*#4"):
        purge(state, ledger, DAYS, NOW, "r2")
    assert ledger.head().count == 5
    assert list(state.exports.iterdir()) == []


def test_an_export_that_cannot_be_written_removes_nothing(state: StateDir, ledger: Ledger) -> None:
    state.exports.rmdir()
    with pytest.raises(LedgerError, match=r"export .* cannot be written"):
        purge(state, ledger, DAYS, NOW, "r2")
    assert ledger.head().count == 5


def test_a_purge_killed_before_its_commit_is_done_whole_by_the_next(state: StateDir, ledger: Ledger) -> None:
    def work() -> None:
        with Ledger(state.ledger) as own:
            own.remove_upto = lambda _seq: kill_here()  # type: ignore[method-assign]
            purge(state, own, DAYS, NOW, "r2")

    assert in_child(work) == -9
    assert [row.seq for row in ledger.records()] == [1, 2, 3, 4, 5]
    purge(state, ledger, DAYS, NOW, "r2")
    assert [row.seq for row in ledger.records()] == [3, 4, 5, 6]
    assert verify_export(state.exports / "ledger-1-2.jsonl", ledger).ok
