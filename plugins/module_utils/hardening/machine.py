# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host as the primitives see it: files below a root, tools, and what several controls read is read once."""

import errno
import glob
import os
import time

from ansible_collections.egov.ops.plugins.module_utils.host import blocks, moments
from ansible_collections.egov.ops.plugins.module_utils.host.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from typing import Any, TypeVar

    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import Arguments
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.run import Completed

    Made = TypeVar("Made")

#: File systems whose server may be away: a look at them could hang for ever.
_REMOTE = ("9p", "afs", "autofs", "ceph", "cifs", "gfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs")
#: Longest time of one tool; all of them answer in a tenth of it.
_TOOL_SECONDS = 10.0
#: Where configuration of systemd and its kin lies; a file of a name hides those of the same name in later folders.
_LAYERS = ("/etc", "/run", "/usr/local/lib", "/usr/lib")


class Absent(Exception):
    """What the control looks at does not exist on this host; the message is one sentence."""


class Unreadable(Exception):
    """What the control looks at may not be read by this user; the message is the thing's name."""


class Machine:
    """A host: its root, its tools, the controls to be looked at, and a memory for what more than one of them reads."""

    def __init__(self, host, root="/", entries=None):
        # type: (Host, str, Mapping[str, Arguments] | None) -> None
        """root is the folder below which the files of the host are read, for captured trees."""
        self.host = host
        self.root = root.rstrip("/")
        self.entries = entries or {}
        # Any: what `once` keeps has as many types as it has callers
        self._memory = {}  # type: dict[Hashable, tuple[Any, Exception | None]]

    def once(self, key, make):
        # type: (Hashable, Callable[[], Made]) -> Made
        """Return what `make` returned or raised when it was first called for this key."""
        if key not in self._memory:
            try:
                self._memory[key] = (make(), None)
            except Exception as error:
                self._memory[key] = (None, error)
        value, failure = self._memory[key]  # type: Made, Exception | None
        if failure is not None:
            raise failure
        return value

    def path(self, path):
        # type: (str) -> str
        """Return where a file of the host is to be read."""
        return self.root + path

    def local(self, path):
        # type: (str) -> str
        """Return a path as it stands on the host."""
        return path[len(self.root) :] if self.root else path

    def read(self, path):
        # type: (str) -> str
        """Return the text of a file; raises Absent where there is none, Unreadable and OSError."""
        return str(self.once(("text", path), lambda: self._read(path)))

    def _read(self, path):
        # type: (str) -> str
        if self.remote(path):
            raise Absent("%s lies on a network file system, whose server answers for it." % path)
        try:
            # the kernel sets aside what is asked for of a setting's file
            return read_text(self.path(path), 64 * 1024 if path.startswith("/proc/sys/") else 16 * 1024 * 1024)
        except PermissionError:
            raise Unreadable(path)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                raise Absent("%s is not there." % path)
            raise

    def exists(self, path):
        # type: (str) -> bool
        """Tell whether there is such a file or folder."""
        return os.path.exists(self.path(path))

    def entries_of(self, folder):
        # type: (str) -> list[str]
        """Return the sorted names in a folder, none where there is none; raises Unreadable."""
        try:
            return sorted(os.listdir(self.path(folder)))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except PermissionError:
            raise Unreadable(folder)

    def find(self, pattern):
        # type: (str) -> list[str]
        """Return the sorted paths that a pattern stands for, without those on network file systems."""
        if not any(sign in pattern for sign in "*?["):
            found = [pattern] if os.path.lexists(self.path(pattern)) else []
        else:
            self.entries_of(pattern[: min(pattern.find(sign) for sign in "*?[" if sign in pattern)].rpartition("/")[0])
            found = sorted(self.local(path) for path in glob.glob(glob.escape(self.root) + pattern))
        return [path for path in found if not self.remote(path)]

    def layered(self, folder, suffix=".conf"):
        # type: (str, str) -> list[str]
        """Return the files of `<layer>/<folder>` as systemd reads them: sorted by name, a name in an earlier layer
        hides those in later ones, and one that is empty or a link to /dev/null is no more than that.
        """
        found = {}  # type: dict[str, str]
        for layer in _LAYERS:
            for name in self.entries_of("%s/%s" % (layer, folder)):
                if name.endswith(suffix):
                    found.setdefault(name, "%s/%s/%s" % (layer, folder, name))
        return [path for _name, path in sorted(found.items()) if os.path.realpath(self.path(path)) != "/dev/null"]

    def mounts(self):
        # type: () -> list[tuple[str, str, list[str]]]
        """Return point, type and options of each mount, in order; later ones cover earlier ones."""
        return list(self.once("mounts", self._mounts))

    def _mounts(self):
        # type: () -> list[tuple[str, str, list[str]]]
        try:
            text = read_text(self.path(blocks.MOUNTINFO))
        except FileNotFoundError:
            return []
        return [(mount.point, mount.type, mount.options) for mount in blocks.mounts(text)]

    def remote(self, path):
        # type: (str) -> bool
        """Tell whether a path lies on a network file system."""
        points = self.once("remote", lambda: [mount[0] for mount in self.mounts() if mount[1] in _REMOTE])
        return any(path == point or path.startswith(point.rstrip("/") + "/") for point in points)

    def tool(self, argv):
        # type: (list[str]) -> Completed
        """Run a tool once and return what it left; raises Absent where it is not installed, and TimeoutError."""
        return self.once(("tool", tuple(argv)), lambda: self._tool(argv))

    def _tool(self, argv):
        # type: (list[str]) -> Completed
        done = self.host.run(argv, timeout=_TOOL_SECONDS, limit=8 * 1024 * 1024)
        if done.missing:
            raise Absent("%s is not installed on this host." % argv[0])
        if done.timed_out:
            raise TimeoutError("%s did not end in time" % argv[0])
        return done

    def packages(self):
        # type: () -> str
        """Return the kind of the host's package database: deb, rpm, or "" for neither."""
        if self.exists("/var/lib/dpkg/status"):
            return "deb"
        if any(self.exists(path) for path in ("/var/lib/rpm", "/usr/lib/sysimage/rpm")):
            return "rpm"
        return ""

    def today(self):
        # type: () -> int
        """Return the day of the controller's clock, counted from 1970, as shadow counts."""
        stamp = self.host.now
        return int((moments.seconds_of(stamp) if stamp else time.time()) // 86400)

    def owner(self, uid):
        # type: (int) -> str
        """Return the name of a user of the host, its number where it has none."""
        return self._name("/etc/passwd", uid)

    def group(self, gid):
        # type: (int) -> str
        """Return the name of a group of the host, its number where it has none."""
        return self._name("/etc/group", gid)

    def _name(self, file, number):
        # type: (str, int) -> str
        names = self.once(("names", file), lambda: _numbers(self.read(file)))
        return str(names.get(number, number))


def _numbers(text):
    # type: (str) -> dict[int, str]
    """Return the names in passwd or group by their numbers; the first of a number counts."""
    found = {}  # type: dict[int, str]
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) > 2 and fields[2].isdigit():
            found.setdefault(int(fields[2]), fields[0])
    return found
