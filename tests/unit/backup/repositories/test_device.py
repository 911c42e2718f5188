# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a repository lies on: real file systems with real errors, and sysfs trees of disks that this machine has not."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.catalogue import catalogue
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.device import Devices, judge_mapped
from ansible_collections.egov.ops.plugins.module_utils.host import run as host_run
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

from tests.support.backup_site import NOW, Site

MARK = b"the mark of a block " * 1000


def watched(path: Path, root: Path | str = "/", tools: Path | None = None) -> dict[str, Any]:
    host = Host({"now": NOW, "timeout": 60, "tool_path": [str(tools)] if tools else []})
    return Devices(host, str(root)).watch("local", os.fsencode(path))


class Loop:
    """An image that is a file system on a loop device."""

    def __init__(self, base: Path) -> None:
        self.image, self.point = base / "image", base / "point"
        self.point.mkdir()

    def make(self, kind: str, size: int) -> None:
        with self.image.open("wb") as stream:
            stream.truncate(size)
        subprocess.run([f"mkfs.{kind}", "-q", "-f" if kind == "btrfs" else "-F", self.image], check=True)

    def mount(self, *options: str) -> None:
        command = ["mount", "-o", ",".join(["loop", *options]), self.image, self.point]
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
            pytest.skip("no loop device can be mounted here")

    def umount(self) -> None:
        subprocess.run(["umount", self.point], check=True)

    @property
    def device(self) -> str:
        found = subprocess.run(["findmnt", "-no", "SOURCE", self.point], capture_output=True, text=True, check=True)
        return Path(found.stdout.strip()).name


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path)
    yield made
    if os.path.ismount(made.point):
        made.umount()


@pytest.mark.root
@pytest.mark.parametrize("option", ["errors=continue", "errors=remount-ro"])
def test_an_error_that_ext4_has_recorded_is_critical_until_it_is_repaired(loop: Loop, option: str) -> None:
    loop.make("ext4", 8 * 1024 * 1024)
    loop.mount(option)
    assert watched(loop.point)["status"] == "ok"
    kernel = Path("/sys/fs/ext4", loop.device)
    (kernel / "trigger_fs_error").write_text("planted\n")
    for _wait in range(1000):  # the kernel counts it a moment later
        if (kernel / "errors_count").read_text() != "0\n":
            break
        time.sleep(0.01)
    found = watched(loop.point)
    assert found["status"] == "critical"
    assert "has recorded 1 errors" in found["detail"]["message"]
    assert ("can only be read" in found["detail"]["message"]) == (option == "errors=remount-ro")
    assert loop.device in found["detail"]["devices"]
    loop.umount()
    subprocess.run(["e2fsck", "-fy", loop.image], capture_output=True)
    loop.mount(option)
    assert watched(loop.point)["status"] == "ok"


@pytest.mark.root
def test_a_file_system_that_became_read_only_is_critical(loop: Loop) -> None:
    loop.make("ext4", 8 * 1024 * 1024)
    loop.mount()
    subprocess.run(["mount", "-o", "remount,ro", loop.point], check=True)
    found = watched(loop.point / "not" / "there")
    assert found["status"] == "critical"
    assert found["detail"]["message"].endswith(f"lies on ext4 of {loop.point}: it can only be read.")


@pytest.mark.root
@pytest.mark.programs("mkfs.btrfs")
def test_what_btrfs_counts_for_its_device_is_critical_until_it_is_set_back(loop: Loop) -> None:
    loop.make("btrfs", 128 * 1024 * 1024)
    loop.mount()
    (loop.point / "file").write_bytes(MARK)
    loop.umount()
    data = loop.image.read_bytes()
    place = data.find(MARK[:4096])
    assert place > 0
    with loop.image.open("r+b") as stream:
        stream.seek(place)
        stream.write(b"X")
    loop.mount()
    assert watched(loop.point)["status"] == "ok", "nobody has read it yet"
    with pytest.raises(OSError):
        (loop.point / "file").read_bytes()
    found = watched(loop.point)
    assert found["status"] == "critical"
    assert re.search("btrfs counts [1-9] corruption errs", found["detail"]["message"])
    assert f"btrfs scrub start {loop.point}" in found["detail"]["next"]
    subprocess.run(["btrfs", "device", "stats", "-z", loop.point], check=True, capture_output=True)
    assert watched(loop.point)["status"] == "ok"


