# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of a file, folder or link: its type, content, extended attributes, and the names of its owners."""

import errno
import os
import stat

from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: Bytes that are read at once, into the same place for all files, as a half has one thread: it stays in the processor's
#: cache, where memory of its own for each file takes the system longer than the digest takes.
CHUNK = 96 * 1024
_chunk = memoryview(bytearray(CHUNK))
_chunks = [_chunk]


def content(path, host):
    # type: (bytes, Host) -> tuple[os.stat_result, str, dict[str, str]]
    """Return what lstat says of a regular file, its digest (SHA-256) and extended attributes.

    Raises OSError, and HalfError at the deadline.
    """
    # Between the walk and now it may have become a link or a fifo; opening must neither follow nor wait.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(errno.EINVAL, "no longer a regular file")
        return info, _digest(descriptor, info.st_size, host), _attributes(descriptor, True)
    finally:
        os.close(descriptor)


def xattrs(path):
    # type: (bytes) -> dict[str, str]
    """Return the extended attributes of a path by name, values in base64; none where they cannot be had."""
    return _attributes(path, False)


def _digest(descriptor, left, host):
    # type: (int, int, Host) -> str
    """Return the digest of an open file that has, as far as is known, so many bytes left."""
    import hashlib

    size = os.readv(descriptor, _chunks)
    digest = hashlib.sha256(_chunk[:size])
    while size and (size == CHUNK or size < left):  # most files are read in one piece
        if not host.remaining():
            raise HalfError("Reading the files of the set did not end in time: give the task more time.", "timeout")
        left -= size
        size = os.readv(descriptor, _chunks)
        digest.update(_chunk[:size])
    return digest.hexdigest()


def _attributes(path, follow):
    # type: (bytes | int, bool) -> dict[str, str]
    try:
        names = os.listxattr(path, follow_symlinks=follow)
        if not names:
            return {}
        import binascii

        return {
            name: binascii.b2a_base64(os.getxattr(path, name, follow_symlinks=follow)).decode("ascii").strip()
            for name in names
        }
    except OSError:
        return {}


def kind_of(mode):
    # type: (int) -> str
    """Return the type that an entry of this mode has, "" for a socket, fifo or device."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "dir"
    return "link" if stat.S_ISLNK(mode) else ""


class Names:
    """Names of users and groups, each asked for once."""

    def __init__(self):
        # type: () -> None
        self._users = {}  # type: dict[int, str]
        self._groups = {}  # type: dict[int, str]

    def user(self, uid):
        # type: (int) -> str
        if uid not in self._users:
            import pwd

            try:
                self._users[uid] = pwd.getpwuid(uid).pw_name
            except KeyError:
                self._users[uid] = ""
        return self._users[uid]

    def group(self, gid):
        # type: (int) -> str
        if gid not in self._groups:
            import grp

            try:
                self._groups[gid] = grp.getgrgid(gid).gr_name
            except KeyError:
                self._groups[gid] = ""
        return self._groups[gid]
