# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab itself: what its hosts are, what they share with the machine, and that nothing of them is left."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sites import Site, wait_for

from . import system
from .conftest import ssh
from .lab import Lab, leaks

COMMAND = [sys.executable, str(Path(__file__).parent)]
ROUTES = ["ip", "route"]


def output(argv: list[str]) -> str:
    """Return what a command prints."""
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def verb(*words: str, name: str = "other") -> subprocess.CompletedProcess[str]:
    """Run a verb of the lab as a person does."""
    return subprocess.run(
        [*COMMAND, "--name", name, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


@pytest.fixture
def other() -> Iterator[Lab]:
    """A second lab that is down, and is down again afterwards."""
    lab = Lab("other")
    yield lab
    lab.down()


# What a host is


def test_a_host_runs_systemd_and_all_its_units(lab: Lab) -> None:
    wait_for(lambda: set(lab.status().values()) == {"running"})
    assert ssh(lab, "n1", "ps -o comm= -p 1").stdout.strip() == "systemd"


def test_ops_becomes_root_and_root_is_nobody_on_the_machine(lab: Lab) -> None:
    assert ssh(lab, "n1", "id -un; sudo id -un").stdout.split() == ["ops", "root"]
    assert Path(f"/proc/{lab.pid('n1')}").stat().st_uid == lab.first_user("n1") > 0
    assert lab.first_user("n1") != lab.first_user("n2")


def test_hosts_know_each_other_by_name(lab: Lab) -> None:
    assert ssh(lab, "n1", "getent hosts n2").stdout.split()[0] == lab.address("n2")
    assert ssh(lab, "n1", "ping -c1 -W2 n2").returncode == 0


def test_no_name_and_no_packet_leaves_the_lab(lab: Lab) -> None:
    assert ssh(lab, "n1", "getent hosts mirror.example.org").returncode == 2
    assert "default" not in ssh(lab, "n1", "ip route").stdout


def test_each_host_has_a_machine_id_and_a_host_key_of_its_own(lab: Lab) -> None:
    ask = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub /proc/sys/kernel/random/boot_id"
    ours, theirs = (ssh(lab, host, ask).stdout.split() for host in ("n1", "n2"))
    assert ours[0] != theirs[0] and len(ours[0]) == 32
    assert ours[2] != theirs[2]
    assert ours[4] != theirs[4]


def test_roles_can_replace_the_files_that_podman_manages(lab: Lab) -> None:
    script = "for f in hosts hostname resolv.conf; do cp /etc/$f /etc/$f.new && mv /etc/$f.new /etc/$f; done"
    assert ssh(lab, "n1", f"sudo sh -euc '{script}'").returncode == 0


def test_a_reboot_is_one(lab: Lab, site: Site) -> None:
    site.hosts.pop("n2")
    before = ssh(lab, "n1", "cat /proc/sys/kernel/random/boot_id").stdout
    done = site.run("ansible", "all", "-m", "ansible.builtin.reboot", "-a", "reboot_timeout=90")
    assert done.rc == 0, done.output
    assert ssh(lab, "n1", "cat /proc/sys/kernel/random/boot_id").stdout != before
    boots = ssh(lab, "n1", "sudo journalctl --list-boots --no-pager -q").stdout
    assert len(boots.splitlines()) >= 2
    assert "Reached target" in ssh(lab, "n1", "sudo journalctl -b -1 --no-pager -q").stdout


# What the machine has of it


def test_the_packet_filter_and_the_routes_of_the_machine_are_as_they_were(lab: Lab) -> None:
    assert "10.77" not in output(["nft", "list", "ruleset"])
    routes = [line for line in output(ROUTES).splitlines() if lab.bridge in line]
    assert len(routes) == 1
    assert routes[0].startswith("10.77.")


def test_two_labs_stand_side_by_side(lab: Lab, other: Lab) -> None:
    done = verb("--light", "up", "4")
    assert done.returncode == 0, done.stderr
    assert set(other.status()) == {"n1", "n2", "n3", "n4"}
    assert other.bridge != lab.bridge
    assert ssh(other, "n4", "getent hosts n1").stdout.split()[0] == other.address("n1") != lab.address("n1")
    state = other.state
    assert verb("down").returncode == 0
    assert leaks(other, state) == []
    assert set(lab.status()) == {"n1", "n2"}
    assert ssh(lab, "n1", "getent hosts n2").returncode == 0


PLAIN = """
umount -R /sys/fs/cgroup
mount -t cgroup2 plain /sys/fs/cgroup
trap '"$1" "$2" --name other down' EXIT
"$1" "$2" --name other --light up 1
"$1" "$2" --name other status
nsenter --mount="$3" grep ' /sys/fs/cgroup ' /proc/self/mountinfo
"""


def test_where_the_machine_has_cgroup2_alone_it_is_taken_as_it_is(other: Lab) -> None:
    place = str(other.folder / "namespace/mount")
    argv = ["unshare", "--mount", "--propagation=private", "sh", "-euc", PLAIN, "sh", *COMMAND, place]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^n1 .* running$", done.stdout, re.MULTILINE)
    assert " - cgroup2 plain " in done.stdout
    assert list(other.folder.iterdir()) == [other.folder / "lock"]


# What is refused


def test_more_hosts_than_the_machine_can_watch_are_refused_with_the_number_that_fits(other: Lab) -> None:
    done = verb("up", "200")
    assert done.returncode == 1
    assert "200 light hosts need 600 inotify instances" in done.stderr
    assert "start at most " in done.stderr
    assert not other.state
    used, limit = system.inotify_instances()
    fits = int(done.stderr.split("start at most ")[1].split(",")[0])
    assert abs(fits - (limit - used - 4) // system.INOTIFY["light"]) <= 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["up", "web9"], "There is no host 'web9'"),
        (["ssh", "web1"], "The lab has no host 'web1' (none is up): start it with `make lab-up HOSTS=web1`."),
        (["ssh"], "Say which host"),
        (["fault", "explode", "web1"], "There is no fault 'explode': take one of kill, "),
    ],
)
def test_what_there_is_not_is_said_in_one_sentence(words: list[str], sentence: str) -> None:
    done = verb(*words)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_who_is_not_root_is_told_to_be() -> None:
    check = "import sys; sys.path[:0] = sys.argv[1:]; from lab import system; system.check_root()"
    paths = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "tools")]
    argv = ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-c", check, *paths]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "run the same command with sudo" in done.stderr


