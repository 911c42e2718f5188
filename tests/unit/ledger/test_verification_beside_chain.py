# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What verification finds beside the chain: in the database's schema, values and documents, and in checkpoints."""

from __future__ import annotations

import json
import sqlite3
import time
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.durable import file_digest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import database_check
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, link
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.checkpoint_check import Checkpoint, flaw_of_checkpoints
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.migrations import MIGRATIONS
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.purge import purge
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import Verdict, verify_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import Witness, publish_head, read_witnesses

from tests.support.ledger_cases import NOW, TIME, fill, make_record, make_state

TABLE, ID_INDEX = MIGRATIONS[0][:2]
GUARDS = [statement for statement in MIGRATIONS[0] if "TRIGGER" in statement]
INDEXES = [statement for statement in MIGRATIONS[0] if "INDEX" in statement]
COLUMNS = "id, run, procedure, host, domain, kind, subject, status, reason, finished"


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """Give a state folder whose ledger has six records and two documents, one of them in a file."""
    state = make_state(tmp_path)
    (state.path / "manifest").write_bytes(b"large")
    with Ledger(state.ledger) as ledger:
        fill(ledger, 6)
        ledger.put_artefact(b"the request" * 1000, "request", "application/json", TIME)
        ledger.put_artefact(b"large", "manifest", "text/plain", TIME, str(state.path / "manifest"))
    return state


def tamper(state: StateDir, *statements: str) -> None:
    with sqlite3.connect(state.ledger) as other:
        for statement in statements:
            other.execute(statement)


def verdict(state: StateDir) -> Verdict:
    with Ledger(state.ledger, read_only=True) as ledger:
        return verify_ledger(ledger, read_witnesses(state.witness), exports=state.exports)


def with_plain_columns(state: StateDir) -> None:
    """Store beside each body what a reader is to believe."""
    tamper(
        state,
        f"CREATE TABLE other AS SELECT seq, body, hash, algorithm, {COLUMNS} FROM record",
        "DROP TABLE record",
        "ALTER TABLE other RENAME TO record",
        *INDEXES,
        *GUARDS,
    )


def as_view(state: StateDir) -> None:
    tamper(
        state,
        "ALTER TABLE record RENAME TO truth",
        f"CREATE VIEW record AS SELECT seq, body, hash, algorithm, {COLUMNS} FROM truth",
    )


SCHEMAS: dict[str, tuple[Callable[[StateDir], None], str]] = {
    "a view in place of the table": (as_view, "The table record of the ledger is missing."),
    "plain columns for generated ones": (with_plain_columns, "The table record of the ledger is not the one"),
    "a column more": (lambda state: tamper(state, "ALTER TABLE record ADD COLUMN note TEXT"), "The table record"),
    "no documents": (lambda state: tamper(state, "DROP TABLE artefact"), "The table artefact of the ledger is missing"),
    "a table more": (lambda state: tamper(state, "CREATE TABLE shadow (a)"), "a table shadow that egov.ops has not"),
    "a view more": (lambda state: tamper(state, "CREATE VIEW shadow AS SELECT 1"), "a view shadow that egov.ops"),
    "no guard": (lambda state: tamper(state, "DROP TRIGGER record_delete"), "The trigger record_delete"),
    "an empty guard": (
        lambda state: tamper(
            state,
            "DROP TRIGGER record_update",
            "CREATE TRIGGER record_update BEFORE UPDATE ON record BEGIN SELECT 1; END",
        ),
        "The trigger record_update of the ledger is not the one",
    ),
    "a trigger more": (
        lambda state: tamper(
            state,
            "CREATE TRIGGER hide AFTER INSERT ON record WHEN NEW.status = 'failed' BEGIN DELETE FROM artefact; END",
        ),
        "a trigger hide that egov.ops has not made",
    ),
    "an index missing": (lambda state: tamper(state, "DROP INDEX record_id"), "The index record_id of the ledger"),
    "an index more": (lambda state: tamper(state, "CREATE INDEX more ON record (hash)"), "an index more"),
    "an index that is not unique": (
        lambda state: tamper(state, "DROP INDEX record_id", "CREATE INDEX record_id ON record (id)"),
        "The index record_id of the ledger is not the one",
    ),
}


def test_a_whole_ledger_verifies(state: StateDir) -> None:
    assert verdict(state).ok


