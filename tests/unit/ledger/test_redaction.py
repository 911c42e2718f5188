# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret in the evidence is replaced everywhere, whenever the process is killed, and verification says where."""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import purge, redaction, rewriting
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, digest, link
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.eraser import MARKER, Eraser
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.redaction_records import Redactions
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.rewriting import documents_of
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import verify_export, verify_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import publish_head, read_witnesses

from tests.support.ledger_cases import append, in_child, kill_here, make_record, make_state

#: A weak one: whoever has a hash over it finds it by trying.
SECRET = 'Portal "2026" & co'
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
OLD = NOW - timedelta(days=400)
REQUEST = "f" * 64
PEOPLE = ["li", "wang", "zhao"]


def dated(number: int, when: datetime, **given: Any) -> dict[str, Any]:
    return make_record(identifier=str(number), started=iso(when), finished=iso(when), **given)


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """A ledger with the secret in records, a purged segment, documents and each kind of file, and its old witnesses."""
    made = make_state(tmp_path)

    def publish(ledger: Ledger) -> None:
        publish_head(made.witness, ledger.head(), "r1", iso(NOW), syslog=tmp_path / "no-syslog")

    with Ledger(made.ledger) as ledger:
        ledger.append([dated(1, OLD), dated(2, OLD, detail={"output": f"login {SECRET} ok"}), dated(3, OLD)])
        publish(ledger)
        assert purge.purge(made, ledger, 190, NOW, "r2")
        ledger.append([dated(11, NOW)])
        publish(ledger)
        request = canonical({"reason": f"because {SECRET}"}).encode()
        approval = canonical({"request": digest(request)}).encode()
        for document in (request, approval):
            ledger.put_artefact(document, f"document {digest(document)[:8]}", "application/json", iso(NOW))
        ledger.append(
            [
                dated(12, NOW, subject=f"url http://x/{SECRET}"),
                dated(13, NOW, detail={"list": [{"deep": {"note": SECRET}}], SECRET: 1, "kept": "as it is"}),
                dated(14, NOW, detail={"output": base64.b64encode(SECRET.encode()).decode()}),
                dated(
                    15, NOW, domain="gate", kind="approval", subject=digest(request),
                    detail={"signature": "SIG", "document": digest(approval), "message": digest(request)[:8]},
                ),
                dated(16, NOW, detail={"sound": "untouched"}),
            ]
        )  # fmt: skip
        publish(ledger)
        head = ledger.head().hash
    for folder in (made.rollups, made.rejected, made.crashes, made.untold):
        folder.mkdir(mode=0o700, exist_ok=True)
    for path in (
        made.reports / "r1.html", made.reports / "r1.json", made.rollups / "r1.json",
        made.crashes / "r1.log", made.untold / "x.txt", made.requests / f"{digest(request)}.json",
    ):  # fmt: skip
        path.write_text(f"head {head}, {json.dumps(SECRET)}\n")
    (made.requests / f"{digest(request)}.json").write_bytes(request)
    rejected = f"no record: {SECRET}\n".encode()
    (made.rejected / f"r1-{digest(rejected)[:16]}.jsonl").write_bytes(rejected)
    with Ledger(made.ledger) as ledger:
        ledger.append(
            [dated(17, NOW, detail={"digest": digest(rejected), "path": f"r1-{digest(rejected)[:16]}.jsonl"})]
        )
        publish(ledger)
    shutil.copy(made.ledger, made.path / "ledger.sqlite3.schema0")
    return made


def redact(state: StateDir, value: str = SECRET, request: str = REQUEST) -> Any:
    with state.lock("seal"), Ledger(state.ledger) as ledger:
        return redaction.redact(state, ledger, Eraser(value), request, PEOPLE, NOW, "r9")


def whole_text(state: StateDir) -> str:
    """Return all that lies in the state folder, documents of the ledger unpacked too."""
    parts = [path.name + "\n" + path.read_bytes().decode("latin-1") for path in state.path.rglob("*") if path.is_file()]
    with Ledger(state.ledger, read_only=True) as ledger:
        parts += [document.content.decode("latin-1") + document.name for document in documents_of(ledger)]
        parts += [stored.body + stored.hash for stored in ledger.records()]
    return "\n".join(parts)


