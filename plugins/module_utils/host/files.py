# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that a host half writes: whole or not at all, never in check mode."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
        folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove(self, path):
        # type: (str) -> None
        """Remove a file if it is there."""
        self._may_write(path)
        try:
            os.unlink(path)
        except OSError as error:
            if os.path.lexists(path):
                raise error


def read_text(path, limit=1024 * 1024):
    # type: (str, int) -> str
    """Return at most `limit` bytes of a file as text; undecodable bytes become escapes. Raises OSError."""
    with open(path, "rb") as stream:
        return stream.read(limit).decode("utf-8", "backslashreplace")


def lines(path, limit=1024 * 1024):
    # type: (str, int) -> Any
    """Return the lines of read_text."""
    return read_text(path, limit).splitlines()