@pytest.mark.parametrize("case", SCHEMAS)
def test_each_difference_of_the_schema_is_named(state: StateDir, case: str) -> None:
    change, words = SCHEMAS[case]
    change(state)
    found = verdict(state)
    assert (found.ok, found.kind) == (False, "schema")
    assert words.replace("an index more", "a index more") in found.message


def test_statistics_of_sqlite_are_no_difference(state: StateDir) -> None:
    tamper(state, "ANALYZE")
    assert verdict(state).ok


def test_a_column_whose_expression_was_exchanged_is_found(state: StateDir) -> None:
    with sqlite3.connect(state.ledger) as other:
        other.execute("PRAGMA writable_schema = 1")
        other.execute("UPDATE sqlite_master SET sql = replace(sql, '$.status', '$.kind') WHERE name = 'record'")
    assert verdict(state).kind == "schema"


def test_a_damaged_page_is_named(state: StateDir) -> None:
    with Ledger(state.ledger) as ledger:
        fill(ledger, 400, subject="x" * 900)
    with state.ledger.open("r+b") as stream:
        stream.seek(4096 * 40)
        stream.write(b"\xff" * 4096)
    found = verdict(state)
    assert (found.ok, found.kind) == (False, "damaged")
    assert found.message.startswith("The file of the ledger is damaged")


def test_an_index_that_does_not_say_what_the_table_says_is_found(state: StateDir) -> None:
    with sqlite3.connect(state.ledger) as other:
        (sql,) = other.execute("SELECT sql FROM sqlite_master WHERE name = 'record_finished'").fetchone()
        other.execute("DROP INDEX record_finished")
        other.execute(sql.replace("(finished)", "(finished) WHERE seq < 3"))
        other.execute("PRAGMA writable_schema = 1")
        other.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'record_finished'", (sql,))
    assert verdict(state).kind == "damaged"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE record SET body = CAST(body AS BLOB) WHERE seq = 4", "a body of the type blob"),
        ("UPDATE record SET hash = CAST(hash AS BLOB) WHERE seq = 4", "a hash of the type blob"),
        ("UPDATE record SET algorithm = x'00' WHERE seq = 4", "an algorithm of the type blob"),
        ("UPDATE record SET body = json_set(body, '$.x', hex(zeroblob(600000))) WHERE seq = 4", "more than"),
        ("UPDATE record SET hash = CAST(x'fffe' AS TEXT) WHERE seq = 4", "What follows record #3 cannot be read"),
    ],
)
def test_a_value_of_a_wrong_type_is_named_by_record(state: StateDir, change: str, words: str) -> None:
    tamper(state, "DROP TRIGGER record_update", change, GUARDS[0])
    found = verdict(state)
    assert (found.kind, found.first_bad) == ("malformed", 4)
    assert words.replace("an algorithm", "a algorithm") in found.message


@pytest.mark.parametrize(
    "disguise",
    [
        lambda body: body.replace('"status":"ok"', '"status":"ok","status":"failed"'),
        lambda body: body.replace('{"attempt"', '{ "attempt"'),
        lambda body: body.replace('"web1"', '"\\u0077eb1"'),
    ],
)
def test_a_record_that_two_readers_read_otherwise_is_named(state: StateDir, disguise: Callable[[str], str]) -> None:
    with Ledger(state.ledger) as ledger:
        head = ledger.head()
        body = disguise(canonical(make_record(identifier="twice")))
        row = (head.count + 1, body, link(head.hash, body), "sha256")
        ledger._db.execute("INSERT INTO record (seq, body, hash, algorithm) VALUES (?, ?, ?, ?)", row)
    found = verdict(state)
    assert (found.kind, found.first_bad) == ("malformed", 7)


def documents(state: StateDir, content: bytes, name: str = "request") -> None:
    with sqlite3.connect(state.ledger) as other:
        other.execute("UPDATE artefact SET content = ? WHERE name = ?", (content, name))


