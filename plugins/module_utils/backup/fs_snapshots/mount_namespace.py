# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mounts that nobody else sees: a mount namespace of this process, entered and left as often as it takes.

What is mounted in it is gone with the process, whatever kills it. What the host mounts and unmounts meanwhile, an
automounter's file systems among it, is seen in it too.
"""

import contextlib
import errno
import os

from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_CLONE_NEWNS = 0x00020000
_SLAVE, _RECURSIVE, _BIND, _READ_ONLY = 1 << 19, 1 << 14, 1 << 12, 1
_NOTHING_RUNS = 2 | 4 | 8  # nosuid, nodev, noexec
_DETACH = 2
_PLACE = os.O_PATH | os.O_DIRECTORY


class Namespace:
    """The process has one thread, as each half has: the kernel moves only such a one back."""

    def __init__(self):
        # type: () -> None
        """Make it without entering it; raises HalfError where the host does not let us."""
        self._where = os.open(".", _PLACE)
        self._outside = _side()
        try:
            _call("unshare", _CLONE_NEWNS)
        except OSError as error:
            os.close(self._where)
            _close(self._outside)
            raise _refused(error)
        try:
            _call("mount", None, b"/", None, _SLAVE | _RECURSIVE, None)
            self._inside = _side()
        except OSError as error:
            self._leave()
            raise _refused(error)
        _go(self._outside)
        os.fchdir(self._where)

    @contextlib.contextmanager
    def inside(self):
        # type: () -> Iterator[None]
        """Be in it for a while."""
        _go(self._inside)
        try:
            yield
        finally:
            _go(self._outside)
            os.fchdir(self._where)

    def close(self):
        # type: () -> None
        """Let go of it, and with it of all that is mounted in it."""
        _close(self._inside)
        self._leave()

    def _leave(self):
        # type: () -> None
        _go(self._outside)
        os.fchdir(self._where)
        os.close(self._where)
        _close(self._outside)


def mount(device, place, kind, options=b"", read_only=False):
    # type: (bytes, bytes, bytes, bytes, bool) -> None
    """Mount a file system in which nothing is run; raises OSError."""
    flags = _NOTHING_RUNS | (_READ_ONLY if read_only else 0)
    _call("mount", device, place, kind, flags, options or None)


def bind(opened, place):
    # type: (int, bytes) -> None
    """Let what an open path is, with what is mounted below it, be seen at another place too; raises OSError."""
    _call("mount", b"/proc/self/fd/%d" % opened, place, None, _BIND | _RECURSIVE, None)


def unmount(place, busy=False):
    # type: (bytes, bool) -> None
    """Undo the last mount at a place, with `busy` also where it is in use; raises OSError."""
    _call("umount2", place, _DETACH if busy else 0)


def _side():
    # type: () -> tuple[int, int]
    """Return where the process is now: its namespace and its root, which a move would set to the namespace's own."""
    return os.open("/proc/self/ns/mnt", os.O_RDONLY), os.open("/", _PLACE)


def _go(side):
    # type: (tuple[int, int]) -> None
    _call("setns", side[0], _CLONE_NEWNS)
    os.fchdir(side[1])
    os.chroot(".")


def _close(side):
    # type: (tuple[int, int]) -> None
    for opened in side:
        os.close(opened)


def _refused(error):
    # type: (OSError) -> HalfError
    return HalfError(
        "The host does not let us mount the snapshot of a file system (%s): run as root with CAP_SYS_ADMIN, or set "
        "snapshot: false." % error.strerror,
        "permission",
    )


def _call(name, *arguments):
    # type: (str, bytes | int | None) -> None
    """Call a function of the C library that returns 0 for success; raises OSError."""
    try:
        import ctypes
    except ImportError:
        raise OSError(errno.ENOSYS, "Python has no ctypes")

    library = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_ulong(value) if name == "mount" and isinstance(value, int) else value for value in arguments]
    if getattr(library, name)(*values):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