def test_the_catalogue_tells_it_of_each_repository_in_a_folder_also_where_that_cannot_be_read(ready: Site) -> None:
    ready.back_up()
    ready.repositories["gone"] = {"location": str(ready.base / "gone")}
    ready.repositories["far"] = {"location": "rest:http://127.0.0.1:1/x"}
    ready.sets["pages"]["copies"] = ["gone", "far"]
    result = ready.answer(catalogue, {}, NOW, {})
    kinds = {item["subject"]: item["status"] for item in result["evidence"] if item["kind"] == "device"}
    assert set(kinds) == {"local", "gone"}


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 22 253:0 / /srv/backup rw,relatime - xfs /dev/mapper/vg-backup rw
31 22 0:40 / /mnt/share rw,relatime - nfs4 nas:/share rw
32 22 0:41 / /srv/fast rw - tmpfs tmpfs rw
33 22 252:1 / /srv/cloud rw - ext4 /dev/vda1 rw
34 22 259:1 / /srv/nvme rw - ext4 /dev/nvme0n1p1 rw
"""

MDSTAT = """\
Personalities : [raid1]
md0 : active raid1 {members}
      1046528 blocks super 1.2 [2/{there}] [{state}]
{progress}
md9 : active raid1 sdx1[1](F) sdy1[0]
      1046528 blocks super 1.2 [2/1] [U_]

unused devices: <none>
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A host with a plain disk, a logical volume on a mirror of two, a cloud's disk and an NVMe disk of two paths."""
    root = tmp_path / "root"

    def block(number: str, place: str, *slaves: str, **files: str) -> None:
        folder = root / "sys/devices" / place
        (folder / "slaves").mkdir(parents=True)
        (folder / "dev").write_text(f"{number}\n")
        for name, text in files.items():
            (folder / name.replace("_", "/")).parent.mkdir(parents=True, exist_ok=True)
            (folder / name.replace("_", "/")).write_text(f"{text}\n")
        for slave in slaves:
            (folder / "slaves" / Path(slave).name).symlink_to(root / "sys/devices" / slave)
        numbers = root / "sys/dev/block"
        numbers.mkdir(parents=True, exist_ok=True)
        (numbers / number).symlink_to(folder)
        device = root / "dev" / Path(place).name
        device.parent.mkdir(exist_ok=True)
        device.touch()

    disks = "pci0000:00/0000:00:1f.2/ata1/host0/block"
    for letter, number in (("a", 0), ("b", 16), ("c", 32)):
        block(f"8:{number}", f"{disks}/sd{letter}", device_model="ST4000NM0035", device_vendor="ATA")
        block(f"8:{number + 1}", f"{disks}/sd{letter}/sd{letter}1", partition="1")
    block("9:0", "virtual/block/md0", f"{disks}/sdb/sdb1", f"{disks}/sdc/sdc1")
    block("253:0", "virtual/block/dm-0", "virtual/block/md0", dm_name="vg-backup")
    block("252:0", "pci0000:00/0000:00:04.0/virtio1/block/vda", device_vendor="0x1af4")
    block("252:1", "pci0000:00/0000:00:04.0/virtio1/block/vda/vda1", partition="1")
    subsystem = "virtual/nvme-subsystem/nvme-subsys0"
    block("259:0", f"{subsystem}/nvme0n1", device_model="SAMSUNG MZQL21T9")
    block("259:1", f"{subsystem}/nvme0n1/nvme0n1p1", partition="1")
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text(MOUNTS)
    return root


def mirror(tree: Path, state: str, progress: str = "") -> None:
    members = "sdc1[1] sdb1[0]" if state == "UU" else "sdb1[0]"
    table = MDSTAT.format(members=members, there=state.count("U"), state=state, progress=progress)
    (tree / "proc/mdstat").write_text(table)


SOUND = '{"smartctl": {"exit_status": 0}, "smart_status": {"passed": true}}'


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A smartctl that says of each disk what lies beside it under the disk's name; else that it passes."""
    folder = tmp_path / "tools"
    folder.mkdir()
    script = f"#!/bin/sh\nfor last; do :; done\ncat {folder}/${{last##*/}}.json 2>/dev/null || echo '{SOUND}'\n"
    (folder / "smartctl").write_text(script)
    (folder / "smartctl").chmod(0o755)
    return folder


