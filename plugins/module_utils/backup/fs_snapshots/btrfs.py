# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A read-only snapshot of a file system of btrfs: of each subvolume that the roots of a set lie in.

They lie in one folder of ours in the top of the file system, which only root may enter, and which is seen where the top
is mounted.
"""

import os
import re
import stat

from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots import mount_namespace
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import (
    Named,
    join,
    shown,
    to_bytes,
    to_text,
    within,
)
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.mounts import Mount
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Source
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Facts, NotedVolume
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: Inode of the top folder of each subvolume.
_TOP = 256
_OURS = re.compile(rb"/(\.egov-ops-[0-9a-f]{16})(?:/|$)")


class Btrfs:
    """The snapshots of one file system that a set needs."""

    KIND = "btrfs"
    TOOLS = {"btrfs": "btrfs-progs"}

    def __init__(self, mount, identity, host):
        # type: (Mount, str, Host) -> None
        """Take a mount of the file system, and 16 digits that no other snapshot has."""
        self._mount = mount
        self._host = host
        self._name = b".egov-ops-" + identity.encode("ascii")
        self.roots = {}  # type: dict[bytes, bytes]
        self._top = b""
        self._taken = {}  # type: dict[bytes, bytes]

    @classmethod
    def left(cls, entry, host):
        # type: (NotedVolume, Host) -> Btrfs
        """Return what an earlier run noted in its journal; raises HalfError where its file system is not mounted."""
        mount = mounts.holding(to_bytes(entry["root"]))
        if not mount or mount.kind != b"btrfs":
            raise HalfError("%s is on no btrfs now: mount it again." % shown(to_bytes(entry["root"])))
        return cls(mount, entry["identity"], host)

    def note(self):
        # type: () -> NotedVolume
        """Return what the journal keeps, so that a later run finds what is left."""
        identity = self._name[-16:].decode("ascii")
        return {"kind": self.KIND, "root": to_text(min(self.roots)), "identity": identity}

    def of(self):
        # type: () -> list[str]
        """Return what snapshots were taken of, for people."""
        device = shown(self._mount.device)
        return ["%s of %s" % (shown(subvolume), device) for subvolume in sorted(self._taken)]

    def add(self, root, mount):
        # type: (bytes, Mount) -> None
        """Take one more root of the set, and the mount of this file system that holds it."""
        self.roots[root] = mount.inner(root)

    def refuse(self, source, live):
        # type: (Source, list[bytes]) -> None
        """Raise HalfError for a subvolume within a root: in a snapshot it is an empty folder.

        What lies below the mount points `live` is read from there, and is not lost. Folders of ours in the top of the
        file system become excluded.
        """
        nested = []  # type: list[bytes]
        for root, inner in sorted(self.roots.items()):
            source.excluded.update(
                [join(root, self._name)] if inner == b"/" else []  # the snapshot holds the beginning of itself
            )
            for path in self._below(root, inner):
                ours = _OURS.match(path) if inner == b"/" else None
                here = join(root, ours.group(1)) if ours else root.rstrip(b"/") + path[len(inner.rstrip(b"/")) :]
                if ours:
                    source.excluded.add(here)
                elif source.contains(here) and not any(within(here, point) for point in live):
                    nested.append(here)
        if nested:
            raise HalfError(
                "The set holds subvolumes of their own (%s), which its snapshot would show as empty folders: exclude "
                "each, or make it a set of its own." % ", ".join(Named(nested).first[:3]),
                "refused",
            )

    def open(self, place):
        # type: (bytes) -> None
        """Mount the top of the file system at an empty folder; raises HalfError. For a namespace of ours."""
        try:
            mount_namespace.mount(self._mount.device, place, b"btrfs", b"subvolid=5")
        except OSError as error:
            raise HalfError(
                "The top of the btrfs on %s could not be mounted: %s." % (shown(self._mount.device), error.strerror)
            )
        self._top = place
        for root, inner in self.roots.items():
            if not os.path.samestat(os.lstat(root), _lstat(place + inner)):
                raise HalfError(
                    "%s is not found as %s in the btrfs on %s: see what is mounted over it."
                    % (shown(root), shown(inner), shown(self._mount.device))
                )

    def prepare(self):
        # type: () -> None
        """Do what writes to the file system, which a hook may freeze afterwards; raises HalfError."""
        try:
            os.mkdir(self._ours, 0o700)
        except OSError as error:
            raise HalfError("No snapshot of %s can be made: %s." % (shown(self._mount.device), error.strerror))

    def take(self, keep, seconds):
        # type: (tuple[int, ...], float) -> None
        """Take the snapshots, each in so many seconds; raises HalfError. The tools hold the open files `keep` too."""
        for inner in sorted(self.roots.values()):
            subvolume = self._subvolume(inner)
            if subvolume not in self._taken:
                taken = join(self._ours, b"%d" % len(self._taken))
                source = join(self._top, subvolume.lstrip(b"/"))
                doing = "take a snapshot of %s" % shown(subvolume)
                self._btrfs(["snapshot", "-r", source, taken], doing, keep, seconds)
                self._taken[subvolume] = taken

    def attach(self):
        # type: () -> None
        """Let the snapshots be seen: they are, where the top is mounted."""

    def seen(self, root):
        # type: (bytes) -> bytes
        """Return the path at which a root is seen in its snapshot."""
        inner = self.roots[root]
        subvolume = self._subvolume(inner)
        return join(self._taken[subvolume], inner[len(subvolume) :].lstrip(b"/")).rstrip(b"/")

    def spoiled(self):
        # type: () -> str
        """Return why what was read is not the snapshot, "" for nothing: one of btrfs is complete, or is not made."""
        return ""

    def room(self):
        # type: () -> Facts
        """Return what the record tells of the room that the snapshot took: of btrfs, nothing."""
        return {}

    def remove(self, keep):
        # type: (tuple[int, ...]) -> None
        """Remove what is there of the snapshots; raises HalfError."""
        if not os.path.isdir(self._ours):
            return
        for name in sorted(os.listdir(self._ours)):
            self._btrfs(["delete", join(self._ours, name)], "remove a snapshot of %s" % shown(self._mount.device), keep)
        try:
            os.rmdir(self._ours)
        except OSError as error:
            raise HalfError("%s could not be removed: %s." % (shown(self._ours), error.strerror))

    @property
    def _ours(self):
        # type: () -> bytes
        return join(self._top, self._name)

    def _subvolume(self, inner):
        # type: (bytes) -> bytes
        """Return the subvolume, as a path from the top, that holds a path from the top."""
        while inner != b"/":
            info = _lstat(self._top + inner)
            if info.st_ino == _TOP and stat.S_ISDIR(info.st_mode):
                return inner
            inner = os.path.dirname(inner)
        return inner

    def _below(self, root, inner):
        # type: (bytes, bytes) -> list[bytes]
        """Return the subvolumes below a root, without those within them, as paths from the top; raises HalfError."""
        folder = root if os.path.isdir(root) else os.path.dirname(root)
        listed = self._btrfs(["list", "-o", folder], "list the subvolumes of %s" % shown(root))
        found = (line.partition(b" path ")[2] for line in listed.split(b"\n") if line.startswith(b"ID "))
        paths = (b"/" + path.replace(b"<FS_TREE>/", b"") for path in found)
        return [path for path in paths if within(path, inner) and path != inner]

    def _btrfs(self, arguments, doing, keep=None, seconds=None):
        # type: (list[Any], str, tuple[int, ...] | None, float | None) -> bytes  # Any: paths are bytes, other words text
        """Call btrfs, which writes where it is given open files, and return what it says; raises HalfError."""
        words = ["btrfs", "subvolume"] + arguments
        done = self._host.run(words, timeout=seconds, keep=keep or (), writes=keep is not None)
        if done.rc != 0:
            raise HalfError(
                "btrfs could not %s: %s." % (doing, done.error.rstrip(".")), "timeout" if done.timed_out else "error"
            )
        return bytes(done.stdout)


def _lstat(path):
    # type: (bytes) -> os.stat_result
    try:
        return os.lstat(path)
    except OSError as error:
        raise HalfError("%s cannot be seen in the file system: %s." % (shown(path), error.strerror))
