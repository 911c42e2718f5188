# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copy each set's snapshots from its repository into those that the plan names for its copies.

The source is never read again: the engine takes a snapshot out of the first repository and puts it into the next,
newest first. The next run continues what does not fit into the time.
"""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import status_of
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import WAIT_SECONDS, folder, hold, refusal
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.run import Job
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Facts
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

CLAUSES = ("S6.1.3-1", "S6.1.3-2", "S6.1.3-4")

#: Seconds in which a repository must answer: an engine may try one that is away for a quarter of an hour.
OPEN_SECONDS = 60.0


def make(job, host, seconds):
    # type: (Job, Host, float) -> list[Observation]
    """Make what is missing of all copies within so many seconds; return one observation for each set and copy."""
    evidence = []  # type: list[Observation]
    with host.within(seconds):
        for name in sorted(job.sets):
            entry = job.sets[name]
            for copy in entry.get("copies") or ():
                started = time.monotonic()
                detail = {"repository": entry["repository"], "copy": copy}  # type: dict[str, object]
                try:
                    status, reason = _copy(job, host, name, copy, detail)
                except HalfError as error:
                    status, reason = status_of(error), error.reason
                    detail["message"] = "Set %s is not copied to %s: %s" % (name, copy, error)
                duration = time.monotonic() - started
                evidence.append(observation("copy", subject(name, copy), status, reason, CLAUSES, duration, **detail))
    return evidence


def subject(set_name, copy):
    # type: (str, str) -> str
    """Return the subject of a copy's records."""
    return "%s to %s" % (set_name, copy)


def missing(source, copied):
    # type: (list[Snapshot], list[Snapshot]) -> list[Snapshot]
    """Return the snapshots of which there is no copy yet, newest first."""
    there = {snapshot.original for snapshot in copied}
    return [snapshot for snapshot in reversed(source) if not there & {snapshot.id, snapshot.original}]


def _copy(job, host, name, copy, detail):
    # type: (Job, Host, str, str, Facts) -> tuple[str, str]
    """Make one copy of a set, fill in the detail of its record, return status and reason; raises HalfError."""
    job.refuse_busy(name)
    if copy == job.sets[name]["repository"]:
        raise HalfError("%s is the set's own repository: name another one in copies." % copy, "refused")
    source, snapshots = job.newest(job.sets[name]["repository"])
    job.engine(copy).require("copy")  # before it is made for nothing
    with host.within(OPEN_SECONDS):
        target, copied = job.catalogue(copy)
    if source.location == target.location:
        raise HalfError("Repositories %s and %s are one place: give the copy another." % (source.name, copy), "refused")
    own = [snapshot for snapshot in snapshots if snapshot.set == name]
    wanted = missing(own, copied)
    detail.update(snapshots=len(own), copied=0, missing=len(wanted))
    if own:
        detail["snapshot"] = own[-1].id[:8]
    if host.check_mode:
        detail["message"] = "Would copy %s snapshots of set %s to %s." % (len(wanted), name, copy)
        job.changed = job.changed or bool(wanted)
        return "ok", ""
    if not own:
        raise HalfError("Repository %s has no snapshot of the set: back it up first." % source.name)
    if wanted:
        job.changed = True
        detail["copied"] = _transfer(source, target, wanted, host)
        detail["missing"] -= detail["copied"]
    if detail["missing"]:
        detail["message"] = (
            "%s of %s snapshots of set %s are in %s; the time for copies is over, the next run goes on."
            % (
                len(own) - detail["missing"],
                len(own),
                name,
                copy,
            )
        )
        detail["next"] = "Give the copies more time (backup_copy_timeout) if this does not end by itself."
        # The newest comes first: without it the copy is older than the backup.
        return ("warning" if detail["copied"] or wanted[0] is not own[-1] else "failed"), "timeout"
    detail["message"] = "All %s snapshots of set %s are in %s, %s of them new." % (
        len(own),
        name,
        copy,
        detail["copied"],
    )
    return "ok", ""


def _transfer(source, target, wanted, host):
    # type: (Engine, Engine, list[Snapshot], Host) -> int
    """Copy snapshots while there is time, and return how many; raises HalfError for what is not the time's fault."""
    lock = hold(host, "copy to %s" % target.name, min(WAIT_SECONDS, host.remaining()))
    if lock < 0:
        raise refusal(host, "copy to %s" % target.name, "Nothing is copied to %s" % target.name)
    note = os.path.join(folder(host), "locks", "copying %s" % target.name)
    done = 0
    try:
        if os.path.exists(note):  # one was killed: what it had sent lies there and is in no index
            try:
                target.take_up()
            except HalfError:
                pass  # it is sent again
        host.files.write(note, b"")
        for number, snapshot in enumerate(wanted, 1):
            if not host.remaining():
                return done
            what = "copy of set %s to %s: snapshot %s of %s" % (snapshot.set, target.name, number, len(wanted))
            try:
                target.copy(source, snapshot.id, host.remaining(), lock, what)
            except HalfError as error:
                if error.reason != "timeout":
                    raise
                return done
            done += 1
        host.files.remove(note)
    finally:
        os.close(lock)
    return done
