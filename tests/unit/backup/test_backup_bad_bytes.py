# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bad byte in what a host remembers is a sentence, or forgotten, and never an error of Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots import cleanup
from ansible_collections.egov.ops.plugins.module_utils.backup.history import authors
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs import integrity_check
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.manifest_format import decoded, entry_of
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import Memory
from ansible_collections.egov.ops.plugins.module_utils.host import watched
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError, Host
from ansible_collections.egov.ops.plugins.module_utils.host.job import Operation
from ansible_collections.egov.ops.plugins.plugin_utils.backup.rotation import Rotation
from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir

NAME = "a" * 64
GOOD = b'{"event": "begin", "time": "2026-03-04T05:06:07Z"}\n'
DEEP = b"[" * 100_000 + b"]" * 100_000
BAD = {
    "torn": b'{"event": "be',
    "not a number": b"NaN",
    "list": b"[1]",
    "deep": DEEP,
    "null": b"null",
    "text": b'"x"',
    "no UTF-8": b"\xff\xfe",
    "empty": b"",
    "an odd event": b'{"event": ["begin"], "time": 5}',
    "a deep event": b'{"event": ' + DEEP + b"}",
    "a huge integer": b"9" * 5000,
}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host({"state_dir": str(tmp_path / "host"), "timeout": 30})


@pytest.mark.parametrize("kind", BAD)
def test_a_damaged_journal_of_an_operation_is_a_sentence(host: Host, tmp_path: Path, kind: str) -> None:
    operation = Operation(NAME, host)
    operation.prepare()
    journal = tmp_path / "host" / "operations" / NAME / "journal.jsonl"
    journal.write_bytes(GOOD + BAD[kind] + b"\n" + GOOD)
    with pytest.raises(HalfError, match=r"^Line 2 of the journal .* is damaged: .* move the folder .* away\.$"):
        operation.events()
    assert authors._runs(host) == []
    journal.write_bytes(GOOD + BAD[kind])  # without its end a crash has torn it
    assert [event["event"] for event in operation.events()] == ["begin"]


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", ["result", "worker", "line"])
def test_a_damaged_note_of_watched_work_is_a_sentence(host: Host, tmp_path: Path, kind: str, name: str) -> None:
    identity = "b" * 32
    folder = tmp_path / "host" / "watched" / identity
    folder.mkdir(parents=True)
    (folder / "lock").touch()
    (folder / name).write_bytes(BAD[kind])
    if (name, kind) == ("result", "an odd event"):  # a mapping is for the controller to judge, as any answer
        assert watched.watched(None, {"job": identity}, host) == {"event": ["begin"], "time": 5}
        return
    with pytest.raises(HalfError, match="run it again"):
        watched.watched(None, {"job": identity}, host)


@pytest.mark.parametrize("value", [None, 5, [], [0, 0.0], [1, 0.0], ["5", 0.0], [5, "x"], [True, 0.0], [7], {"0": 7}])
def test_no_signal_goes_where_the_note_of_the_worker_is_odd(value: object) -> None:
    assert not watched._is_worker(value)


@pytest.mark.parametrize(
    "content",
    [
        *BAD.values(),
        b'{"location": "x", "part": NaN, "hashed": 0}',
        b'{"location": "x", "part": 2, "hashed": NaN}',
        b'{"location": "x", "part": 2, "hashed": 1e999}',
        b'{"location": "x", "part": 2, "hashed": 1%s}' % (b"0" * 400),
    ],
)
def test_a_damaged_memory_of_a_check_begins_anew(tmp_path: Path, content: bytes) -> None:
    memory = tmp_path / "memory"
    memory.write_bytes(content)
    assert integrity_check._load(str(memory), "x") == {"part": 1, "hashed": 0.0}


def test_the_memory_of_a_check_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "memory").write_bytes(b'{"location": "x", "part": 2, "hashed": 5.5}')
    assert integrity_check._load(str(tmp_path / "memory"), "x") == {"part": 2, "hashed": 5.5}


@pytest.mark.parametrize("content", [*BAD.values(), b'[{"kind": "no"}]', b'[{"kind": "btrfs", "root": 5}]', b"[5]"])
def test_a_damaged_journal_of_snapshots_is_a_sentence(host: Host, content: bytes) -> None:
    path = Path(cleanup._journal("set", host))
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(HalfError, match="see what it names, and remove it"):
        cleanup.clear("set", host, ())


SAVED = {"location": "/repo", "snapshot": "0" * 64, "started": 5.0, "spoiled": [], "moved": ["/a"], "bytes": 7}


def memory_with(host: Host, content: bytes) -> Memory:
    memory = Memory("set", "web1", host)
    memory.prepare()
    Path(memory._state).write_bytes(content)
    return memory


@pytest.mark.parametrize("kind", BAD)
def test_a_damaged_memory_of_a_set_is_none(host: Host, kind: str) -> None:
    assert memory_with(host, BAD[kind]).load().keys() <= {"event", "time"}


@pytest.mark.parametrize(
    "part",
    [
        {"location": 5},
        {"snapshot": None},
        {"started": float("nan")},
        {"started": "x"},
        {"spoiled": "x"},
        {"spoiled": [5]},
        {"moved": {}},
        {"moved": [None]},
        {"bytes": 10**400},
        {"bytes": True},
    ],
)
def test_a_memory_of_a_set_with_an_odd_part_is_none(host: Host, part: dict[str, object]) -> None:
    assert memory_with(host, json.dumps(SAVED).encode()).load() == SAVED
    assert memory_with(host, json.dumps({**SAVED, **part}).encode()).load() == {}


@pytest.mark.parametrize("content", [b"[1]", b"[%s]" % DEEP, DEEP, b"5", b"NaN", b'"ab"', b"null", b'{"path":'])
def test_a_damaged_line_of_a_manifest_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError):
        entry_of(content)


def test_lines_before_a_deep_one_are_decoded() -> None:
    lines = decoded([b'{"path": "/a"}', DEEP])
    assert next(lines)[1] == {"path": "/a"}
    with pytest.raises(ValueError):
        next(lines)


@pytest.mark.parametrize("content", [*BAD.values(), b'{"web1": {"main": {"new": 5}}}', b'{"web1": [1]}'])
def test_a_damaged_progress_of_a_rotation_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    rotation = Rotation("main", {"password_file": str(tmp_path / "password")}, StateDir(tmp_path))
    rotation.folder.mkdir(parents=True)
    (rotation.folder / "progress.json").write_bytes(content)
    with pytest.raises(OpsError, match=r"bring progress\.json back .* keep the passwords .* move the folder away"):
        rotation.lacking([("web1", "main")])
    (rotation.folder / "progress.json").unlink()
    assert rotation.lacking([("web1", "main")]) == [("web1", "main")]