# What is left


def begin(other: Lab) -> subprocess.Popen[bytes]:
    """Begin to start six hosts and return the process once the first of them lives."""
    process = subprocess.Popen(
        [*COMMAND, "--name", other.name, "--light", "up", "6"], stdout=subprocess.DEVNULL, start_new_session=True
    )
    wait_for(lambda: other.state.get("hosts") and system.owned(system.users(other.state["slot"])))
    assert process.poll() is None, "it was too fast to be interrupted"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_start_leaves_nothing(other: Lab, number: signal.Signals) -> None:
    process = begin(other)
    state = other.state
    os.killpg(process.pid, number)
    assert process.wait(60) == 130
    assert leaks(other, state) == []


def test_a_killed_start_is_taken_back_by_the_next(other: Lab) -> None:
    process = begin(other)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    state = other.state
    done = verb("--light", "up", "2")
    assert done.returncode == 0, done.stderr
    assert set(other.status()) == {"n1", "n2"}
    os.kill(wait_for(lambda: [pid for pid in system.processes(f"{other.folder}/") if _is_conmon(pid)])[0], 9)
    assert verb("down").returncode == 0
    assert leaks(other, state) == []


def _is_conmon(pid: int) -> bool:
    return b"conmon" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]


def test_a_start_that_fails_leaves_nothing(other: Lab, tmp_path: Path) -> None:
    broken = tmp_path / "podman"
    unlucky = '#!/bin/sh\ncase "$*" in *" run "*n2*) sleep 0.5; echo no luck >&2; exit 1 ;; esac\n'
    broken.write_text(f'{unlucky}exec {shutil.which("podman")} "$@"\n')
    broken.chmod(0o755)
    state: dict[str, object] = {}
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        [*COMMAND, "--name", "other", "up", "2"], env=environment, stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None:
        state = other.state or state
        time.sleep(0.02)
    assert process.returncode == 1
    assert "The host n2 could not be started. (no luck)" in (process.stderr.read() if process.stderr else "")
    assert state
    assert leaks(other, state) == []