@pytest.mark.parametrize(
    "change",
    [
        lambda state: documents(state, zlib.compress(b"another text" * 1000)),
        lambda state: documents(state, b"no zlib"),
        lambda state: documents(state, zlib.compress(b"the request" * 1000) + b"more"),
        lambda state: documents(state, zlib.compress(b"the request" * 1000)[:-4]),
        lambda state: tamper(state, "UPDATE artefact SET content = NULL WHERE name = 'request'"),
        lambda state: tamper(state, "UPDATE artefact SET size = 5 WHERE name = 'request'"),
        lambda state: tamper(state, "UPDATE artefact SET size = size + 1 WHERE name = 'request'"),
        lambda state: tamper(state, "UPDATE artefact SET size = size - 1 WHERE name = 'request'"),
        lambda state: tamper(state, "UPDATE artefact SET name = CAST(name AS BLOB) WHERE name = 'request'"),
        lambda state: tamper(state, "UPDATE artefact SET place = 5.5 WHERE name = 'manifest'"),
        lambda state: tamper(state, "UPDATE artefact SET size = 'much' WHERE name = 'request'"),
        lambda state: tamper(state, "UPDATE artefact SET digest = 'sha256:' || hex(digest) WHERE name = 'request'"),
        lambda state: (state.path / "manifest").write_bytes(b"small"),
        lambda state: (state.path / "manifest").unlink(),
    ],
)
def test_a_document_that_is_not_what_it_was_is_named(state: StateDir, change: Callable[[StateDir], None]) -> None:
    change(state)
    found = verdict(state)
    assert (found.ok, found.kind) == (False, "document")
    assert "request" in found.message or "manifest" in found.message


def test_a_document_that_unpacks_to_gigabytes_costs_no_memory(state: StateDir) -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(b"\0" * (1 << 24)) for _ in range(64)) + packer.flush()
    documents(state, bomb)
    tracemalloc.start()
    begun = time.process_time()
    assert verdict(state).kind == "document"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20
    assert time.process_time() - begun < 5


def aged(state: StateDir, count: int, days: int) -> None:
    """Store records of some days ago."""
    then = iso(NOW - timedelta(days=days))
    with Ledger(state.ledger) as ledger:
        ledger.append(make_record(started=then, finished=then) for _ in range(count))


def purged(folder: Path) -> StateDir:
    """Return a state folder whose ledger was purged of 5 of its 8 records, with the witnesses of before and after."""
    state = make_state(folder)
    aged(state, 5, 300)
    aged(state, 3, 10)
    with Ledger(state.ledger) as ledger:
        publish_head(state.witness, ledger.head(), "r1", TIME)
        checkpoint = purge(state, ledger, 200, NOW, "p1")
        assert checkpoint
        publish_head(state.witness, ledger.head(), "p1", TIME, export=checkpoint["detail"]["digest"])
    return state


def checkpoint_record(count: int, its_hash: str, export: str, digest: str, made: str = TIME) -> dict[str, object]:
    detail = {"count": count, "hash": its_hash, "algorithm": "sha256", "export": export, "digest": digest}
    return make_record(
        run="forged", host="controller", domain="run", kind="checkpoint", subject="ledger", detail=detail, finished=made
    )


def hide(state: StateDir, upto: int, export: str = "ledger-1-1000.jsonl", lines: list[str] | None = None) -> None:
    """Delete the oldest records under a checkpoint of the forger's own, with an export where lines are given."""
    digest = "ab" * 32
    if lines is not None:
        (state.exports / export).write_text("".join(line + "\n" for line in lines))
        digest = file_digest(state.exports / export)
    with Ledger(state.ledger) as ledger:
        (its_hash,) = (row.hash for row in ledger.records(upto=upto, newest_first=True, limit=1))
        ledger.append([checkpoint_record(upto, its_hash, export, digest)])
        ledger.remove_upto(upto)


def export_of(state: StateDir, first: int, last: int) -> list[str]:
    """Return the lines of an export of some records, as a purge writes them."""
    with Ledger(state.ledger) as ledger:
        rows = [row for row in ledger.records(upto=last) if row.seq >= first]
        before = [row.hash for row in ledger.records(upto=first - 1)][-1:] or [""]
    header = {"schema": 1, "first": first, "last": last, "previous": before[0], "hash": rows[-1].hash}
    return [canonical({**header, "algorithm": "sha256"}), *(canonical(vars(row)) for row in rows)]


def test_a_purge_verifies_with_its_export_and_without_it(tmp_path: Path) -> None:
    state = purged(tmp_path)
    assert verdict(state).ok
    for path in state.exports.iterdir():  # moved into an archive
        path.unlink()
    assert verdict(state).ok


