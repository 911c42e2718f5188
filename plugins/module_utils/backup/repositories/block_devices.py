# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The block devices below a file system, down to the disks, as the kernel's sysfs has them."""

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.blocks import Mount

#: How disks of hypervisors and clouds call themselves: nothing below them can be asked.
_VIRTUAL = re.compile(r"qemu|vbox|vmware|virtual|msft|amazon e|google|persistentdisk|alibaba|bochs|xen", re.I)

#: Where the kernel hangs disks of paravirtual buses, and those that are files or memory.
_VIRTUAL_PLACES = ("/virtio", "/vbd-", "/vmbus", "/virtual/block/")


class Block:
    """A block device: the kernel's name of it, what it is called by device-mapper, and whether it is a disk."""

    def __init__(self, path):
        # type: (str) -> None
        self.path = path
        self.name = os.path.basename(path)
        self.mapped = text(os.path.join(path, "dm", "name"))
        self.model = " ".join(text(os.path.join(path, "device", name)) for name in ("vendor", "model")).strip()
        self.slaves = entries(os.path.join(path, "slaves"))

    @property
    def is_disk(self):
        # type: () -> bool
        """Tell whether nothing of the kernel's lies below it."""
        return not self.slaves

    @property
    def is_virtual(self):
        # type: () -> bool
        """Tell whether it is a disk only in name, which has no health of its own to ask for."""
        place = self.path.lower()
        return any(part in place for part in _VIRTUAL_PLACES) or bool(_VIRTUAL.search(self.model))


def below(mount, root="/"):
    # type: (Mount, str) -> list[Block]
    """Return the block devices below a file system, its own first; none where it has none that can be seen.

    root is the folder below which the files of the host are read, for captured trees.
    """
    left = [os.path.join(root, "sys/dev/block", mount.device)]
    if mount.type == "btrfs":  # it has a number that is no device's
        devices = os.path.join(btrfs(mount, root), "devices")
        left = [os.path.join(devices, name) for name in entries(devices)]
    found, seen = [], set()  # type: tuple[list[Block], set[str]]
    while left:
        path = os.path.realpath(left.pop(0))
        if os.path.exists(os.path.join(path, "partition")):
            path = os.path.dirname(path)
        if path in seen or not os.path.exists(os.path.join(path, "dev")):
            continue
        seen.add(path)
        block = Block(path)
        found.append(block)
        left += [os.path.join(path, "slaves", name) for name in block.slaves]
    return found


def btrfs(mount, root="/"):
    # type: (Mount, str) -> str
    """Return the folder in sysfs of a mounted btrfs; where it is not seen that of all, which has no devices."""
    place = os.path.join(root, "sys/fs/btrfs")
    device = os.path.basename(os.path.realpath(os.path.join(root, mount.source.lstrip("/"))))
    for name in entries(place):
        if device in entries(os.path.join(place, name, "devices")):
            return os.path.join(place, name)
    return place


def entries(folder):
    # type: (str) -> list[str]
    """Return the sorted names in a folder; none where there is no such folder."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def text(path):
    # type: (str) -> str
    """Return what a file of the kernel's says, "" where it is not there."""
    try:
        with open(path, "rb") as stream:
            return stream.read(4096).decode("utf-8", "backslashreplace").strip()
    except OSError:
        return ""
