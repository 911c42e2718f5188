# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who the controller process of a run is, told apart from all others that ever had its number."""

from __future__ import annotations

import multiprocessing
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError

#: The pid namespace in which a kernel starts its first process; other namespaces' names are used again.
INITIAL_NAMESPACE = "pid:[4026531836]"

_MACHINE_ID = Path("/etc/machine-id")
#: The identity of the ansible process that forks the workers, where it could be read.
_remembered: list[Identity] = []


@dataclass(frozen=True)
class Identity:
    """A process: boot and pid namespace in which it lives, number, start in ticks since that boot, machine."""

    boot: str
    namespace: str
    pid: int
    started: int
    machine: str = ""

    @property
    def hash(self) -> str:
        """Return twelve hexadecimal digits that stand for this process alone."""
        return digest(canonical(vars(self)).encode())[:12]

    def same_space(self, other: Identity) -> bool:
        """Tell whether both live in one boot and pid namespace, where each can see if the other is alive."""
        return (self.boot, self.namespace) == (other.boot, other.namespace)

    def ended_with_an_earlier_boot(self, other: Identity) -> bool:
        """Tell whether another process shows that this one's machine has been started again since."""
        same_machine = bool(self.machine) and self.machine == other.machine
        return same_machine and self.namespace == other.namespace == INITIAL_NAMESPACE and self.boot != other.boot


def identity(pid: int) -> Identity:
    """Return the identity of a living process of this boot and pid namespace.

    Raises LedgerError if there is none with this number or it cannot be seen.
    """
    started = _start_ticks(pid)
    if started is None:
        raise LedgerError(
            f"The controller process {pid} cannot be seen in /proc; run on Linux, with /proc mounted for this user."
        )
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    machine = _MACHINE_ID.read_text(encoding="ascii").strip() if _MACHINE_ID.is_file() else ""
    return Identity(boot, str(Path("/proc/self/ns/pid").readlink()), pid, started, machine)


def controller() -> Identity:
    """Return the identity of the ansible process whose worker calls this: one and the same for all tasks of a run.

    Raises LedgerError in a worker whose ansible process was killed: its kernel parent is another process by then.
    """
    forked_from = multiprocessing.parent_process()
    pid, parent = forked_from.pid if forked_from else None, os.getppid()
    if _remembered and pid in (None, parent) and _remembered[0].pid == parent:
        return _remembered[0]
    return identity(pid or parent)


def remember_controller() -> None:
    """Read the identity of this ansible process for the workers that it will fork."""
    with suppress(LedgerError, OSError):  # a worker that needs it says so
        _remembered[:] = [identity(os.getpid())]


def alive(process: Identity) -> bool:
    """Tell whether a process of our own boot and pid namespace still runs; a zombie does not."""
    return _start_ticks(process.pid) == process.started


def lives(process_hash: str) -> bool:
    """Tell whether a process of our own boot and pid namespace has this hash of its identity; all of them are asked."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(LedgerError, OSError):  # gone in between
                process = identity(int(entry.name))
                if process_hash in (process.hash, replace(process, machine="").hash):
                    return True
    return False


def _start_ticks(pid: int) -> int | None:
    """Return field 22 of /proc/PID/stat, None for a process that is gone or dead."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name in field 2 may itself hold spaces and parentheses.
    fields = text.rpartition(b")")[2].split()
    return None if fields[0] in (b"Z", b"X", b"x") else int(fields[19])


def run_id(process: Identity, now: datetime) -> str:
    """Return the name of a run that this process began at a time in UTC: `20260102T030405Z-0123456789ab`."""
    return f"{now:%Y%m%dT%H%M%SZ}-{process.hash}"
