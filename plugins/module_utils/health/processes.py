# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes: zombies, stuck ones, outdated ones, expected ones."""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.host.members import members_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Fact, Observation


def _processes(probe, states=""):
    # type: (Probe, str) -> dict[str, str]
    """Return pid and name of the processes in the given states, all for none; our own do not count."""
    ours = str(os.getppid())
    found = {}
    for pid in probe.entries("/proc"):
        if not pid.isdigit():
            continue
        try:
            with open(probe.path("/proc/%s/stat" % pid), "rb") as stream:
                text = stream.read().decode("utf-8", "replace")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # ended since, or hidden from us by hidepid
        start, end = text.index("("), text.rindex(")")
        state, parent = text[end + 2 :].split(None, 2)[:2]
        if parent != ours and (not states or state in states):
            found[pid] = text[start + 1 : end]
    return found


def _named(found):
    # type: (dict[str, str]) -> dict[str, Fact]
    """Return as details the first processes by name and pid, and all of them as members of the finding."""
    named = ["%s (%s)" % (name, pid) for pid, name in sorted(found.items(), key=lambda item: int(item[0]))]
    return dict(members_of(named), processes=named[:20])


def zombies(probe):
    # type: (Probe) -> list[Observation]
    """Processes that have ended and that their parent does not collect."""
    found = _processes(probe, "Z")
    message = "%d processes have ended and are not collected by their parents" % len(found)
    act = "Restart the parents: ps -o ppid= -p PID names them."
    return [probe.measured(len(found), "processes", message, act, **_named(found))]


def uninterruptible(probe, seconds=0.2):
    # type: (Probe, float) -> list[Observation]
    """Processes that wait in the kernel and cannot be killed, seen twice some seconds apart."""
    found = _processes(probe, "D")
    if found:
        time.sleep(float(seconds))
        still = _processes(probe, "D")
        found = {pid: name for pid, name in found.items() if pid in still}
    message = "%d processes wait in the kernel and cannot be killed" % len(found)
    act = "See what they wait for: cat /proc/PID/stack; it is often a hung mount or disk."
    return [probe.measured(len(found), "processes", message, act, **_named(found))]


def process_count(probe, name):
    # type: (Probe, str) -> list[Observation]
    """Processes of a given name; the kernel keeps 15 characters of it."""
    found = {pid: comm for pid, comm in _processes(probe).items() if comm == name[:15]}
    message = "%d processes named %s run" % (len(found), name)
    return [probe.measured(len(found), "processes", message, "Start or stop %s until the number is right." % name)]


def outdated_processes(probe):
    # type: (Probe) -> list[Observation]
    """Processes whose program file was replaced or removed since they were started."""
    outdated, denied = {}, 0
    for pid, name in _processes(probe).items():
        try:
            program = os.readlink(probe.path("/proc/%s/exe" % pid))
        except PermissionError:
            denied += 1
            continue
        except OSError:
            continue  # ended since, or a thread of the kernel
        if program.endswith(" (deleted)") and not program.startswith("/memfd:"):
            outdated[pid] = name
    if denied and not outdated and os.geteuid() != 0:
        raise PermissionError("the programs of %d processes of other users" % denied)
    message = "%d processes run a program file that was replaced or removed" % len(outdated)
    act = "Restart their services, so that installed updates take effect."
    return [probe.measured(len(outdated), "processes", message, act, **_named(outdated))]
