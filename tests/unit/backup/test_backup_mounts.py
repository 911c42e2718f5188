# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mounted file systems: what a walk must not enter, and one that never answers."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup import mounts
from hypothesis import given
from hypothesis import strategies as st

from tests.support.backup_site import Site, only

MOUNTINFO = rb"""22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:50 / /srv/share\040one rw shared:1 master:2 - nfs4 files:/export rw
41 27 0:51 / /srv/data rw - xfs /dev/vdb rw
42 27 0:52 / /srv/drive rw - fuse.sshfs files: rw
43 41 0:53 / /srv/data/cache rw - tmpfs tmpfs rw
"""


@pytest.fixture
def table(tmp_path: Path) -> dict[bytes, bytes]:
    (tmp_path / "mountinfo").write_bytes(MOUNTINFO)
    return mounts.mounted(str(tmp_path / "mountinfo"))


def test_mount_points_are_read_with_their_escapes(table: dict[bytes, bytes]) -> None:
    assert table[b"/srv/share one"] == b"nfs4"
    assert table[b"/"] == b"ext4"
    assert len(table) == 6


def test_remote_and_kernel_mounts_inside_a_set_are_left_out(table: dict[bytes, bytes]) -> None:
    assert set(mounts.left_out([b"/"], table)) == {b"/proc", b"/srv/share one", b"/srv/drive"}


def test_local_file_systems_belong_to_the_set(table: dict[bytes, bytes]) -> None:
    assert b"/srv/data" not in mounts.left_out([b"/srv"], table)


def test_a_remote_mount_named_as_a_path_is_not_left_out(table: dict[bytes, bytes]) -> None:
    assert set(mounts.left_out([b"/srv/share one"], table)) == set()


def test_without_mountinfo_nothing_is_known() -> None:
    assert mounts.mounted("/nonexistent") == {}
    assert mounts.holding(b"/srv", "/nonexistent") is None


@pytest.mark.parametrize(
    ("path", "point", "inner"),
    [
        (b"/srv/data", b"/srv/data", b"/"),
        (b"/srv/data/a", b"/srv/data", b"/a"),
        (b"/srv/database", b"/", b"/srv/database"),
        (b"/srv/home/a", b"/srv/home", b"/@home/a"),
        (b"/srv/home", b"/srv/home", b"/@home"),
        (b"/srv/over", b"/srv/over", b"/second"),
    ],
)
def test_the_mount_of_a_path_is_the_innermost_and_the_last(
    tmp_path: Path, path: bytes, point: bytes, inner: bytes
) -> None:
    more = b"""44 27 0:54 /@home /srv/home rw - btrfs /dev/vdc rw,subvol=/@home
45 27 0:55 /first /srv/over rw - xfs /dev/vdd rw
46 45 0:56 /second /srv/over rw - xfs /dev/vde rw
"""
    (tmp_path / "mountinfo").write_bytes(MOUNTINFO + more)
    found = mounts.holding(path, str(tmp_path / "mountinfo"))
    assert found
    assert (found.point, found.inner(path)) == (point, inner)


names = st.binary(min_size=1, max_size=4).filter(lambda name: b"\0" not in name and b"/" not in name)
paths = st.lists(names.filter(lambda name: name not in (b".", b"..")), max_size=3).map(
    lambda parts: b"/" + b"/".join(parts)
)


def escaped(path: bytes) -> bytes:
    """Return a path as the kernel writes it into mountinfo."""
    return b"".join(b"\\%03o" % sign if sign in b" \t\n\\" else b"%c" % sign for sign in path)


@given(point=paths, root=paths, below=paths)
def test_a_path_is_found_in_its_file_system_whatever_its_names_hold(point: bytes, root: bytes, below: bytes) -> None:
    line = b"44 27 0:54 %s %s rw - btrfs /dev/vdc rw\n" % (escaped(root), escaped(point))
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"27 1 254:0 / / rw - ext4 /dev/vda rw\n" + line)
        file.flush()
        found = mounts.holding(point.rstrip(b"/") + below, file.name)
    assert found
    assert (found.point, found.root, found.kind, found.number) == (point, root, b"btrfs", "0:54")
    assert found.inner(point.rstrip(b"/") + below) == ((root.rstrip(b"/") + below).rstrip(b"/") or b"/")


@pytest.fixture
def hung(site: Site) -> Iterator[bytes]:
    """Mount a file system whose server never says a word; closing its descriptor sets all waiters free."""
    point = site.source / "hung"
    point.mkdir()
    server = os.open("/dev/fuse", os.O_RDWR)
    os.set_inheritable(server, True)
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0"
    mount = ["mount", "-i", "-t", "fuse", "-o", options, "nowhere", str(point)]
    done = subprocess.run(mount, pass_fds=[server], check=False, capture_output=True)
    if done.returncode:
        os.close(server)
        pytest.skip(f"cannot mount a hung file system here: {done.stderr.decode()}")
    yield os.fsencode(point)
    os.close(server)
    subprocess.run(["umount", "-l", str(point)], check=True)


@pytest.mark.root
def test_a_hung_mount_inside_a_set_is_left_out_and_named(ready: Site, hung: bytes) -> None:
    started = time.monotonic()
    found = only(ready.back_up())
    assert time.monotonic() - started < 10
    assert (found["status"], found["reason"]) == ("warning", "not_reached")
    assert found["detail"]["mounts_left_out"]["first"] == [os.fsdecode(hung)]
    assert found["detail"]["files"] == 3


@pytest.mark.root
def test_a_hung_mount_that_is_excluded_is_no_finding(ready: Site, hung: bytes) -> None:
    ready.sets["pages"]["exclude"] = [os.fsdecode(hung)]
    assert only(ready.back_up())["status"] == "ok"


@pytest.mark.root
def test_a_path_on_a_hung_mount_fails_within_seconds(ready: Site, hung: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "ANSWER_SECONDS", 1)
    ready.sets["pages"]["paths"] = [os.fsdecode(hung)]
    started = time.monotonic()
    found = only(ready.back_up())
    assert time.monotonic() - started < 5
    assert (found["status"], found["reason"]) == ("failed", "timeout")
    assert "does not answer" in found["detail"]["message"]


@pytest.mark.root
def test_a_repository_on_a_hung_mount_fails_within_seconds(
    ready: Site, hung: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "ANSWER_SECONDS", 1)
    ready.repositories["local"]["location"] = os.fsdecode(hung) + "/repository"
    ready.sets["pages"]["exclude"] = [os.fsdecode(hung)]
    found = only(ready.back_up())
    assert found["reason"] == "timeout"
    assert "repository" in found["detail"]["message"]
