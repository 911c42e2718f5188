# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who holds a lock that keeps work from being done, and whether that is a live run of ours."""

import os

from ansible_collections.egov.ops.plugins.module_utils.host import processes
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

#: A tool is started by its run, by a shell of it at most.
_GENERATIONS = 4


class AnotherRun(HalfError):
    """A live run of ours does the same work: not done, and not failed."""

    def __init__(self, message):
        # type: (str) -> None
        HalfError.__init__(self, message, "busy")


def sign(descriptor, run_id):
    # type: (int, str) -> None
    """Write into the file of a lock that this process has taken, for which run it holds it."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, ("%s %s" % (os.getpid(), run_id)).encode("utf-8", "replace"), 0)
    except OSError:  # a full disk: the lock holds all the same, and others name the process alone
        pass


def refusal(path, work):
    # type: (str, str) -> HalfError
    """Return the error for work that waits for the lock of a file: AnotherRun where a live run of ours holds it.

    work is the beginning of a sentence: what is not done.
    """
    path = os.path.realpath(path)
    holders = [pid for pid in _processes() if path in _locked_files(pid, path)]
    writer, run_id = _signature(path)
    if writer in holders:
        words = "%s: run %s is at work on it (%s); wait for its end."
        return AnotherRun(words % (work, run_id or "without a record", processes.in_words(writer)))
    holder = ", ".join(map(processes.in_words, holders)) or "a process that cannot be seen from host %s" % os.uname()[1]
    return HalfError(
        "%s: its lock %s is held by %s, which is no live run of egov.ops: see what it does, end it, and run this again."
        % (work, path, holder),
        "busy",
    )


def is_ours(pid, folder):
    # type: (int, str) -> bool
    """Tell whether a process or what started it holds a lock of a folder that it has signed."""
    folder = os.path.realpath(folder) + os.sep
    for _generation in range(_GENERATIONS):
        if any(_signature(path)[0] == pid for path in _locked_files(pid, folder)):
            return True
        pid = _parent(pid)
    return False


def _processes():
    # type: () -> list[int]
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def _locked_files(pid, beginning):
    # type: (int, str) -> set[str]
    """Return the files whose path begins like this and whose lock (flock) an open file of a process holds."""
    process = "/proc/%s" % pid
    try:
        names = os.listdir(process + "/fd")
    except OSError:  # it has ended, or is another user's
        return set()
    paths = {name: _locked_file(process, name, beginning) for name in names}
    return {path for path in paths.values() if path}


def _locked_file(process, name, beginning):
    # type: (str, str, str) -> str
    try:
        path = os.readlink("%s/fd/%s" % (process, name))
        if path.startswith(beginning):
            with open("%s/fdinfo/%s" % (process, name), "rb") as stream:
                return path if b"FLOCK" in stream.read() else ""
    except OSError:  # it was closed meanwhile
        pass
    return ""


def _signature(path):
    # type: (str) -> tuple[int, str]
    """Return the process and the run that signed a lock's file last; 0 where nobody has."""
    try:
        with open(path, "rb") as stream:
            pid, _blank, run_id = stream.read(200).decode("utf-8", "replace").partition(" ")
    except OSError:
        return 0, ""
    return (int(pid), run_id) if pid.isdigit() else (0, "")


def _parent(pid):
    # type: (int) -> int
    try:
        with open("/proc/%s/stat" % pid, "rb") as stream:
            return int(stream.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0