def oracles(state: StateDir) -> set[str]:
    """Return each hash and digest over the secret that stands in the state folder."""
    found = set()
    with Ledger(state.ledger, read_only=True) as ledger:
        rows = list(ledger.records())
        found |= {row.hash for row in rows}
        found |= {document.digest.partition(":")[2] for document in documents_of(ledger)}
    for path in state.exports.glob("*.jsonl"):
        found |= {json.loads(line)["hash"] for line in path.read_text().splitlines()[2:]}
        found.add(digest(path.read_bytes()))
    found |= {path.stem.partition("-")[2] for path in state.rejected.iterdir()}
    found |= {digest(path.read_bytes()) for path in state.rejected.iterdir()}
    return found


def check_redacted(state: StateDir, before: set[str]) -> None:
    """Assert that nothing of the secret is left, that the chain is whole, and that the rest is as it was."""
    text = whole_text(state)
    for form in (SECRET, json.dumps(SECRET)[1:-1], base64.b64encode(SECRET.encode()).decode()[:12], "Portal %222026"):
        assert form not in text
    assert {name for name in before if name in text} == set()
    assert not (state.path / "redaction.json").exists()
    assert not list(state.exports.glob("*.redacted"))
    with Ledger(state.ledger, read_only=True) as ledger:
        verdict = verify_ledger(ledger, read_witnesses(state.witness))
        assert verdict.ok, verdict.message
        assert "Redacted by #" in verdict.message
        (export,) = state.exports.glob("*.jsonl")
        assert verify_export(export, ledger).ok
        records = {stored.record["id"]: stored.record for stored in ledger.records()}
        (redacted,) = (item for item in records.values() if item["kind"] == redaction.KIND)
        assert redacted["detail"]["records"]["numbers"][0] == 2
        assert records["16"]["detail"] == {"sound": "untouched"}
        (deep,) = (item for item in records.values() if item["detail"].get("kept"))
        assert deep["detail"] == {"list": [{"deep": {"note": MARKER}}], MARKER: 1, "kept": "as it is"}
        (gate,) = (item for item in records.values() if item["domain"] == "gate")
        assert gate["detail"]["signature"] == MARKER
        assert ledger.artefact(f"sha256:{gate['subject']}") is not None
        approval = ledger.artefact(f"sha256:{gate['detail']['document']}")
        assert approval is not None
        assert json.loads(approval.content) == {"request": gate["subject"]}
        assert (state.requests / f"{gate['subject']}.json").exists()
    with sqlite3.connect(state.ledger) as db, pytest.raises(sqlite3.Error, match="append only"):
        db.execute("UPDATE record SET hash = ''")


#: Hashes of records before the first with the secret, and digests without it, may stay.
def secret_hashes(state: StateDir) -> set[str]:
    with Ledger(state.ledger, read_only=True) as ledger:
        assert ledger.head().count
    (export,) = state.exports.glob("*.jsonl")
    first = json.loads(export.read_text().splitlines()[1])["hash"]
    return oracles(state) - {first}


def test_nothing_of_a_secret_and_no_hash_over_it_is_left(state: StateDir) -> None:
    before = secret_hashes(state)
    assert all(name in whole_text(state) for name in before - {digest(p.read_bytes()) for p in state.exports.iterdir()})
    redact(state)
    check_redacted(state, before)


def test_a_file_that_has_the_value_in_its_name_alone_gets_another_name(state: StateDir) -> None:
    (state.crashes / "of-Hunter2Hunter2.log").write_text("nothing in it\n")
    redact(state, "Hunter2Hunter2")
    (file,) = [path for path in state.crashes.iterdir() if path.read_text() == "nothing in it\n"]
    assert MARKER in file.name
    assert "Hunter2" not in whole_text(state)


def test_a_survey_says_where_without_saying_what(state: StateDir) -> None:
    with Ledger(state.ledger, read_only=True) as ledger:
        found = redaction.survey(state, ledger, Eraser(SECRET))
        other = redaction.survey(state, ledger, Eraser("untouched"))
    assert [number for number, _starts in found.records] == [2, 6, 7, 8]
    assert (len(found.artefacts), len(other.records)) == (1, 1)
    with Ledger(state.ledger, read_only=True) as ledger:
        holders = [document.name for document in documents_of(ledger) if b"because" in document.content]
    assert [name for name, _starts in found.artefacts] == holders
    assert other.artefacts == ()
    assert found.digest(found.upto) != other.digest(other.upto)
    text = "\n".join(found.places)
    assert "record #2 of web1, health/probe disk:/: detail.output" in text
    assert "record #7 of web1, health/probe disk:/: detail, detail.list" in text
    assert SECRET not in text
    assert "2026" not in text


