# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether another program is at work on a package database, asked without taking the lock."""

import fcntl
import os
import struct

from ansible_collections.egov.ops.plugins.module_utils.host import processes
from ansible_collections.egov.ops.plugins.module_utils.host.files import lines, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def holder(paths):
    # type: (Iterable[str]) -> str
    """Return the program that holds a write lock on one of some files (see processes.in_words), "" for none."""
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            continue
        pid = _ask_file(path)
        if pid is None:  # an ordinary user may not open it
            pid = _ask_kernel(status)
        if pid:
            return _name(pid)
    return ""


def writer(path):
    # type: (str) -> str
    """Return the program whose pid stands in a file; "another program" where that cannot be read."""
    try:
        return _name(int(read_text(path)))
    except (OSError, ValueError):
        return "another program on %s" % os.uname()[1]


def _ask_file(path):
    # type: (str) -> int | None
    """Return the pid of who holds the file's lock, -1 for one that cannot be seen from here, 0 for nobody."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        question = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = struct.unpack("hhqqi4x", fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    finally:
        os.close(descriptor)
    return 0 if answer[0] == fcntl.F_UNLCK else answer[4] or -1


def _ask_kernel(status):
    # type: (os.stat_result) -> int
    place = "%02x:%02x:%d" % (os.major(status.st_dev), os.minor(status.st_dev), status.st_ino)
    try:
        for line in lines("/proc/locks"):
            fields = line.split()
            if place in fields and "WRITE" in fields and "->" not in fields:
                return int(fields[4]) or -1
    except OSError:
        pass
    return 0


def _name(pid):
    # type: (int) -> str
    if pid < 0:
        return "a program of another container"
    return processes.in_words(pid)
