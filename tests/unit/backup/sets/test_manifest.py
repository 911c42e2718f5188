# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifest: what stands in it, what keeps its hash, and what counts as a change."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import manifest
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Source, resolve
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError, Host
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.backup_site import as_nobody

LATER = 4_000_000_000.0


class Book:
    """A folder and the manifest of it, written anew by each scan."""

    def __init__(self, base: Path, **settings: Any) -> None:
        self.folder = base / "folder"
        self.folder.mkdir(parents=True)
        self.path = str(base / "manifest.jsonl")
        self.host = Host({"state_dir": str(base / "state"), **settings})
        self.lines: list[bytes] = []

    def source(self) -> Source:
        return resolve({"paths": [str(self.folder)]}, {}, self.host)

    def scan(self, since: float = LATER) -> manifest.Scan:
        """Scan against the manifest before; by default as long after it as needed to trust unchanged times."""
        self.lines = []
        found = manifest.scan(self.source(), self.path, since, self.lines.append, self.host)
        Path(self.path).write_bytes(b"".join(self.lines))
        return found

    def entry(self, name: bytes) -> dict[str, Any]:
        wanted = os.fsencode(self.folder) + b"/" + name
        for line in self.lines:
            entry = json.loads(line)
            if entry["path"].encode("utf-8", "surrogateescape") == wanted:
                return dict(entry)
        raise KeyError(name)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def test_an_entry_holds_all_that_a_restore_should_bring_back(book: Book) -> None:
    path = book.folder / "file"
    path.write_bytes(b"content")
    path.chmod(0o640)
    os.setxattr(path, "user.note", b"\x00\xff")
    book.scan()
    info = path.stat()
    entry = book.entry(b"file")
    assert entry["type"] == "file"
    assert (entry["mode"], entry["uid"], entry["gid"]) == (0o640, info.st_uid, info.st_gid)
    assert entry["owner"] == path.owner()
    assert (entry["size"], entry["mtime"], entry["ctime"]) == (7, info.st_mtime_ns, info.st_ctime_ns)
    assert entry["inode"] == info.st_ino
    assert base64.b64decode(entry["xattrs"]["user.note"]) == b"\x00\xff"
    assert entry["sha256"] == hashlib.sha256(b"content").hexdigest()


@pytest.mark.parametrize("name", [b"a\nb", b"\xff\xfe", "中 文".encode(), b"*?[x]\\", b' "quoted" ', b"-rf"])
def test_the_bytes_of_a_name_are_kept(book: Book, name: bytes) -> None:
    Path(os.fsdecode(os.fsencode(book.folder) + b"/" + name)).write_text("x")
    book.scan()
    assert book.entry(name)["size"] == 1
    assert all(line.count(b"\n") == 1 for line in book.lines)


def test_a_link_has_its_target_and_is_not_followed(book: Book) -> None:
    (book.folder / "link").symlink_to("/etc")
    found = book.scan()
    assert book.entry(b"link")["target"] == "/etc"
    assert found.files == 1


def test_sockets_and_fifos_are_named_and_not_opened(book: Book) -> None:
    os.mkfifo(book.folder / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(book.folder / "socket"))
        found = book.scan()
    assert found.special.first == [str(book.folder / "fifo"), str(book.folder / "socket")]
    assert len(book.lines) == 1


def test_an_unchanged_file_keeps_its_hash_without_being_read(book: Book) -> None:
    (book.folder / "file").write_text("content")
    first = book.scan()
    again = book.scan()
    assert (first.hashed, again.hashed) == (1, 0)
    assert not again.differs


def test_a_full_scan_hashes_all_again(book: Book) -> None:
    (book.folder / "file").write_text("content")
    book.scan()
    again = book.scan(since=0.0)
    assert again.hashed == 1
    assert not again.differs


def test_a_file_as_young_as_the_scan_before_is_hashed_again(book: Book) -> None:
    (book.folder / "file").write_text("content")
    first = book.scan()
    assert book.scan(since=first.started).hashed == 1


def test_same_size_and_mtime_do_not_hide_a_change(book: Book) -> None:
    path = book.folder / "file"
    path.write_text("old")
    times = path.stat()
    book.scan()
    path.write_text("new")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert book.scan().modified.first == [str(path)]


def test_mode_and_xattrs_are_changes_and_a_new_time_is_none(book: Book) -> None:
    for name in ("mode", "xattr", "time"):
        (book.folder / name).write_text("x")
    book.scan()
    (book.folder / "mode").chmod(0o600)
    os.setxattr(book.folder / "xattr", "user.a", b"1")
    os.utime(book.folder / "time", (1, 1))
    assert book.scan().modified.first == [str(book.folder / "mode"), str(book.folder / "xattr")]


@pytest.mark.root
def test_another_owner_is_a_change(book: Book) -> None:
    (book.folder / "file").write_text("x")
    book.scan()
    os.chown(book.folder / "file", 1, 1)
    assert book.scan().modified.count == 1


def test_new_and_removed_files_are_told_apart(book: Book) -> None:
    for name in ("a", "m", "z"):
        (book.folder / name).write_text(name)
    book.scan()
    (book.folder / "a").unlink()
    (book.folder / "z").unlink()
    (book.folder / "n").write_text("n")
    found = book.scan()
    assert found.removed.first == [str(book.folder / "a"), str(book.folder / "z")]
    assert found.added.first == [str(book.folder / "n")]


def test_a_damaged_manifest_before_costs_hashing_and_no_more(book: Book) -> None:
    (book.folder / "file").write_text("content")
    book.scan()
    Path(book.path).write_bytes(b"".join(book.lines)[:-20])
    found = book.scan()
    assert found.hashed == 1
    assert book.entry(b"file")["size"] == 7


