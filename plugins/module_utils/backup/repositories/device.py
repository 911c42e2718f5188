# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How sound the file system and the disks below a repository on the host are: looked at, and nothing written."""

import os
import re
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import block_devices, smart
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import within
from ansible_collections.egov.ops.plugins.module_utils.host import blocks
from ansible_collections.egov.ops.plugins.module_utils.host.files import read_text
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.block_devices import Block
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Facts
    from ansible_collections.egov.ops.plugins.module_utils.host.blocks import Mount
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

    #: A status, a few words, and what to do next.
    Finding = tuple[str, str, str]

CLAUSES = ("S6.2.1-2",)

#: Worst first. What is known to be bad goes before what is not known.
ORDER = ("critical", "warning", "unknown", "ok", smart.SILENT)

#: Share of a thin pool's data or metadata in use, in per cent, from which on it is a finding: full, it loses writes.
POOL_WARNING, POOL_CRITICAL = 85, 95

TOOL_SECONDS = 10.0

CHECK = "Read the kernel log, unmount it and check it: e2fsck -f /dev/%s."
MOUNT = "Read the kernel log for errors of %s, check the file system, mount it again so that it can be written."
SCRUB = "Read it all again (btrfs scrub start %s), then set the counters back (btrfs device stats -z %s)."
READ = "Read the kernel log, check the file system of %s, and restore what is lost from another copy."
EXTEND = "Extend the thin pool before it is full: lvextend."


class Devices:
    """The devices below the repositories of a host; each disk is asked once."""

    def __init__(self, host, root="/"):
        # type: (Host, str) -> None
        """root is the folder below which the kernel's tables are read, for captured trees."""
        self._host = host
        self._root = root
        self._asked = {}  # type: dict[str, Finding]

    def watch(self, name, path):
        # type: (str, bytes) -> Observation
        """Return the observation of what a repository's folder lies on."""
        started = time.monotonic()
        mounted = mounts.mounted()
        if not mounts.answers(path, mounted, self._host):
            return _silent(name, "does not answer", started)
        mount = self._mount_of(os.path.realpath(path))
        if mount is None or mounts.is_remote(mount.type.encode("utf-8")):
            where = "%s of %s, which is elsewhere" % (mount.type, mount.source) if mount else "what nobody can tell"
            return _silent(name, "lies on " + where, started)
        below = block_devices.below(mount, self._root)
        disks = [block for block in below if block.is_disk]
        found = self._file_system(mount, path, below) + self._arrays(below) + self._mapped(below)
        answers = {disk.name: self._disk(disk) for disk in disks}
        found += list(answers.values())
        bad = sorted((one for one in found if ORDER.index(one[0]) < ORDER.index("ok")), key=_rank)
        where = "%s of %s" % (mount.type, mount.point)
        if not bad and not disks:
            return _silent(name, "lies on %s, below which no disk is seen from here" % where, started)
        status = bad[0][0] if bad else "ok"
        told = "; ".join(words for _status, words, _act in bad) or "nothing is known to be wrong with it"
        message = "Repository %s lies on %s: %s." % (name, where, told)
        detail = {
            "message": message,
            "file_system": {"point": mount.point, "type": mount.type, "source": mount.source},
            "devices": [block.mapped or block.name for block in below],
            "disks": {disk.name: {"model": disk.model, "words": answers[disk.name][1]} for disk in disks},
        }  # type: Facts
        if bad:
            detail["next"] = bad[0][2]
        reason = "" if status != "unknown" else "permission" if os.geteuid() else "not_supported"
        return observation("device", name, status, reason, CLAUSES, time.monotonic() - started, **detail)

    def _mount_of(self, path):
        # type: (bytes) -> Mount | None
        """Return the mount that a path lies on, None where the kernel does not tell."""
        try:
            visible = blocks.visible(read_text(os.path.join(self._root, blocks.MOUNTINFO.lstrip("/"))))
        except OSError:
            return None
        shown = path.decode("utf-8", "backslashreplace").encode("utf-8")
        points = [point for point in visible if within(shown, point.encode("utf-8"))]
        return visible[max(points, key=len)] if points else None

    def _file_system(self, mount, path, below):
        # type: (Mount, bytes, list[Block]) -> list[Finding]
        found = []  # type: list[Finding]
        if not (mount.writable and mount.super_writable):
            found.append(("critical", "it can only be read", MOUNT % mount.source))
        try:
            os.listdir(path)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            pass  # whoever opens the repository says so
        except OSError as error:
            found.append(("critical", "its folder cannot be read (%s)" % error.strerror, READ % mount.point))
        if mount.type == "btrfs":
            found += self._btrfs(mount)
        elif below:
            found += self._ext4(mount)
        return found

    def _ext4(self, mount):
        # type: (Mount) -> list[Finding]
        """Return the errors that ext4 has recorded in the file system itself since it was last repaired."""
        device = os.path.basename(os.path.realpath(os.path.join(self._root, "sys/dev/block", mount.device)))
        count = self._number("sys/fs/ext4/%s/errors_count" % device)
        return [("critical", "the file system has recorded %s errors" % count, CHECK % device)] if count else []

    def _btrfs(self, mount):
        # type: (Mount) -> list[Finding]
        """Return the errors that btrfs counts for each of its devices, and those that are missing."""
        place = os.path.join(block_devices.btrfs(mount, self._root), "devinfo")
        found = []  # type: list[Finding]
        stats = [os.path.join(place, number, "error_stats") for number in block_devices.entries(place)]
        if any(self._number(os.path.join(place, number, "missing")) for number in block_devices.entries(place)):
            found.append(("critical", "a device of it is missing", "Exchange it: btrfs replace."))
        # before Linux 5.14 the tool alone knows them
        said = "\n".join(map(block_devices.text, stats)).strip() or self._said(
            ["btrfs", "device", "stats", mount.point]
        )
        counts = [(name.rpartition(".")[2], int(count)) for name, count in re.findall(r"^(\S+) +(\d+)$", said, re.M)]
        words = ", ".join("%s %s" % (count, name.replace("_", " ")) for name, count in counts if count)
        if words:
            found.append(("critical", "btrfs counts %s" % words, SCRUB % (mount.point, mount.point)))
        return found

    def _arrays(self, below):
        # type: (list[Block]) -> list[Finding]
        names = {block.name for block in below}
        try:
            arrays = blocks.arrays(read_text(os.path.join(self._root, "proc/mdstat")))
        except OSError:
            return []
        found = []  # type: list[Finding]
        for array in arrays:
            if array.name in names and not array.is_whole:
                words = "array %s misses %s members" % (array.name, array.lost)
                if array.rebuilt:
                    words += ", and is rebuilt by %s" % array.rebuilt
                    found.append(("warning", words, "Wait for its end, and see /proc/mdstat."))
                else:
                    found.append(("critical", words, array.act))
        return found

    def _mapped(self, below):
        # type: (list[Block]) -> list[Finding]
        """Return what is wrong with thin pools and arrays of device-mapper; of others, paths too, nothing is said."""
        found = []  # type: list[Finding]
        for block in below:
            if block.mapped:
                found += judge_mapped(block.mapped, self._said(["dmsetup", "status", block.mapped]))
        return found

    def _disk(self, disk):
        # type: (Block) -> Finding
        if disk.is_virtual:
            return smart.SILENT, "it is a virtual disk, whose health its provider watches", ""
        if disk.name not in self._asked:
            self._asked[disk.name] = smart.ask(disk.name, self._host, self._root)
        return self._asked[disk.name]

    def _said(self, argv):
        # type: (list[str]) -> str
        """Return what a tool says, "" where it is not there or fails."""
        if not self._host.tool(argv[0]):
            return ""
        done = self._host.run(argv, timeout=TOOL_SECONDS)
        return str(done.out) if done.rc == 0 else ""

    def _number(self, path):
        # type: (str) -> int
        try:
            return int(read_text(os.path.join(self._root, path)))
        except (OSError, ValueError):
            return 0


