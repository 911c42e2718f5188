# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A spool that was edited, extended, cut or removed is noticed; what a crash or an older release has left is not."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import spool as spool_module
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import spool_journal, system_log
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, link
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.drain import Drained, drain_spools
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError, SpoolError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.rejected import Actor
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_chain import first_hash, linked, split
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import read_witnesses
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.sentences import next_act, title

from tests.support.ledger_cases import (
    NOW,
    append,
    dead_process,
    end_of,
    in_child,
    kill_here,
    make_header,
    make_record,
    make_state,
    start_child,
)

ME = Actor("20260304T050607Z-ffffffffffff", "daily")


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return make_state(tmp_path)


def dead_spool(state: StateDir, number: int = 0) -> Spool:
    """Return the spool of a dead run with four records, each appended alone."""
    spool = Spool.find_or_create(state.spool, dead_process(number), make_header(), NOW, state.witness)
    for part in range(4):
        append(spool, [make_record(identifier=f"r{number}-{part}", subject=f"disk:/{part}")])
    return spool


def drained(state: StateDir) -> Drained:
    with Ledger(state.ledger) as ledger:
        return drain_spools(state, ledger, NOW, actor=ME)


def stored(state: StateDir) -> list[str]:
    """Return the ids of the hosts' probes in the ledger."""
    with Ledger(state.ledger) as ledger:
        return [item.record["id"] for item in ledger.records(kind="probe")]


def lines_of(spool: Spool) -> list[bytes]:
    return spool.path.read_bytes().splitlines()


def rewrite(spool: Spool, lines: list[bytes]) -> None:
    """Write a spool as an editor does: into another file of the same name."""
    spool.path.unlink()
    spool.path.write_bytes(b"".join(line + b"\n" for line in lines))


def without_hash(line: bytes) -> bytes:
    return line[: line.rindex(b"}") + 1]


def forged(spool: Spool, its_hash: str = "") -> bytes:
    body = canonical(make_record(run=spool.run, identifier="forged"))
    return f"{body} {its_hash}".rstrip().encode()


def edit(spool: Spool) -> None:
    """Change the third line's value."""
    lines = lines_of(spool)
    rewrite(spool, [*lines[:2], lines[2].replace(b"12.5", b"12.4"), *lines[3:]])


def reorder(spool: Spool) -> None:
    header, first, second, *rest = lines_of(spool)
    rewrite(spool, [header, second, first, *rest])


def repeat(spool: Spool) -> None:
    lines = lines_of(spool)
    rewrite(spool, [*lines[:3], lines[2].replace(b"r0-1", b"r0-9"), *lines[3:]])


def take_out(spool: Spool) -> None:
    lines = lines_of(spool)
    rewrite(spool, [*lines[:2], *lines[3:]])


def cut(spool: Spool) -> None:
    """Take away the last line."""
    rewrite(spool, lines_of(spool)[:-1])


def cut_into_a_line(spool: Spool) -> None:
    """Leave what looks like a writer's death."""
    os.truncate(spool.path, spool.path.stat().st_size - 40)


def extend(spool: Spool) -> None:
    rewrite(spool, [*lines_of(spool), forged(spool)])


def extend_with_a_made_up_hash(spool: Spool) -> None:
    rewrite(spool, [*lines_of(spool), forged(spool, "ab" * 32)])


def insert_a_line_hashed_alone(spool: Spool) -> None:
    lines = lines_of(spool)
    body = without_hash(forged(spool)).decode()
    rewrite(spool, [*lines[:2], forged(spool, link("", body)), *lines[2:]])


def strip_the_hashes(spool: Spool) -> None:
    rewrite(spool, [without_hash(line) for line in lines_of(spool)])


def make_it_look_older(spool: Spool) -> None:
    """Write what an older release would have written, with one value changed."""
    header, *rest = (without_hash(line) for line in lines_of(spool))
    older = header.replace(b'"schema":2', b'"schema":1')
    rewrite(spool, [older, *(line.replace(b"12.5", b"12.4") for line in rest)])


def edit_the_header(spool: Spool) -> None:
    header, *rest = lines_of(spool)
    rewrite(spool, [header.replace(b'"db1",', b""), *rest])


def take_the_header_out(spool: Spool) -> None:
    rewrite(spool, lines_of(spool)[1:])


