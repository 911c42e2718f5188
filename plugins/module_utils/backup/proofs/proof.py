# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove the backup of each set: restore a sample of its newest snapshot and compare it with the manifest."""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import status_of
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs.sample import choose
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import manifest, mounts
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.comparison import compare
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import remove_tree, shown, to_bytes
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import WAIT_SECONDS, Memory
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Facts, ProveArguments
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation, Result

CLAUSES = ("S2.3-B3", "S6.2.2-2")

FILES = 20
MAX_BYTES = 256 * 1024 * 1024

#: Differences that a record names.
NAMED_DIFFERENCES = 10


def prove(arguments, host):
    # type: (ProveArguments, Host) -> Result
    """Prove the newest snapshot of each of `sets` and return one observation for each.

    Raises HalfError only where nothing can be done at all; what goes wrong with one set is its observation.
    """
    proof = _Proof(arguments, host)
    evidence = []  # type: list[Observation]
    sets = {name: entry for name, entry in arguments["sets"].items() if entry.get("state") != "absent"}
    for name in sorted(sets):
        if proof.snapshot and not proof.has_snapshot(name, sets[name]["repository"]):
            continue
        started = time.monotonic()
        detail = {"seed": proof.seed, "repository": sets[name].get("repository")}  # type: Facts
        try:
            status, reason = proof.of_set(name, sets[name]["repository"], detail)
        except HalfError as error:
            status, reason = status_of(error), error.reason
            detail["message"] = str(error)
        evidence.append(observation("proof", name, status, reason, CLAUSES, time.monotonic() - started, **detail))
    if proof.snapshot and not evidence:
        raise HalfError(
            "No set of this host has a snapshot %s: list what it has with egov.ops.backup_list." % proof.snapshot[:8]
        )
    statuses = [record["status"] for record in evidence]
    return {
        "changed": False,
        "msg": "%s of %s backup sets are proved." % (statuses.count("ok"), len(statuses)),
        "summary": {status: statuses.count(status) for status in set(statuses)},
        "evidence": evidence,
    }


