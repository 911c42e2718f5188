# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A snapshot of a logical volume of LVM: thin, or thick with room of its own for what changes meanwhile.

Its device can be written to, so that a journal that has something left is played into it: what it holds is then the
state of that moment, and nothing of it is lost with the snapshot.
"""

import json
import os

from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots import mount_namespace
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import join, shown
from ansible_collections.egov.ops.plugins.module_utils.host.files import read_text
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.mounts import Mount
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Source
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Facts, NotedVolume
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: File systems that come to rest while their volume is snapshot, and with which options they are mounted beside it.
OPTIONS = {b"ext2": b"", b"ext3": b"", b"ext4": b"", b"xfs": b"nouuid"}

TAG = "egov_ops"

#: Share of a volume that a thick snapshot takes, where the plan says nothing.
PERCENT = 10


def is_volume(mount):
    # type: (Mount) -> bool
    """Tell whether a file system lies directly on a logical volume, which needs no tool to be seen."""
    try:
        return read_text("/sys/dev/block/%s/dm/uuid" % mount.number).startswith("LVM-")
    except OSError:
        return False


class Lvm:
    """The snapshot of one logical volume."""

    KIND = "lvm"
    TOOLS = dict.fromkeys(("lvs", "lvcreate", "lvremove"), "lvm2")

    def __init__(self, mount, identity, host, percent=PERCENT):
        # type: (Mount | None, str, Host, int) -> None
        """Take the volume's mount, 16 digits that no other snapshot has, and the share of it that a thick one takes."""
        self._mount = mount
        self._host = host
        self._name = "egov_ops_" + identity
        self._percent = percent
        self.roots = {}  # type: dict[bytes, bytes]
        self._group = ""
        self._volume = {}  # type: dict[str, str]
        self._place = b""
        self._attached = False
        self._used = ""

    @classmethod
    def left(cls, entry, host):
        # type: (NotedVolume, Host) -> Lvm
        """Return what an earlier run noted in its journal."""
        found = cls(None, entry["identity"], host)
        found._group = entry["group"]
        return found

    def note(self):
        # type: () -> NotedVolume
        """Return what the journal keeps, so that a later run finds what is left."""
        return {"kind": self.KIND, "group": self._group, "identity": self._name[-16:]}

    def of(self):
        # type: () -> list[str]
        """Return what the snapshot was taken of, for people."""
        return ["%s/%s" % (self._group, self._volume["lv_name"])]

    def add(self, root, mount):
        # type: (bytes, Mount) -> None
        """Take one more root of the set, and the mount of this file system that holds it."""
        self.roots[root] = mount.inner(root)

    def refuse(self, source, live):
        # type: (Source, list[bytes]) -> None
        """Raise HalfError for a volume that LVM does not know."""
        major, minor = self._number.split(":")
        found = self._lvs("lv_kernel_major=%s && lv_kernel_minor=%s" % (major, minor))
        if len(found) != 1:
            raise HalfError("lvs does not know the volume %s that %s lies on." % (self._number, shown(min(self.roots))))
        self._volume = found[0]
        self._group = self._volume["vg_name"]

    def open(self, place):
        # type: (bytes) -> None
        """Remember the empty folder at which the snapshot will be mounted."""
        self._place = place

    def prepare(self):
        # type: () -> None
        """Do what writes to the file system, which a hook may freeze afterwards: nothing."""

    def take(self, keep, seconds):
        # type: (tuple[int, ...], float) -> None
        """Take the snapshot in so many seconds; raises HalfError. The tools hold the open files `keep` too."""
        words = ["lvcreate", "--yes", "--snapshot", "--addtag", TAG, "--name", self._name]
        words += (
            ["--setactivationskip", "n"] if self._volume["pool_lv"] else ["--extents", "%s%%ORIGIN" % self._percent]
        )
        self._run(words + [self.of()[0]], "take a snapshot of %s" % self.of()[0], keep, seconds)

    def attach(self):
        # type: () -> None
        """Mount the snapshot, for reading only; raises HalfError."""
        kind = self._mount.kind if self._mount else b""
        try:
            mount_namespace.mount(os.fsencode(self._device), self._place, kind, OPTIONS[kind], read_only=True)
        except OSError as error:
            raise HalfError("The snapshot %s could not be mounted: %s." % (self._device, error.strerror))
        self._attached = True

    def seen(self, root):
        # type: (bytes) -> bytes
        """Return the path at which a root is seen in the snapshot."""
        return join(self._place, self.roots[root].lstrip(b"/")).rstrip(b"/")

    def spoiled(self):
        # type: () -> str
        """Return why what was read is not the snapshot, "" for nothing; raises HalfError where LVM does not tell."""
        found = self._lvs("vg_name=%s && lv_name=%s" % (self._group, self._name))
        if not found:
            return "The snapshot %s was removed while it was read." % self._device
        self._used = found[0]["data_percent"]
        if not self._volume["pool_lv"] and found[0]["lv_attr"][4:5] in ("I", "S"):
            return (
                "The snapshot of %s overflowed while it was read, more than %s %% of the volume having changed: raise "
                "snapshot_size, or back up at a quieter time." % (self.of()[0], self._percent)
            )
        if found[0]["lv_health_status"]:
            return "The snapshot of %s is not sound: %s." % (self.of()[0], found[0]["lv_health_status"])
        return ""

    def room(self):
        # type: () -> Facts
        """Return what the record tells of the room that a thick snapshot took."""
        if self._volume["pool_lv"] or not self._used:
            return {}
        return {"size_percent": self._percent, "used_percent": float(self._used)}

    def remove(self, keep):
        # type: (tuple[int, ...]) -> None
        """Remove the snapshot, if it is there and bears our tag; raises HalfError."""
        if self._attached:
            self._attached = False
            try:
                mount_namespace.unmount(self._place)
            except OSError:
                mount_namespace.unmount(self._place, busy=True)
        found = self._lvs("vg_name=%s && lv_name=%s && lv_tags={%s}" % (self._group, self._name, TAG))
        if found:
            name = "%s/%s" % (self._group, self._name)
            self._run(["lvremove", "--yes", "--force", name], "remove the snapshot %s" % name, keep)

    @property
    def _number(self):
        # type: () -> str
        return self._mount.number if self._mount else ""

    @property
    def _device(self):
        # type: () -> str
        return "/dev/%s/%s" % (self._group, self._name)

    def _lvs(self, chosen):
        # type: (str) -> list[dict[str, str]]
        """Return what LVM says of some volumes; raises HalfError."""
        names = "vg_name,lv_name,lv_attr,pool_lv,data_percent,lv_health_status"
        listed = self._run(["lvs", "--reportformat", "json", "-a", "-o", names, "-S", chosen], "list its volumes")
        try:
            return list(json.loads(listed.decode("utf-8"))["report"][0]["lv"])
        except (ValueError, LookupError):
            raise HalfError("lvs did not say what it was asked: it needs LVM 2.02.158 or newer.", "not_supported")

    def _run(self, words, doing, keep=None, seconds=None):
        # type: (list[str], str, tuple[int, ...] | None, float | None) -> bytes
        """Call LVM, which writes where it is given open files, and return what it says; raises HalfError."""
        env = {"LVM_SUPPRESS_FD_WARNINGS": "1"}
        done = self._host.run(words, timeout=seconds, env=env, keep=keep or (), writes=keep is not None)
        if done.rc != 0:
            raise HalfError(
                "LVM could not %s: %s." % (doing, done.error.rstrip(".")), "timeout" if done.timed_out else "error"
            )
        return bytes(done.stdout)