def write_all_anew(spool: Spool) -> None:
    """Change the header and hash each line again."""
    header, *rest = lines_of(spool)
    lines = [header.replace(b'"db1",', b"")]
    previous = first_hash(lines[0]).decode()
    for line in rest:
        previous = link(previous, without_hash(line).decode())
        lines.append(without_hash(line) + b" " + previous.encode())
    rewrite(spool, lines)


ATTACKS = {
    edit: ["r0-0", "r0-2", "r0-3"],
    reorder: ["r0-3"],
    repeat: ["r0-0", "r0-1", "r0-2", "r0-3"],
    take_out: ["r0-0", "r0-3"],
    cut: ["r0-0", "r0-1", "r0-2"],
    cut_into_a_line: ["r0-0", "r0-1", "r0-2"],
    extend: ["r0-0", "r0-1", "r0-2", "r0-3"],
    extend_with_a_made_up_hash: ["r0-0", "r0-1", "r0-2", "r0-3"],
    insert_a_line_hashed_alone: ["r0-0", "r0-2", "r0-3"],
    strip_the_hashes: [],
    make_it_look_older: [],
    edit_the_header: ["r0-1", "r0-2", "r0-3"],
    take_the_header_out: ["r0-1", "r0-2", "r0-3"],
    write_all_anew: ["r0-0", "r0-1", "r0-2", "r0-3"],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_change_is_set_aside_and_said_once(state: StateDir, attack: Callable[[Spool], None]) -> None:
    spool = dead_spool(state)
    attack(spool)
    (sentence,) = drained(state).rejected
    assert f"spool of the run {spool.run}" in sentence
    assert stored(state) == ATTACKS[attack]
    assert len(list(state.rejected.iterdir())) == 1
    again = drained(state)
    assert (again.moved, again.rejected, list(state.spool.iterdir())) == (0, [], [])


@pytest.mark.parametrize("attack", [edit, take_out, cut, extend, extend_with_a_made_up_hash, reorder])
def test_a_writer_goes_on_after_a_change_and_its_evidence_counts(
    state: StateDir, attack: Callable[[Spool], None]
) -> None:
    spool = dead_spool(state)
    attack(spool)
    append(spool, [make_record(identifier="later-0"), make_record(identifier="later-1")])
    assert len(drained(state).rejected) == 1
    assert stored(state)[-2:] == ["later-0", "later-1"]


def test_two_spools_that_changed_places_are_set_aside(state: StateDir, tmp_path: Path) -> None:
    first, second = dead_spool(state, 0), dead_spool(state, 1)
    first.path.rename(tmp_path / "kept")
    second.path.rename(first.path)
    (tmp_path / "kept").rename(second.path)
    assert len(drained(state).rejected) == 2
    assert stored(state) == []


@pytest.mark.parametrize("index", ["kept", "removed"])
def test_a_removed_spool_is_missed_by_name_once(state: StateDir, index: str) -> None:
    spool = dead_spool(state)
    spool.path.unlink()
    if index == "removed":
        spool.path.with_suffix(".index").unlink()
    (sentence,) = drained(state).rejected
    assert f"{spool.path} of the run {spool.run} is gone" in sentence
    assert drained(state).rejected == []


def test_a_spool_that_was_removed_while_its_run_went_on_is_missed(state: StateDir) -> None:
    header = {"procedure": "standalone", "begun": ""}
    spool = Spool.find_or_create(state.spool, identity(os.getpid()), header, NOW, state.witness)  # type: ignore[arg-type]
    append(spool, [make_record(identifier="gone")])
    spool.path.unlink()
    append(spool, [make_record(identifier="later")])
    with Ledger(state.ledger) as ledger:
        found = drain_spools(state, ledger, NOW, current=spool, actor=ME)
    assert "is gone and was never drained" in found.rejected[0]
    assert stored(state) == ["later"]
    assert drained(state).rejected == []


def test_a_spool_removed_between_two_batches_is_missed(state: StateDir) -> None:
    spool = dead_spool(state)
    with Ledger(state.ledger) as ledger:
        drain_spools(state, ledger, NOW, current=spool, goes_on={**spool.header(), "waiting": True}, actor=ME)
    spool.path.unlink()
    assert len(drained(state).rejected) == 1


def test_nothing_is_missed_of_runs_that_were_drained(state: StateDir) -> None:
    spools = [dead_spool(state, number) for number in range(3)]
    with Ledger(state.ledger) as ledger:
        drain_spools(state, ledger, NOW, current=spools[0], goes_on=spools[0].header(), actor=ME)
    assert drained(state).rejected == drained(state).rejected == []
    assert spool_journal.expected(state.witness) == {}
    assert read_witnesses(state.witness) == []


def test_a_drain_killed_before_it_removes_a_spool_lets_nothing_be_missed(state: StateDir) -> None:
    dead_spool(state)

    def work() -> None:
        Spool.remove = lambda _spool: kill_here()  # type: ignore[method-assign]
        drained(state)

    assert in_child(work) == -signal.SIGKILL
    found = drained(state)
    assert (found.moved, found.rejected) == (0, [])
    assert drained(state).rejected == []


def test_a_drain_killed_after_it_recorded_a_removed_spool_records_it_once(state: StateDir) -> None:
    dead_spool(state).path.unlink()

    def work() -> None:
        spool_journal.note_drained = lambda *_: kill_here()  # type: ignore[assignment]
        drained(state)

    assert in_child(work) == -signal.SIGKILL
    drained(state)
    with Ledger(state.ledger) as ledger:
        assert len(list(ledger.records(kind="rejected"))) == 1


def test_a_witness_file_that_cannot_be_written_keeps_the_spool(state: StateDir) -> None:
    spool = dead_spool(state)
    real = spool_journal.append_line

    def full(_path: Path, _line: str) -> None:
        raise OSError(28, "No space left on device")

    spool_journal.append_line = full  # type: ignore[assignment]
    try:
        with pytest.raises(LedgerError, match=r"No space left.*evidence is kept"):
            drained(state)
    finally:
        spool_journal.append_line = real
    assert spool.path.exists()
    assert drained(state).rejected == []
    assert len(stored(state)) == 4


@pytest.mark.parametrize("left", [1, 60, -66, -65, -30, -1])
def test_a_writer_killed_inside_a_line_is_no_change(state: StateDir, left: int) -> None:
    spool = dead_spool(state)
    size, index = spool.path.stat().st_size, spool.path.with_suffix(".index")
    notes = index.read_bytes()
    append(spool, [make_record(identifier="torn")])
    os.truncate(spool.path, size + left if left > 0 else spool.path.stat().st_size + left)
    index.write_bytes(notes)
    found = drained(state)
    assert found.rejected == []
    assert stored(state) == ["r0-0", "r0-1", "r0-2", "r0-3", *(["torn"] if left == -1 else [])]


def test_a_full_disk_is_no_change(state: StateDir) -> None:
    spool = dead_spool(state)

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (spool.path.stat().st_size + 100, hard))
        with suppress(SpoolError):
            append(spool, [make_record(identifier="no-room")])
            os._exit(3)

    assert in_child(work) == 0
    append(spool, [make_record(identifier="later")])
    assert drained(state).rejected == []
    assert stored(state) == ["r0-0", "r0-1", "r0-2", "r0-3", "later"]


