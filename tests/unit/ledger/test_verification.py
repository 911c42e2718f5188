# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verification: each kind of damage, the first bad record by number, and what witnesses can and cannot show."""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, link
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.migrations import MIGRATIONS
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import NOT_PROVABLE, Verdict, verify_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import Witness, publish_head
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ledger_cases import TIME, fill, make_record


def renumber(*moves: tuple[int, int]) -> list[str]:
    return [f"UPDATE record SET seq = {new} WHERE seq = {old}" for old, new in moves]


def filled(folder: Path, count: int = 6) -> Path:
    path = folder / "ledger.sqlite3"
    path.unlink(missing_ok=True)
    with Ledger(path) as ledger:
        fill(ledger, count)
    return path


def tamper(path: Path, *statements: str) -> None:
    """Change the file as someone does who may write it: without its guards, which are put back."""
    guards = [statement for statement in MIGRATIONS[0] if "TRIGGER" in statement]
    with sqlite3.connect(path) as other:
        for statement in ("DROP TRIGGER record_update", "DROP TRIGGER record_delete", *statements, *guards):
            other.execute(statement)


def rechain(path: Path) -> None:
    """Write all hashes anew, as a thorough forger does."""
    with sqlite3.connect(path) as other:
        rows = other.execute("SELECT seq, body FROM record ORDER BY seq").fetchall()
    statements, previous = [], ""
    for seq, body in rows:
        previous = link(previous, body)
        statements.append(f"UPDATE record SET hash = '{previous}' WHERE seq = {seq}")
    tamper(path, *statements)


def verdict(path: Path, *witnesses: Witness, signers: Path | None = None) -> Verdict:
    with Ledger(path, read_only=True) as ledger:
        return verify_ledger(ledger, witnesses, signers)


def seen(path: Path, run: str = "r1") -> Witness:
    with Ledger(path, read_only=True) as ledger:
        head = ledger.head()
    return Witness(TIME, run, head.count, head.hash, head.algorithm)


def test_a_whole_ledger_without_witness_has_no_provable_tail(tmp_path: Path) -> None:
    found = verdict(filled(tmp_path))
    assert (found.ok, found.tail) == (True, NOT_PROVABLE)


def test_a_whole_ledger_is_proved_to_its_last_witness(tmp_path: Path) -> None:
    path = filled(tmp_path)
    witness = seen(path)
    with Ledger(path) as ledger:
        ledger.append([make_record()])
    assert verdict(path, witness).tail == "proved to #6"


def test_an_empty_ledger_verifies(tmp_path: Path) -> None:
    assert verdict(filled(tmp_path, 0)).ok


@pytest.mark.parametrize(
    ("statements", "first_bad", "kind"),
    [
        (["UPDATE record SET body = replace(body, '12.5', '12.4') WHERE seq = 4"], 4, "edited"),
        (["UPDATE record SET hash = upper(hash) WHERE seq = 4"], 4, "edited"),
        (["DELETE FROM record WHERE seq = 3"], 3, "missing"),
        (["DELETE FROM record WHERE seq <= 2"], 1, "missing"),
        (renumber((2, 99), (5, 2), (99, 5)), 2, "swapped"),
        (renumber((1, 99), (2, 1), (99, 2)), 1, "swapped"),
    ],
)
def test_damage_is_told_by_kind_and_first_bad_number(
    tmp_path: Path, statements: list[str], first_bad: int, kind: str
) -> None:
    path = filled(tmp_path)
    tamper(path, *statements)
    found = verdict(path)
    assert (found.ok, found.first_bad, found.kind) == (False, first_bad, kind)
    assert f"#{first_bad}" in found.message


