# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mount a file system in a lab host that greets and then never answers: hang.py PID FOLDER.

It hangs until this process ends.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

CLONE_NEWNS, MS_NOSUID, MS_NODEV = 0x20000, 2, 4
INIT, VERSION = 26, (7, 31)


def main(pid: str, folder: str) -> None:
    """Mount, answer the kernel's greeting, and read requests without answering one."""
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{pid}/ns/mnt").open() as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNS) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    # Named as a server's share is: tools then know that it may hang.
    if libc.mount(b"nfs1:/share", folder.encode(), b"fuse", MS_NOSUID | MS_NODEV, options.encode()) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    request = os.read(device, 1 << 17)
    _length, code, unique = struct.unpack_from("IIQ", request)
    if code == INIT:
        body = struct.pack("IIIIHHIIHHI28x", *VERSION, 0, 0, 0, 0, 1 << 16, 1, 0, 0, 0)
        os.write(device, struct.pack("IiQ", 16 + len(body), 0, unique) + body)
    print("mounted", flush=True)
    while True:  # only who waits for the answer to a request that was read cannot be killed
        os.read(device, 1 << 17)


if __name__ == "__main__":
    main(*sys.argv[1:])