def test_a_spool_of_an_older_release_is_drained_and_appended_to_as_it_is(state: StateDir) -> None:
    process = dead_process()
    path = state.spool / f"20260304T050607Z-{process.hash}.jsonl"
    header = {**make_header(), "schema": 1, "run": path.stem, "process": asdict(process)}
    path.write_text(
        canonical({"header": header}) + "\n" + canonical(make_record(run=path.stem, identifier="old")) + "\n"
    )
    path.chmod(0o600)
    append(Spool(path), [make_record(identifier="new")])
    assert all(line.endswith(b"}") for line in path.read_bytes().splitlines())
    found = drained(state)
    assert (found.rejected, stored(state)) == ([], ["old", "new"])


def test_a_copy_of_the_state_folder_is_drained_as_the_first_would_be(state: StateDir, tmp_path: Path) -> None:
    dead_spool(state)
    shutil.copytree(state.path, tmp_path / "copy")
    copy = StateDir(tmp_path / "copy")
    assert drained(copy).rejected == []
    assert len(stored(copy)) == 4


def test_writers_at_once_make_one_chain(state: StateDir) -> None:
    spool = dead_spool(state)

    def work() -> None:
        for _ in range(25):
            append(Spool(spool.path), [make_record(), make_record()])

    children = [start_child(work) for _ in range(4)]
    assert [end_of(child) for child in children] == [0] * 4
    assert drained(state).rejected == []
    assert len(stored(state)) == 4 + 4 * 25 * 2


