# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems: full, out of inodes, read-only and hung ones, mounted for real. These tests need root."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.hung_mount import HungMount
from tests.support.planted import fault, look

pytestmark = pytest.mark.root


def _status(kind: str, mount_point: Path, **settings: Any) -> str:
    (found,) = (item for item in look(kind, **settings) if item["subject"] == str(mount_point))
    return str(found["status"])


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB and 100 inodes, with a blank and a Chinese character in its path."""
    point = tmp_path / "数据 disk"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=100", "none", point], check=True)
    yield point
    subprocess.run(["umount", "-l", point], check=True)


@fault("filesystem_space")
def test_a_full_file_system_is_found(small: Path) -> None:
    filler = small / "filler"
    filler.write_bytes(bytes(1000 * 1024))
    assert _status("filesystem_space", small, warning="85", critical="95") == "critical"
    filler.unlink()
    assert _status("filesystem_space", small, warning="85", critical="95") == "ok"


@fault("filesystem_inodes")
def test_a_file_system_without_inodes_is_found(small: Path) -> None:
    for number in range(95):
        (small / str(number)).touch()
    assert _status("filesystem_inodes", small, warning="85", critical="95") == "critical"
    for number in range(95):
        (small / str(number)).unlink()
    assert _status("filesystem_inodes", small, warning="85", critical="95") == "ok"


def test_an_excluded_mount_point_is_not_looked_at(small: Path) -> None:
    subjects = [item["subject"] for item in look("filesystem_space", warning="85", exclude=[f"{small.parent}/*"])]
    assert str(small) not in subjects


@pytest.fixture
def two_views(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """An ext4 file system on a loop device, mounted in two places."""
    image, first, second = tmp_path / "image", tmp_path / "first", tmp_path / "second"
    image.write_bytes(bytes(4 * 1024 * 1024))
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    first.mkdir()
    second.mkdir()
    if subprocess.run(["mount", "-o", "loop", image, first], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no loop device can be mounted here")
    subprocess.run(["mount", "--bind", first, second], check=True)
    yield first, second
    for point in (second, first):
        subprocess.run(["umount", point], check=True)


@fault("read_only_mounts")
def test_a_file_system_that_the_kernel_made_read_only_is_found(two_views: tuple[Path, Path]) -> None:
    first, second = two_views
    # the second mount stays as it was, as all do when the kernel gives up on a faulty file system
    subprocess.run(["mount", "-o", "remount,ro", first], check=True)
    assert _status("read_only_mounts", second) == "critical"
    subprocess.run(["mount", "-o", "remount,rw", first], check=True)
    assert _status("read_only_mounts", second) == "ok"


def test_a_mount_that_is_read_only_on_purpose_is_no_finding(two_views: tuple[Path, Path]) -> None:
    first, _second = two_views
    subprocess.run(["mount", "-o", "remount,ro", first], check=True)
    assert str(first) not in [item["subject"] for item in look("read_only_mounts")]


@fault("mounts_alive")
def test_a_hung_mount_is_found_within_its_deadline(tmp_path: Path) -> None:
    with HungMount(tmp_path / "share") as mount:
        before = time.monotonic()
        found = {item["subject"]: item for item in look("mounts_alive", timeout=0.5)}
        assert time.monotonic() - before < 2
        hung = found[str(mount.point)]
        assert (hung["status"], found["/"]["status"]) == ("critical", "ok")
        assert hung["reason"] == "stuck"
        mount.revive()
        assert _status("mounts_alive", mount.point) == "ok"


def test_a_hung_mount_leaves_the_space_of_the_others_known(tmp_path: Path) -> None:
    with HungMount(tmp_path / "share") as mount:
        found = {item["subject"]: item for item in look("filesystem_space", timeout=0.5, warning="99")}
    assert found[str(mount.point)]["status"] == "unknown"
    assert found["/"]["status"] in ("ok", "warning")
