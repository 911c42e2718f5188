# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault does what it says, and is as if it had never been once it is undone."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from . import faults, system
from .conftest import ssh
from .faults import fault
from .lab import Lab
from .system import LabError

#: A way to look from outside: what it prints, or the end of waiting.
HUNG = "hung"


def look(lab: Lab, command: str, host: str = "n1", seconds: float = 4) -> str:
    """Return what a command prints in a host, past ssh; HUNG if it takes too long, its last word if it fails."""
    try:
        return lab.shell(host, f"timeout -k1 {seconds} sh -c {command!r} 2>&1 || echo exit $?", timeout=seconds + 5)
    except LabError:
        return HUNG


def greets(lab: Lab, host: str) -> bool:
    """Say whether a host answers by ssh."""
    try:
        lab.wait(host, 1.5)
    except LabError:
        return False
    return True


SEEN: dict[str, tuple[tuple[str, ...], Callable[[Lab], bool]]] = {
    "kill": ((), lambda lab: not greets(lab, "n1")),
    "power_off": ((), lambda lab: not greets(lab, "n1")),
    "partition": ((), lambda lab: not greets(lab, "n1")),
    "refuse_port": (("22",), lambda lab: not greets(lab, "n1")),
    "lose_packets": (("50",), lambda lab: 5 <= answered(lab) <= 35),
    "kill_dns": ((), lambda lab: "exit" in look(lab, "getent hosts n2")),
    "fill_disk": ((), lambda lab: "No space left" in look(lab, "dd if=/dev/zero of=/srv/data/file bs=1k count=1")),
    "skew_time": (("+2h",), lambda lab: abs(clock(lab) - time.time() - 7200) < 60),
    "hide_python": ((), lambda lab: "exit 127" in look(lab, "/usr/bin/python3 -c pass")),
    "stop_service": (("cron.service",), lambda lab: "inactive" in look(lab, "systemctl is-active cron")),
    "freeze_service": (("cron.service",), lambda lab: "T" in look(lab, "ps -o stat= -C cron")),
    "corrupt_file": (("/usr/bin/curl",), lambda lab: "FAILED" in look(lab, CHECK)),
}

CHECK = "cd / && grep bin/curl$ /var/lib/dpkg/info/curl.md5sums | md5sum --check"


def answered(lab: Lab) -> int:
    """Return how many of forty packets from n1 to n2 were answered."""
    return int(look(lab, f"ping -n -c40 -i0.02 -W1 {lab.address('n2')} | grep -c ttl= || true"))


def clock(lab: Lab) -> float:
    """Return the time that Python has in n1."""
    return float(lab.shell("n1", "/usr/bin/python3 -c 'import time; print(time.time())'"))


@pytest.mark.parametrize("verb", SEEN)
def test_a_fault_is_there_and_then_is_not(lab: Lab, verb: str) -> None:
    words, seen = SEEN[verb]
    assert not seen(lab)
    with fault(lab, verb, "n1", *words):
        assert seen(lab)
    assert not seen(lab)
    assert greets(lab, "n1")


def test_who_touches_a_hung_mount_waits_even_when_it_is_killed(lab: Lab) -> None:
    with fault(lab, "hang_mount", "n1"):
        pid = lab.shell("n1", "ls /mnt/share >/dev/null 2>&1 & echo $!").strip()
        time.sleep(0.3)
        lab.shell("n1", f"kill -KILL {pid}")
        assert "D" in look(lab, f"ps -o stat= -p {pid}")
    assert "exit" in look(lab, f"ps -o stat= -p {pid}")
    assert "share" not in look(lab, "mount")


def test_a_slow_link_delays_what_is_sent_to_the_host(lab: Lab) -> None:
    def seconds() -> float:
        start = time.monotonic()
        subprocess.run(lab.ssh("n1", "cat >/dev/null"), input=bytes(300_000), check=True, timeout=60)
        return time.monotonic() - start

    quick = seconds()
    with fault(lab, "slow_link", "n1", "1mbit"):
        assert seconds() > quick + 1
    assert seconds() < quick + 1


def test_a_flapping_service_has_failed_in_the_end(lab: Lab) -> None:
    with fault(lab, "flap_service", "n1", "cron.service"):
        deadline = time.monotonic() + 20
        while "failed" not in look(lab, "systemctl is-active cron") and time.monotonic() < deadline:
            time.sleep(0.2)
        assert "failed" in look(lab, "systemctl is-active cron")
    assert look(lab, "systemctl is-active cron").strip() == "active"


def test_a_cut_connection_takes_the_command_with_it(lab: Lab) -> None:
    victim = subprocess.Popen(lab.ssh("n1", "exec sleep 98"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while "sleep" not in look(lab, "pgrep -a sleep") and time.monotonic() < deadline:
        time.sleep(0.1)
    faults.make(lab, "cut_ssh", "n1")
    assert victim.wait(10) == 255
    assert ssh(lab, "n1", "true").returncode == 0


def test_every_fault_is_tried_here() -> None:
    tried = {*SEEN, "hang_mount", "slow_link", "flap_service", "cut_ssh"}
    assert tried == set(faults.VERBS)


def test_a_fault_whose_maker_was_killed_is_undone_by_whoever_comes_next(lab: Lab) -> None:
    script = (
        "import sys, os; sys.path[:0] = sys.argv[1:3]\n"
        "from lab import faults; from lab.lab import Lab; l = Lab('test')\n"
        "faults.make(l, 'partition', 'n1'); faults.make(l, 'fill_disk', 'n1'); os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).resolve().parents[2]
    argv = [sys.executable, "-c", script, str(root / "tests"), str(root / "tools")]
    assert subprocess.run(argv, check=False).returncode == -signal.SIGKILL
    assert not greets(lab, "n1")
    faults.undo(lab)
    faults.undo(lab)
    assert greets(lab, "n1")
    assert "data" not in look(lab, "mount")
    loops = subprocess.run(["losetup", "--all"], capture_output=True, text=True, check=True).stdout
    assert str(lab.folder) not in loops


def test_an_undo_is_harmless_twice(lab: Lab) -> None:
    try:
        for verb, words in {"stop_service": ("cron.service",), "skew_time": ("-1d",), "hide_python": ()}.items():
            faults.make(lab, verb, "n1", *words)
    finally:
        kept = (lab.folder / "undo.jsonl").read_text()
        faults.undo(lab)
    (lab.folder / "undo.jsonl").write_text(kept)
    faults.undo(lab)
    assert abs(clock(lab) - time.time()) < 60
    assert look(lab, "systemctl is-active cron").strip() == "active"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("partition", "n9"), "The lab has no host 'n9'"),
        (("stop_service", "n1"), "The fault stop_service takes other words: stop_service HOST UNIT: A unit"),
        (("skew_time", "n1", "soon"), "The offset 'soon' is none"),
        (("refuse_port", "n1", "ssh"), "'ssh' is no number"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(lab: Lab, words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(LabError, match=sentence.replace("(", r"\(")):
        faults.make(lab, *words)
    assert (lab.folder / "undo.jsonl").stat().st_size == 0
    assert system.mounted(lab.folder / "namespace/mount")
