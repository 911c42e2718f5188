# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only a machine with a kernel of its own shows: its settings and messages, block devices, audit, a real start."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record

from tests.support.sites import Site

from . import system
from .guest import Guest
from .lab import Lab

pytestmark = [pytest.mark.long, pytest.mark.programs("qemu-system-x86_64", "mke2fs")]


@pytest.fixture(scope="module")
def guest() -> Iterator[Guest]:
    """A guest that answers by ssh, and of which nothing is left at the end."""
    lab = Lab("guest")
    lab.down()  # of a run that was killed
    guest = Guest(lab)
    try:
        guest.up()
        yield guest
    finally:
        lab.down()
    assert system.processes(f"{lab.folder}/") == {}
    assert [path.name for path in lab.folder.iterdir()] == ["lock"]


@pytest.fixture
def one(guest: Guest, tmp_path: Path) -> Site:
    """A site of the guest alone."""
    variables = {
        "ansible_ssh_common_args": f"-F '{guest.config}'",
        "ansible_become": True,
        "ansible_python_interpreter": "/usr/bin/python3",
        "egov_ops_state_dir": str(tmp_path / "state"),
    }
    return Site(tmp_path, Path(sys.executable).parent, {"guest": {}}, variables)


def found(site: Site, procedure: str) -> dict[tuple[str, str], Record]:
    """Run a procedure and return what it recorded, by kind and subject."""
    done = site.play(f"egov.ops.{procedure}", timeout=600)
    assert done.rc == 0, done.output
    run = site.records(kind="seal")[-1]["run"]
    return {(record["kind"], record["subject"]): record for record in site.records(run=run, host="guest")}


def test_the_guest_has_a_kernel_of_its_own(guest: Guest) -> None:
    assert guest.shell("uname -r").strip() != os.uname().release
    assert guest.shell("systemd-detect-virt").strip() == "qemu"


def test_a_setting_of_the_kernel_is_found_wanting_until_it_is_set(guest: Guest, one: Site) -> None:
    statuses, file = [], "/etc/sysctl.d/90-lab.conf"
    for value in (0, 2):
        guest.shell(f"echo kernel.kptr_restrict = {value} >{file}; sysctl -p {file}")
        statuses.append(found(one, "harden_audit")["control", "KN-003"]["status"])
    assert statuses == ["warning", "ok"]


def test_a_disk_on_which_the_kernel_gives_up_is_found_with_what_the_kernel_says(guest: Guest, one: Site) -> None:
    mount = "truncate -s 64M /root/disk; mkfs.ext4 -q /root/disk; mkdir -p /srv/disk; mount -o errors=remount-ro,loop"
    guest.shell(f"{mount} /root/disk /srv/disk")
    try:
        before = found(one, "health_check")
        device = guest.shell("basename $(findmnt -n -o SOURCE /srv/disk)").strip()
        guest.shell(f"echo planted >/sys/fs/ext4/{device}/trigger_fs_error")
        after = found(one, "health_check")
    finally:
        guest.shell("umount /srv/disk; rm /root/disk")
    kernel = ("kernel_errors", "kernel_errors")
    for key in (("filesystem_errors", device), kernel):  # that it is read-only now, this kernel shows to writers alone
        assert (before[key]["status"], after[key]["status"] in ("warning", "critical")) == ("ok", True), key
    assert any("planted" in line for line in after[kernel]["detail"]["last"])


def test_the_audit_system_writes_down_who_touches_a_file(guest: Guest) -> None:
    guest.shell("systemctl is-active auditd; auditctl -w /etc/lab.conf -p wa -k lab; echo changed >/etc/lab.conf")
    assert "/etc/lab.conf" in guest.shell("ausearch --input-logs --interpret -k lab")


def test_a_reboot_is_a_start_of_the_kernel(guest: Guest, one: Site) -> None:
    guest.shell("echo 'kernel.dmesg_restrict = 1' >/etc/sysctl.d/90-lab.conf; sysctl -w kernel.dmesg_restrict=0")
    before = guest.shell("cat /proc/sys/kernel/random/boot_id")
    done = one.run("ansible", "all", "-m", "ansible.builtin.reboot", "-a", "reboot_timeout=500", timeout=600)
    assert done.rc == 0, done.output
    assert guest.shell("cat /proc/sys/kernel/random/boot_id") != before
    assert float(guest.shell("cut -d' ' -f1 /proc/uptime")) < 300
    assert guest.shell("sysctl -n kernel.dmesg_restrict").strip() == "1"
    assert "Linux version" in guest.shell("journalctl -k -b 0 --no-pager -q -n 5000 | head -5")


