# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a repository holds, what room it has, and who locks it: seen from the host that uses it."""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines import locks
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine, NotSupported
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import SeenLock
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

CLAUSES = ("S6.2.3-4",)

UNLOCK = "See on that host whether the process is at work; only where it is not, remove the lock by hand%s."


def measure(engine):
    # type: (Engine) -> dict[str, int] | None
    """Return the bytes that a repository on the host uses, and those that its file system has and has free.

    None for a repository elsewhere. Free is what the host's user may still write, after quotas that the kernel counts.
    """
    if not engine.path:
        return None
    used = 0
    for place, _folders, files in os.walk(engine.path):
        used += sum(_size(os.path.join(place, name)) for name in files)
    system = os.statvfs(engine.path)
    return {"used": used, "free": system.f_bavail * system.f_frsize, "total": system.f_blocks * system.f_frsize}


def _size(path):
    # type: (bytes) -> int
    try:
        return os.lstat(path).st_size
    except OSError:  # removed meanwhile
        return 0


def watch_locks(engine, host):
    # type: (Engine, Host) -> Observation
    """Return the observation of a repository's locks; those whose holders are gone are removed."""
    started = time.monotonic()
    gone = []  # type: list[SeenLock]
    try:
        engine.require("locks")
        if host.check_mode:
            left = locks.look(engine)
        else:
            gone, left = locks.clear(engine)
    except NotSupported as error:
        return observation("lock", engine.name, "skipped", error.reason, CLAUSES, message=str(error))
    except HalfError as error:
        message = "The locks of repository %s cannot be read: %s" % (engine.name, error)
        return observation("lock", engine.name, "unknown", error.reason, CLAUSES, message=message)
    gone = engine.unlocked + gone
    status, text = judge(left, engine.UNRENEWED)
    told = "Repository %s %s." % (engine.name, text)
    if gone:
        told += " Removed, since their processes are gone: %s." % "; ".join(map(locks.in_words, gone))
    return observation(
        "lock",
        engine.name,
        status,
        "",
        CLAUSES,
        time.monotonic() - started,
        message=told,
        removed=len(gone),
        locks=[locks.in_words(lock) for lock in left][:20],
        next=UNLOCK % engine.by_hand("locks") if status != "ok" else "",
    )


def judge(left, unrenewed=Engine.UNRENEWED):
    # type: (list[SeenLock], int) -> tuple[str, str]
    """Return status and the end of a sentence for the locks that are left; pure.

    One that is not renewed blocks pruning, and an exclusive one each backup too.
    """
    old = [lock for lock in left if lock["age"] > unrenewed]
    if not old:
        return "ok", "has %s locks, all of them renewed" % len(left) if left else "has no lock"
    worst = max(old, key=lambda lock: (bool(lock.get("exclusive")), lock["age"]))
    status = "critical" if worst.get("exclusive") else "warning"
    return status, "has a lock that nobody renews: %s" % locks.in_words(worst)
