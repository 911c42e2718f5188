# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mounted file systems, known without touching them: a hung one would not answer."""

from ansible_collections.egov.ops.plugins.module_utils.backup.paths import to_text, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: They show the kernel's state or mount on demand; there is nothing in them to back up.
PSEUDO = frozenset(
    b"autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fusectl hugetlbfs mqueue nsfs "
    b"proc pstore rpc_pipefs securityfs selinuxfs sysfs tracefs".split()
)

#: Another machine or program answers for them, or does not.
REMOTE = frozenset(
    b"9p afs beegfs ceph cifs fuse glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs smb3 smbfs virtiofs".split()
)

ANSWER_SECONDS = 5

MOUNTINFO = "/proc/self/mountinfo"


class Mount:
    """One mounted file system: its mount point, and which folder of it is mounted there."""

    def __init__(self, point, root, kind, device, number):
        # type: (bytes, bytes, bytes, bytes, str) -> None
        """Take mount point, folder of the file system, type, device, and the device's number (MAJOR:MINOR)."""
        self.point = point
        self.root = root
        self.kind = kind
        self.device = device
        self.number = number

    def inner(self, path):
        # type: (bytes) -> bytes
        """Return a path at or below the mount point as the file system's own, from its top."""
        rest = path[len(self.point.rstrip(b"/")) :]
        return (self.root.rstrip(b"/") + rest).rstrip(b"/") or b"/"


def is_remote(kind):
    # type: (bytes) -> bool
    """Tell whether a file system of this type can hang because something else does not answer."""
    return kind in REMOTE or kind.startswith(b"fuse.")


def mounted(path=MOUNTINFO):
    # type: (str) -> dict[bytes, bytes]
    """Return the type of the file system on each mount point; none where the kernel does not tell."""
    found = {}  # type: dict[bytes, bytes]
    try:
        with open(path, "rb") as stream:
            for line in stream:
                mount, _separator, source = line.partition(b" - ")
                found[_unescaped(mount.split(b" ")[4])] = source.split(b" ")[0]
    except OSError:
        pass
    return found


def holding(path, source=MOUNTINFO):
    # type: (bytes, str) -> Mount | None
    """Return the mount that holds a path, the last where one lies over another; None where the kernel does not tell."""
    found = None  # type: Mount | None
    try:
        with open(source, "rb") as stream:
            for line in stream:
                mount, _separator, said = line.partition(b" - ")
                words = mount.split(b" ")
                point = _unescaped(words[4])
                if within(path, point) and (found is None or len(point) >= len(found.point)):
                    kind, device = said.split(b" ")[:2]
                    found = Mount(point, _unescaped(words[3]), kind, _unescaped(device), words[2].decode("ascii"))
    except OSError:
        pass
    return found


def left_out(roots, mounts):
    # type: (list[bytes], dict[bytes, bytes]) -> dict[bytes, bytes]
    """Return the mount points below some roots that a walk must not enter, with their types."""
    return {
        point: kind
        for point, kind in mounts.items()
        if (kind in PSEUDO or is_remote(kind)) and point not in roots and any(within(point, root) for root in roots)
    }


def answers(path, mounts, host):
    # type: (bytes, dict[bytes, bytes], Any) -> bool
    """Tell whether the file system of a path answers within a few seconds; a child asks, since it may never return."""
    if not any(is_remote(kind) for kind in mounts.values()):
        return True
    asked = host.run(["stat", "-L", "-f", "--", to_text(path)], timeout=ANSWER_SECONDS)
    return not asked.timed_out


def _unescaped(point):
    # type: (bytes) -> bytes
    for code, sign in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        point = point.replace(code, sign)
    return point