def judge_mapped(name, status):
    # type: (str, str) -> list[Finding]
    """Return what is wrong with a device of device-mapper, from a line of `dmsetup status`; pure."""
    fields = status.split()[2:]
    if fields[:1] == ["raid"] and len(fields) > 3:  # raid TYPE DEVICES HEALTH ...; D is a dead member
        lost = fields[3].count("D")
        return [("critical", "%s misses %s members" % (name, lost), "Repair it: lvconvert --repair.")] if lost else []
    if fields[:1] != ["thin-pool"]:
        return []
    if "Fail" in fields or len(fields) < 4:
        return [
            ("critical", "thin pool %s has failed" % name, "Read the kernel log, and repair it: lvconvert --repair.")
        ]
    found = []  # type: list[Finding]
    for what, pair in (("metadata", fields[2]), ("data", fields[3])):
        used, _slash, total = pair.partition("/")
        share = 100 * int(used) // max(1, int(total))
        if share >= POOL_WARNING:
            status = "critical" if share >= POOL_CRITICAL else "warning"
            found.append((status, "the %s of thin pool %s is %s %% full" % (what, name, share), EXTEND))
    if "ro" in fields or "out_of_data_space" in fields or "needs_check" in fields:
        found.append(("critical", "thin pool %s takes no data any more" % name, EXTEND))
    return found


def _rank(finding):
    # type: (Finding) -> int
    return ORDER.index(finding[0])


def _silent(name, words, started):
    # type: (str, str, float) -> Observation
    message = "What repository %s lies on has no health that can be seen: it %s." % (name, words)
    seconds = time.monotonic() - started
    return observation("device", name, "skipped", "not_applicable", CLAUSES, seconds, message=message)
