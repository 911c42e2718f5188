# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine on which the lab runs: what it has and what it allows."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

PROGRAMS = ("podman", "crun", "mmdebstrap", "nft", "ip", "nsenter", "unshare", "ssh", "ssh-keygen", "ssh-keyscan")

#: The lab's hosts have users from here on, 65536 each: their root is nobody on the machine.
FIRST_UID = 1 << 20

#: Instances of inotify that a host takes once somebody has logged in, counted: a light one has systemd's own alone.
INOTIFY = {"standard": 8, "light": 3}

_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")


class LabError(Exception):
    """What the lab could not do, as one sentence that says what to do next."""


def run(argv: Sequence[str], failure: str, **options: object) -> str:
    """Run a program and return what it prints; raise LabError with the sentence and the program's last words."""
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise LabError(f"{failure} ({' '.join(words) or f'exit code {done.returncode}'})")
    return str(done.stdout)


def check_root() -> None:
    """Raise LabError for a user who may not start containers with systemd."""
    if os.geteuid() != 0:
        raise LabError("The lab starts containers with systemd, which needs root: run the same command with sudo.")


def check() -> None:
    """Raise LabError where this machine cannot run a lab at all."""
    check_root()
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        raise LabError(f"The lab needs {', '.join(missing)}: install what bindep.txt names for the lab.")


def inotify_instances() -> tuple[int, int]:
    """Return how many inotify instances root has in use, those of all labs' hosts among them, and how many it may."""
    used = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if 0 < process.stat().st_uid < FIRST_UID:
                continue
            used += sum(str(fd.readlink()) == "anon_inode:inotify" for fd in (process / "fd").iterdir())
        except OSError:  # it has just ended
            continue
    return used, int(_LIMIT.read_text())


def check_inotify(hosts: int, kind: str) -> None:
    """Raise LabError where so many more hosts of a kind would not find the inotify instances that they need."""
    used, limit = inotify_instances()
    fit = max(0, limit - used - 4) // INOTIFY[kind]
    if hosts > fit:
        raise LabError(
            f"{hosts} {kind} hosts need {hosts * INOTIFY[kind]} inotify instances and {limit - used} of {limit} are "
            f"free: start at most {fit}, or raise fs.inotify.max_user_instances."
        )


def free_slots() -> list[int]:
    """Return which of the lab's networks, 10.77.SLOT.0/24, meet no route of this machine."""
    routes = json.loads(run(["ip", "-json", "-4", "route"], "The machine's routes could not be read."))
    taken = [ipaddress.ip_network(route["dst"], strict=False) for route in routes if route["dst"] != "default"]
    return [slot for slot in range(48) if not any(subnet(slot).overlaps(network) for network in taken)]


def subnet(slot: int) -> ipaddress.IPv4Network:
    """Return the network of a slot."""
    return ipaddress.IPv4Network(f"10.77.{slot}.0/24")


def users(slot: int, number: int | None = None) -> range:
    """Return the machine's ids of the users of a host, or of all hosts of a slot."""
    first = FIRST_UID + (slot * 256 + (number or 0)) * 65536
    return range(first, first + (256 if number is None else 1) * 65536)


def links() -> set[str]:
    """Return the names of this machine's network interfaces."""
    return {entry["ifname"] for entry in json.loads(run(["ip", "-json", "link"], "The links could not be read."))}


def processes(text: str) -> dict[int, str]:
    """Return the command lines that contain a text, by process id; this process and its parents are left out."""
    own, found = set(), {}
    pid = os.getpid()
    while pid > 1:
        own.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in words and int(process.name) not in own:
            found[int(process.name)] = words.strip()
    return found


def inhabitants(namespace: int) -> list[int]:
    """Return the processes in the mount namespace of a number."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "ns/mnt").stat().st_ino == namespace:
                found.append(int(process.name))
    return found


def owned(users: range) -> list[int]:
    """Return the processes of a range of users."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid in users:
                found.append(int(process.name))
    return found


def started(pid: int) -> str:
    """Return when a process began, in ticks of the machine; empty for one that has ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if words[0] == "Z" else words[19]


def end(pid: int, group: bool = False, seconds: float = 3) -> None:
    """End a process, or the group that it leads: by request, then by force."""
    ticks = started(pid)
    kill = os.killpg if group else os.kill
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # its own child stays as a zombie otherwise
            if started(pid) != ticks or not ticks:
                return
            time.sleep(0.02)


def mounts() -> list[str]:
    """Return where something is mounted, as this process sees it."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), line.split()[4]) for line in lines]


def mounted(path: Path) -> bool:
    """Say whether something is mounted on a path, even from the same file system."""
    return str(path) in mounts()
