# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attach a file system to a lab host, as a disk that is put into it: attach.py PID DEVICE FOLDER.

The host's root is nobody on the machine and may not mount block devices, so the machine mounts it and hands it over.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CLONE_NEWNS, OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH, AT_FDCWD = 0x20000, 1, 4, -100
OPEN_TREE, MOVE_MOUNT = 428, 429  # the same numbers on every architecture

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int) -> int:
    """Return the result of a call of the kernel; raise OSError with the kernel's reason where it failed."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def main(pid: str, device: str, folder: str) -> None:
    """Mount the device beside, and move the mount into the host's own tree."""
    with Path(f"/proc/{pid}/ns/mnt").open() as namespace, tempfile.TemporaryDirectory() as beside:
        subprocess.run(["mount", "-t", "ext4", device, beside], check=True)
        try:
            tree = checked(libc.syscall(OPEN_TREE, AT_FDCWD, beside.encode(), OPEN_TREE_CLONE))
        finally:
            subprocess.run(["umount", beside], check=True)
        checked(libc.setns(namespace.fileno(), CLONE_NEWNS))
        checked(libc.syscall(MOVE_MOUNT, tree, b"", AT_FDCWD, folder.encode(), MOVE_MOUNT_F_EMPTY_PATH))
        os.chdir("/")
        os._exit(0)  # the temporary folder is out of sight here, and empty


if __name__ == "__main__":
    main(*sys.argv[1:])
