# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather the snapshots of a host's sets from all repositories, and judge for each set whether its copies are enough.

The rule is 3-2-1-1-0: three copies of the data, its original counted, on two kinds of place, one at another site, one
that no client can remove, and no error in any. Only a repository that holds the set's newest snapshot counts. Where it
stands is taken from the plan, and so is that no client can remove what is in it, unless its store says otherwise.
"""

import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import NotSupported, status_of
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs import proof_age
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs.integrity_check import repositories_of
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import capacity
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.device import Devices
from ansible_collections.egov.ops.plugins.module_utils.backup.restores import manual_restore_script
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.immutable import Answer
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import (
        BackupSet,
        CatalogueArguments,
        CatalogueResult,
        CatalogueRow,
        Facts,
        Place,
    )
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

CLAUSES = ("S6.2.2-1", "S6.1.3-1", "S6.1.3-2", "S6.1.3-4")

#: Snapshots that the result holds.
SHOWN = 2000

#: The rule: how many copies, the original counted, and on how many kinds of place.
COPIES, MEDIA = 3, 2

#: The original lies on the host's own file systems, and so does a repository in a folder of the host.
HOST = "host"

NO_COPIES = "Give the set copies (egov_ops_backup_sets, copies), one of them in a repository at another site."


def catalogue(arguments, host):
    # type: (CatalogueArguments, Host) -> CatalogueResult
    """Return the snapshots of `sets` in one shape, with the observations of each set, of locks and of devices.

    `measured` are the repositories on the host with what they use and what is free. Raises HalfError.
    """
    started = time.monotonic()
    sets = {name: entry for name, entry in arguments["sets"].items() if entry.get("state") != "absent"}
    names = repositories_of(sets)
    found, troubles = {}, {}  # type: tuple[dict[str, list[Snapshot]], dict[str, str]]
    locked = set()  # type: set[str]
    answers = {}  # type: dict[str, Answer]
    devices, watched = Devices(host), []  # type: tuple[Devices, list[Observation]]
    measured = {}  # type: dict[str, dict[str, int]]
    for index, name in enumerate(names):
        # What one repository leaves of its share is the next one's.
        with host.within(host.remaining() / (len(names) - index)):
            try:
                engine = open_engine(name, arguments["repositories"], host)
                if engine.path:  # first: a failing disk may be why nothing else can be told
                    watched.append(devices.watch(name, engine.path))
                engine.check_location(mounts.mounted())
                found[name] = engine.snapshots(arguments["host_name"])
                if arguments["repositories"].get(name, {}).get("immutable"):
                    answers[name] = _ask_immutable(engine)
                watched.append(capacity.watch_locks(engine, host))
                room = capacity.measure(engine)
                if room:
                    measured[name] = room
            except HalfError as error:
                troubles[name] = str(error)
                if error.reason == "busy":  # the list of the locks is open even then
                    watched.append(capacity.watch_locks(engine, host))
                    if status_of(error) == "failed":
                        locked.add(name)
    snapshots, evidence = [], []  # type: tuple[list[CatalogueRow], list[Observation]]
    for name in sorted(sets):
        own = {place: [snapshot for snapshot in found[place] if snapshot.set == name] for place in found}
        snapshots += _records(name, sets[name], own, arguments)
        places = places_of(name, sets[name], own, troubles, arguments, answers)
        lacking = judge(places, str(arguments.get("site") or ""))
        detail = {"places": places, "lacking": lacking, "snapshots": sum(map(len, own.values()))}  # type: Facts
        if lacking:
            detail["message"] = "The copies of set %s are not enough: %s." % (name, "; ".join(lacking))
            detail["next"] = NO_COPIES if not sets[name].get("copies") else "See docs/backup.md, Copies."
        else:
            detail["message"] = "Set %s has %s copies, its original counted, as 3-2-1-1-0 wants." % (
                name,
                1 + sum(place["holds"] for place in places),
            )
        status = "warning" if lacking else "ok"
        oldest = min((one[0].time for one in own.values() if one), default="")
        proved = (arguments.get("proofs", {}).get(name) or {}).get("time", "")
        status = proof_age.add(
            status, detail, proof_age.severity(proved, oldest, host.now, arguments.get("unproved") or [])
        )
        reason = ""
        if locked.intersection(repositories_of({name: sets[name]})):
            status, reason = "failed", "busy"
        evidence.append(observation("copies", name, status, reason, CLAUSES, time.monotonic() - started, **detail))
    statuses = [record["status"] for record in evidence]
    return {
        "changed": False,
        "msg": "%s snapshots in %s of %s repositories; the copies of %s of %s sets are enough."
        % (len(snapshots), len(found), len(names), statuses.count("ok"), len(statuses)),
        "summary": {status: statuses.count(status) for status in set(statuses)},
        "evidence": evidence + watched,
        "measured": measured,
        "snapshots": sorted(snapshots, key=lambda entry: (entry["time"], entry["copy"]), reverse=True)[:SHOWN],
        "snapshot_count": len(snapshots),
        "without_us": manual_restore_script.of_sets(sets, arguments, host),
    }


def _ask_immutable(engine):
    # type: (Engine) -> Answer
    """Return what a repository's store says; that it cannot be asked, where its engine cannot ask."""
    try:
        return engine.ask_immutable()
    except NotSupported as error:
        from ansible_collections.egov.ops.plugins.module_utils.backup.engines.immutable import Answer

        return Answer(None, str(error))


