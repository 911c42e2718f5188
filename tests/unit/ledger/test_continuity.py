# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger that holds less than its witnesses saw is noticed, until a person accepts it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.continuity import (
    Contradiction,
    accept,
    acceptances_in,
    contradiction,
    contradictions,
    loss_in,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.migrations import MIGRATIONS
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.purge import purge
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import verify_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import Witness, publish_head, read_witnesses

from tests.support.ledger_cases import NOW, TIME, make_record, make_state

#: Records of one run.
SEAL = 3


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """Give a state folder after three runs, with a copy of the ledger as the second one left it."""
    state = make_state(tmp_path)
    for number in range(3):
        run(state, f"r{number}")
        if number == 1:
            shutil.copy(state.ledger, tmp_path / "older")
    return state


def run(state: StateDir, name: str, records: int = SEAL) -> None:
    """Store what a run stores, and publish the head."""
    with Ledger(state.ledger) as ledger:
        ledger.append(make_record(run=name) for _ in range(records))
        publish_head(state.witness, ledger.head(), name, TIME)


def loss(state: StateDir) -> str:
    with Ledger(state.ledger) as ledger:
        return loss_in(state, ledger)


def verified(state: StateDir) -> str:
    """Return the kind of damage, "" for none."""
    with Ledger(state.ledger, read_only=True) as ledger:
        return verify_ledger(ledger, read_witnesses(state.witness)).kind


def accepted(state: StateDir) -> bool:
    with Ledger(state.ledger) as ledger:
        return bool(accept(state, ledger, "r-accept", NOW, "Zhang Wei", "The disk broke.", None))


def remove(state: StateDir) -> None:
    state.ledger.unlink()


def empty(state: StateDir) -> None:
    remove(state)
    Ledger(state.ledger).close()


def truncate(state: StateDir) -> None:
    os.truncate(state.ledger, 0)


def put_older_copy_back(state: StateDir) -> None:
    shutil.copy(state.path.parent / "older", state.ledger)


def cut(state: StateDir) -> None:
    with sqlite3.connect(state.ledger) as database:
        database.execute("DROP TRIGGER record_delete")
        database.execute("DELETE FROM record WHERE seq > 8")
        database.execute(next(statement for statement in MIGRATIONS[0] if "TRIGGER record_delete" in statement))


def continue_older_copy_beyond_witness(state: StateDir) -> None:
    put_older_copy_back(state)
    with Ledger(state.ledger) as ledger:
        ledger.append(make_record(run="other") for _ in range(4))


DAMAGES = [remove, empty, truncate, put_older_copy_back, cut, continue_older_copy_beyond_witness]


def test_a_ledger_that_grows_is_no_loss(state: StateDir) -> None:
    assert loss(state) == ""
    assert not accepted(state)


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_loss_is_said_until_it_is_accepted(state: StateDir, damage: Callable[[StateDir], None]) -> None:
    damage(state)
    for number in range(3):  # the new chain grows beyond the old one meanwhile
        assert "egov.ops.accept_ledger" in loss(state)
        assert "#9" in loss(state)
        run(state, f"later{number}", 6)
    assert verified(state) in ("cut", "rewritten")
    assert accepted(state)
    assert loss(state) == ""
    assert verified(state) == ""
    assert not accepted(state)
    run(state, "after")
    assert loss(state) == "" == verified(state)


@pytest.mark.parametrize("damage", [remove, put_older_copy_back])
def test_a_second_loss_is_noticed_after_the_first_was_accepted(
    state: StateDir, damage: Callable[[StateDir], None]
) -> None:
    remove(state)
    loss(state)
    assert accepted(state)
    run(state, "after")
    assert loss(state) == ""
    damage(state)
    assert loss(state)


def test_records_cut_after_an_acceptance_are_noticed(state: StateDir) -> None:
    put_older_copy_back(state)
    assert accepted(state)  # as #7
    run(state, "after")
    cut(state)
    assert "#10" in loss(state)


def test_an_acceptance_names_person_reason_and_the_witness_that_is_given_up(state: StateDir) -> None:
    put_older_copy_back(state)
    accepted(state)
    with Ledger(state.ledger) as ledger:
        (stored,) = ledger.records(kind="acceptance")
    detail = stored.record["detail"]
    assert (detail["name"], detail["why"]) == ("Zhang Wei", "The disk broke.")
    assert (detail["witness"]["run"], detail["witness"]["count"], detail["ledger_end"]) == ("r2", 9, 6)
    assert [json.loads(line)["count"] for line in state.witness.read_text().splitlines()] == [3, 6, 9, 7]


def test_an_acceptance_that_a_purge_removes_still_counts(state: StateDir) -> None:
    put_older_copy_back(state)
    accepted(state)
    later = NOW + timedelta(days=400)
    with Ledger(state.ledger) as ledger:
        ledger.append([make_record(finished=iso(later), started=iso(later))])
        publish_head(state.witness, ledger.head(), "later", iso(later))
        assert purge(state, ledger, 365, later, "p1")
        assert not list(ledger.records(kind="acceptance"))
    assert loss(state) == ""
    assert verified(state) == ""


