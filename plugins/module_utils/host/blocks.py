# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel's tables say of mounts and of md arrays, for each domain that reads them."""

import re

#: The kernel's table of mounts, as this process sees them; nothing else names it.
MOUNTINFO = "/proc/self/mountinfo"


class Mount:
    """A line of /proc/self/mountinfo: which folder (`root`) of the file system on a device is seen at which point."""

    def __init__(self, line):
        # type: (str) -> None
        left, right = line.split(" - ", 1)
        fields = left.split(" ")  # and at no other blank: a name may hold the wide one of Chinese
        self.device = fields[2]
        self.root = unescape(fields[3])
        self.point = unescape(fields[4])
        #: Of this mount, not of the file system: nosuid, noexec, ro and the like.
        self.options = fields[5].split(",")
        self.writable = "ro" not in self.options
        self.type, self.source, options = right.split(" ", 2)
        # since Linux 6.14 ext4 keeps "rw" when it gives up, and says this beside it
        self.super_writable = not {"ro", "emergency_ro"}.intersection(options.strip().split(","))


class Array:
    """An md array: its members as the kernel names them, how many it has lost, and how far it is rebuilt."""

    def __init__(self, name, members, layout, rest):
        # type: (str, str, str, str) -> None
        self.name = name
        self.members = members
        state = re.search(r"\[([U_]+)\]", layout)
        self.lost = state.group(1).count("_") if state else 0
        self.is_whole = not self.lost and "inactive" not in members
        progress = re.search(r"(?:recovery|reshape) *= *([\d.]+%)", rest)
        #: Share of it that is rebuilt, in words, "" where nothing is.
        self.rebuilt = progress.group(1) if progress else ""
        self.act = "Exchange the failed disk and add it: mdadm /dev/%s --add DISK." % name


def mounts(table):
    # type: (str) -> list[Mount]
    """Return the mounts in their order, in which later ones cover earlier ones; table is the text of MOUNTINFO."""
    return [Mount(line) for line in table.split("\n") if line]


def visible(table):
    # type: (str) -> dict[str, Mount]
    """Return the mounts that are not hidden by later ones, by mount point; table is the text of MOUNTINFO."""
    return {mount.point: mount for mount in mounts(table)}


def unescape(text):
    # type: (str) -> str
    """Return a path as it is: in these tables a blank is an escape of three octal digits."""
    if "\\" not in text:
        return text
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code.group(1), 8)), text)


def arrays(table):
    # type: (str) -> list[Array]
    """Return the md arrays; table is /proc/mdstat."""
    heads = list(re.finditer(r"^(md\S+) : (.*)\n(.*)$", table, re.M))
    ends = [head.start() for head in heads[1:]] + [len(table)]
    return [
        Array(head.group(1), head.group(2), head.group(3), table[head.end() : ends[place]])
        for place, head in enumerate(heads)
    ]