def test_what_the_ledger_stores_has_no_hash_of_a_spool(state: StateDir) -> None:
    spool = dead_spool(state)
    bodies = [without_hash(line).decode() for line in lines_of(spool)[1:]]
    drained(state)
    with Ledger(state.ledger) as ledger:
        assert [item.body for item in ledger.records(kind="probe")] == bodies


def test_an_append_reads_no_more_of_a_long_spool_than_its_end(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = dead_spool(state)
    append(spool, [make_record() for _ in range(2000)])
    read: list[int] = []
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, place: read.append(len(got := real(fd, size, place))) or got)
    append(spool, [make_record()])
    assert sum(read) < 200 < spool.path.stat().st_size


def test_header_appends_and_drain_are_in_the_system_log(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    path = state.path / "log"
    monkeypatch.setattr(system_log, "SYSLOG", path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(path))
        channel.settimeout(5)
        spool = Spool.find_or_create(state.spool, dead_process(), make_header(), NOW, state.witness)
        append(spool, [make_record(), make_record()])
        header, *_first, last = lines_of(spool)
        drained(state)
        got = [channel.recv(1000).decode() for _ in range(3)]
    noted = first_hash(header).decode()
    assert got == [
        f"<86>egov-ops: spool begun run={spool.run} header={noted}",
        f"<86>egov-ops: spool run={spool.run} lines=2 sha256={last.decode()[-64:]}",
        f"<86>egov-ops: spool drained run={spool.run} header={noted}",
    ]


@pytest.fixture
def kept_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Path]]:
    """Be the system's log, and give what writes its lines into a file as rsyslog does."""
    path, file = tmp_path / "dev-log", tmp_path / "auth.log"
    monkeypatch.setattr(system_log, "SYSLOG", path)
    monkeypatch.setattr(system_log, "JOURNALS", ())
    monkeypatch.setattr(system_log, "FILES", (tmp_path / "absent", file))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(path))
        channel.setblocking(False)

        def write() -> Path:
            with suppress(BlockingIOError), file.open("a") as stream:
                while True:
                    stream.write(f"2026-03-04T05:06:07 host {channel.recv(1000).decode().partition('>')[2]}\n")
            return file

        yield write


def written_anew(spool: Spool, lines: list[bytes]) -> None:
    """Write a spool's lines with running hashes that follow, and without an index: as its owner can."""
    header, *bodies = [split(line)[0].decode() for line in lines]
    spool.path.write_text("\n".join([header, *linked(first_hash(header.encode()).decode(), bodies)]) + "\n")
    for file in spool.path.parent.iterdir():
        if file != spool.path:
            file.unlink()


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda lines: lines[:-1], "1 of 4 appends that the system's log has are not in it"),
        (lambda lines: [*lines[:2], *lines[3:]], "3 of 4 appends"),
        (lambda lines: [lines[0], lines[1].replace(b"disk:/0", b"disk:/9"), *lines[2:]], "4 of 4 appends"),
        (
            lambda lines: [lines[0].replace(b"db1", b"db2"), *lines[1:]],
            "its header is not the one that the system's log",
        ),
    ],
)
def test_a_spool_that_was_written_anew_contradicts_the_system_log(
    state: StateDir, kept_log: Callable[[], Path], change: Callable[[list[bytes]], list[bytes]], cause: str
) -> None:
    spool = dead_spool(state)
    kept_log()
    written_anew(spool, change(lines_of(spool)))
    state.witness.write_text("")
    found = drained(state)
    assert found.unlogged == set()
    assert len(found.rejected) == 1
    with Ledger(state.ledger) as ledger:
        (told,) = ledger.records(kind="rejected")
    assert cause in json.dumps(told.record)


def test_a_spool_that_the_system_log_agrees_with_is_taken(state: StateDir, kept_log: Callable[[], Path]) -> None:
    spool = dead_spool(state)
    kept_log()
    append(spool, [make_record(identifier="after-the-log")])
    found = drained(state)
    assert (found.rejected, found.unlogged) == ([], set())
    assert len(stored(state)) == 5


def test_lines_of_other_runs_and_of_an_earlier_part_of_the_run_are_not_compared(
    state: StateDir, kept_log: Callable[[], Path]
) -> None:
    spool = dead_spool(state)
    with kept_log().open("a") as stream:
        stream.write(f"x host egov-ops: spool begun run={spool.run} header={'0' * 64}\n")
        stream.write(f"x host egov-ops: spool run={spool.run} lines=1 sha256={'1' * 64}\n")
        stream.write(
            f"x host egov-ops[7]: spool begun run={spool.run} header={first_hash(lines_of(spool)[0]).decode()}\n"
        )
        stream.write(f"x host egov-ops: spool run={spool.run}0 lines=1 sha256={'2' * 64}\n")
        stream.write(f"x host other: spool run={spool.run} lines=1 sha256={'3' * 64} and more\n")
    found = drained(state)
    assert (found.rejected, found.unlogged) == ([], set())


