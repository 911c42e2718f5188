# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mounted file systems, known without touching them: a hung one would not answer."""

from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import to_bytes, to_text, within
from ansible_collections.egov.ops.plugins.module_utils.host import blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

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


def mounted(path=blocks.MOUNTINFO):
    # type: (str) -> dict[bytes, bytes]
    """Return the type of the file system on each mount point; none where the kernel does not tell."""
    return {to_bytes(mount.point): to_bytes(mount.type) for mount in _table(path)}


def holding(path, source=blocks.MOUNTINFO):
    # type: (bytes, str) -> Mount | None
    """Return the mount that holds a path, the last where one lies over another; None where the kernel does not tell."""
    found = None  # type: Mount | None
    for mount in _table(source):
        point = to_bytes(mount.point)
        if within(path, point) and (found is None or len(point) >= len(found.point)):
            device = to_bytes(blocks.unescape(mount.source))
            found = Mount(point, to_bytes(mount.root), to_bytes(mount.type), device, mount.device)
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
    # type: (bytes, dict[bytes, bytes], Host) -> bool
    """Tell whether the file system of a path answers within a few seconds; a child asks, since it may never return."""
    if not any(is_remote(kind) for kind in mounts.values()):
        return True
    asked = host.run(["stat", "-L", "-f", "--", to_text(path)], timeout=ANSWER_SECONDS)
    return not asked.timed_out


def _table(path):
    # type: (str) -> Iterator[blocks.Mount]
    try:
        with open(path, "rb") as stream:
            for line in stream:
                yield blocks.Mount(to_text(line))
    except OSError:
        pass