def places_of(
    name,  # type: str
    entry,  # type: BackupSet
    snapshots,  # type: dict[str, list[Snapshot]]
    troubles,  # type: dict[str, str]
    arguments,  # type: CatalogueArguments
    answers,  # type: dict[str, Answer]
):
    # type: (...) -> list[Place]
    """Return what is known of each repository of a set, for `judge`.

    snapshots are the set's by repository, troubles why a repository could not be read, answers what the stores of those
    say that the plan calls immutable.
    """
    places = []  # type: list[Place]
    newest = max((one[-1] for one in snapshots.values() if one), key=lambda snapshot: snapshot.time, default=None)
    for repository in repositories_of({name: entry}):
        known = arguments["repositories"].get(repository, {})
        own = snapshots.get(repository, [])
        trouble, answer = troubles.get(repository, ""), answers.get(repository)
        if not trouble and arguments.get("checks", {}).get(repository) == "critical":
            trouble = "its last check found damage"
        places.append(
            {
                "repository": repository,
                "medium": medium(known.get("location", "")),
                "site": known.get("site") or "",
                "immutable": bool(known.get("immutable")) and not (answer and answer.holds is False),
                "immutable_words": answer.words if answer else "",
                "holds": bool(own and newest and own[-1].original == newest.original),
                "newest": own[-1].time if own else "",
                "checked": arguments.get("checks", {}).get(repository, ""),
                "proved": repository == entry["repository"] and arguments.get("proofs", {}).get(name) is not None,
                "trouble": trouble,
            }
        )
    return places


def medium(location):
    # type: (str) -> str
    """Return the kind of a repository's place: host for a folder of the host, else the scheme of its location."""
    start = location.split("/")[0]
    return start.split(":")[0] if ":" in start else HOST


def judge(places, host_site):
    # type: (list[Place], str) -> list[str]
    """Return what a set's copies lack of 3-2-1-1-0, a few words each; pure.

    A place that has no site, or is on a host without one, is not off site: nobody has said where it is.
    """
    holding = [place for place in places if place["holds"] and not place["trouble"]]
    lacking = []
    if 1 + len(holding) < COPIES:
        lacking.append("%s copies of %s, the original counted" % (1 + len(holding), COPIES))
    if len({HOST} | {place["medium"] for place in holding}) < MEDIA:
        lacking.append("all on one kind of place")
    if not any(host_site and place["site"] and place["site"] != host_site for place in holding):
        lacking.append("none known to be at another site")
    if not any(place["immutable"] for place in holding):
        lacking.append("none that a client could not remove")
    for place in places:
        if place.get("immutable_words") and not place["immutable"]:
            lacking.append("%s is not immutable, %s" % (place["repository"], place["immutable_words"]))
        if place["trouble"]:
            lacking.append("%s: %s" % (place["repository"], place["trouble"].rstrip(".")))
        elif not place["holds"]:
            lacking.append("%s does not hold the newest snapshot" % place["repository"])
        elif place["checked"] != "ok":
            lacking.append("%s has not been read again without error" % place["repository"])
    if not any(place["proved"] for place in places):
        lacking.append("not proved by a restore")
    return lacking


def _records(name, entry, snapshots, arguments):
    # type: (str, BackupSet, dict[str, list[Snapshot]], CatalogueArguments) -> list[CatalogueRow]
    """Return the snapshots of a set in the shape that all engines share."""
    proof = arguments.get("proofs", {}).get(name) or {}
    return [
        {
            "class": entry.get("class", ""),
            "host": arguments["host_name"],
            "set": name,
            "time": snapshot.time,
            "kind": snapshot.kind,
            "chain": snapshot.original,
            "copy": repository,
            "snapshot": snapshot.id,
            "size": snapshot.size,
            "ratio": snapshot.ratio,
            "proved": proof.get("time", "") if proof.get("snapshot") == snapshot.original else "",
        }
        for repository, own in sorted(snapshots.items())
        for snapshot in own
    ]
