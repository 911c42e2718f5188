# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems and disks: space, inodes, errors, read-only or hung mounts, arrays."""

import os

from ansible_collections.egov.ops.plugins.module_utils.health.probe import Absent
from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import number
from ansible_collections.egov.ops.plugins.module_utils.host import blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.health.types import Words
    from ansible_collections.egov.ops.plugins.module_utils.host.blocks import Mount
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

#: Types that hold no data of their own, mount others when touched, or belong to one session.
_PSEUDO = {
    "autofs",
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fuse.gvfsd-fuse",
    "fuse.lxcfs",
    "fuse.portal",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
}
#: Files that container engines mount into each container.
_ENGINE_FILES = {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv"}
#: Types that can only be read.
_READ_ONLY = {"cramfs", "erofs", "iso9660", "squashfs", "udf"}
_NEVER_HANGING = _READ_ONLY | {"tmpfs"}


def _mounts(probe, exclude):
    # type: (Probe, Words) -> list[Mount]
    """Return the mounts that hold data and are not hidden by later ones, sorted by mount point."""
    from fnmatch import fnmatch

    return [
        mount
        for point, mount in sorted(blocks.visible(probe.read(blocks.MOUNTINFO)).items())
        if mount.type not in _PSEUDO
        and point not in _ENGINE_FILES
        and not any(fnmatch(point, str(pattern)) for pattern in exclude)
        # a container's layers lie on a file system that is listed already
        and (mount.type != "overlay" or point == "/")
    ]


def mount_points(probe, exclude=()):
    # type: (Probe, Words) -> list[str]
    """Return the mount points that a process can hang on."""
    return [mount.point for mount in _mounts(probe, exclude) if mount.type not in _NEVER_HANGING]


def writable_mount_points(probe, exclude=()):
    # type: (Probe, Words) -> list[str]
    """Return one mount point of each file system that can fill up."""
    points = {}  # type: dict[str, str]
    for mount in _mounts(probe, exclude):
        if mount.writable and mount.super_writable and mount.type not in _READ_ONLY:
            points.setdefault(mount.device, mount.point)
    return sorted(points.values())


def mounts_alive(probe):
    # type: (Probe) -> list[Observation]
    """Whether a mount answers."""
    try:
        os.statvfs(probe.subject)
    except PermissionError:
        raise
    except OSError as error:
        return [probe.failed("%s answers with an error: %s." % (probe.subject, error.strerror), "Mount it again.")]
    return [probe.passed("%s answers." % probe.subject)]


def filesystem_space(probe):
    # type: (Probe) -> list[Observation]
    """Share of a file system's space that ordinary users cannot have, as df counts it."""
    state = os.statvfs(probe.subject)
    used = state.f_blocks - state.f_bfree
    if not used + state.f_bavail:
        raise Absent("%s counts no blocks." % probe.subject)
    share = 100.0 * used / (used + state.f_bavail)
    return [
        probe.measured(
            share,
            "%",
            "%s is %s%% full" % (probe.subject, number(share)),
            "Free or add space; the largest folders: du -xh %s | sort -h | tail." % probe.subject,
            free_bytes=state.f_bavail * state.f_frsize,
            total_bytes=state.f_blocks * state.f_frsize,
        )
    ]


def filesystem_inodes(probe):
    # type: (Probe) -> list[Observation]
    """Share of a file system's inodes in use."""
    state = os.statvfs(probe.subject)
    if not state.f_files:
        raise Absent("%s has no fixed number of inodes." % probe.subject)
    share = 100.0 * (state.f_files - state.f_ffree) / state.f_files
    return [
        probe.measured(
            share,
            "%",
            "%s has used %s%% of its inodes" % (probe.subject, number(share)),
            "Remove small files; the folders with most: du -x --inodes %s | sort -n | tail." % probe.subject,
            free=state.f_favail,
        )
    ]


def read_only_mounts(probe, exclude=()):
    # type: (Probe, Words) -> list[Observation]
    """Whether a file system that is meant to be written has become read-only.

    That is one mounted `rw` whose file system the kernel has switched over, or one that fstab does not want read-only.
    """
    wanted = _fstab_writable(probe)
    found = []
    for mount in _mounts(probe, exclude):
        if mount.type in _READ_ONLY or not mount.source.startswith("/"):
            continue
        if mount.writable and mount.super_writable:
            found.append(probe.passed("%s can be written." % mount.point, mount.point))
        elif not mount.super_writable and (mount.writable or mount.point in wanted):
            message = "%s (%s) has become read-only." % (mount.point, mount.source)
            act = "Read the kernel log for errors of %s, check the file system, mount it again." % mount.source
            found.append(probe.failed(message, act, mount.point))
    if not found:
        raise Absent("No file system on a disk is mounted here.")
    return found


def _fstab_writable(probe):
    # type: (Probe) -> set[str]
    try:
        rows = [line.split() for line in probe.read("/etc/fstab").splitlines() if not line.startswith("#")]
    except Absent:
        return set()
    return {blocks.unescape(row[1]) for row in rows if len(row) > 3 and "ro" not in row[3].split(",")}


def filesystem_errors(probe):
    # type: (Probe) -> list[Observation]
    """Errors that ext4 recorded in the file system itself since it was last repaired."""
    found = []
    for device in probe.entries("/sys/fs/ext4"):
        try:
            count = int(probe.read("/sys/fs/ext4/%s/errors_count" % device))
        except Absent:
            continue  # the folder "features" is no device
        message = "The file system on %s has recorded %d errors" % (device, count)
        act = "Unmount it and run: e2fsck -f /dev/%s." % device
        found.append(probe.measured(count, "errors", message, act, device))
    if not found:
        raise Absent("No ext4 file system is mounted.")
    return found


def raid(probe):
    # type: (Probe) -> list[Observation]
    """Whether each md array has all its members."""
    arrays = blocks.arrays(probe.read("/proc/mdstat"))
    if not arrays:
        raise Absent("The host has no md array.")
    found = []
    for array in arrays:
        if array.is_whole:
            message = "Array %s has all its members." % array.name
            found.append(probe.passed(message, array.name, value=0, unit="members"))
        else:
            message = "Array %s misses %d members: %s." % (array.name, array.lost, array.members)
            found.append(probe.failed(message, array.act, array.name, value=array.lost, unit="members"))
    return found
