# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work that may take long and that a person waits for: one trip where it is short, else a trip for each line.

The work is a child of the trip's process. Where it is over in time, its result is that of the trip. Where not, the trip
returns a line of progress, the child works on alone, and the next trip asks for it by the id of its folder, which holds
a lock that the kernel releases when the child is gone.
"""

import os
import signal
import time

from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError, perform
from ansible_collections.egov.ops.plugins.module_utils.host.lock import lock
from ansible_collections.egov.ops.plugins.module_utils.host.progress import WAIT_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Arguments, Half, Result

#: Seconds between two lines that the work writes for whoever asks.
TICK_SECONDS = 4.0
#: Seconds beyond its own deadline after which work that does not end is killed.
GRACE_SECONDS = 20.0
#: Seconds after which what nobody has asked for is removed.
KEPT_SECONDS = 7 * 86400.0
_PAUSE = 0.1


def watched(half, arguments, host):
    # type: (Callable[[Any, Host], Result], Arguments, Host) -> Result  # Any: see Half
    """Return a half's result; where that takes longer, a result with `running`, and `again` for the next call.

    Raises HalfError for work that was killed or did not end. In check mode nothing is started beside the trip.
    """
    if arguments.get("job"):
        return _asked(_Place(str(arguments["job"]), host), host)
    if host.check_mode:
        return half(arguments, host)
    place = _Place("", host)
    try:
        lock = place.make()
    except OSError:  # the half says so of its own files
        return half(arguments, host)
    import select

    _take_along(half)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _work(half, arguments, host, place, (lock, writer))
    os.close(writer)
    os.close(lock)
    try:
        over = select.select([reader], [], [], min(WAIT_SECONDS, host.remaining() + GRACE_SECONDS))[0]
    finally:
        os.close(reader)
    if not over:
        return place.progress()
    os.waitpid(child, 0)
    return _result(place)


class _Place:
    """The folder of one piece of work."""

    def __init__(self, identity, host):
        # type: (str, Host) -> None
        """Take the id that `again` gave, "" for new work; raises HalfError for what is no id."""
        import binascii

        self.id = identity or binascii.hexlify(os.urandom(16)).decode("ascii")
        if len(self.id) != 32 or any(sign not in "0123456789abcdef" for sign in self.id):
            raise HalfError("%r is not the id of a job: it is given by the call that started it." % identity)
        self._host = host
        self._top = os.path.join(host.state_dir, "watched")
        self._folder = os.path.join(self._top, self.id)

    def make(self):
        # type: () -> int
        """Make the folder, remove what nobody has asked for, and return the open file of the lock; raises OSError."""
        self._host.files.folder(self._top)
        for name in os.listdir(self._top):
            if os.stat(os.path.join(self._top, name)).st_mtime < time.time() - KEPT_SECONDS:
                other = _Place(name, self._host)
                if other.free():
                    other.remove()
        self._host.files.folder(self._folder)
        descriptor = os.open(self._path("lock"), os.O_RDWR | os.O_CREAT, 0o600)
        lock(descriptor)
        return descriptor

    def free(self):
        # type: () -> bool
        """Tell whether no process works here."""
        try:
            descriptor = os.open(self._path("lock"), os.O_RDONLY)
        except OSError:
            return True
        try:
            return lock(descriptor)
        finally:
            os.close(descriptor)

    def note(self, name, value):
        # type: (str, object) -> None
        """Keep a JSON value, without secrets; raises OSError."""
        import json

        scrubber = self._host.scrubber
        text = json.dumps(scrubber.result(value) if isinstance(value, dict) else scrubber.value(value))
        temporary = self._path(name + ".new")
        with open(temporary, "wb", opener=_private) as stream:
            stream.write(text.encode("ascii"))
        os.rename(temporary, self._path(name))

    def read(self, name):
        # type: (str) -> Any  # Any: what `note` was given
        """Return what `note` kept, None where there is nothing."""
        import json

        try:
            with open(self._path(name), "rb") as stream:
                return json.loads(stream.read().decode("ascii"))
        except (OSError, ValueError, RecursionError):
            return None

    def progress(self):
        # type: () -> Result
        """Return what a trip answers while the work goes on."""
        line = self.read("line") or "at work"
        return {"running": True, "changed": True, "msg": line, "again": {"job": self.id}}

    def remove(self):
        # type: () -> None
        """Remove the folder, as far as it is there."""
        try:
            for name in os.listdir(self._folder):
                os.unlink(os.path.join(self._folder, name))
            os.rmdir(self._folder)
        except OSError:
            pass  # another call has removed it

    def _path(self, name):
        # type: (str) -> str
        return os.path.join(self._folder, name)


def _work(half, arguments, host, place, kept):
    # type: (Half, Arguments, Host, _Place, tuple[int, ...]) -> None
    """Be the child: do the work, keep its result, and end."""
    try:
        os.setsid()
        _let_go(kept)
        place.note("worker", [os.getpid(), time.monotonic() + host.remaining()])

        def tell(_signal, _frame):
            # type: (int, FrameType | None) -> None
            try:
                place.note("line", host.progress.line() or "at work")
            except OSError:
                pass  # a full disk stops no work for the sake of a line

        signal.signal(signal.SIGALRM, tell)
        signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS, TICK_SECONDS)
        result = perform(half, arguments, host)
        signal.setitimer(signal.ITIMER_REAL, 0)
        place.note("result", result)
    finally:
        os._exit(0)


def _take_along(half):
    # type: (Half) -> None
    """Import all that the work may need: the archive of an ordinary module is removed when its trip ends."""
    import sys

    archive = getattr(getattr(sys.modules[half.__module__], "__loader__", None), "archive", "")
    if archive:
        import zipfile
        from importlib import import_module

        with zipfile.ZipFile(archive) as content:
            names = [name[:-3].replace("/", ".") for name in content.namelist() if name.endswith(".py")]
        for name in names:
            if ".egov.ops.plugins.module_utils." in name and not name.endswith("__init__"):
                import_module(name)


def _let_go(kept):
    # type: (tuple[int, ...]) -> None
    """Close all that the trip has open: its connection ends when nobody holds its output any more."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                pass  # what listed the folder


def _asked(place, host):
    # type: (_Place, Host) -> Result
    """Wait for work that another trip started, and return its result or how far it is; raises HalfError."""
    until = time.monotonic() + min(WAIT_SECONDS, host.remaining())
    while not place.free():
        worker = place.read("worker")
        if _is_worker(worker) and time.monotonic() > worker[1] + GRACE_SECONDS:
            os.killpg(worker[0], signal.SIGKILL)  # it holds the lock, so the number is still its own
            raise HalfError("The work did not end in its time and was killed: give the task more time.", "timeout")
        if time.monotonic() >= until:
            return place.progress()
        time.sleep(_PAUSE)
    return _result(place)


def _is_worker(worker):
    # type: (object) -> bool
    """Tell whether a value is what a worker notes: the number of its group, more than 1, and the end of its time."""
    return (
        isinstance(worker, list) and [type(value) for value in worker] in ([int, float], [int, int]) and worker[0] > 1
    )


def _result(place):
    # type: (_Place) -> Result
    result = place.read("result")  # type: Result | None
    line = place.read("line")
    place.remove()
    if not isinstance(result, dict):
        raise HalfError(
            "The work on the host was killed, or its state folder is full%s: run it again."
            % (" (it was at: %s)" % line if line else ""),
            "interrupted",
        )
    return result


def _private(path, flags):
    # type: (str, int) -> int
    return os.open(path, flags, 0o600)
