# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drill a restore: bring each set back whole into a sandbox, compare all of it, and ask what the plan asserts of it.

The sandbox lies on the host that this runs on, the set's own or another that reaches a copy. It is removed whatever
happens; what a killed drill left, an engine at work there included, is removed by the next one.
"""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import status_of
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.session import Reach
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.assertions import judge
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.target import refuse_space, written
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.manifest import parsed
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import remove_tree, shown, to_bytes, to_text
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.selection import manifest_of, moved_of, select
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import Memory, folder, hold, refusal
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.tree_comparison import NAMED_DIFFERENCES, Comparison
from ansible_collections.egov.ops.plugins.module_utils.host import moments
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.job import kill_users
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.module_utils.host.watched import watched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import (
        Asserted,
        BackupSet,
        DrillArguments,
        Facts,
    )
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.progress import Count
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation, Result

CLAUSES = ("S2.3-B6", "S6.3.2-4", "S6.3.3-1")

#: Seconds spent on counting what has arrived.
_COUNT_SECONDS = 0.2


def drill(arguments, host):
    # type: (DrillArguments, Host) -> Result
    """Do as `run`; what takes long is told by lines of progress."""
    return watched(run, arguments, host)


def run(arguments, host):
    # type: (DrillArguments, Host) -> Result
    """Drill each of `sets` and return one observation for each; raises HalfError only where nothing can be done."""
    sets = {name: entry for name, entry in arguments["sets"].items() if entry.get("state") != "absent"}
    if not host.check_mode:
        Memory("drill", arguments["host_name"], host).prepare()
        _remove_left(_top(arguments, host), host)
    evidence = []  # type: list[Observation]
    for name in sorted(sets):
        started = time.monotonic()
        detail = {}  # type: Facts
        try:
            status, reason = _Drill(name, sets[name], arguments, host).run(detail)
        except HalfError as error:
            status, reason = status_of(error), error.reason
            detail["message"] = "Set %s was not brought back: %s" % (name, error)
        except OSError as error:
            status, reason = "failed", "error"
            detail["message"] = "The sandbox of set %s cannot be used: %s %s." % (name, error.strerror, error.filename)
        evidence.append(observation("drill", name, status, reason, CLAUSES, time.monotonic() - started, **detail))
    statuses = [record["status"] for record in evidence]
    return {
        "changed": False,
        "msg": "%s of %s backup sets came back whole." % (statuses.count("ok"), len(statuses)),
        "summary": {status: statuses.count(status) for status in set(statuses)},
        "evidence": evidence,
    }


class _Drill:
    """The drill of one set."""

    def __init__(self, name, entry, arguments, host):
        # type: (str, BackupSet, DrillArguments, Host) -> None
        self._name = name
        self._entry = entry
        self._arguments = arguments
        self._host = host
        self._sandbox = os.path.join(_top(arguments, host), "%s@%s" % (name, arguments["host_name"]))

    def run(self, detail):
        # type: (Facts) -> tuple[str, str]
        """Bring the set back, fill in the detail of its record and return status and reason; raises HalfError."""
        Memory(self._name, self._arguments["host_name"], self._host)  # refuses a name that cannot be a file's
        if self._host.check_mode:
            detail["message"] = "Would bring set %s back into %s and compare it." % (self._name, self._sandbox)
            return "skipped", ""
        name = "drill of %s" % os.path.basename(self._sandbox)
        lock = hold(self._host, name, 0)
        if lock < 0:
            raise refusal(self._host, name, "Set %s is not drilled" % self._name)
        try:
            return self._restored(detail)
        finally:
            kill_users(os.path.join(self._sandbox, "tree"))
            remove_tree(to_bytes(self._sandbox))
            os.close(lock)

    def _restored(self, detail):
        # type: (Facts) -> tuple[str, str]
        started = time.monotonic()
        self._say("looking for its newest snapshot")
        engine, snapshot = self._newest()
        detail.update(
            repository=engine.name,
            snapshot=snapshot.id[:8],
            snapshot_id=snapshot.original,
            snapshot_time=snapshot.time,
            rpo_seconds=_seconds_between(snapshot.time, self._host.now),
        )
        content = manifest_of(engine, snapshot, self._name, self._arguments["host_name"])
        selection = select(parsed(content), [])
        del content
        detail.update(files=selection.files, bytes=selection.bytes)
        self._host.files.folder(_top(self._arguments, self._host))
        self._host.files.folder(self._sandbox)
        refuse_space(to_bytes(self._sandbox), selection.entries)
        tree = os.path.join(self._sandbox, "tree")
        self._host.files.folder(tree)
        begun = time.monotonic()
        self._say("restoring from %s" % engine.name, lambda: (written([tree], _COUNT_SECONDS), selection.bytes))
        complaint = engine.restore(snapshot.id, selection.tops, tree)
        detail["restore_seconds"] = round(time.monotonic() - begun, 3)
        begun = time.monotonic()
        memory = Memory(self._name, self._arguments["host_name"], self._host)
        moved = moved_of(snapshot, memory, (self._arguments.get("moved") or {}).get(self._name) or {})
        compared = Comparison(selection.entries, moved, self._host)
        self._say("comparing", lambda: (compared.bytes, selection.bytes))
        compared.of(to_bytes(tree), selection.tops)
        compared.end()
        detail["compare_seconds"] = round(time.monotonic() - begun, 3)
        self._say("asking what the plan asserts of it")
        asserted = judge(self._name, self._arguments.get("assertions") or {}, tree, self._host)
        detail.update(
            rto_seconds=round(time.monotonic() - started, 3),
            not_compared=compared.skipped,
            differences={"count": len(compared.differences), "first": compared.differences[:NAMED_DIFFERENCES]},
            assertions=asserted,
        )
        return self._judged(engine, snapshot, compared, complaint, asserted, detail)

    def _judged(self, engine, snapshot, compared, complaint, asserted, detail):
        # type: (Engine, Snapshot, Comparison, str, list[Asserted], Facts) -> tuple[str, str]
        broken = [entry for entry in asserted if entry["status"] != "ok"]
        if compared.differences or complaint:
            detail["message"] = "Set %s did not come back from %s as it was: %s paths differ (%s)%s." % (
                self._name,
                detail["repository"],
                len(compared.differences),
                "; ".join(compared.differences[:3]) or "none",
                "; %s: %s" % (engine.ENGINE, complaint.rstrip(".")) if complaint else "",
            )
            detail["next"] = "Check that repository%s and make a full backup to a sound one." % engine.by_hand("check")
            return "failed", "mismatch"
        if broken:
            detail["message"] = "Set %s came back from %s, and what the plan asserts of it does not hold: %s." % (
                self._name,
                detail["repository"],
                "; ".join("%s: %s" % (entry["name"], entry["message"].rstrip(".")) for entry in broken[:3]),
            )
            detail["next"] = (
                "See whether the set lacks what the assertion wants (paths, exclude), or the assertion is old."
            )
            return "failed", "mismatch"
        detail["message"] = (
            "Set %s came back whole from %s in %.0f s: %s files, %s bytes of snapshot %s; what was written in the last "
            "%.0f s before now would be lost."
            % (
                self._name,
                detail["repository"],
                detail["rto_seconds"],
                detail["files"],
                detail["bytes"],
                snapshot.id[:8],
                detail["rpo_seconds"],
            )
        )
        return "ok", ""

    def _newest(self):
        # type: () -> tuple[Engine, Snapshot]
        """Return the repository that the plan chose, or the first copy within reach, and its newest snapshot."""
        reach = Reach(self._arguments["repositories"], self._arguments["host_name"], self._host)
        own = list(self._entry.get("copies") or ()) + [self._entry["repository"]]
        place = reach.first(self._name, [self._arguments["copy"]] if self._arguments.get("copy") else own)
        return reach.engine(place), [found for found in reach.snapshots(place) if found.set == self._name][-1]

    def _say(self, what, count=None):
        # type: (str, Count | None) -> None
        self._host.progress.begin("drill of set %s: %s" % (self._name, what), count)


def _top(arguments, host):
    # type: (DrillArguments, Host) -> str
    return os.path.join(str(arguments.get("folder") or folder(host)), "drill")


def _remove_left(top, host):
    # type: (str, Host) -> None
    """Remove the sandboxes that nobody works in; raises OSError."""
    try:
        names = os.listdir(to_bytes(top))
    except OSError:
        return
    for name in names:
        lock = hold(host, "drill of %s" % to_text(name), 0)
        if lock >= 0:
            try:
                kill_users(os.path.join(top, to_text(name), "tree"))
                remove_tree(os.path.join(to_bytes(top), name))
            except OSError as error:
                raise HalfError(
                    "What a drill left in %s cannot be removed: %s. Remove it by hand."
                    % (shown(to_bytes(top)), error.strerror)
                )
            finally:
                os.close(lock)


def _seconds_between(earlier, later):
    # type: (str, str) -> int
    return max(0, int(moments.seconds_of(later) - moments.seconds_of(earlier)))
