# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work that must not stop half-way: a job of its own on the host, with a journal, whatever becomes of the controller.

An operation has an id, a folder below the host's state folder, and a journal of one JSON line for each event. One
process at a time works on the operations of a host: it holds their lock, which the kernel releases when it dies. The
program, its arguments and its secrets reach it by a pipe, so nothing of them lies on the disk.
"""

import os
import signal
import time

from ansible_collections.egov.ops.plugins.module_utils.host.half import TRACEBACK, HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.journal import Journal
from ansible_collections.egov.ops.plugins.module_utils.host.lock import lock
from ansible_collections.egov.ops.plugins.module_utils.host.run import find_tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Arguments, Begun, Event, Fact

#: Seconds in which a job must have taken the lock.
_LOCK_SECONDS = 5.0
_PAUSE = 0.1
#: What of an event may repeat the words of a tool.
_FOR_PEOPLE = ("message", "not_compared", "observation", "why")
_OUTPUT_LIMIT = 2000


class Operation:
    """One operation of this host: its journal, its lock, and the job that works on it."""

    def __init__(self, identity, host):
        # type: (str, Host) -> None
        """Take the operation's id, 64 hex digits; raises HalfError for anything else."""
        if len(identity) != 64 or any(sign not in "0123456789abcdef" for sign in identity):
            raise HalfError("%r is not the id of an operation: give the 64 hex digits of its request." % identity)
        self.id = identity
        self._host = host
        self._top = os.path.join(host.state_dir, "operations")
        self._folder = os.path.join(self._top, identity)
        self._journal = Journal(os.path.join(self._folder, "journal.jsonl"), host.files)
        self._output = os.path.join(self._folder, "output")
        self._lock = -1

    @property
    def unit(self):
        # type: () -> str
        """Name of the systemd unit that the job runs as, where there is systemd."""
        return "egov-ops-%s.service" % self.id[:16]

    def events(self):
        # type: () -> list[Event]
        """Return the journal, oldest first, without a line that a crash has torn; HalfError for a damaged one."""
        return self._journal.events()

    def note(self, event, **detail):
        # type: (str, Fact) -> None
        """Add an event to the journal, where it outlasts a crash; raises OSError.

        Secrets are taken out of what it tells a person. Paths and names stay: the work is resumed or undone by them.
        """
        told = {key: self._host.scrubber.value(value) for key, value in detail.items() if key in _FOR_PEOPLE}
        self._journal.note(event, **dict(detail, **told))

    def prepare(self):
        # type: () -> None
        """Make the operation's folder; raise HalfError where that cannot be done."""
        try:
            self._host.files.folder(self._top)
            self._host.files.folder(self._folder)
        except OSError as error:
            raise HalfError(
                "The state folder %s cannot be written: %s. Set egov_ops_host_state_dir to one that can."
                % (self._host.state_dir, error.strerror),
                "permission",
            )

    def take(self, seconds=_LOCK_SECONDS):
        # type: (float) -> None
        """Keep others off this host's operations until release or the end of the process; raise HalfError if busy."""
        self.prepare()
        self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        if not lock(self._lock, seconds):
            other = os.pread(self._lock, 64, 0).decode("ascii", "replace")
            self.release()
            raise HalfError(_busy(other), "busy")
        os.pwrite(self._lock, self.id.encode("ascii"), 0)

    def release(self):
        # type: () -> None
        """Let others work on this host's operations."""
        os.close(self._lock)
        self._lock = -1

    def running(self):
        # type: () -> bool
        """Tell whether a process works on this operation now; raise HalfError where one works on another."""
        import fcntl

        try:
            descriptor = os.open(self._lock_path, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            if os.pread(descriptor, 64, 0) != self.id.encode("ascii"):
                time.sleep(_PAUSE)  # who has just taken the lock has not said yet what for
            holder = os.pread(descriptor, 64, 0).decode("ascii", "replace")
            if holder != self.id:
                raise HalfError(_busy(holder), "busy")
            return True
        finally:
            os.close(descriptor)
        return False

    def others(self):
        # type: () -> list[Operation]
        """Return the other operations that this host knows of."""
        try:
            names = sorted(os.listdir(self._top))
        except OSError:
            return []
        return [Operation(name, self._host) for name in names if len(name) == 64 and name != self.id]

    def start(self, half, arguments, seconds):
        # type: (tuple[str, str], Arguments, float) -> subprocess.Popen[bytes] | None
        """Start a half as a job that may take so many seconds, and return the process to wait for.

        The job's first act must be `take`: until it has, no other call starts one, and None is returned where another
        call has. Raises HalfError where it cannot be started.
        """
        self.prepare()
        gate = os.open(os.path.join(self._folder, "start"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not lock(gate, 2 * _LOCK_SECONDS):
                raise HalfError("Another call has been starting operation %s: run it again." % self.id[:8], "busy")
            if self.running():
                return None
            process = self._launch(half, arguments, seconds)
            until = time.monotonic() + _LOCK_SECONDS
            while process.poll() is None and not self.running() and time.monotonic() < until:
                time.sleep(_PAUSE / 5)
            return process
        finally:
            os.close(gate)

    def _launch(self, half, arguments, seconds):
        # type: (tuple[str, str], Arguments, float) -> subprocess.Popen[bytes]
        import json
        import subprocess
        import sys

        host = self._host
        context = {
            "now": host.now,
            "run": host.run_id,
            "timeout": seconds,
            "tool_path": host.tool_path,
            "state_dir": host.state_dir,
            "alias": host.alias,
            "machine": host.machine,  # the job compares again before it writes
        }
        envelope = dict(
            host.program["envelope"], half=list(half), arguments=arguments, context=context, secrets=host.secrets
        )
        command = [sys.executable, "-I", "-S", "-c", host.program["boot"]]
        if os.geteuid() == 0 and os.path.isdir("/run/systemd/system"):
            launcher = find_tool("systemd-run", host.tool_path)
            command = [launcher, "--quiet", "--collect", "--pipe", "--unit", self.unit] + command
        host.files.remove(self._output)
        output = os.open(self._output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # run_command waits for the end, and the job outlives the module.
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, cwd="/", start_new_session=True
            )
        except OSError as error:
            raise HalfError("The job of operation %s cannot be started: %s." % (self.id[:8], error.strerror))
        finally:
            os.close(output)
        try:
            process.stdin.write(json.dumps(envelope).encode("utf-8"))  # type: ignore[union-attr]
            process.stdin.close()  # type: ignore[union-attr]
        except OSError:  # it has ended already, and wait says how
            pass
        return process

    def wait(self, ended, seconds, process=None):
        # type: (Callable[[list[Event]], Event | None], float, subprocess.Popen[bytes] | None) -> Event | None
        """Return the event that ends the operation, None if it still runs after so many seconds.

        ended(events) returns that event, None while there is none; process is what start returned. Raises HalfError
        for a job that is gone without such an event.
        """
        until = time.monotonic() + min(seconds, self._host.remaining())
        while True:
            # A process that gave way to another one's job is gone, and its work goes on.
            if not ((process and process.poll() is None) or self.running()):
                event = ended(self.events())
                if event:
                    return event
                message, stack = self._failure()
                raise HalfError(
                    "The job of operation %s %s Run the same command again to continue it, or "
                    "egov.ops.restore_undo to put back what was there." % (self.id[:8], message),
                    "interrupted",
                    stack,
                )
            if time.monotonic() >= until:
                return None
            time.sleep(_PAUSE)

    def kill(self):
        # type: () -> None
        """End the job that works on this operation, if there is one, and wait until it is gone."""
        begun = [event for event in self.events() if event["event"] == "begin"]
        until = time.monotonic() + _LOCK_SECONDS
        while begun and self.running():
            if start_ticks(begun[-1]["pid"]) == begun[-1]["ticks"]:
                _kill(begun[-1]["pid"])
            if time.monotonic() >= until:
                raise HalfError(
                    "The job of operation %s cannot be ended: see process %s." % (self.id[:8], begun[-1]["pid"])
                )
            time.sleep(_PAUSE)

    @property
    def _lock_path(self):
        # type: () -> str
        return os.path.join(self._top, "lock")

    def _failure(self):
        # type: () -> tuple[str, str]
        """Return why the job ended, as the end of a sentence, and its traceback, "" for none."""
        import json

        try:
            with open(self._output, "rb") as stream:
                text = stream.read().decode("utf-8", "backslashreplace")
        except OSError:
            text = ""
        said = [line.strip() for line in text.splitlines() if line.strip() not in ("", TRACEBACK)]
        try:
            result = json.loads(said[-1] if said else "")
        except (ValueError, RecursionError):
            result = None
        if isinstance(result, dict) and result.get("failed"):
            return "failed: %s" % result.get("msg"), str(result.get("traceback") or "")
        words = "; ".join(said[-2:])[-_OUTPUT_LIMIT:].rstrip(".") or "it said nothing"
        return "was killed or died: %s." % words, text if TRACEBACK in text else ""


def myself():
    # type: () -> Begun
    """Return what tells this process from any other, and when it began: pid, start ticks, boot and both clocks."""
    return {
        "pid": os.getpid(),
        "ticks": start_ticks(os.getpid()),
        "boot": _boot(),
        "monotonic": time.monotonic(),
        "clock": time.time(),
    }


def seconds_since(begun):
    # type: (Begun | Event) -> float
    """Return the seconds since what `myself` returned; by the wall clock only where the host was booted since."""
    if begun["boot"] == _boot():
        return time.monotonic() - float(begun["monotonic"])
    return max(0.0, time.time() - float(begun["clock"]))


def _boot():
    # type: () -> str
    with open("/proc/sys/kernel/random/boot_id", "rb") as stream:
        return stream.read().decode("ascii").strip()


def start_ticks(pid):
    # type: (int) -> int
    """Return when a process was started, in ticks since the boot; -1 for one that is gone."""
    try:
        with open("/proc/%s/stat" % pid, "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()
    except OSError:
        return -1
    return -1 if fields[0] in (b"Z", b"X") else int(fields[19])


def kill_users(word):
    # type: (str) -> None
    """Kill each process that was given this word as an argument: a tool whose job was killed works on alone."""
    wanted, until = word.encode("utf-8", "surrogateescape"), time.monotonic() + _LOCK_SECONDS
    while time.monotonic() < until:
        found = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and wanted in _arguments(pid)]
        if not found:
            return
        for pid in found:
            _kill(pid)
        time.sleep(_PAUSE)


def _kill(pid):
    # type: (int) -> None
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass  # it is gone already, or another user's


def _arguments(pid):
    # type: (str) -> list[bytes]
    try:
        with open("/proc/%s/cmdline" % pid, "rb") as stream:
            return stream.read().split(b"\0")
    except OSError:
        return []


def _busy(holder):
    # type: (str) -> str
    return "Operation %s is at work on this host: wait for its end." % (holder[:8] or "of another request")