def test_a_run_that_the_system_log_does_not_have_is_said(state: StateDir, kept_log: Callable[[], Path]) -> None:
    spool = dead_spool(state)
    assert drained(state).unlogged == {spool.run}


def test_a_log_that_takes_nothing_holds_up_no_task(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    path = state.path / "log"
    monkeypatch.setattr(system_log, "SYSLOG", path)
    monkeypatch.setattr(system_log, "_PATIENCE", 0.01)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(path))
        for _ in range(600):
            system_log.log("x" * 100)
    assert spool_module.log is system_log.log


@pytest.mark.parametrize("line", ["[]", '{"spool":5,"header":"x","state":"begun"}', '{"spool":{}}', '{"spool":', "\0"])
def test_a_line_that_is_no_note_lets_nothing_be_missed(state: StateDir, line: str) -> None:
    with state.witness.open("a") as stream:
        stream.write(line + "\n")
        stream.write(json.dumps({"spool": "../x", "header": "ab" * 32, "state": "begun"}) + "\n")
    assert drained(state).rejected == []


def test_a_report_names_the_run_whose_spool_is_gone(state: StateDir) -> None:
    spool = dead_spool(state)
    spool.path.unlink()
    drained(state)
    with Ledger(state.ledger) as ledger:
        (found,) = ledger.records(kind="rejected")
    words = title(found.record, [], Language("en")), next_act(found.record, [], Language("en"))
    assert words[0] == f"The spool of the run {spool.run} was removed before it was drained"
    assert words[1] == "Find out who removed it, and run that procedure again."


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Give what puts a journalctl before all others that prints some lines, and returns the file of its arguments."""

    def install(lines: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "lines").write_text(lines)
        program = folder / "journalctl"
        program.write_text(f'#!/bin/sh\necho "$@" > {folder}/arguments\ncat {folder}/lines\n')
        program.chmod(0o755)
        (tmp_path / "journal").mkdir()
        (tmp_path / "journal/system.journal").write_text("")
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        monkeypatch.setattr(system_log, "JOURNALS", (tmp_path / "absent", tmp_path / "journal"))
        monkeypatch.setattr(system_log, "FILES", (tmp_path / "auth.log",))
        return folder / "arguments"

    return install


def test_the_journal_is_asked_where_there_is_one_and_no_file_then(
    tmp_path: Path, journal: Callable[[str], Path]
) -> None:
    first, second = "a" * 64, "b" * 64
    lines = (
        f"Mar 04 05:06:07 host egov-ops: spool begun run=r1 header={first}\n"
        f"Mar 04 05:06:07 host egov-ops[9]: spool run=r1 lines=2 sha256={second}\n"
    )
    (tmp_path / "auth.log").write_text(lines.replace(first, "c" * 64))
    arguments = journal(lines)
    assert system_log.logged("r1") == system_log.Logged(first, (second,))
    assert "--identifier=egov-ops" in arguments.read_text()
    assert system_log.logged("r2") is None


def test_without_a_journal_the_first_file_that_knows_the_run_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / name for name in ("auth.log", "syslog", "messages")]
    for number, file in enumerate(files):
        run = "r1" if number else "other"
        file.write_text(f"x host egov-ops: spool begun run={run} header={str(number) * 64}\n")
    monkeypatch.setattr(system_log, "JOURNALS", ())
    monkeypatch.setattr(system_log, "FILES", tuple(files))
    assert system_log.logged("r1") == system_log.Logged("1" * 64, ())


def test_of_a_long_file_its_newest_part_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "auth.log"
    line = f"x host egov-ops: spool begun run=r1 header={'a' * 64}\n"
    file.write_text(line + "y" * 100 + "\n")
    monkeypatch.setattr(system_log, "JOURNALS", ())
    monkeypatch.setattr(system_log, "FILES", (file,))
    monkeypatch.setattr(system_log, "_SEARCHED", file.stat().st_size)
    assert system_log.logged("r1") is not None
    monkeypatch.setattr(system_log, "_SEARCHED", 101 + len(line) - 30)
    assert system_log.logged("r1") is None
