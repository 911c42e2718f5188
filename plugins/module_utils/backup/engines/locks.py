# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether whoever locked a repository is still at work: told by the process, and never by the lock's age alone."""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.sets.lock_holder import AnotherRun, is_ours
from ansible_collections.egov.ops.plugins.module_utils.host import moments
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.processes import started

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine, Lock, SeenLock

GONE, HELD, UNKNOWN = "gone", "held", "unknown"

#: A process's start is known to the tick of the kernel, a lock's time to the clock that was set meanwhile.
INACCURACY = 5.0


def judge(lock, hostname, started):
    # type: (Lock, str, Callable[[int], float | None]) -> str
    """Return whether a lock's holder is gone, holds it, or may be either.

    started gives the time at which a process of this host began, None where there is no such process. A holder is gone
    where it was a process of this host that there is no longer, or whose number a later process has.
    """
    if lock.get("hostname") != hostname or hostname.startswith("localhost") or not lock.get("pid"):
        return UNKNOWN
    begun = started(int(lock["pid"]))
    if begun is None or begun > seconds_of(str(lock["time"])) + INACCURACY:
        return GONE
    return HELD


def look(engine):
    # type: (Engine) -> list[SeenLock]
    """Return a repository's locks with what this host knows of their holders; raises HalfError."""
    hostname = os.uname()[1]
    return [
        {
            **lock,
            "id": name,
            "state": judge(lock, hostname, started),
            "age": round(time.time() - seconds_of(lock["time"])),
        }
        for name, lock in sorted(engine.locks().items())
    ]


def clear(engine):
    # type: (Engine) -> tuple[list[SeenLock], list[SeenLock]]
    """Remove the locks whose holders are gone; return those that were removed, and those that are left; HalfError."""
    found = look(engine)
    gone = [lock for lock in found if lock["state"] == GONE]
    others = [lock for lock in found if lock["state"] != GONE]
    if gone and engine.unlock([lock["id"] for lock in gone], not others):
        return gone, others
    return [], found


def in_words(lock):
    # type: (SeenLock) -> str
    """Return a lock for a person."""
    return "%s lock of process %s on %s, %s s old" % (
        "exclusive" if lock.get("exclusive") else "shared",
        lock.get("pid"),
        lock.get("hostname"),
        lock["age"],
    )


def refusal(place, found, folder):
    # type: (str, list[SeenLock], str) -> HalfError
    """Return the error for work that some locks keep out of a repository, told as place.

    folder holds the locks of this host. AnotherRun where live runs of ours on this host hold all of them.
    """
    blocking = [lock for lock in found if lock.get("exclusive")] or found
    words = "; ".join(map(in_words, blocking)) or "let go just now"
    if blocking and all(lock["state"] == HELD and is_ours(lock["pid"], folder) for lock in blocking):
        return AnotherRun(
            "Another run of this host is at work in repository %s: %s; wait for its end." % (place, words)
        )
    return HalfError(
        "Repository %s is locked (%s): see on that host whether the process is at work, and run this again; "
        "only where it is not, remove the lock by hand." % (place, words),
        "busy",
    )


def seconds_of(stamp):
    # type: (str) -> float
    """Return the seconds of the epoch of a time as the engine writes it, with an offset or Z."""
    base = moments.seconds_of(stamp)
    offset = stamp[19:].lstrip(".0123456789")
    if offset in ("", "Z"):
        return base
    sign = -1 if offset[0] == "-" else 1
    return base - sign * (int(offset[1:3]) * 3600 + int(offset[4:6]) * 60)