@pytest.mark.parametrize("value", ["", "abc", "12345", "root", "***** "])
def test_a_value_that_is_no_secret_is_refused(value: str) -> None:
    with pytest.raises(LedgerError, match="too short or too common"):
        Eraser(value)


@pytest.mark.parametrize("value", ["web1", "health", "daily"])
def test_a_name_of_the_plan_is_refused_by_the_record_in_which_it_stands(state: StateDir, value: str) -> None:
    before = state.ledger.read_bytes()
    with pytest.raises(LedgerError, match=r"record #\d+ in a name that the plan gives"):
        redact(state, value)
    assert state.ledger.read_bytes() == before


def test_a_live_run_with_the_value_in_its_spool_is_waited_for(state: StateDir) -> None:
    spool = Spool.find_or_create(state.spool, identity(os.getpid()), {"procedure": "standalone", "begun": ""})
    append(spool, [make_record(detail={"output": SECRET})])
    before = state.ledger.read_bytes()
    with pytest.raises(LedgerError, match=f"spool of the run {spool.run}, which is not over; wait"):
        redact(state)
    assert state.ledger.read_bytes() == before


def test_a_ledger_that_does_not_verify_is_not_redacted(state: StateDir) -> None:
    with sqlite3.connect(state.ledger) as db:
        db.execute("DROP TRIGGER record_update")
        db.execute("UPDATE record SET body = replace(body, 'untouched', 'touched')")
    with pytest.raises(LedgerError, match="does not verify"):
        redact(state)


def kill_at(number: int, work: Callable[[], object]) -> Callable[[], object]:
    """Return work that is killed before its nth change of a file: a sync, a rename, a removal, a statement."""
    count = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count == number:
                kill_here()
            return function(*given, **named)

        return call

    def killed() -> None:
        for name in ("fsync", "rename", "unlink", "pwrite", "open"):
            setattr(os, name, counted(getattr(os, name)))
        for name in ("rename", "unlink"):
            setattr(Path, name, counted(getattr(Path, name)))
        for owner, name in ((rewriting, "rewrite"), (rewriting, "compact"), (Ledger, "append"), (Ledger, "extend")):
            setattr(owner, name, counted(getattr(owner, name)))
        work()

    return killed


def ends_whole(state: StateDir, kept: Path, points: Iterable[int]) -> bool:
    """Kill redactions of copies of a state folder at points, continue each, and tell whether one was not reached."""
    before = secret_hashes(state)
    for point in points:
        shutil.rmtree(state.path)
        shutil.copytree(kept, state.path)
        code = in_child(kill_at(point, lambda: redact(state)))
        with Ledger(state.ledger) as ledger:  # as a reader finds it then
            assert verify_ledger(ledger, read_witnesses(state.witness)).ok
        if code == 0:
            return True
        assert code == -9
        if random.random() < 0.5:  # and once more, somewhere
            in_child(kill_at(random.randint(1, 30), lambda: redact(state)))
        redact(state)
        check_redacted(state, before)
    return False


#: More points than these has no redaction of the fixture, and at least so many.
MOST_POINTS, LEAST_POINTS = 200, 30


def test_a_redaction_that_is_killed_is_continued_by_the_next_call(state: StateDir, tmp_path: Path) -> None:
    shutil.copytree(state.path, tmp_path / "kept")
    points = random.sample(range(1, LEAST_POINTS), 8)
    assert not ends_whole(state, tmp_path / "kept", points)


@pytest.mark.long
def test_a_redaction_that_is_killed_anywhere_is_continued_by_the_next_call(state: StateDir, tmp_path: Path) -> None:
    shutil.copytree(state.path, tmp_path / "kept")
    assert not ends_whole(state, tmp_path / "kept", range(1, LEAST_POINTS))
    shutil.rmtree(state.path)
    shutil.copytree(tmp_path / "kept", state.path)
    assert ends_whole(state, tmp_path / "kept", range(LEAST_POINTS, MOST_POINTS))


def tampered(state: StateDir, statement: str, *values: Any) -> str:
    """Change the ledger past its guard, chain it anew from there, and return what verification says."""
    with sqlite3.connect(state.ledger) as db:
        db.execute("DROP TRIGGER record_update")
        db.execute(statement, values)
        previous = ""
        rows = db.execute("SELECT seq, body, algorithm, hash FROM record ORDER BY seq").fetchall()
        (start,) = (json.loads(body)["detail"]["hash"] for _s, body, _a, _h in rows if '"checkpoint"' in body)
        previous = start
        for seq, body, algorithm, _hash in rows:
            previous = link(previous, body, algorithm)
            db.execute("UPDATE record SET hash = ? WHERE seq = ?", (previous, seq))
    with Ledger(state.ledger, read_only=True) as ledger:
        verdict = verify_ledger(ledger, read_witnesses(state.witness))
    assert not verdict.ok
    return verdict.message


