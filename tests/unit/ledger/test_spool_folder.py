# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folder of spools, the journal of those that were begun, and what stands beside a spool."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import spool_folder, spool_journal
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError, SpoolError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_index import SpoolIndex

from tests.support.ledger_cases import append, dead_process, in_child, make_header, make_record, make_state

FIRST, SECOND = "a" * 64, "b" * 64


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return make_state(tmp_path)


def test_what_a_killed_writer_left_is_removed_and_what_is_named_as_a_spool_is_returned(state: StateDir) -> None:
    folder = state.spool
    (folder / "2.jsonl").write_text("")
    (folder / "1.jsonl").mkdir()
    (folder / "3.jsonl").symlink_to(folder / "2.jsonl")
    (folder / "2.new").write_text("")
    (folder / "4.new").symlink_to(folder / "2.jsonl")
    (folder / "5.new").mkdir()
    (folder / "2.index").write_text("")
    found = [(path.name, is_file) for path, is_file in spool_folder.named_as_spools(folder)]
    assert found == [("1.jsonl", False), ("2.jsonl", True), ("3.jsonl", False)]
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == [
        *("1.jsonl", "2.index", "2.jsonl", "3.jsonl", "5.new")
    ]


def test_a_process_without_a_folder_has_no_spool(tmp_path: Path) -> None:
    assert spool_folder.spools_of(tmp_path / "none", dead_process()) == []
    assert Spool.find(tmp_path / "none", dead_process()) is None


def test_a_folder_that_another_process_holds_is_named(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_folder, "PATIENCE", 0.05)
    with spool_folder.folder_lock(state.spool):

        def wait() -> None:
            said = f"The folder {state.spool} is held by another process since 0 s"
            with pytest.raises(SpoolError, match=said), spool_folder.folder_lock(state.spool):
                pass

        assert in_child(wait) == 0


def test_an_open_file_is_at_its_path_until_that_names_another(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert spool_folder.is_at(path, descriptor)
        path.rename(tmp_path / "moved")
        assert not spool_folder.is_at(path, descriptor)
        path.write_text("")
        assert not spool_folder.is_at(path, descriptor)
        path.unlink()
        path.symlink_to(tmp_path / "moved")
        assert not spool_folder.is_at(path, descriptor)
    finally:
        os.close(descriptor)


def journal(tmp_path: Path, *notes: tuple[str, str, str] | str) -> dict[str, list[str]]:
    lines = [
        note
        if isinstance(note, str)
        else canonical({"schema": 1, "spool": note[0], "state": note[1], "header": note[2]})
        for note in notes
    ]
    (tmp_path / "witness.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return spool_journal.expected(tmp_path / "witness.jsonl")


def test_what_was_begun_and_not_drained_is_expected(tmp_path: Path) -> None:
    assert spool_journal.expected(tmp_path / "none") == {}
    assert journal(tmp_path, ("r1", "begun", FIRST), ("r2", "begun", SECOND), ("r1", "drained", FIRST)) == {
        "r2": [SECOND]
    }
    again = (("r1", "begun", FIRST), ("r1", "begun", SECOND))
    assert journal(tmp_path, *again) == {"r1": [FIRST, SECOND]}
    assert journal(tmp_path, *again, ("r1", "drained", FIRST)) == {"r1": [SECOND]}
    # Nothing is drained that was not begun, and nothing but the same header.
    assert journal(tmp_path, ("r1", "drained", FIRST), ("r1", "begun", FIRST)) == {"r1": [FIRST]}
    assert journal(tmp_path, ("r1", "begun", FIRST), ("r1", "drained", SECOND)) == {"r1": [FIRST]}


@pytest.mark.parametrize(
    "line",
    [
        '{"spool":',
        '{"spool":1}',
        '["spool":]',
        canonical({"spool": "r" * 101, "state": "begun", "header": FIRST}),
        canonical({"spool": "r 1", "state": "begun", "header": FIRST}),
        canonical({"spool": "r1", "state": "begun", "header": FIRST[:-1]}),
        canonical({"spool": "r1", "state": "begun", "header": FIRST + "a"}),
        canonical({"spool": "r1", "state": "begun", "header": "A" * 64}),
        canonical({"spool": "r1", "state": "over", "header": FIRST}),
        '"spool":' + "[" * 5000,
    ],
)
def test_a_line_that_is_no_note_is_left_out(tmp_path: Path, line: str) -> None:
    assert journal(tmp_path, line, ("r2", "begun", SECOND), line) == {"r2": [SECOND]}


def test_a_name_of_just_the_most_characters_is_one(tmp_path: Path) -> None:
    assert journal(tmp_path, ("r" * 100, "begun", FIRST)) == {"r" * 100: [FIRST]}


def test_a_journal_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=f"The witness file {tmp_path} cannot be read \\(Is a directory\\)"):
        spool_journal.expected(tmp_path)


def test_of_a_run_whose_spool_is_there_the_earlier_ones_are_lost() -> None:
    headers = {"r1": [FIRST, SECOND], "r2": [FIRST]}
    assert spool_journal.lost(headers, {"r1"}) == [("r1", FIRST), ("r2", FIRST)]
    assert spool_journal.lost(headers, {"r1", "r2"}) == [("r1", FIRST)]
    assert spool_journal.lost(headers, set()) == [("r1", FIRST), ("r1", SECOND), ("r2", FIRST)]


def test_the_end_that_an_index_knows_is_that_of_the_last_append(state: StateDir) -> None:
    spool = Spool.find_or_create(state.spool, dead_process(), make_header())
    index = SpoolIndex(spool.path)
    assert index.end() == 0
    assert not index.shows_cut(0)
    for number in range(3):
        append(spool, [make_record(identifier=f"id{number}")])
        assert index.end() == spool.path.stat().st_size
    size = spool.path.stat().st_size
    assert not index.shows_cut(size)
    assert not index.shows_cut(size + 1)
    assert index.shows_cut(size - 1)
    inode = spool.path.stat().st_ino
    index.note(inode, size - 5, size - 1, [])  # an append to a file that had lost its end
    assert index.shows_cut(size)


def test_an_index_marks_the_steps_and_the_headers(state: StateDir) -> None:
    spool = Spool.find_or_create(state.spool, dead_process(), make_header())
    items: list[dict[str, Any]] = [
        make_record(identifier="a", kind="step", subject="health_probe"),
        make_record(identifier="b"),
        make_record(identifier="c", kind="step", subject="health_probe", host="db1"),
    ]
    append(spool, items)
    spool.announce(make_header())
    content, inode = spool.path.read_bytes(), spool.path.stat().st_ino

    def marked(host: str) -> list[bytes]:
        parts = SpoolIndex(spool.path).covered(inode, host)
        return [content[place : place + size] for part in parts for place, size in part.lines]

    for host, identifier in (("web1", b'"id":"a"'), ("db1", b'"id":"c"')):
        (line,) = marked(host)
        assert identifier in line
        assert content.count(line + b"\n") == 1
    (line,) = marked("")
    assert line.startswith(b'{"header":')
    assert content.endswith(line + b"\n")
    assert list(SpoolIndex(spool.path).covered(inode + 1, "web1")) == []


def test_a_pipe_in_the_place_of_a_spool_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "pipe", "rb", opener=spool_folder.without_waiting) as stream:
        assert stream.read() == b""
