# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the data of a host's repositories again and compare each pack with its hash, a part at a time.

All data of a repository is read in parts, as its engine divides it: the next run continues what does not fit into the
time. New data is read by part too where the repository is elsewhere. On the host itself each pack that is new since the
last check is hashed, whatever part it is of, where the engine can tell by a pack alone whether it is whole. What was
read lies in the host's state folder.
"""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import status_of
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import shown
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import WAIT_SECONDS, folder, hold, refusal
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine, Repository
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import CheckArguments, Facts, Repositories, Sets
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation, Result

    class Known(TypedDict):
        """The part that is read next, and the time up to which packs were hashed, in seconds since the epoch."""

        part: int
        hashed: float


CLAUSES = ("S6.2.2-2",)

#: In how many parts a repository is read: each takes one call of the engine, which first reads a whole index.
PARTS = 8

#: The parts of a check of what is new: over four weeks all is read, also of a repository elsewhere.
WEEKLY_PARTS = 2

NEXT = (
    "Keep the repository as it is, restore what is needed from another copy, and make a full backup to a sound place: "
    "a new backup into this one relies on what is damaged."
)


def check(arguments, host):
    # type: (CheckArguments, Host) -> Result
    """Check the repositories of `sets` and their copies; return one observation for each repository.

    Raises HalfError only where nothing can be done at all; what goes wrong with one repository is its observation.
    """
    parts = PARTS if arguments.get("data") == "all" else WEEKLY_PARTS
    names = repositories_of(arguments["sets"])
    evidence, found = [], []  # type: tuple[list[Observation], list[Observation]]
    for index, name in enumerate(names):
        started = time.monotonic()
        detail = {"repository": name}  # type: Facts
        # What one repository leaves of its share is the next one's.
        seconds = host.remaining() / (len(names) - index)
        try:
            status, reason = _check(name, arguments["repositories"], parts, seconds, detail, host)
        except HalfError as error:
            status, reason = status_of(error), error.reason
            detail["message"] = "Repository %s is not checked: %s" % (name, error)
        evidence.append(observation("check", name, status, reason, CLAUSES, time.monotonic() - started, **detail))
        if name in (arguments.get("escrow") or {}):
            from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import escrow

            found.append(escrow.test(name, arguments["repositories"], arguments["escrow"][name], host))
    statuses = [record["status"] for record in evidence]
    return {
        "changed": False,
        "msg": "%s of %s repositories are sound as far as they were read." % (statuses.count("ok"), len(statuses)),
        "summary": {status: statuses.count(status) for status in set(statuses)},
        "evidence": evidence + found,
    }


def repositories_of(sets):
    # type: (Sets) -> list[str]
    """Return the names of the repositories that some sets and their copies lie in."""
    found = set()
    for entry in sets.values():
        if entry.get("state") != "absent":
            found.update([entry["repository"]] + list(entry.get("copies") or ()))
    return sorted(found)


def _check(name, repositories, parts, seconds, detail, host):
    # type: (str, Repositories, int, float, Facts, Host) -> tuple[str, str]
    """Check one repository, fill in the detail of its record, return status and reason; raises HalfError."""
    until = time.monotonic() + seconds
    engine = open_engine(name, repositories, host)
    engine.require("check")
    engine.check_location(mounts.mounted())
    if host.check_mode:
        detail["message"] = "Would read %s of %s parts of repository %s again." % (parts, PARTS, name)
        return "skipped", ""
    for place in ("", "locks", "checks", "cache", "tmp"):
        host.files.folder(os.path.join(folder(host), place).rstrip("/"))
    lock = hold(host, "check of %s" % name, min(WAIT_SECONDS, seconds))
    if lock < 0:
        raise refusal(host, "check of %s" % name, "Repository %s is not checked" % name)
    try:
        return _read(engine, parts, until, detail, host)
    finally:
        os.close(lock)


def _read(engine, parts, until, detail, host):
    # type: (Engine, int, float, Facts, Host) -> tuple[str, str]
    """Hash the new packs and read so many parts of a repository, the next ones first, while there is time."""
    memory = os.path.join(folder(host), "checks", engine.name)
    known = _load(memory, engine.public)
    following = known["part"]
    detail.update(parts=PARTS, first=following, read=0)
    if engine.path:
        new = engine.new_packs(known["hashed"])
        damaged, hashed = [], 0
        for changed, path in new:
            if time.monotonic() >= until:
                break
            if not engine.is_whole(path):
                damaged.append(path)
                break
            hashed += 1
            known["hashed"] = changed
        detail.update(new_packs=len(new), hashed=hashed)
        _save(memory, engine.public, known, host)
        if damaged:
            detail["next"] = NEXT
            detail["message"] = "Repository %s is damaged: pack %s is not what its name says%s." % (
                engine.name,
                shown(os.path.basename(damaged[0])),
                _in_its_words(engine, damaged[0], until),
            )
            return "critical", "mismatch"
    done = 0
    while done < parts and until > time.monotonic():
        try:
            found = engine.check(following, PARTS, until - time.monotonic())
        except HalfError as error:
            if error.reason != "timeout":
                raise
            break
        if found:
            # The part stays the next one: only a repair ends the finding.
            detail["message"] = "Repository %s is damaged: %s." % (engine.name, found.rstrip("."))
            detail["next"] = NEXT
            return "critical", "mismatch"
        done += 1
        detail["read"] = done
        known["part"] = following = following % PARTS + 1
        _save(memory, engine.public, known, host)
    detail["message"] = "%s of %s parts of repository %s were read again and are sound%s." % (
        done,
        PARTS,
        engine.name,
        "" if done == parts else "; the time is over, the next run goes on with part %s" % following,
    )
    if done == parts:
        return "ok", ""
    detail["next"] = "Give the check more time (backup_check_timeout) if this does not end by itself."
    return "warning" if done else "failed", "timeout"


def _in_its_words(engine, path, until):
    # type: (Engine, bytes, float) -> str
    """Return what the engine itself says of a damaged pack, as the end of a sentence; "" where it cannot be asked."""
    try:
        found = engine.check(engine.part_of(path, PARTS), PARTS, until - time.monotonic())
    except HalfError:
        return ""
    return "; %s: %s" % (engine.ENGINE, found.rstrip(".")) if found else ""


def _load(memory, location):
    # type: (str, str) -> Known
    """Return which part is next and up to which time packs were hashed: from the start where that is not known."""
    import json

    try:
        with open(memory, "rb") as stream:
            known = json.loads(stream.read().decode("ascii"))
        if known["location"] == location and 1 <= known["part"] <= PARTS:
            hashed = float(known["hashed"])
            if 0.0 <= hashed <= time.time():  # neither NaN nor a time to come, before which all would count as hashed
                return {"part": int(known["part"]), "hashed": hashed}
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        pass
    return {"part": 1, "hashed": 0.0}


def _save(memory, location, known, host):
    # type: (str, str, Known, Host) -> None
    import json

    host.files.write(memory, json.dumps(dict(known, location=location), sort_keys=True).encode("ascii"))
