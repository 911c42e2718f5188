# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Back up the sets of one host: decide from the catalogue what is due, write the manifest, make the snapshot."""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import status_of
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.run_session import Shelf
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import manifest
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import result as outcome
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import Named, to_bytes, to_text
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import WAIT_SECONDS, Memory, folder
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Live, refuse_repository, resolve
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.module_utils.host.watched import watched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots.registry import Volume
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Source
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import (
        BackupArguments,
        BackupSet,
        ChangeResult,
        Facts,
        SetState,
    )
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation, Result

#: The plan's clauses of each class of data: what is backed up, and how often.
CLAUSES = {
    "business_data": ("S6.1.1-1", "S6.1.2-1"),
    "database": ("S6.1.1-2", "S6.1.2-2"),
    "config": ("S6.1.1-3", "S6.1.2-3"),
    "os_image": ("S6.1.1-4", "S6.1.2-4"),
    "other": ("S6.1.1-5", "S6.1.2-5"),
}

LIVE = Live()

#: The class of which each version is told with its difference and its author.
VERSIONED = "config"


def backup(arguments, host):
    # type: (BackupArguments, Host) -> Result
    """Do as `run`; what takes long is told by lines of progress."""
    return watched(run, arguments, host)


def run(arguments, host):
    # type: (BackupArguments, Host) -> ChangeResult
    """Back up what is due of `sets` into `repositories` and return one observation for each set.

    Raises HalfError only where nothing can be done at all; what goes wrong with one set is its observation.
    """
    job = Job(arguments, host)
    evidence, diff = [], []  # type: tuple[list[Observation], list[dict[str, str]]]
    try:
        for name in sorted(job.sets):
            started = time.monotonic()
            try:
                found = job.back_up(name)
            except HalfError as error:
                found = outcome.Outcome(status_of(error), str(error), error.reason)
            clauses = CLAUSES.get(job.sets[name].get("class", ""), ())
            duration = time.monotonic() - started
            detail = dict(found.detail, repository=job.sets[name].get("repository"), message=found.message)
            evidence.append(observation("backup", name, found.status, found.reason, clauses, duration, **detail))
            if host.diff and found.differences:
                diff.append({"header": "backup set %s" % name, "prepared": found.differences})
        if any(entry.get("copies") for entry in job.sets.values()):
            from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import copies

            evidence += copies.make(job, host, float(arguments.get("copy_seconds") or host.remaining()))
        for trouble in job.keep_words():
            first = evidence[0]["detail"]  # type: Any  # Any: of a record that is just being made
            first.setdefault("without_us", trouble)
        if job.left:
            from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots import cleanup

            cleanup.tell(evidence, job.left)
    finally:
        job.close()
    statuses = [record["status"] for record in evidence if record["kind"] == "backup"]
    result = {
        "changed": job.changed,
        "msg": "%s of %s backup sets are in order%s."
        % (statuses.count("ok"), len(statuses), "; %s new snapshots" % job.made if job.made else ""),
        "summary": _counts(statuses),
        "evidence": evidence,
    }  # type: ChangeResult
    made = [record["status"] for record in evidence if record["kind"] == "copy"]
    if made:
        result["msg"] += " %s of %s copies are complete." % (made.count("ok"), len(made))
        result["summary"] = _counts(statuses + made)
    if host.diff:
        result["diff"] = diff
    return result


def due(snapshots, backup_set):
    # type: (list[Snapshot], BackupSet) -> str
    """Return what is due of a set, given its snapshots: full, incremental, change (if anything differs) or ""."""
    full_since = backup_set.get("full_since")
    fulls = [snapshot.time for snapshot in snapshots if snapshot.kind == "full"]
    if not fulls or (full_since and max(fulls) < full_since[:19]):
        return "full"
    if backup_set.get("incremental") == "change":
        return "change"
    incremental_since = backup_set.get("incremental_since")
    if incremental_since and max(snapshot.time for snapshot in snapshots) < incremental_since[:19]:
        return "incremental"
    return ""