def test_what_is_changed_after_a_redaction_is_found(state: StateDir) -> None:
    redact(state)
    with Ledger(state.ledger) as ledger:
        publish_head(state.witness, ledger.head(), "r9", iso(NOW), syslog=state.path / "no-syslog")
    said = tampered(state, "UPDATE record SET body = replace(body, 'untouched', 'touched')")
    assert "says of a redaction what the chain does not bear out" in said


def test_without_its_record_a_redacted_chain_is_one_that_was_written_anew(state: StateDir) -> None:
    witnesses = read_witnesses(state.witness)
    redact(state)
    with Ledger(state.ledger, read_only=True) as ledger:
        assert verify_ledger(ledger, witnesses).ok
        number = next(iter(Redactions(ledger).anchors())) + 1
    with sqlite3.connect(state.ledger) as db:
        db.execute("DROP TRIGGER record_delete")
        db.execute("DELETE FROM record WHERE seq = ?", [number])
    with Ledger(state.ledger, read_only=True) as ledger:
        verdict = verify_ledger(ledger, witnesses)
    assert not verdict.ok
    assert "was written anew" in verdict.message


def test_a_witness_of_after_a_redaction_is_compared_and_one_before_its_first_record_too(state: StateDir) -> None:
    redact(state)
    with Ledger(state.ledger) as ledger:
        late = publish_head(state.witness, ledger.head(), "r9", iso(NOW), syslog=state.path / "no-syslog")
        ledger.append([dated(30, NOW)])
        assert verify_ledger(ledger, [late]).tail == f"proved to #{late.count}"
        for other in (
            {**late.__dict__, "hash": "0" * 64},
            {**late.__dict__, "hash": "0" * 64, "count": late.count - 3, "time": iso(NOW + timedelta(seconds=1))},
        ):
            assert not verify_ledger(ledger, [type(late)(**other)]).ok


def test_two_redactions_one_after_the_other_verify(state: StateDir) -> None:
    redact(state)
    redact(state, "untouched", "e" * 64)
    with Ledger(state.ledger, read_only=True) as ledger:
        verdict = verify_ledger(ledger, read_witnesses(state.witness))
        assert verdict.ok
        assert verdict.message.count("Redacted by #") == 2


def test_what_is_stored_compressed_is_looked_into(state: StateDir) -> None:
    """The documents of the fixture are compressed in the file, so that a look at its bytes alone finds nothing."""
    with sqlite3.connect(state.ledger) as db:
        packed = [content for (content,) in db.execute("SELECT content FROM artefact")]
    assert any(b"Portal" in zlib.decompress(content) for content in packed)


def test_another_text_of_the_same_field_has_another_digest_of_its_places(state: StateDir) -> None:
    with Ledger(state.ledger) as ledger:
        ledger.append([dated(40, NOW, detail={"output": "first second third"})])
        digests = {
            value: redaction.survey(state, ledger, Eraser(value)).digest(1000)
            for value in ("first", "second", "third", "second third", "first second")
        }
    assert digests["first"] == digests["first second"]  # they begin in one place; how long it is would tell of it
    assert len(set(digests.values())) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"upto": 1},
        {"upto": "20"},
        {"head": "0" * 64},
        {"head": 1},
        {"first": None},
        {"request": 5},
        {"records": []},
        {"records": {"count": 1}},
    ],
)
def test_a_record_that_is_no_redaction_is_named(state: StateDir, change: dict[str, Any]) -> None:
    with Ledger(state.ledger) as ledger:
        head = ledger.head()
        detail = {
            "first": 4, "upto": head.count, "head": head.hash, "request": REQUEST,
            "records": {"count": 1, "numbers": [4]},
        }  # fmt: skip
        about = {"host": "controller", "domain": "run", "kind": redaction.KIND, "subject": "ledger"}
        ledger.append([dated(50, NOW, **about, detail={**detail, **change})])
        verdict = verify_ledger(ledger, [])
    assert (verdict.ok, verdict.kind, verdict.first_bad) == (False, "forged", head.count + 1)
