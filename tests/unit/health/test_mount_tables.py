# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which mounts the file system probes look at, on captured mount tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.health import disk
from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe

from tests.support.planted import host, look

CONTAINER = r"""
600 500 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/l/A,upperdir=/u,workdir=/w
601 600 0:53 / /proc rw,nosuid - proc proc rw
602 600 0:54 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k
603 600 8:1 /var/lib/docker/containers/1/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw
604 600 8:1 /srv/my\040data /数据\040disk rw,relatime - ext4 /dev/sda1 rw
"""

SERVER = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
23 22 0:20 / /proc rw,nosuid - proc proc rw
24 22 8:2 / /var rw,relatime - ext4 /dev/sda2 ro,errors=remount-ro
25 22 7:0 / /snap/core/1 ro,nodev - squashfs /dev/loop0 ro
26 22 0:40 / /mnt/share rw,relatime - nfs4 nas:/share rw,addr=192.0.2.7
27 22 0:41 / /run rw,nosuid - tmpfs tmpfs rw,mode=755
28 22 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw,lowerdir=/l
29 22 8:3 / /archive ro,relatime - ext4 /dev/sda3 ro
30 22 8:4 / /data rw,relatime - ext4 /dev/sda4 rw
31 22 8:4 /export /srv/export rw,relatime - ext4 /dev/sda4 rw
32 22 0:60 / /misc rw - autofs /etc/auto.misc rw,fd=7
"""


def _probe(folder: Path, table: str) -> Probe:
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/self/mountinfo").write_text(table.lstrip())
    return Probe("mounts", {"kind": "mounts_alive", "layer": "infrastructure"}, "mounts", host(), str(folder))


@pytest.mark.parametrize(
    ("table", "points"),
    [(CONTAINER, ["/", "/dev", "/数据 disk"]), (SERVER, ["/", "/data", "/mnt/share", "/run"])],
    ids=["container", "server"],
)
def test_each_file_system_that_can_fill_up_is_looked_at_once(tmp_path: Path, table: str, points: list[str]) -> None:
    assert disk.writable_mount_points(_probe(tmp_path, table)) == points


def test_each_mount_that_can_hang_is_looked_at(tmp_path: Path) -> None:
    points = disk.mount_points(_probe(tmp_path, SERVER))
    assert points == ["/", "/archive", "/data", "/mnt/share", "/srv/export", "/var"]


def test_patterns_take_mount_points_out(tmp_path: Path) -> None:
    assert disk.mount_points(_probe(tmp_path, SERVER), ["/mnt/*", "/srv/*", "/var"]) == ["/", "/archive", "/data"]


def test_a_mount_that_covers_another_hides_it(tmp_path: Path) -> None:
    covered = SERVER + "33 22 7:1 / /data ro - squashfs /dev/loop1 ro\n"
    assert "/data" not in disk.writable_mount_points(_probe(tmp_path, covered))


@pytest.mark.parametrize(
    ("fstab", "archive"),
    [("/dev/sda3 /archive ext4 defaults,ro 0 2\n", []), ("/dev/sda3 /archive ext4 defaults 0 2\n", ["critical"])],
)
def test_what_fstab_wants_read_only_is_no_finding(tmp_path: Path, fstab: str, archive: list[str]) -> None:
    _probe(tmp_path, SERVER)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/fstab").write_text(f"# <file system> <mount point>\n{fstab}")
    found = {item["subject"]: item["status"] for item in look("read_only_mounts", root=tmp_path)}
    assert [found[point] for point in found if point == "/archive"] == archive
    assert (found["/"], found["/var"]) == ("ok", "critical")


def test_an_ext4_that_gave_up_is_found_where_it_still_says_that_it_is_writable(tmp_path: Path) -> None:
    """As Linux 6.18 shows it."""
    gone = "42 22 7:0 / /gone rw,relatime - ext4 /dev/loop0 rw,errors=remount-ro,emergency_ro\n"
    _probe(tmp_path, SERVER + gone)
    assert {item["subject"]: item["status"] for item in look("read_only_mounts", root=tmp_path)}["/gone"] == "critical"