@pytest.mark.parametrize(
    ("found", "put"), [(b'"path"', b'"pa|h"'), (b'"ctime"', b'"cTime"'), (b'{"ctime', b'["ctime'), (b"{", b"\xfb")]
)
def test_a_flipped_byte_in_the_manifest_before_costs_hashing_and_no_more(book: Book, found: bytes, put: bytes) -> None:
    (book.folder / "file").write_text("content")
    book.scan()
    Path(book.path).write_bytes(book.lines[0] + book.lines[1].replace(found, put, 1))
    assert book.scan().hashed == 1
    assert book.entry(b"file")["size"] == 7


def test_a_file_that_moves_after_its_line_was_written_is_told(book: Book) -> None:
    for name in ("still", "grown", "gone"):
        (book.folder / name).write_text("x")
    book.scan()
    (book.folder / "grown").write_text("xx")
    (book.folder / "gone").unlink()
    assert manifest.moved(book.path) == [bytes(book.folder / "gone"), bytes(book.folder / "grown")]


@pytest.mark.parametrize("name", [b"plain", b"a,b", b"\xff\xfe", "中 文".encode(), b'"a","size":1', b"a\nb"])
def test_what_moves_is_told_whatever_its_name_and_by_each_of_its_facts(book: Book, name: bytes) -> None:
    path = os.fsencode(book.folder) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(b"x")
    book.scan()
    assert manifest.moved(book.path) == []
    for fact in ("ctime", "inode", "mtime", "size"):
        line = json.dumps({**book.entry(name), fact: 1234}, sort_keys=True, separators=(",", ":"))
        Path(book.path).write_bytes(book.lines[0] + line.encode() + b"\n")
        assert manifest.moved(book.path) == [path]


def test_a_folder_without_files_is_told(book: Book) -> None:
    (book.folder / "empty").mkdir()
    assert book.scan().empty_roots == [bytes(book.folder)]


def test_the_deadline_ends_a_scan(tmp_path: Path) -> None:
    book = Book(tmp_path, timeout=0.001)
    (book.folder / "file").write_text("x")
    time.sleep(0.01)
    with pytest.raises(HalfError, match="did not end in time") as caught:
        book.scan()
    assert caught.value.reason == "timeout"


@pytest.mark.root
def test_what_a_user_may_not_read_is_named(site: Any) -> None:
    book = Book(site.base / "book")
    (book.folder / "secret").write_text("x")
    (book.folder / "secret").chmod(0o600)
    (book.folder / "closed").mkdir(mode=0o700)
    (book.folder / "open").write_text("x")

    def scan() -> list[Any]:
        found = manifest.scan(book.source(), book.path, LATER, book.lines.append, book.host)
        return [found.unreadable.first, found.hashed, len(book.lines)]

    assert as_nobody(scan) == [[str(book.folder / "closed"), str(book.folder / "secret")], 1, 4]


small_tree = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "a.b", "a b", "ä", "-"]), min_size=1, max_size=3).map("/".join),
    st.binary(max_size=3),
    max_size=8,
)


def _plant(folder: Path, tree: dict[str, bytes]) -> None:
    """Make the folder hold these files alone; a name that is a folder already, or would be, is left out."""
    subprocess.run(["find", str(folder), "-mindepth", "1", "-delete"], check=True)
    for name, content in sorted(tree.items()):
        path = folder / name
        if not any(parent.is_file() for parent in path.parents):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=small_tree, after=small_tree)
def test_an_incremental_scan_says_the_same_as_a_fresh_one(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, bytes], after: dict[str, bytes]
) -> None:
    book = Book(tmp_path_factory.mktemp("book"))
    _plant(book.folder, before)
    book.scan()
    old = {entry["path"]: entry for entry in map(json.loads, book.lines)}
    time.sleep(0.02)  # more than a tick of the file system's clock
    _plant(book.folder, after)
    found = book.scan()
    incremental = book.lines
    book.scan(since=0.0)
    assert incremental == book.lines
    new = {entry["path"]: entry for entry in map(json.loads, incremental)}
    assert found.added.count == len(new.keys() - old.keys())
    assert found.removed.count == len(old.keys() - new.keys())


@pytest.mark.slow
def test_fifty_thousand_files_stay_below_80_megabytes(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.write_text("content")
    for number in range(50):
        folder = tmp_path / "many" / f"{number:03}"
        folder.mkdir(parents=True)
        for name in range(1000):
            os.link(one, folder / f"a-name-as-long-as-they-are-{name:04}")
    script = (
        "import re, sys\n"
        "from ansible_collections.egov.ops.plugins.module_utils.backup.sets import manifest\n"
        "from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import resolve\n"
        "from ansible_collections.egov.ops.plugins.module_utils.host.half import Host\n"
        "host = Host({'state_dir': sys.argv[2]})\n"
        "source = resolve({'paths': [sys.argv[1]]}, {}, host)\n"
        "with open(sys.argv[3], 'wb') as stream:\n"
        "    found = manifest.scan(source, sys.argv[3] + '.none', 0.0, stream.write, host)\n"
        "with open(sys.argv[3] + '.new', 'wb') as stream:\n"
        "    manifest.scan(source, sys.argv[3], 4e9, stream.write, host)\n"
        "assert not manifest.moved(sys.argv[3])\n"
        "# Not ru_maxrss, which keeps what the process was before it became this program.\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())\n"
        "print(found.files, peak.group(1))\n"
    )
    arguments = [str(tmp_path / "many"), str(tmp_path / "state"), str(tmp_path / "manifest")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=environment, capture_output=True, check=True, text=True
    )
    files, kilobytes = map(int, done.stdout.split())
    assert files == 50_000
    assert kilobytes < 80 * 1024
