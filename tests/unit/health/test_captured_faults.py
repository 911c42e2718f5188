# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel counters: each kind on a captured tree with the fault in it, then on the tree of a healthy host."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.planted import FIXTURES, captured, fault, look, one

#: The settings of each probe, beside its kind, and the sentence that names the fault.
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "conntrack": ({"warning": "80"}, "259876 of 262144 tracked connections are in use, 99.1% (limit 80%)."),
    "default_route": ({}, "The host has no default route."),
    "ecc_errors": (
        {"warning": "0"},
        "Memory controller mc0 counted 17 corrected and 0 uncorrected errors (limit 0 errors).",
    ),
    "file_descriptors": ({"critical": "95"}, "2406174 of 2466174 open files are in use, 97.6% (limit 95%)."),
    "filesystem_errors": ({"critical": "0"}, "The file system on sda1 has recorded 3 errors (limit 0 errors)."),
    "kernel_errors": (
        {"warning": "1"},
        "The kernel logged 2 errors in the last 24 hours, the last: EXT4-fs error (device sda1): "
        "ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0 (limit 1 errors).",
    ),
    "kernel_taint": ({}, "The running kernel has met: kernel warning, soft lockup (taint mask 16896)."),
    "load": ({"warning": "2"}, "The load of five minutes is 8.8 on 2 processors (limit 2 per processor)."),
    "memory": ({"warning": "90"}, "Memory is 96.7% in use (limit 90%)."),
    "network_errors": ({"warning": "0.1"}, "Interface eth0 had errors in 38.7% of its packets (20482) (limit 0.1%)."),
    "network_link": ({}, "Interface eth0 has no link (down)."),
    "oom_kills": (
        {"warning": "0"},
        "The kernel killed 1 processes for want of memory in the last 24 hours (limit 0 processes).",
    ),
    "pressure": (
        {"resource": "io", "warning": "40"},
        "Processes waited for io in 41.8% of the last minute (limit 40%).",
    ),
    "processes": ({"warning": "80"}, "31950 of 32768 processes and threads are in use, 97.5% (limit 80%)."),
    "raid": ({}, "Array md1 misses 1 members: active raid5 sde1[3] sdd1[1](F) sdc1[0]."),
    "swap": ({"warning": "50"}, "Swap space is 91.3% in use (limit 50%)."),
    "temperature": ({"critical": "95"}, "Sensor coretemp/device/temp1 reads 97 degrees (limit 95 degrees)."),
    "uptime": ({"warning": "400"}, "The host has been up for 420 days (limit 400 days)."),
}


@pytest.mark.parametrize("kind", sorted(CASES))
def test_a_counter_fails_on_the_captured_fault_and_passes_without_it(kind: str, tmp_path: Path) -> None:
    settings, sentence = CASES[kind]

    @fault(kind)
    def prove() -> None:
        found = look(kind, root=captured(tmp_path, kind), **settings)
        assert sentence in [item["detail"]["message"] for item in found]
        look(kind, root=captured(tmp_path), **settings)

    prove()


def test_each_captured_fault_is_looked_at() -> None:
    assert sorted(CASES) == sorted(folder.name for folder in (FIXTURES / "faulty").iterdir())


def test_errors_from_before_the_period_do_not_count(tmp_path: Path) -> None:
    tree = captured(tmp_path, "kernel_errors")
    (tree / "proc/uptime").write_text("2000000.00 1000.00\n")
    assert one("kernel_errors", root=tree, warning="0")["detail"]["value"] == 0


def test_oom_kills_count_since_boot_where_the_log_is_closed(tmp_path: Path) -> None:
    tree = captured(tmp_path, "oom_kills")
    (tree / "dev/kmsg").unlink()
    detail = one("oom_kills", root=tree, warning="0")["detail"]
    assert detail["message"].startswith("The kernel killed 1 processes for want of memory since boot")
    assert (detail["members"], detail["more_members"]) == ([], 1)


@pytest.mark.parametrize("kind", ["kernel_errors", "oom_kills"])
def test_what_the_log_names_is_a_member_of_the_finding(kind: str, tmp_path: Path) -> None:
    detail = one(kind, root=captured(tmp_path, kind), warning="0")["detail"]
    assert 0 < len(detail["members"]) <= detail["value"]
    assert detail["more_members"] == 0


def test_an_array_without_a_member_does_not_hide_the_others(tmp_path: Path) -> None:
    found = look("raid", root=captured(tmp_path, "raid"))
    assert [(item["subject"], item["status"]) for item in found] == [("md0", "ok"), ("md1", "critical")]


def test_an_interface_that_is_switched_off_is_no_finding(tmp_path: Path) -> None:
    tree = captured(tmp_path, "network_link")
    (tree / "sys/class/net/eth0/flags").write_text("0x1002\n")
    assert [item["status"] for item in look("network_link", root=tree)] == ["skipped"]


def test_a_missing_kernel_interface_is_skipped_with_the_reason(tmp_path: Path) -> None:
    found = one("pressure", root=tmp_path, resource="cpu", warning="10")
    assert (found["status"], found["reason"]) == ("skipped", "not_applicable")
    assert found["detail"]["message"] == "/proc/pressure/cpu is not there."


@fault("cpu_usage")
def test_cpu_usage_is_that_of_the_sample_not_of_all_the_time_since_boot(tmp_path: Path) -> None:
    tree = captured(tmp_path)
    assert _usage_while(tree, user=90, idle=10) == 90
    assert _usage_while(tree, user=10, idle=90) == 10


def _usage_while(tree: Path, user: int, idle: int) -> float:
    """Return the use of the processors measured while the counters of a tree advance by some ticks."""
    stat = tree / "proc/stat"
    stat.write_text("cpu  1000 0 0 5000 0 0 0 0 0 0\n")
    advanced = tree / "advanced"
    advanced.write_text(f"cpu  {1000 + user} 0 0 {5000 + idle} 0 0 0 0 0 0\n")
    tick = threading.Timer(0.4, advanced.rename, [stat])
    tick.start()
    found = one("cpu_usage", root=tree, warning="85", seconds=0.8)
    tick.join()
    return float(found["detail"]["value"])