def test_a_ledger_that_its_witness_contradicts_is_not_purged(state: StateDir) -> None:
    put_older_copy_back(state)
    with Ledger(state.ledger) as ledger, pytest.raises(LedgerError, match=r"Nothing is purged.*#9"):
        purge(state, ledger, 365, NOW + timedelta(days=800), "p1")


def test_the_witness_of_the_longest_chain_is_named(state: StateDir) -> None:
    empty(state)
    with Ledger(state.ledger) as ledger:
        found = contradiction(ledger, read_witnesses(state.witness))
    assert found and found.witness.run == "r2"


@pytest.mark.parametrize("count", [-1, 0, 2**63, 2**70])
def test_a_line_of_an_impossible_number_is_no_witness(state: StateDir, count: int) -> None:
    line = {**json.loads(state.witness.read_text().splitlines()[-1]), "count": count, "hash": "x"}
    with state.witness.open("a") as stream:
        stream.write(json.dumps(line) + "\n")
    assert loss(state) == ""  # no ledger has such a number


@pytest.mark.parametrize(
    ("accepted", "counts"),
    [(1, True), (9, True), (10, False), (11, False), (0, False), (-1, False), ("3", False), (None, False)],
)
def test_a_checkpoint_names_an_acceptance_of_before_itself_or_none(
    state: StateDir, accepted: object, counts: bool
) -> None:
    with Ledger(state.ledger) as ledger:
        assert ledger.head().count == 9
        detail = {"count": 2, "accepted": accepted}
        ledger.append([make_record(host="controller", domain="run", kind="checkpoint", detail=detail)])
        assert acceptances_in(ledger) == ([accepted] if counts else [])


def test_an_acceptance_counts_only_of_the_controller(state: StateDir) -> None:
    with Ledger(state.ledger) as ledger:
        ledger.append([make_record(host=host, domain="run", kind="acceptance") for host in ("web1", "controller")])
        ledger.append([make_record(domain="health", host="controller", kind="acceptance")])
        assert acceptances_in(ledger) == [11]


def test_a_witness_of_what_a_purge_removed_contradicts_nothing(state: StateDir) -> None:
    witnesses = read_witnesses(state.witness)
    first = replace(witnesses[0], hash="0" * 64)
    with Ledger(state.ledger) as ledger:
        assert contradiction(ledger, [first]) is not None
        ledger.append([make_record(host="controller", domain="run", kind="checkpoint", detail={"count": SEAL})])
        ledger.remove_upto(SEAL)
        assert contradiction(ledger, [first]) is None
        assert contradiction(ledger, [replace(first, count=SEAL + 1)]) is not None


def seen(count: int, its_hash: str, run: str = "r") -> Witness:
    return Witness(TIME, run, count, its_hash, "sha256")


def test_what_earlier_witnesses_saw_is_given_up_from_the_first_that_saw_an_acceptance() -> None:
    hashes = {1: "a", 2: "b", 3: "c", 4: "d"}

    def found(witnesses: list[Witness], *acceptances: int, first: int = 1, last: int = 4) -> list[tuple[str, int]]:
        return [(item.kind, item.witness.count) for item in contradictions(witnesses, hashes, first, last, acceptances)]

    old = [seen(9, "z"), seen(2, "y")]
    assert found(old) == [("cut", 9), ("rewritten", 2)]
    assert found([*old, seen(3, "c")], 3) == []
    assert found([*old, seen(4, "d")], 3) == []
    assert found([*old, seen(2, "b")], 3) == [("cut", 9), ("rewritten", 2)]
    assert found([*old, seen(3, "x")], 3) == [("cut", 9), ("rewritten", 2), ("rewritten", 3)]
    assert found([*old, seen(3, "c"), seen(8, "z")], 3) == [("cut", 8)]
    # The newest acceptance that a witness saw counts; one that none saw gives nothing up.
    assert found([*old, seen(2, "b"), seen(1, "y"), seen(4, "d")], 2, 4) == []
    assert found([*old, seen(2, "b"), seen(1, "y")], 2, 4) == [("rewritten", 1)]
    assert found([seen(1, "y"), seen(4, "d")], first=2) == []
    assert found([seen(4, "d")], last=4) == []


def test_each_kind_of_contradiction_is_a_sentence() -> None:
    by = "the witness of 2026-03-04T05:06:07Z (run r) saw"
    for kind, end, said in (
        ("rewritten", 5, f"Record #3 of the ledger is not the one that {by}: the chain was written anew"),
        ("cut", 0, f"The ledger holds no record, but {by} #3: it was removed or emptied"),
        ("cut", 2, f"The ledger ends with #2, but {by} #3: its tail was cut, or it is an older copy"),
    ):
        assert Contradiction(seen(3, "c"), kind, end).message == said  # type: ignore[arg-type]
