# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a tool of the host: argument list, fixed environment, own process group, deadline, bounded output."""

import os
import select
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence
    from typing import Any

    Heard = Callable[[bytes], object]

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
OUTPUT_LIMIT = 1024 * 1024


class Completed:
    """What a tool left behind: rc (None if it could not be started or did not end), output, and how it ended."""

    def __init__(self, argv, rc, stdout=b"", stderr=b"", timed_out=False, missing=False, cut=0, duration=0.0):
        # type: (list[str], int | None, bytes, bytes, bool, bool, int, float) -> None
        self.argv = argv
        self.rc = rc
        self.stdout = stdout
        self.stderr = stderr
        self.timed_out = timed_out
        self.missing = missing
        self.cut = cut
        self.duration = duration
        #: What takes secrets out of a text; they are whole only as long as nothing is cut.
        self.scrub = str  # type: Callable[[str], str]

    @property
    def out(self):
        # type: () -> str
        """Standard output as text; undecodable bytes become escapes."""
        return self.stdout.decode("utf-8", "backslashreplace")

    @property
    def error(self):
        # type: () -> str
        """The tool's own last words without secrets, one line of at most 500 characters."""
        if self.missing:
            return "%s is not installed" % self.argv[0]
        text = self.scrub(self.stderr.decode("utf-8", "backslashreplace").strip() or self.out.strip())
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        said = "; ".join(lines[-3:])[-500:]
        if self.timed_out:
            return "%s did not end in time%s" % (self.argv[0], ": " + said if said else "")
        return said or "%s ended with code %s and said nothing" % (self.argv[0], self.rc)


def find_tool(name, tool_path=()):
    # type: (str, Sequence[str]) -> str
    """Return the absolute path of a tool, "" if there is none; folders of tool_path come before the system's."""
    if os.path.isabs(name):
        return name if os.access(name, os.X_OK) else ""
    for folder in list(tool_path) + PATH.split(":"):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return ""


def run(argv, timeout, stdin=b"", env=None, cwd="/", tool_path=(), limit=OUTPUT_LIMIT, keep=(), heard=None):
    # type: (list[str], float, bytes, dict[str, str] | None, str, Sequence[str], int, Sequence[int], Heard | None) -> Completed
    """Run a tool to its end or to its deadline, in seconds, and return a Completed; never raises for the tool's sake.

    stdin is given whole and closed; of each output stream `limit` bytes are kept and the rest counted in `cut`.
    `keep` are open files that the tool has too: a lock is then held until both have ended. `heard` is given each piece
    of standard output as it comes.
    At the deadline the whole process group is killed; a process that cannot die (a hung mount) is left behind.
    """
    # imported here: it brings threading, which makes each fork of a half that forks much dearer (0.5 ms)
    import subprocess

    path = find_tool(argv[0], tool_path)
    if not path:
        return Completed(argv, None, missing=True)
    environment = {"PATH": ":".join(list(tool_path) + [PATH]), "LC_ALL": "C.UTF-8", "HOME": os.environ.get("HOME", "/")}
    environment.update(env or {})
    started = time.monotonic()
    try:
        # run_command has no limit of time, cannot end a whole group of processes, and decodes what restic names files.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            [path] + argv[1:],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=cwd,
            start_new_session=True,
            pass_fds=keep,
        )
    except OSError as error:
        return Completed(argv, None, stderr=str(error).encode())
    kept, cut, timed_out = _pump(process, stdin, started + timeout, limit, heard)
    if timed_out:
        _kill_group(process)
    try:
        rc = process.wait(timeout=1.0 if timed_out else max(0.1, started + timeout - time.monotonic()))
    except subprocess.TimeoutExpired:
        rc, timed_out = None, True
        _kill_group(process)
    return Completed(argv, rc, kept[0], kept[1], timed_out, cut=cut, duration=time.monotonic() - started)


def _kill_group(process):
    # type: (subprocess.Popen[bytes]) -> None
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass


def _pump(process, stdin, deadline, limit, heard):
    # type: (Any, bytes, float, int, Heard | None) -> tuple[list[bytes], int, bool]  # Any: a Popen whose pipes are there
    """Feed and drain the three pipes until both outputs end or the deadline passes."""
    poller = select.poll()
    outputs = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    order = list(outputs)
    for descriptor in order:
        poller.register(descriptor, select.POLLIN | select.POLLHUP)
    rest = memoryview(stdin)
    feed = process.stdin.fileno() if stdin else -1
    if stdin:
        os.set_blocking(feed, False)
        poller.register(feed, select.POLLOUT)
    cut, open_outputs, timed_out = 0, len(order), False
    while open_outputs:
        left = deadline - time.monotonic()
        if left <= 0:
            timed_out = True
            break
        for descriptor, _event in poller.poll(left * 1000):
            if descriptor == feed:
                try:
                    rest = rest[os.write(feed, rest[:65536]) :]
                except BlockingIOError:
                    continue
                except OSError:
                    rest = rest[len(rest) :]
                if not rest:
                    poller.unregister(feed)
                    process.stdin.close()
                continue
            chunk = os.read(descriptor, 65536)
            if not chunk:
                poller.unregister(descriptor)
                open_outputs -= 1
                continue
            if heard and descriptor == order[0]:
                heard(chunk)
            room = limit - len(outputs[descriptor])
            outputs[descriptor] += chunk[: max(0, room)]
            cut += max(0, len(chunk) - max(0, room))
    for stream in (process.stdout, process.stderr):
        stream.close()
    return [bytes(outputs[descriptor]) for descriptor in order], cut, timed_out
