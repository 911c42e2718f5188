# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network share whose server does not answer: a FUSE mount, and as a program the server that keeps silent."""

from __future__ import annotations

import ctypes
import os
import select
import struct
import subprocess
import sys
from pathlib import Path

import pytest

_INIT, _STATFS = 26, 17


class HungMount:
    """A mount on which whoever asks for its state waits in the kernel, until it is revived or taken away."""

    def __init__(self, point: Path) -> None:
        self.point = point

    def __enter__(self) -> HungMount:
        self.point.mkdir()
        # a process, because its end is what frees everyone who waits
        self._server = subprocess.Popen(
            [sys.executable, __file__, self.point], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._server.stdout
        if said := self._server.stdout.readline().strip():
            self._server.wait()
            pytest.skip(f"no FUSE mount can be made here: {said}")
        return self

    def __exit__(self, *error: object) -> None:
        self._server.kill()
        self._server.communicate()
        subprocess.run(["umount", "-l", self.point], check=True)

    def revive(self) -> None:
        """Let the server answer from now on, whoever waits already included."""
        assert self._server.stdin
        self._server.stdin.write("\n")
        self._server.stdin.flush()


def _mount(point: str) -> int:
    """Mount a share at a point and return the device by which the kernel asks for it; raises OSError."""
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    if ctypes.CDLL(None, use_errno=True).mount(b"nfs1:/share", os.fsencode(point), b"fuse", 6, options.encode()):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return device


def _answer(device: int, unique: int, body: bytes) -> None:
    try:
        os.write(device, struct.pack("=IiQ", 16 + len(body), 0, unique) + body)
    except FileNotFoundError:
        return  # whoever asked has been killed


def _serve(device: int) -> None:
    # version 7.31 without options, which every kernel with FUSE takes; 1000 blocks, half of them free
    started = struct.pack("=IIIIHHIIHH", 7, 31, 4096, 0, 12, 9, 4096, 1, 1, 0) + bytes(28)
    state = struct.pack("=QQQQQIIII", 1000, 500, 500, 0, 0, 4096, 255, 4096, 0) + bytes(24)
    revived, waiting = False, list[int]()
    while True:
        ready, _, _ = select.select([device] if revived else [device, sys.stdin], [], [])
        if sys.stdin in ready:
            revived = True
            for unique in waiting:
                _answer(device, unique, state)
        if device in ready:
            _size, operation, unique = struct.unpack_from("=IIQ", os.read(device, 1 << 17))
            if operation == _INIT:
                _answer(device, unique, started)
            elif operation == _STATFS and revived:
                _answer(device, unique, state)
            elif operation == _STATFS:
                waiting.append(unique)


def _main(point: str) -> None:
    try:
        device = _mount(point)
    except OSError as error:
        print(error, flush=True)
    else:
        print(flush=True)
        _serve(device)


if __name__ == "__main__":
    _main(sys.argv[1])