class _Proof:
    """The proofs of one host."""

    def __init__(self, arguments, host):
        # type: (ProveArguments, Host) -> None
        self.seed = str(arguments.get("seed") or host.run_id)
        self.snapshot = str(arguments.get("snapshot") or "")
        self._host = host
        self._host_name = arguments["host_name"]
        self._repositories = arguments["repositories"]
        self._files = int(arguments.get("files") or FILES)
        self._max_bytes = int(arguments.get("max_bytes") or MAX_BYTES)
        self._mounted = mounts.mounted()
        self._catalogues = {}  # type: dict[str, tuple[Engine, list[Snapshot]]]

    def of_set(self, name, repository, detail):
        # type: (str, str, Facts) -> tuple[str, str]
        """Prove one set, fill in the detail of its record and return status and reason; raises HalfError."""
        if self._host.check_mode:
            detail["message"] = "Would restore files of the newest snapshot and compare them."
            return "skipped", ""
        engine, snapshots = self._snapshots(name, repository)
        if not snapshots:
            raise HalfError("The set has no snapshot in repository %s: back it up first." % engine.name)
        snapshot = snapshots[-1]
        detail.update(snapshot=snapshot.id[:8], snapshot_id=snapshot.id, snapshot_time=snapshot.time)
        memory = Memory(name, self._host_name, self._host)
        if not memory.lock(WAIT_SECONDS):
            raise memory.refusal()
        try:
            remove_tree(to_bytes(memory.proof))  # left by a proof that was killed
            return self._restore(engine, snapshot, memory, detail)
        finally:
            remove_tree(to_bytes(memory.proof))
            memory.unlock()

    def has_snapshot(self, name, repository):
        # type: (str, str) -> bool
        """Tell whether a set has the snapshot that is to be proved; raises HalfError."""
        return bool(self._snapshots(name, repository)[1])

    def _snapshots(self, name, repository):
        # type: (str, str) -> tuple[Engine, list[Snapshot]]
        """Return a repository and a set's snapshots in it, oldest first: all, or the one that is to be proved."""
        if repository not in self._catalogues:
            engine = open_engine(repository, self._repositories, self._host)
            engine.check_location(self._mounted)
            self._catalogues[repository] = engine, engine.snapshots(self._host_name)
        engine, catalogue = self._catalogues[repository]
        own = [snapshot for snapshot in catalogue if snapshot.set == name]
        return engine, [snapshot for snapshot in own if snapshot.id.startswith(self.snapshot)]

    def _restore(self, engine, snapshot, memory, detail):
        # type: (Engine, Snapshot, Memory, Facts) -> tuple[str, str]
        listing = self._manifest(engine, snapshot, memory)
        state = memory.load()
        moved = set(state["moved"]) if snapshot.id.startswith(state.get("snapshot") or "-") else ()
        sample = choose(manifest.entries(listing), self.seed, self._files, self._max_bytes, moved)
        if not sample.entries:
            raise HalfError("Snapshot %s holds no file that a proof could restore." % snapshot.id[:8], "too_large")
        target = os.path.join(memory.proof, "files")
        started = time.monotonic()
        paths = [to_bytes(entry["path"]) for entry in sample.entries]
        complaint = engine.restore(snapshot.id, paths, target)
        detail["restore_seconds"] = round(time.monotonic() - started, 3)
        differences, skipped = [], {}  # type: tuple[list[str], dict[str, int]]
        for entry in sample.entries:
            path = to_bytes(entry["path"])
            differs, not_compared = compare(entry, to_bytes(target) + path, os.geteuid() == 0, self._host)
            if differs:
                differences.append("%s (%s)" % (shown(path), ", ".join(differs)))
            for what in not_compared:
                skipped[what] = skipped.get(what, 0) + 1
        detail.update(
            files=len(paths),
            bytes=sample.bytes,
            candidates=sample.candidates,
            too_large=sample.too_large,
            moved=len(moved),
            not_compared=skipped,
            differences={"count": len(differences), "first": differences[:NAMED_DIFFERENCES]},
        )
        if differences or complaint:
            detail["message"] = "Snapshot %s is not proved: %s of %s files differ (%s)%s." % (
                snapshot.id[:8],
                len(differences),
                len(paths),
                "; ".join(differences[:3]) or "none",
                "; %s: %s" % (engine.ENGINE, complaint.rstrip(".")) if complaint else "",
            )
            detail["next"] = "Check the repository%s and make a full backup to a sound one." % engine.by_hand("check")
            return "failed", "mismatch"
        detail["message"] = "%s files (%s bytes) of snapshot %s came back as they were%s." % (
            len(paths),
            sample.bytes,
            snapshot.id[:8],
            ", but for %s too large to try" % sample.too_large if sample.too_large else "",
        )
        return "ok", ""

    def _manifest(self, engine, snapshot, memory):
        # type: (Engine, Snapshot, Memory) -> str
        """Restore the manifest of a snapshot and return its path."""
        name = "/" + os.path.basename(memory.manifest)
        inside = [path for path in snapshot.paths if path.endswith(name)]
        if not inside:
            raise HalfError(
                "Snapshot %s has no manifest: it was not made by this collection." % snapshot.id[:8], "not_ours"
            )
        target = os.path.join(memory.proof, "manifest")
        complaint = engine.restore(snapshot.id, [to_bytes(inside[0])], target)
        if not os.path.isfile(target + inside[0]):
            raise HalfError(
                "The manifest of snapshot %s cannot be restored: %s. Check the repository%s."
                % (
                    snapshot.id[:8],
                    complaint.rstrip(".") or "%s did not say why" % engine.ENGINE,
                    engine.by_hand("check"),
                ),
                "mismatch",
            )
        return target + inside[0]