def test_bodies_that_changed_places_without_their_hashes_are_a_swap(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with Ledger(path, read_only=True) as ledger:
        bodies = {row.seq: row.body for row in ledger.records()}
    tamper(
        path,
        "DROP INDEX record_id",
        *(f"UPDATE record SET body = '{bodies[other]}' WHERE seq = {seq}" for seq, other in ((2, 5), (5, 2))),
    )
    found = verdict(path)
    assert (found.first_bad, found.kind) == (2, "swapped")
    assert "#5" in found.message


def test_a_deletion_that_renumbers_the_rest_is_found_where_it_was(tmp_path: Path) -> None:
    path = filled(tmp_path)
    tamper(path, "DELETE FROM record WHERE seq = 3", "UPDATE record SET seq = seq - 1 WHERE seq > 3")
    assert verdict(path).first_bad == 3


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.sampled_from(["status", "host", "finished", "id"]), st.text(min_size=1))
def test_any_single_change_of_a_record_is_found(number: int, field: str, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = filled(Path(folder), 5)
        with Ledger(path, read_only=True) as ledger:
            (row,) = ledger.records(upto=number, newest_first=True, limit=1)
        changed = canonical({**row.record, field: row.record[field] + text}).replace("'", "''").replace("\0", "")
        tamper(path, f"UPDATE record SET body = '{changed}' WHERE seq = {number}")
        found = verdict(path)
        assert (found.ok, found.first_bad, found.kind) == (False, number, "edited")


def test_a_tail_that_was_cut_contradicts_the_first_witness_beyond_it(tmp_path: Path) -> None:
    path = filled(tmp_path)
    early = replace(seen(path), count=2, hash="")
    with Ledger(path, read_only=True) as ledger:
        early = replace(early, hash=next(row.hash for row in ledger.records() if row.seq == 2))
    late = seen(path, "r2")
    tamper(path, "DELETE FROM record WHERE seq > 4")
    assert verdict(path).ok  # which is why there are witnesses
    found = verdict(path, early, late)
    assert (found.ok, found.first_bad, found.kind) == (False, 5, "cut")
    assert "run r2" in found.message and "#6" in found.message


def test_a_chain_written_anew_contradicts_its_first_witness(tmp_path: Path) -> None:
    path = filled(tmp_path)
    first = seen(path)
    with Ledger(path) as ledger:
        ledger.append([make_record()])
    second = seen(path, "r2")
    tamper(path, "UPDATE record SET body = replace(body, '12.5', '12.4') WHERE seq = 4")
    rechain(path)
    assert verdict(path).ok
    found = verdict(path, first, second)
    assert (found.ok, found.first_bad, found.kind) == (False, 6, "rewritten")
    assert "run r1" in found.message


@pytest.fixture
def key(tmp_path: Path) -> Callable[[str], Path]:
    """Give the path of a new SSH key by its name; `<name>.allowed` beside it allows that key alone."""

    def make(name: str) -> Path:
        path = tmp_path / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        public = path.with_suffix(".pub").read_text(encoding="utf-8")
        path.with_suffix(".allowed").write_text(f"{name}@example.invalid {public}", encoding="utf-8")
        return path

    return make


def signed(path: Path, folder: Path, key: Path) -> Witness:
    with Ledger(path, read_only=True) as ledger:
        return publish_head(folder / "witness.jsonl", ledger.head(), "r1", TIME, key)


@pytest.mark.programs("ssh-keygen")
def test_a_signed_witness_proves_the_tail_and_names_its_signer(tmp_path: Path, key: Callable[[str], Path]) -> None:
    path = filled(tmp_path)
    ops = key("ops")
    found = verdict(path, signed(path, tmp_path, ops), signers=ops.with_suffix(".allowed"))
    assert (found.ok, found.tail) == (True, "proved to #6")
    assert "signed by ops@example.invalid" in found.message


@pytest.mark.programs("ssh-keygen")
def test_a_witness_changed_after_it_was_signed_is_forged(tmp_path: Path, key: Callable[[str], Path]) -> None:
    path = filled(tmp_path)
    ops = key("ops")
    witness = replace(signed(path, tmp_path, ops), time="2026-03-05T00:00:00Z")
    found = verdict(path, witness, signers=ops.with_suffix(".allowed"))
    assert (found.ok, found.kind) == (False, "forged")


@pytest.mark.programs("ssh-keygen")
def test_a_signature_by_another_key_is_forged(tmp_path: Path, key: Callable[[str], Path]) -> None:
    path = filled(tmp_path)
    found = verdict(path, signed(path, tmp_path, key("other")), signers=key("ops").with_suffix(".allowed"))
    assert (found.ok, found.kind) == (False, "forged")


@pytest.mark.programs("ssh-keygen")
def test_where_signatures_are_asked_for_an_unsigned_witness_is_an_error(
    tmp_path: Path, key: Callable[[str], Path]
) -> None:
    path = filled(tmp_path)
    signers = key("ops").with_suffix(".allowed")
    found = verdict(path, seen(path), signers=signers)
    assert (found.ok, found.kind) == (False, "unsigned")
    assert "is not signed, but" in found.message
    signed_first = signed(path, tmp_path, key("ops2"))
    assert verdict(path, signed_first, seen(path), signers=signers).kind == "unsigned"


@pytest.mark.programs("ssh-keygen")
def test_where_signatures_are_asked_for_a_missing_witness_is_an_error(
    tmp_path: Path, key: Callable[[str], Path]
) -> None:
    path = filled(tmp_path)
    ops = key("ops")
    assert verdict(path, signers=ops.with_suffix(".allowed")).kind == "unsigned"
    early = signed(path, tmp_path, ops)
    with Ledger(path) as ledger:
        ledger.append([make_record(host="controller", domain="run", kind="seal", subject="daily", run="r2")])
    found = verdict(path, early, signers=ops.with_suffix(".allowed"))
    assert (found.kind, found.first_bad) == ("unsigned", 7)
    assert "The run r2 was sealed as #7" in found.message