def test_a_purge_of_an_earlier_release_without_its_export_is_named(tmp_path: Path) -> None:
    state = purged(tmp_path)
    lines = [json.loads(line) for line in state.witness.read_text().splitlines()]
    state.witness.write_text("".join(json.dumps({k: v for k, v in i.items() if k != "export"}) + "\n" for i in lines))
    assert verdict(state).ok
    next(state.exports.iterdir()).unlink()
    found = verdict(state)
    assert (found.kind, found.first_bad) == ("checkpoint", 9)
    assert "is not there, and no witness knows its digest" in found.message


def test_a_forged_checkpoint_that_hides_a_thousand_deleted_records_is_found(tmp_path: Path) -> None:
    state = make_state(tmp_path)
    aged(state, 1005, 3)
    hide(state, 1000)
    found = verdict(state)
    assert (found.ok, found.kind, found.first_bad) == (False, "checkpoint", 1006)
    assert "the records up to #1000" in found.message


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (lambda state: export_of(state, 1, 1000), "kept for less than the 190 days"),
        (lambda state: export_of(state, 901, 1000), "begins only after #900"),
        (lambda state: export_of(state, 1, 999), "does not end with that record"),
        (lambda state: ["{}"], "cannot be read as an export"),
        (lambda state: [], "cannot be read as an export"),
        (lambda state: [*export_of(state, 1, 10), *export_of(state, 1, 1000)[990:]], "is "),
    ],
)
def test_an_export_made_for_a_forged_checkpoint_is_found(
    tmp_path: Path, forge: Callable[[StateDir], list[str]], words: str
) -> None:
    state = make_state(tmp_path)
    aged(state, 1005, 300 if "#900" in words else 3)
    hide(state, 1000, lines=forge(state))
    found = verdict(state)
    assert (found.ok, found.kind) == (False, "checkpoint")
    assert words in found.message


def test_an_export_whose_records_a_witness_saw_otherwise_is_found(tmp_path: Path) -> None:
    state = make_state(tmp_path)
    aged(state, 1005, 300)
    with Ledger(state.ledger) as ledger:
        row = next(row for row in ledger.records() if row.seq == 500)
    line = {"schema": 1, "time": TIME, "run": "r1", "count": 500, "hash": "00" * 32, "algorithm": "sha256"}
    hide(state, 1000, lines=export_of(state, 1, 1000))
    state.witness.write_text(json.dumps({**line, "hash": row.hash, "signature": ""}) + "\n")
    assert verdict(state).ok
    state.witness.write_text(json.dumps({**line, "signature": ""}) + "\n")
    assert "record #500 is not the one that a witness saw" in verdict(state).message


@pytest.mark.parametrize(
    "detail",
    [
        *({"count": count} for count in (True, 99, 7, 0, -1, 3.0, "3", None)),
        *({"export": name} for name in ("../x", 5, "", "x" * 201, "a b")),
        *({"digest": text} for text in ("", "ab" * 31, "ab" * 33, "AB" * 32, 5)),
        *({"hash": value} for value in (None, "", 5)),
    ],
)
def test_a_checkpoint_that_no_purge_writes_is_named(state: StateDir, detail: dict[str, object]) -> None:
    item = checkpoint_record(3, "ab" * 32, "x.jsonl", "ab" * 32)
    item["detail"] = {**item["detail"], **detail}  # type: ignore[dict-item]
    with Ledger(state.ledger) as ledger:
        ledger.append([item])  # type: ignore[list-item]
    assert (verdict(state).kind, verdict(state).first_bad) == ("checkpoint", 7)


def test_a_second_purge_whose_first_checkpoint_is_in_its_export_verifies(tmp_path: Path) -> None:
    state = purged(tmp_path)
    later = NOW + timedelta(days=250)
    with Ledger(state.ledger) as ledger:
        assert purge(state, ledger, 200, later, "p2")
    assert len(list(state.exports.iterdir())) == 2
    assert verdict(state).ok
    (state.exports / "ledger-1-5.jsonl").write_text("changed\n")
    assert verdict(state).kind == "checkpoint"


@pytest.mark.parametrize(("given", "is_one"), [({}, True), ({"count": 6}, True), ({"export": "x" * 200}, True)])
def test_a_checkpoint_at_its_bounds_is_one(given: dict[str, object], is_one: bool) -> None:
    item = checkpoint_record(3, "ab" * 32, "x.jsonl", "ab" * 32)
    item["detail"] = {**item["detail"], **given}  # type: ignore[dict-item]
    assert (Checkpoint.of(7, item) is not None) == is_one  # type: ignore[arg-type]


