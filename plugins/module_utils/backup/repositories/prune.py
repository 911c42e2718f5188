# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove what a host's repositories hold longer than the plan keeps it, and free the space.

Which snapshots go is decided by `retention` from what the controller knows of them. That snapshots are being removed is
noted first, so that the next run frees the space where this one is killed between the two.
"""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines import locks
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import NotSupported
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.local_repository import RepositoryMissing
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import retention
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import WAIT_SECONDS, folder, hold, refusal
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeVar

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import (
        CatalogueRow,
        Facts,
        PruneArguments,
        PruneResult,
        Seen,
    )
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

    Done = TypeVar("Done")

CLAUSES = ("S6.2.2-3",)

#: Snapshots of a repository that a record names, those that the controller is told of anew, and digits of a short id.
NAMED, TOLD, SHORT = 50, 20000, 8

#: Seconds between two attempts at a repository that others use.
PATIENCE = 5.0

STRANGE = "See who made them; what nobody needs is removed by hand%s."
WHOLE = "Nothing, once a proof of the set has passed: run egov.ops.backup."


def prune(arguments, host):
    # type: (PruneArguments, Host) -> PruneResult
    """Prune the repositories of the operation; return one observation for each.

    Raises HalfError only where nothing can be done at all; what goes wrong with one repository is its observation.
    """
    names = arguments["operation"]["repositories"]
    evidence, diff, told = [], [], {}  # type: tuple[list[Observation], list[dict[str, str]], dict[str, tuple[str, bool]]]
    changed = False
    for index, name in enumerate(names):
        started = time.monotonic()
        # What one repository leaves of its share is the next one's.
        until = started + host.remaining() / (len(names) - index)
        job = Job(name, arguments, host)
        try:
            status, reason = job.run(until)
        except RepositoryMissing as error:
            # What check mode does not make is no failure there.
            unmade = host.check_mode and arguments["repositories"][name].get("create")
            status, reason = ("skipped" if unmade else "failed"), error.reason
            job.detail["message"] = "Repository %s is not pruned: %s" % (name, error)
        except HalfError as error:
            status, reason = ("skipped" if isinstance(error, NotSupported) else "failed"), error.reason
            job.detail["message"] = "Repository %s is not pruned: %s" % (name, error)
        changed = changed or job.changed
        evidence.append(observation("prune", name, status, reason, CLAUSES, time.monotonic() - started, **job.detail))
        told.update(job.told)
        if host.diff and job.shown:
            diff.append({"header": "repository %s" % name, "prepared": "".join(line + "\n" for line in job.shown)})
    statuses = [record["status"] for record in evidence]
    details = [record["detail"] for record in evidence]  # type: list[Any]  # Any: what Job has put there
    removed = sum(detail.get("expired" if host.check_mode else "removed", 0) for detail in details)
    result = {
        "changed": changed,
        "msg": "%s expired snapshots %s from %s repositories%s."
        % (
            removed,
            "would be removed" if host.check_mode else "were removed",
            len(names),
            "; %s could not be pruned" % statuses.count("failed") if "failed" in statuses else "",
        ),
        "summary": {status: statuses.count(status) for status in set(statuses)},
        "evidence": evidence,
        "seen": told,
    }  # type: PruneResult
    if host.diff:
        result["diff"] = diff
    return result


class Job:
    """The pruning of one repository."""

    def __init__(self, name, arguments, host):
        # type: (str, PruneArguments, Host) -> None
        self.changed = False
        self.detail = {"repository": name}  # type: Facts
        #: What the controller is to remember of snapshots that it did not know: when it saw them, and if we made them.
        self.told = {}  # type: dict[str, tuple[str, bool]]
        #: What goes and why the rest stays, a line each, for a person.
        self.shown = []  # type: list[str]
        self._name = name
        self._arguments = arguments
        self._host = host
        self._strange = ""

    def run(self, until):
        # type: (float) -> tuple[str, str]
        """Remove what is expired and return status and reason; raises HalfError."""
        repository = self._arguments["repositories"].get(self._name, {})
        if repository.get("unprunable"):
            self.detail["message"] = "Repository %s is not pruned: %s" % (self._name, repository["unprunable"])
            self.detail["next"] = "See docs/backup.md, Retention."
            return "warning", "not_supported"
        engine = open_engine(self._name, self._arguments["repositories"], self._host)
        engine.require("prune")
        self._strange = STRANGE % engine.by_hand("prune")
        engine.check_location(mounts.mounted())
        if self._host.check_mode:
            self.changed = bool(self._judge(engine, until))
            return self._tell()
        for place in ("", "locks", "cache", "tmp", "checks"):
            self._host.files.folder(os.path.join(folder(self._host), place).rstrip("/"))
        lock = hold(self._host, "prune of %s" % self._name, min(WAIT_SECONDS, max(0.0, until - time.monotonic())))
        if lock < 0:
            raise refusal(self._host, "prune of %s" % self._name, "It waits")
        try:
            expired = self._judge(engine, until)
            self._remove(engine, [snapshot.id for snapshot in expired], until)
            self.detail["removed"] = len(expired)
        finally:
            os.close(lock)
            if engine.unlocked:
                self.detail["unlocked"] = [locks.in_words(entry) for entry in engine.unlocked]
        return self._tell()

    def _judge(self, engine, until):
        # type: (Engine, float) -> list[Snapshot]
        """Fill in what is kept and why, and return what is not; raises HalfError."""
        listed = [entry for entry in self._patiently(engine, lambda: self._listed(engine), until) if entry.set]
        records = self._records(listed)
        given = self._arguments
        why = retention.retention(records, given["rules"], given["holds"], given["proofs"], self._host.now)
        going = [index for index, reason in enumerate(why) if not reason]
        expired = [listed[index] for index in going]
        strange = [record["snapshot"][:SHORT] for record in records if not record["made"]]
        self.detail.update(
            snapshots=len(listed),
            expired=len(expired),
            removed=0,
            kept={reason: why.count(reason) for reason in sorted(set(why) - {""})},
            strange=len(strange),
            first=[_shown(records[index]) for index in going[:NAMED]],
        )
        if strange:
            self.detail["strange_first"] = strange[:NAMED]
        if self._host.diff:
            self.shown = [
                "  %s (kept: %s)" % (_shown(records[index]), reason) if reason else "- %s" % _shown(records[index])
                for index, reason in enumerate(why)
            ]
        return expired

    def _listed(self, engine):
        # type: (Engine) -> list[Snapshot]
        return engine.snapshots(self._arguments["host_name"], future=True)

    def _records(self, listed):
        # type: (list[Snapshot]) -> list[CatalogueRow]
        """Return the snapshots in the catalogue's shape, with when the controller first saw each and who made it.

        A copy is as old as the snapshot that it says it is of, if no other says the same.
        """
        known = Memory(self._arguments["known"], listed)
        records = []  # type: list[CatalogueRow]
        for snapshot in listed:
            found = known.of(snapshot)
            if not found:
                found = self._host.now[:19] + "Z", False
            if tuple(self._arguments["known"].get(snapshot.id, ())) != found and len(self.told) < TOLD:
                self.told[snapshot.id] = found
            records.append(
                {
                    "class": self._arguments["sets"].get(snapshot.set, {}).get("class", ""),
                    "host": self._arguments["host_name"],
                    "set": snapshot.set,
                    "time": snapshot.time,
                    "kind": snapshot.kind,
                    "chain": snapshot.original,
                    "copy": self._name,
                    "snapshot": snapshot.id,
                    "seen": found[0],
                    "made": found[1],
                }
            )
        return records

    def _remove(self, engine, expired, until):
        # type: (Engine, list[str], float) -> None
        """Remove snapshots and free their space, also that of a run that was killed before it; raises HalfError."""
        note = os.path.join(folder(self._host), "checks", "pruning %s" % self._name)
        if expired:
            self._host.files.write(note, engine.public.encode("utf-8", "surrogateescape"))
            self.changed = True
            self._patiently(engine, lambda: engine.forget(expired), until)
            left = {entry.id for entry in self._patiently(engine, lambda: self._listed(engine), until)}
            stayed = [name for name in expired if name in left]
            if stayed:
                raise HalfError(
                    "%s of %s snapshots are still there after they were removed: is it append-only, or object locked? "
                    "Prune it with an access that may delete." % (len(stayed), len(expired)),
                    "refused",
                )
        if os.path.exists(note):
            self.changed = True
            self._patiently(engine, engine.reclaim, until)
            self._host.files.remove(note)

    def _patiently(self, engine, work, until):
        # type: (Engine, Callable[[], Done], float) -> Done
        """Do the work, again while others use the repository; raises HalfError."""
        told = ""
        with self._host.within(until - time.monotonic()):
            while True:
                try:
                    return work()
                except HalfError as error:
                    if error.reason != "busy" and not (told and error.reason == "timeout"):
                        raise
                    if time.monotonic() < until:
                        told = _users(engine)
                    if time.monotonic() + PATIENCE >= until:
                        words = "Others use it (%s): see whether they are at work, and run this again." % told
                        raise HalfError(words, "busy")
                time.sleep(PATIENCE)

    def _tell(self):
        # type: () -> tuple[str, str]
        detail, kept = self.detail, self.detail["kept"]
        detail["message"] = "%s of %s snapshots of repository %s %s." % (
            detail["expired"],
            detail["snapshots"],
            self._name,
            "are expired and would be removed" if self._host.check_mode else "were expired and are removed",
        )
        if detail["strange"]:
            some = ", ".join(detail["strange_first"][:3])
            detail["message"] += " No run of ours made %s of them (%s)." % (detail["strange"], some)
            detail["next"] = self._strange
            return "warning", ""
        if kept.get(retention.UNPROVED):
            detail["message"] += " %s are kept because none of their set is proved." % kept[retention.UNPROVED]
            detail["next"] = WHOLE
        return "ok", ""


class Memory:
    """When the controller first saw snapshots, and whether a run of ours made them."""

    def __init__(self, known, listed):
        # type: (Mapping[str, Seen], list[Snapshot]) -> None
        self._known = known
        self._claims = _counts(entry.original for entry in listed)
        self._short = _counts(entry.id[:SHORT] for entry in listed)

    def of(self, snapshot):
        # type: (Snapshot) -> tuple[str, bool] | None
        """Return what is known of a snapshot, None where nothing is."""
        names = [snapshot.id]
        if self._short[snapshot.id[:SHORT]] == 1:  # an engine may tell the beginning of the id alone
            names.append(snapshot.id[:SHORT])
        if snapshot.original != snapshot.id and self._claims[snapshot.original] == 1:
            names += [snapshot.original, snapshot.original[:SHORT]]
        found = [self._known[name] for name in names if name in self._known]
        best = next((entry for entry in found if entry[1]), found[0] if found else None)
        return (str(best[0]), bool(best[1])) if best else None


def _users(engine):
    # type: (Engine) -> str
    """Return who locks a repository, in words; raises HalfError."""
    if "locks" not in engine.CAN:
        return "engine %s does not say who" % engine.ENGINE
    return "; ".join(map(locks.in_words, locks.look(engine))) or "let go just now"


def _counts(names):
    # type: (Iterable[str]) -> dict[str, int]
    found = {}  # type: dict[str, int]
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found


def _shown(record):
    # type: (CatalogueRow) -> str
    """Return a snapshot in a few words."""
    return "%s %s of %s, seen %s" % (record["set"], record["snapshot"][:SHORT], record["time"], record["seen"])
