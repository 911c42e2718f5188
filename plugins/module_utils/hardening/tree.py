# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files: mode and owner of named ones, programs with set-id bits, folders that anybody may write to, mount options."""

import os
import stat

from ansible_collections.egov.ops.plugins.module_utils.hardening.accounts import homes
from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Absent, Unreadable
from ansible_collections.egov.ops.plugins.module_utils.host.patterns import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Machine
    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import Pairs

#: Where programs and what anybody may write lie; libraries and data do not matter here and are most of a host's files.
_FOLDERS = (
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/libexec",
    "/usr/local",
    "/opt",
    "/home",
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/usr/lib",
    "/usr/lib64",
)
#: How deep each folder is looked into, where not to the end.
_DEPTHS = {"/usr/lib": 2, "/usr/lib64": 2, "/home": 2, "/tmp": 1, "/var/tmp": 1}
#: Entries after which the walk ends, so that the whole audit stays cheap.
_MOST_ENTRIES = 25000


def file(machine, paths, kind="any"):
    # type: (Machine, list[str], str) -> Pairs
    """Mode, owner and group of what paths and patterns stand for; only files or only folders if `kind` says so.

    `~` stands for the home of each person, and an owner `self` for that person.
    """
    found = 0
    for pattern in paths:
        for path, person in _places(machine, pattern):
            try:
                state = os.stat(machine.path(path))
            except PermissionError:
                yield path, Unreadable(path)
                continue
            except FileNotFoundError:  # a link to nowhere
                continue
            if kind != "any" and not (stat.S_ISREG if kind == "file" else stat.S_ISDIR)(state.st_mode):
                continue
            found += 1
            owner = machine.owner(state.st_uid)
            owner = "self" if person and owner == person else owner
            mode = "%04o" % stat.S_IMODE(state.st_mode)
            yield path, {"mode": mode, "owner": owner, "group": machine.group(state.st_gid)}
    if not found:
        raise Absent("This host has none of %s." % ", ".join(paths))


def present(machine, paths, beside=""):
    # type: (Machine, list[str], str) -> Iterator[tuple[str, list[str]]]
    """Those of some paths that are there, looked for where `beside` is; `~/` stands for the home of each person."""
    if beside and not machine.exists(beside):
        raise Absent("%s is not there." % beside)
    yield "", [path for pattern in paths for path, _person in _places(machine, pattern)]


def _places(machine, pattern):
    # type: (Machine, str) -> list[tuple[str, str]]
    """Return the paths that a pattern stands for, each with the person whose home it is in."""
    if not pattern.startswith("~"):
        return [(path, "") for path in machine.find(pattern)]
    found = []
    for name, home in homes(machine):
        found += [(path, name) for path in machine.find(home + pattern[1:])]
    return found


class _Walk:
    """One walk over the folders of programs: set-id programs, and folders without the sticky bit open to all."""

    def __init__(self, machine):
        # type: (Machine) -> None
        self._machine = machine
        self._left = _MOST_ENTRIES
        self._nosuid = {point for point, _type, options in machine.mounts() if "nosuid" in options}
        self._foreign = {point for point, _type, _options in machine.mounts() if machine.remote(point)}
        self.set_id = []  # type: list[str]
        self.open_folders = []  # type: list[str]
        self.closed = []  # type: list[str]
        self.cut = False
        for folder in _FOLDERS:
            place = machine.path(folder)
            if os.path.isdir(place) and not os.path.islink(place):
                if os.stat(place).st_mode & 0o1002 == 0o0002:
                    self.open_folders.append(folder)
                self._folder(folder, _DEPTHS.get(folder, 64), not self._without_suid(folder))

    def _without_suid(self, folder):
        # type: (str) -> bool
        points = [point for point, _type, _options in self._machine.mounts() if _below(folder, point)]
        return bool(points) and max(points, key=len) in self._nosuid

    def _folder(self, folder, depth, suid):
        # type: (str, int, bool) -> None
        try:
            entries = list(os.scandir(self._machine.path(folder)))
        except PermissionError:
            self.closed.append(folder)
            return
        except OSError:  # gone in between
            return
        self._left -= len(entries)
        if self._left < 0:
            self.cut = True
            return
        below = []
        for entry in entries:
            if entry.is_symlink():
                continue
            is_folder = entry.is_dir(follow_symlinks=False)
            if not suid and not is_folder:
                continue
            path = "%s/%s" % (folder, entry.name)
            if is_folder and path in self._foreign:
                continue
            try:
                mode = entry.stat(follow_symlinks=False).st_mode
            except OSError:
                continue
            if is_folder:
                if mode & 0o1002 == 0o0002:
                    self.open_folders.append(path)
                below.append(path)
            elif mode & 0o6000 and stat.S_ISREG(mode) and mode & 0o111:
                self.set_id.append(path)
        if depth > 0:
            for path in below:
                self._folder(path, depth - 1, suid and path not in self._nosuid)


def _below(path, point):
    # type: (str, str) -> bool
    return path == point or point == "/" or path.startswith(point + "/")


def set_id(machine, known):
    # type: (Machine, list[str]) -> Pairs
    """Programs with a setuid or setgid bit whose paths look like none of the known ones."""
    walk = machine.once("walk", lambda: _Walk(machine))
    yield "", sorted(path for path in walk.set_id if not any(matches(path, pattern) for pattern in known))
    yield from _gaps(walk)


def open_folders(machine):
    # type: (Machine) -> Pairs
    """Folders that anybody may write to and in which anybody may remove the files of others."""
    walk = machine.once("walk", lambda: _Walk(machine))
    yield "", sorted(walk.open_folders)
    yield from _gaps(walk)


def _gaps(walk):
    # type: (_Walk) -> Pairs
    if walk.cut:
        yield "", TooMuch("The folders of programs hold more than %d entries." % _MOST_ENTRIES)
    if walk.closed:
        yield walk.closed[0], Unreadable(walk.closed[0])


class TooMuch(Exception):
    """There is more than an audit may look at; the message is one sentence."""


def mount(machine, point):
    # type: (Machine, str) -> Pairs
    """Options in force at a folder, of the mount that it lies on, and those in fstab where it has a line of its own."""
    if not machine.exists(point):
        raise Absent("%s is not there." % point)
    holding = [found for found in machine.mounts() if _below(point, found[0])]
    if not holding:
        raise Absent("This host does not tell its mounts.")
    # the innermost, and of those the one mounted last
    place, _type, options = max(reversed(holding), key=lambda found: len(found[0]))
    yield point if place == point else "%s, which lies on %s," % (point, place), options
    if machine.exists("/etc/fstab"):
        for line in machine.read("/etc/fstab").splitlines():
            fields = line.split("#")[0].split()
            if len(fields) > 3 and fields[1].rstrip("/") == point:
                yield point + " in /etc/fstab", fields[3].split(",")
