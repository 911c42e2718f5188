# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which processes still run files that an update has replaced, and the units that they belong to."""

import os

from ansible_collections.egov.ops.plugins.module_utils.host.files import read_text

_DELETED = " (deleted)"
#: Files below these are removed while in use as a matter of course, and belong to no package.
_PASSING = (
    "/memfd:",
    "/dev/",
    "/run/",
    "/tmp/",
    "/var/tmp/",
    "/SYSV",
    "/proc/",
    "/sys/",
    "/anon_hugepage",
    "/[",
)
_FILES = 3


class Outdated:
    """A process that runs replaced files: pid, name, unit ("" for none), and some of the files."""

    def __init__(self, pid, name, unit, files):
        # type: (int, str, str, list[str]) -> None
        self.pid = pid
        self.name = name
        self.unit = unit
        self.files = files


class Processes:
    """What a look brings: outdated processes, how many were hidden from us, how many outdated ones are containers'."""

    def __init__(self):
        # type: () -> None
        self.outdated = []  # type: list[Outdated]
        self.hidden = 0
        self.foreign = 0

    @property
    def units(self):
        # type: () -> list[str]
        """The units to restart."""
        return sorted({process.unit for process in self.outdated if process.unit.endswith(".service")})


def look(root="/"):
    # type: (str) -> Processes
    """Return what the processes below /proc run; raises OSError where there is no /proc."""
    proc = root.rstrip("/") + "/proc"
    ours, found = _namespace(proc, "self"), Processes()
    for pid in sorted((name for name in os.listdir(proc) if name.isdigit()), key=int):
        _add(found, proc, pid, ours)
    return found


def _add(found, proc, pid, ours):
    # type: (Processes, str, str, str) -> None
    try:
        files = _replaced(proc, pid)
        if files and _namespace(proc, pid) != ours:
            found.foreign += 1  # a container has packages of its own
        elif files:
            name = read_text("%s/%s/comm" % (proc, pid)).strip()
            found.outdated.append(Outdated(int(pid), name, _unit(proc, pid), files))
    except PermissionError:
        found.hidden += 1
    except (FileNotFoundError, ProcessLookupError):
        pass  # ended since


def _replaced(proc, pid):
    # type: (str, str) -> list[str]
    """Return the files that a process executes and that are gone from where it got them, at most three."""
    files = []
    for line in read_text("%s/%s/maps" % (proc, pid), 4 * 1024 * 1024).splitlines():
        if not line.endswith(_DELETED):
            continue
        fields = line.split(None, 5)
        path = fields[5][: -len(_DELETED)] if len(fields) == 6 else ""
        if "x" in fields[1] and path.startswith("/") and not path.startswith(_PASSING) and path not in files:
            files.append(path)
    return files[:_FILES]


def _namespace(proc, pid):
    # type: (str, str) -> str
    try:
        return os.readlink("%s/%s/ns/pid" % (proc, pid))
    except FileNotFoundError:
        return ""


def _unit(proc, pid):
    # type: (str, str) -> str
    """Return the systemd unit of a process by its control group."""
    for line in read_text("%s/%s/cgroup" % (proc, pid)).splitlines():
        for name in reversed(line.split(":", 2)[-1].split("/")):
            if name.endswith((".service", ".scope")):
                return name
    return ""