def _counts(statuses):
    # type: (list[str]) -> dict[str, int]
    return {status: statuses.count(status) for status in set(statuses)}


class Job(Shelf):
    """One run over the sets of a host."""

    def __init__(self, arguments, host):
        # type: (BackupArguments, Host) -> None
        Shelf.__init__(self, arguments, host)
        self._busy = {}  # type: dict[str, HalfError]
        #: What killed runs have left and could not be removed.
        self.left = []  # type: list[str]
        if not host.check_mode:
            # Before the catalogue is read: what another run adds meanwhile would be made twice.
            until = time.monotonic() + WAIT_SECONDS
            host.progress.begin("backup: waiting for other runs")
            self._busy = {
                name: self.memories[name].refusal()
                for name in sorted(self.sets)
                if not self.memories[name].lock(max(0.0, until - time.monotonic()))
            }
            if os.path.isdir(os.path.join(folder(host), "frozen")):
                from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots import cleanup

                held = [memory.name for name, memory in self.memories.items() if name not in self._busy]
                self.left = cleanup.clear_all(held, host)

    def close(self):
        # type: () -> None
        for memory in self.memories.values():
            memory.unlock()

    def back_up(self, name):
        # type: (str) -> outcome.Outcome
        self.refuse_busy(name)
        backup_set = self.sets[name]
        source = resolve(backup_set, self.mounted, self._host)
        engine, catalogue = self.catalogue(backup_set["repository"])
        engine.require("files")
        if backup_set.get("snapshot"):
            engine.require("prune")  # what was read from a snapshot that spoiled meanwhile has to go
        refuse_repository(source, engine)
        memory = self.memories[name]
        state = memory.load()
        spoiled = tuple(state.get("spoiled", ()))
        snapshots = [entry for entry in catalogue if entry.set == name and not entry.id.startswith(spoiled)]
        kind = due(snapshots, backup_set)
        known = bool(snapshots) and snapshots[-1].id.startswith(state.get("snapshot") or "-")
        if not kind:
            return outcome.standing(snapshots[-1], state if known else {}, "Nothing is due")
        volumes = []  # type: list[Volume]
        if backup_set.get("snapshot"):
            from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots.registry import find

            volumes = find(backup_set, source, engine, self._host)
        if self._host.check_mode:
            return self._forecast(source, kind, snapshots, memory, state, known)

        def make(view=LIVE):
            # type: (Live) -> outcome.Outcome
            return self._make(name, source, kind, snapshots, view)

        if volumes:
            from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots import freeze

            return freeze.around(backup_set, volumes, source, memory.name, self._host, make)
        if not (backup_set.get("pre") or backup_set.get("post")):
            return make()
        from ansible_collections.egov.ops.plugins.module_utils.backup.sets import hooks

        return hooks.around(backup_set, self._host, make)

    def _make(self, name, source, kind, snapshots, view):
        # type: (str, Source, str, list[Snapshot], Live) -> outcome.Outcome
        """Walk the set and make its snapshot, unless one is due only where something differs and nothing does."""
        memory = self.memories[name]
        state = memory.load()
        known = bool(snapshots) and snapshots[-1].id.startswith(state.get("snapshot") or "-")
        found = self._scan(source, memory, 0.0 if kind == "full" else state.get("started", 0.0), True, view)
        view.refuse_spoiled()
        if kind == "change" and known and not found.differs:
            os.unlink(memory.manifest + ".new")
            return outcome.standing(snapshots[-1], state, outcome.UNCHANGED)
        return self._snapshot(name, source, kind, snapshots, found, view)

    def refuse_busy(self, name):
        # type: (str) -> None
        """Raise HalfError where another holds a set."""
        if name in self._busy:
            raise self._busy[name]

    def keep_words(self):
        # type: () -> list[str]
        """Let the commands for a restore without us lie beside each repository; return what went wrong."""
        if self._host.check_mode:
            return []
        from ansible_collections.egov.ops.plugins.module_utils.backup.restores import manual_restore_script

        troubles = []
        for repository, engine in self.opened():
            holds = [
                name
                for name, entry in sorted(self.sets.items())
                if repository in [entry["repository"]] + list(entry.get("copies") or ())
            ]
            troubles.append(manual_restore_script.keep(engine, self._host_name, holds, self._host))
        return [trouble for trouble in troubles if trouble]

    def _scan(self, source, memory, since, keep, view=LIVE):
        # type: (Source, Memory, float, bool, Live) -> manifest.Scan
        """Walk the set; `keep` the new manifest beside the one before. Raises HalfError for a set without files."""
        found, before = manifest.Scan(), memory.load().get("bytes")
        found.started = view.started or found.started
        self._host.progress.begin("backup of set %s: reading" % memory.set, lambda: (found.bytes, before))
        if keep:
            with open(memory.manifest + ".new", "wb", opener=_private) as stream:
                manifest.scan(source, memory.manifest, since, stream.write, self._host, found)
        else:
            manifest.scan(source, memory.manifest, since, len, self._host, found)
        if found.empty_roots:
            raise HalfError(
                "%s holds no file that the set could back up: see whether it is mounted, and what is excluded."
                % ", ".join(Named(found.empty_roots).first)
            )
        return found

    def _forecast(self, source, kind, snapshots, memory, state, known):
        # type: (Source, str, list[Snapshot], Memory, SetState, bool) -> outcome.Outcome
        found = self._scan(source, memory, state.get("started", 0.0), keep=False)
        if kind == "change" and known and not found.differs:
            return outcome.standing(snapshots[-1], state, outcome.UNCHANGED)
        self.changed = True
        message = "Would make a snapshot (%s) of %s files, %s bytes." % (kind, found.files, found.bytes)
        return outcome.Outcome("ok", message, differences=outcome.differences(found), backup=kind)

    def _snapshot(self, name, source, kind, snapshots, found, view):
        # type: (str, Source, str, list[Snapshot], manifest.Scan, Live) -> outcome.Outcome
        memory = self.memories[name]
        before = memory.load()
        engine = self.catalogue(self.sets[name]["repository"])[0]
        spoiled = before.get("spoiled", [])
        state = {"location": engine.public, "snapshot": "", "started": found.started, "spoiled": spoiled}  # type: SetState
        # From here on the manifest may be newer than any snapshot: until one is made, none may count as unchanged.
        memory.save(state)
        os.rename(memory.manifest + ".new", memory.manifest)
        parent = snapshots[-1].id if snapshots else ""
        snapshot, added, unread = engine.backup(source, memory.manifest, name, kind, parent, self._host_name, view.keep)
        self.changed = True
        try:
            view.refuse_spoiled()
        except HalfError:
            state["spoiled"] = spoiled + [snapshot]
            memory.save(state)
            engine.forget([snapshot])
            raise
        self.made += 1
        if not found.unreadable.count:
            found.unreadable = Named(to_bytes(path) for path in unread)
        moved = manifest.moved(memory.manifest)
        reason, trouble = outcome.trouble(source, found, moved, before)
        status = "warning" if reason else "ok"
        message = "Snapshot %s (%s) of %s files, %s bytes%s" % (snapshot[:8], kind, found.files, found.bytes, trouble)
        named = outcome.members(reason, found, moved, source, before)
        state.update(
            {
                "snapshot": snapshot,
                "files": found.files,
                "bytes": found.bytes,
                "moved": [to_text(path) for path in moved],
                "status": status,
                "reason": reason,
                "message": message,
                "finding": named,
            }
        )
        memory.save(state)
        told = {}  # type: Facts
        if self.sets[name].get("class") == VERSIONED and parent and found.differs:
            from ansible_collections.egov.ops.plugins.module_utils.backup.history import config_diff

            told["version"] = config_diff.describe(found, parent, engine, memory.proof, self._host)
        told.update(named, snapshot=snapshot[:8], snapshot_id=snapshot, backup=kind, added_bytes=added)
        return outcome.made(status, message, reason, found, moved, source, told)


def _private(path, flags):
    # type: (str, int) -> int
    return os.open(path, flags, 0o600)
