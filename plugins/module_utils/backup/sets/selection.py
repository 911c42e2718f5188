# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a snapshot is meant: the snapshot itself, its manifest, and the entries of some paths."""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.sets.manifest import parsed
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import shown, to_bytes, within
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import Memory
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Entry, Moved, Request

#: Paths among which the nearest to an unknown one is looked for.
_NEAR_LIMIT = 20000


class Selection:
    """Entries of a manifest below some top paths: `tops`, `entries` in the order of a walk, `files` and `bytes`."""

    def __init__(self, tops, entries):
        # type: (list[bytes], list[Entry]) -> None
        self.tops = tops
        self.entries = entries
        files = [entry for entry in entries if entry["type"] != "dir"]
        self.files = len(files)
        self.bytes = sum(entry["size"] for entry in files)


def select(entries, wanted):
    # type: (Iterable[Entry], Sequence[str]) -> Selection
    """Return the entries of the wanted paths with all below them; all entries where none is named.

    Raises HalfError for a path that the manifest does not have; it names the nearest that it has.
    """
    asked = [to_bytes(os.path.normpath(path)) for path in wanted]
    tops = [path for path in asked if not any(path != other and within(path, other) for other in asked)]
    if wanted:
        kept, missing, near = [], set(tops), []  # type: tuple[list[Entry], set[bytes], list[str]]
        for entry in entries:
            path = to_bytes(entry["path"])
            missing.discard(path)
            if any(within(path, top) for top in tops):
                kept.append(entry)
            elif len(near) < _NEAR_LIMIT:
                near.append(shown(path))
        for path in sorted(missing):
            raise HalfError(
                "Path %s is not in the snapshot%s: list what is with egov.ops.backup_list."
                % (shown(path), _near(path, near))
            )
        return Selection(sorted(set(tops)), kept)
    kept, below = list(entries), ""
    for entry in kept:
        text = entry["path"]
        if not below or not text.startswith(below):  # as text: there are many
            tops.append(to_bytes(text))
            below = text.rstrip("/") + "/"
    return Selection(tops, kept)


def owner(request):
    # type: (Request) -> str
    """Return the host whose set a request is about: another than it restores on, where it says so."""
    return str(request.get("of") or request["host"])


def described(engine, request):
    # type: (Engine, Request) -> tuple[Snapshot, Selection]
    """Return a request's snapshot and what it selects of it; raise HalfError where they are not as it says."""
    found = [snapshot for snapshot in engine.snapshots(owner(request)) if snapshot.id == request["snapshot"]]
    if not found or found[0].set != request["set"] or found[0].original != request.get("original", found[0].original):
        raise HalfError(
            "Repository %s holds no snapshot %s of set %s of %s: list what there is with egov.ops.backup_list."
            % (engine.name, request["snapshot"][:8], request["set"], owner(request)),
            "refused",
        )
    content = manifest_of(engine, found[0], request["set"], owner(request))
    selection = select(parsed(content), request["paths"])
    if (selection.files, selection.bytes) != (request["files"], request["bytes"]):
        raise HalfError(
            "The request is for %s files (%s bytes) and the snapshot has %s (%s bytes) there: make a new request."
            % (request["files"], request["bytes"], selection.files, selection.bytes),
            "refused",
        )
    return found[0], selection


def moved_of(snapshot, memory, told):
    # type: (Snapshot, Memory, Moved) -> set[str]
    """Return the files that changed while a snapshot was made: as this host knows them, else as the ledger names them.

    told has the `paths` of the ledger's newest `snapshot`.
    """
    state = memory.load()
    if snapshot.original.startswith(state.get("snapshot") or "-"):
        return set(state["moved"])
    return set(told.get("paths") or ()) if snapshot.original.startswith(told.get("snapshot") or "-") else set()


def manifest_of(engine, snapshot, set_name, host_name):
    # type: (Engine, Snapshot, str, str) -> bytes
    """Return the content of the manifest that lies in a snapshot; raises HalfError where there is none."""
    name = "/%s@%s.jsonl" % (set_name, host_name)
    inside = [path for path in snapshot.paths if path.endswith(name)]
    if not inside:
        raise HalfError(
            "Snapshot %s has no manifest: it was not made by this collection." % snapshot.id[:8], "not_ours"
        )
    return engine.dump(snapshot.id, inside[0])


def _near(path, candidates):
    # type: (bytes, list[str]) -> str
    import difflib

    found = difflib.get_close_matches(shown(path), candidates, n=1)
    return ", the nearest is %s" % found[0] if found else ""