#: Two logical volumes below /srv: one thick with ext4, one thin with xfs, each with a file that a hook has written.
VOLUMES = """
truncate -s 800M /root/volumes
vgcreate -q -y lab $(losetup --find --show /root/volumes)
lvcreate -q -y -L 100M -n thick lab
lvcreate -q -y -L 360M -T lab/pool -V 320M -n thin
mkfs.ext4 -q /dev/lab/thick
mkfs.xfs -q /dev/lab/thin
for name in thick thin; do mkdir -p /srv/$name; mount /dev/lab/$name /srv/$name; done
"""


@pytest.fixture
def volumes(guest: Guest, one: Site) -> Iterator[Site]:
    """A site whose two sets lie on logical volumes, are written by the first hook and written anew by the second."""
    guest.shell(VOLUMES)
    hooks = {when: ["sh", "-c", f"echo {when} >/srv/$0/file"] for when in ("pre", "post")}
    one.variables["egov_ops_backup_repositories"] = {"own": {"location": "/srv/repository", "create": True}}
    one.variables["egov_ops_backup_sets"] = {
        name: {
            "class": "other",
            "paths": [f"/srv/{name}"],
            "full": "daily",
            "repository": "own",
            "snapshot": True,
            **{when: [*words, name] for when, words in hooks.items()},
        }
        for name in ("thick", "thin")
    } | {"config": {"state": "absent"}}
    yield one
    guest.shell(
        "umount /srv/thick /srv/thin; vgremove -q -y -f lab; losetup --detach-all;"
        "rm -rf /root/volumes /srv/repository /var/lib/egov-ops"
    )


def held(guest: Guest, name: str, site: Site) -> str:
    """Return what the newest backup of a set holds of its file."""
    password = (site.state / "passwords" / "own").read_text().strip()
    words = f"restic -q --no-cache -r /srv/repository dump --tag set={name} latest /srv/{name}/file"
    return guest.shell(f"RESTIC_PASSWORD={password} {words}").strip()


def names(guest: Guest) -> list[str]:
    """Return the logical volumes of the guest."""
    return guest.shell("lvs --noheadings -o lv_name lab").split()


def test_sets_on_logical_volumes_are_read_from_their_snapshots(guest: Guest, volumes: Site) -> None:
    records = found(volumes, "backup")
    for name, kind in (("thick", "ext4"), ("thin", "xfs")):
        record = records["backup", name]
        assert record["status"] == "ok", record
        assert record["detail"]["file_system_snapshot"]["of"] == [f"lab/{name}"], kind
        assert guest.shell(f"cat /srv/{name}/file").strip() == "post"
        assert held(guest, name, volumes) == "pre"
        assert records["proof", name]["status"] == "ok", records["proof", name]
    assert records["backup", "thick"]["detail"]["file_system_snapshot"]["size_percent"] == 10
    assert sorted(names(guest)) == ["pool", "thick", "thin"]


def test_a_snapshot_that_overflows_fails_its_set_and_its_backup_does_not_count(guest: Guest, volumes: Site) -> None:
    sets = volumes.variables["egov_ops_backup_sets"]
    del sets["thin"]
    fill = "head -c 30M /dev/urandom >/srv/thick/more; sync"
    sets["thick"].update(post=["sh", "-c", fill], snapshot_size=5)
    assert volumes.play("egov.ops.backup", timeout=600).rc != 0
    record = volumes.records(kind="backup", host="guest")[-1]
    assert record["status"] == "failed"
    assert "The snapshot of lab/thick overflowed while it was read" in record["detail"]["message"]
    assert sorted(names(guest)) == ["pool", "thick", "thin"]


def test_what_a_killed_run_leaves_of_a_volume_the_next_removes(guest: Guest, volumes: Site) -> None:
    sets = volumes.variables["egov_ops_backup_sets"]
    post = sets["thick"]["post"]
    sets["thick"]["post"] = ["sh", "-c", "kill -9 $PPID"]
    assert volumes.play("egov.ops.backup", timeout=600).rc != 0
    assert len(names(guest)) == 4
    sets["thick"]["post"] = post
    assert found(volumes, "backup")["backup", "thick"]["status"] == "ok"
    assert sorted(names(guest)) == ["pool", "thick", "thin"]