@pytest.mark.parametrize("changed", [{"host": "web1"}, {"finished": "today"}])
def test_a_checkpoint_of_another_host_or_without_a_time_is_none(changed: dict[str, object]) -> None:
    item = checkpoint_record(3, "ab" * 32, "x.jsonl", "ab" * 32)
    assert Checkpoint.of(7, {**item, **changed}) is None  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("export", "count", "is_known"),
    [("ab" * 32, 9, True), ("ab" * 32, 10, True), ("ab" * 32, 8, False), ("ac" * 32, 9, False), ("aa" * 32, 9, False)],
)
def test_an_export_that_is_elsewhere_is_known_by_a_witness_of_its_digest(
    tmp_path: Path, export: str, count: int, is_known: bool
) -> None:
    state = make_state(tmp_path)
    aged(state, 8, 300)
    hide(state, 5)
    with Ledger(state.ledger) as ledger:
        (item,) = ledger.records(domain="run", kind="checkpoint")
        assert (item.seq, item.record["detail"]["digest"]) == (9, "ab" * 32)
        witness = Witness(TIME, "p1", count, item.hash, "sha256", export=export)
        number, sentence = flaw_of_checkpoints(ledger, state.exports, [witness])
    assert (number == 0) == is_known
    assert ("is not there, and no witness knows its digest" in sentence) != is_known


def flaw_of_export(state: StateDir) -> tuple[int, str]:
    """Export five records under a checkpoint of now, and return what is found wrong with that."""
    lines = export_of(state, 1, 5)
    (state.exports / "e.jsonl").write_text("".join(line + "\n" for line in lines))
    with Ledger(state.ledger) as ledger:
        (its_hash,) = (row.hash for row in ledger.records(upto=5, newest_first=True, limit=1))
        made = checkpoint_record(5, its_hash, "e.jsonl", file_digest(state.exports / "e.jsonl"), iso(NOW))
        ledger.append([made])  # type: ignore[list-item]
        return flaw_of_checkpoints(ledger, state.exports, [])


@pytest.mark.parametrize(("days", "is_kept"), [(190, True), (189, False)])
def test_records_are_kept_for_the_least_days(tmp_path: Path, days: int, is_kept: bool) -> None:
    state = make_state(tmp_path)
    aged(state, 8, days)
    number, sentence = flaw_of_export(state)
    assert (number == 0) == is_kept
    assert ("which was kept for less than the 190 days" in sentence) != is_kept


def test_a_record_of_an_export_without_a_time_and_a_line_without_an_end_are_named(tmp_path: Path) -> None:
    state = make_state(tmp_path)
    aged(state, 8, 300)
    lines = export_of(state, 1, 5)
    hide(state, 5, lines=lines)
    path = state.exports / "ledger-1-1000.jsonl"
    path.write_text(path.read_text().rstrip("\n"))
    assert "a line without an end" in verdict(state).message
    body = canonical({**make_record(identifier="odd"), "finished": "today"})
    odd = {"seq": 1, "body": body, "hash": link("", body), "algorithm": "sha256"}
    path.write_text("".join(line + "\n" for line in (lines[0], canonical(odd))))
    assert "record #1 has no time" in verdict(state).message


@pytest.mark.parametrize(("size", "number"), [(1024 * 1024, 0), (1024 * 1024 + 1, 4)])
def test_a_record_of_just_the_most_characters_is_no_flaw_and_one_more_is(size: int, number: int) -> None:
    with sqlite3.connect(":memory:") as plain:
        plain.execute("CREATE TABLE record (seq INTEGER, body TEXT, hash TEXT, algorithm TEXT)")
        plain.execute("INSERT INTO record VALUES (4, ?, 'h', 'sha256')", ("x" * size,))
        assert database_check.flaw_of_types(plain)[0] == number


def test_what_the_schema_should_be_is_worked_out_once() -> None:
    assert database_check._expected() is database_check._expected()


def test_only_a_checkpoint_of_the_run_itself_is_one_in_an_export(tmp_path: Path) -> None:
    state = make_state(tmp_path)
    then = iso(NOW - timedelta(days=300))
    with Ledger(state.ledger) as ledger:
        ledger.append(
            make_record(domain=domain, kind=kind, started=then, finished=then)
            for domain, kind in (("run", "begin"), ("backup", "checkpoint"), ("run", "seal"))
        )
    aged(state, 3, 300)
    assert flaw_of_export(state) == (0, "")