@pytest.mark.root
def test_each_disk_below_a_volume_on_a_mirror_is_asked_and_one_that_fails_is_critical(tree: Path, tools: Path) -> None:
    mirror(tree, "UU")
    found = watched(Path("/srv/backup/web1"), tree, tools)
    assert found["status"] == "ok"
    assert found["detail"]["devices"] == ["vg-backup", "md0", "sdb", "sdc"]
    assert set(found["detail"]["disks"]) == {"sdb", "sdc"}
    (tools / "sdc.json").write_text('{"smartctl": {"exit_status": 8}, "smart_status": {"passed": false}}')
    found = watched(Path("/srv/backup/web1"), tree, tools)
    assert found["status"] == "critical"
    assert "disk sdc: it says itself that it fails" in found["detail"]["message"]
    assert found["detail"]["next"].endswith("smartctl -a /dev/sdc.")
    assert watched(Path("/srv"), tree, tools)["status"] == "ok", "another disk"


@pytest.mark.root
def test_a_mirror_that_has_lost_a_member_is_critical_and_one_that_is_rebuilt_a_warning(tree: Path, tools: Path) -> None:
    mirror(tree, "U_")
    found = watched(Path("/srv/backup"), tree, tools)
    assert (found["status"], "array md0 misses 1 members" in found["detail"]["message"]) == ("critical", True)
    assert "md9" not in found["detail"]["message"]
    mirror(tree, "U_", "      [=>..................]  recovery =  8.6% (9/10) finish=9.5min speed=9K/sec")
    found = watched(Path("/srv/backup"), tree, tools)
    assert (found["status"], "rebuilt by 8.6%" in found["detail"]["message"]) == ("warning", True)
    mirror(tree, "UU", "      [=>..................]  check =  8.6% (9/10) finish=9.5min speed=9K/sec")
    assert watched(Path("/srv/backup"), tree, tools)["status"] == "ok"


@pytest.mark.root
def test_a_disk_that_nobody_can_ask_is_unknown_and_a_virtual_one_is_no_finding(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_run, "PATH", str(tmp_path))  # whatever this machine has installed
    found = watched(Path("/srv/nvme"), tree)
    assert (found["status"], found["reason"]) == ("unknown", "not_supported")
    assert found["detail"]["next"].startswith("Install smartmontools")
    found = watched(Path("/srv/cloud"), tree)
    assert found["status"] == "ok"
    assert "virtual disk" in found["detail"]["disks"]["vda"]["words"]


@pytest.mark.root
def test_what_smartctl_cannot_say_is_told_and_a_worse_finding_goes_first(tree: Path, tools: Path) -> None:
    mirror(tree, "U_")
    (tools / "sdb.json").write_text("smartctl 6.6: unrecognized option '--json'\n")
    found = watched(Path("/srv/backup"), tree, tools)
    assert found["status"] == "critical"
    assert "disk sdb cannot be asked" in found["detail"]["message"]
    mirror(tree, "UU")
    assert watched(Path("/srv/backup"), tree, tools)["status"] == "unknown"


@pytest.mark.parametrize(("path", "words"), [("/mnt/share/x", "nfs4 of nas:/share"), ("/srv/fast", "no disk is seen")])
def test_what_lies_elsewhere_or_on_no_disk_is_not_judged(tree: Path, path: str, words: str) -> None:
    found = watched(Path(path), tree)
    assert (found["status"], found["reason"]) == ("skipped", "not_applicable")
    assert words in found["detail"]["message"]


POOL = "0 2097152 thin-pool 1 {}/4096 {}/8192 - {} discard_passdown queue_if_no_space {} 1024"


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        (POOL.format(100, 100, "rw", "-"), "", ""),
        (POOL.format(100, 7000, "rw", "-"), "warning", "the data of thin pool vg-pool is 85 % full"),
        (POOL.format(4000, 100, "rw", "-"), "critical", "the metadata of thin pool vg-pool is 97 % full"),
        (POOL.format(100, 100, "out_of_data_space", "-"), "critical", "takes no data any more"),
        (POOL.format(100, 100, "ro", "needs_check"), "critical", "takes no data any more"),
        ("0 2097152 thin-pool Fail", "critical", "has failed"),
        ("0 2097152 raid raid1 2 AA 100/100 idle 0 0 -", "", ""),
        ("0 2097152 raid raid1 2 DA 100/100 idle 0 0 -", "critical", "misses 1 members"),
        ("0 2097152 linear", "", ""),
        ("0 2097152 multipath 2 0 0 0 1 1 A 0 2 0 8:16 F 1 8:32 A 0", "", ""),
        ("", "", ""),
    ],
)
def test_a_thin_pool_and_an_array_of_device_mapper_are_judged_by_their_line(line: str, status: str, words: str) -> None:
    found = judge_mapped("vg-pool", line)
    assert [one[0] for one in found] == ([status] if status else [])
    assert all(words in one[1] for one in found)
