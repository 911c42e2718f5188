# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find snapshots and paths of a host, and say what a restore of them would be; nothing is written."""

import fnmatch
import os
import re
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.session import Reach
from ansible_collections.egov.ops.plugins.module_utils.backup.options import ANY, NO_TIME, TIME_FORMS
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.manifest import parsed
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import shown, to_bytes, to_text, within
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.selection import manifest_of, select
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Entry, ListArguments, ListResult
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import JSON

#: Snapshots and paths that a result lists; all are counted.
LISTED = 200


def listing(arguments, host):
    # type: (ListArguments, Host) -> ListResult
    """Return the snapshots of the wanted set, or of all, and of one of them the paths and the `operation`.

    The one is the newest that is not later than `at`, where one set alone is meant. Raises HalfError.
    """
    sets = {name: entry for name, entry in arguments["sets"].items() if entry.get("state") != "absent"}
    wanted = arguments["set"]
    if wanted and wanted not in sets:
        raise HalfError(
            "Set %s is not in the plan of this host: it has %s." % (wanted, ", ".join(sorted(sets)) or "none")
        )
    at = _moment(arguments["at"]) or host.now
    reach = Reach(arguments["repositories"], arguments["host_name"], host)
    known = []  # type: list[tuple[str, Snapshot]]
    for name in [wanted] if wanted else sorted(sets):
        repository = arguments.get("from_repository") or sets[name]["repository"]
        if repository == ANY:
            repository = reach.first(name, [sets[name]["repository"]] + list(sets[name].get("copies") or ()))
        known += [(repository, snapshot) for snapshot in reach.snapshots(repository) if snapshot.set == name]
    known = [row for row in known if row[1].id.startswith(arguments["snapshot"])]
    known.sort(key=lambda row: row[1].time, reverse=True)
    rows = [row for row in known if row[1].time <= at]
    result = {
        "changed": False,
        "snapshots": [_row(repository, snapshot) for repository, snapshot in rows[:LISTED]],
        "snapshot_count": len(rows),
        "paths": [],
        "path_count": 0,
        "operation": {},
    }  # type: ListResult
    if not rows:
        what = "set " + wanted if wanted else "any set"
        raise HalfError(
            "There is no snapshot of %s of %s up to %s%s" % (what, arguments["host_name"], at, _nearest(known))
        )
    chosen = {snapshot.set for _repository, snapshot in rows}
    if len(chosen) > 1:
        result["msg"] = "%s snapshots of %s sets; name a set to see its paths." % (len(rows), len(chosen))
        return result
    repository, snapshot = rows[0]
    content = manifest_of(reach.engine(repository), snapshot, snapshot.set, arguments["host_name"])
    paths = arguments["paths"]
    patterns = [path for path in paths if _is_pattern(path)]
    if patterns:
        paths = [path for path in paths if path not in patterns] + _matching(content, patterns)
    selection = select(parsed(content), paths)
    result["path_count"] = len(selection.entries)
    result["paths"] = [_path(entry) for entry in selection.entries[:LISTED]]
    result["operation"] = {
        "host": arguments.get("target") or arguments["host_name"],
        "set": snapshot.set,
        "repository": repository,
        "snapshot": snapshot.id,
        "snapshot_time": snapshot.time,
        "paths": sorted(to_text(top) for top in selection.tops) if paths else [],
        "mode": arguments["mode"],
        "destination": _destination(arguments, snapshot, selection.tops),
        "files": selection.files,
        "bytes": selection.bytes,
        "stop": list(sets[snapshot.set].get("stop") or []) if arguments["mode"] == "in_place" else [],
    }
    if arguments.get("target"):
        result["operation"]["of"] = arguments["host_name"]
    if snapshot.original != snapshot.id:
        result["operation"]["original"] = snapshot.original
    result["msg"] = "Snapshot %s of set %s is of %s: %s files, %s bytes%s." % (
        snapshot.id[:8],
        snapshot.set,
        snapshot.time,
        selection.files,
        selection.bytes,
        " in " + ", ".join(shown(top) for top in selection.tops[:3]) if selection.tops else "",
    )
    return result


def _nearest(known):
    # type: (list[tuple[str, Snapshot]]) -> str
    """Return the end of the sentence that no snapshot is early enough: the choices that there are, of newest first."""
    if not known:
        return ": see which there are without at and snapshot."
    times = [snapshot.time for _repository, snapshot in known]
    first = "the nearest is of %s" % times[-1]
    return "; %s%s: name one of these times." % (first, ", the newest of %s" % times[0] if len(times) > 1 else "")


def _destination(arguments, snapshot, tops):
    # type: (ListArguments, Snapshot, list[bytes]) -> str
    """Return the folder that a restore beside its source makes; one beside the first path where none is named."""
    if arguments["mode"] != "beside" or not tops:
        return ""
    name = "%s.restored-%s" % (snapshot.set, snapshot.id[:8])
    return arguments["destination"] or os.path.join(to_text(os.path.dirname(tops[0])), name)


def _moment(text):
    # type: (str) -> str
    """Return a time (UTC) as the catalogue writes it; a day alone means its end. Raises HalfError."""
    if not text:
        return ""
    for form, rest in TIME_FORMS:
        try:
            found = time.strptime(text, form)
        except ValueError:
            continue
        return time.strftime("%Y-%m-%d", found) + rest if rest else time.strftime("%Y-%m-%dT%H:%M:%SZ", found)
    raise HalfError(NO_TIME % text)


def _is_pattern(path):
    # type: (str) -> bool
    return any(sign in path for sign in "*?[")


def _matching(content, patterns):
    # type: (bytes, list[str]) -> list[str]
    """Return the paths of a manifest that match one of some patterns; what lies below a match comes with it."""
    wanted = re.compile("|".join("(?:%s)" % fnmatch.translate(pattern) for pattern in patterns), re.DOTALL)
    found = []  # type: list[str]
    for entry in parsed(content):
        below = found and within(to_bytes(entry["path"]), to_bytes(found[-1]))
        if not below and (wanted.match(entry["path"]) or entry["path"] in patterns):
            found.append(entry["path"])
    if not found:
        raise HalfError("Nothing in the snapshot matches %s: list the set without paths." % ", ".join(patterns))
    return found


def _row(repository, snapshot):
    # type: (str, Snapshot) -> dict[str, str]
    return {
        "snapshot": snapshot.id,
        "time": snapshot.time,
        "set": snapshot.set,
        "kind": snapshot.kind,
        "repository": repository,
    }


def _path(entry):
    # type: (Entry) -> dict[str, JSON]
    return {
        "path": shown(to_bytes(entry["path"])),
        "type": entry["type"],
        "size": entry["size"],
        "modified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry["mtime"] // 1000000000)),
    }
