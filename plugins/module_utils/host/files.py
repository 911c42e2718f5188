# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that a host half writes: whole or not at all, never in check mode."""

import errno
import os

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


class CheckModeWrite(Exception):
    """Something tried to write in check mode; the half forgot to ask, and the file is untouched."""


class Files:
    """The only way in which a host half writes. In check mode each method raises CheckModeWrite."""

    def __init__(self, check_mode):
        # type: (bool) -> None
        self._check_mode = check_mode

    def _may_write(self, path):
        # type: (str) -> None
        if self._check_mode:
            raise CheckModeWrite("%s would be written in check mode" % path)

    def folder(self, path, mode=0o700):
        # type: (str, int) -> None
        """Make a folder and its parents where missing; only the last gets the mode."""
        self._may_write(path)
        os.makedirs(os.path.dirname(path) or "/", exist_ok=True)
        try:
            os.mkdir(path, mode)
        except FileExistsError:
            # Another process may have made it just now: two names of one machine work in one folder.
            if not os.path.isdir(path):
                raise

    def write(self, path, data, mode=0o600):
        # type: (str, bytes, int) -> None
        """Replace a file in one step: written beside it, fsynced, renamed, and the folder fsynced."""
        self._may_write(path)
        temporary = "%s.new.%d" % (path, os.getpid())
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        _sync_folder(path)

    def append(self, path, line):
        # type: (str, bytes) -> None
        """Add a line to a file and fsync it; what a crash has left of a line before is cut off."""
        self._may_write(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as stream:
            content = stream.read()
            stream.seek(content.rfind(b"\n") + 1)
            stream.truncate()
            stream.write(line + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        if not content:
            _sync_folder(path)

    def move(self, source, target):
        # type: (bytes, bytes) -> None
        """Give a path a new name on its file system, for good; raises OSError where the new name is taken."""
        self._may_write(os.fsdecode(source))
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        os.rename(source, target)
        _sync_folder(target)
        _sync_folder(source)

    def exchange(self, one, other):
        # type: (bytes, bytes) -> bool
        """Let two paths of a file system change places in one step, for good; False where that cannot be done so."""
        self._may_write(os.fsdecode(one))
        try:
            import ctypes

            rename = ctypes.CDLL(None, use_errno=True).renameat2
        except (ImportError, AttributeError):  # a Python without ctypes, a C library before 2.28
            return False
        if rename(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE):
            number = ctypes.get_errno()
            if number in (errno.ENOSYS, errno.EINVAL):
                return False
            raise OSError(number, os.strerror(number), one)
        _sync_folder(one)
        _sync_folder(other)
        return True

    def remove(self, path):
        # type: (str) -> None
        """Remove a file if it is there."""
        self._may_write(path)
        try:
            os.unlink(path)
        except OSError as error:
            if os.path.lexists(path):
                raise error


def _sync_folder(path):
    # type: (str | bytes) -> None
    """Let what was done to a name outlast a crash."""
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_text(path, limit=1024 * 1024):
    # type: (str, int) -> str
    """Return at most `limit` bytes of a file as text; undecodable bytes become escapes. Raises OSError."""
    with open(path, "rb") as stream:
        return stream.read(limit).decode("utf-8", "backslashreplace")


def lines(path, limit=1024 * 1024):
    # type: (str, int) -> list[str]
    """Return the lines of read_text."""
    return read_text(path, limit).splitlines()
