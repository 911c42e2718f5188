# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that must be there after a crash, and locks that the kernel releases when their holder dies."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError


def hold(descriptor: int, seconds: float) -> bool:
    """Take the exclusive flock of an open file; return False if it is still held by another after some seconds."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)


@contextmanager
def folder_held(folder: Path, seconds: float) -> Iterator[bool]:
    """Hold a folder's exclusive lock, and tell whether it could be had within some seconds. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield hold(descriptor, seconds)
    finally:
        os.close(descriptor)


def append_lines(descriptor: int, lines: list[str]) -> tuple[int, int]:
    """Append lines to a file open for reading and writing, all or none, and fsync it. The caller holds its lock.

    Returns where they begin and end in the file.

    A last line without its end, left by a killed writer, is closed first so that it spoils no other.
    Raises OSError; what was written of the lines is then taken back.
    """
    size = os.fstat(descriptor).st_size
    torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
    data = memoryview(("\n" * torn + "".join(line + "\n" for line in lines)).encode("utf-8"))
    position = size
    try:
        while data:
            written = os.pwrite(descriptor, data, position)
            position += written
            data = data[written:]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise
    return size + torn, position


def sync_folder(folder: Path) -> None:
    """Make names created, renamed or removed in a folder survive a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_private(path: str | Path, flags: int) -> int:
    """Open a file of the state folder, never by a symlink; one that is made is its owner's alone under any umask.

    Where the folder that it lies in may be written by its group, the group may write the file as well. Raises OSError.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if flags & os.O_CREAT:
        try:
            status, folder = os.fstat(descriptor), Path(path).parent.stat()
            wanted = 0o660 if folder.st_mode & stat.S_IWGRP else 0o600
            if status.st_uid == os.geteuid() and status.st_mode & wanted != wanted:
                os.fchmod(descriptor, wanted)
        except OSError:
            os.close(descriptor)
            raise
    return descriptor


def is_ours(status: os.stat_result, folder: os.stat_result) -> bool:
    """Tell whether what lies in a folder is this user's, or its group's where the group may write the folder."""
    of_group = bool(folder.st_mode & stat.S_IWGRP) and status.st_gid == folder.st_gid
    return status.st_uid == os.geteuid() or of_group


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, and a group that may write the folder above it.

    Raises OpsError where something else has its name, and OSError.
    """
    above = folder.parent.stat()
    try:
        folder.mkdir(mode=0o700)
        folder.chmod(0o2770 if above.st_mode & stat.S_IWGRP else 0o700)
        sync_folder(folder.parent)
    except FileExistsError:
        state = folder.lstat()
        if not stat.S_ISDIR(state.st_mode) or not is_ours(state, above):
            raise OpsError(
                f"{folder} is not a folder of this user, so nothing can be set aside there; move it away."
            ) from None


def write_whole(path: Path, temporary: Path, chunks: Iterable[bytes]) -> None:
    """Write a file in one step: beside it, fsynced, renamed over it, the folder fsynced. Raises OSError."""
    descriptor = open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.writelines(chunks)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file of any size. Raises OSError."""
    hasher = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            hasher.update(chunk)
    return hasher.hexdigest()
