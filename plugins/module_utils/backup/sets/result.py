# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the backup of one set ended: status, reason, the sentence, and what differs, in words for a person."""

from ansible_collections.egov.ops.plugins.module_utils.backup.sets import manifest
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import Named
from ansible_collections.egov.ops.plugins.module_utils.host.members import members_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Source
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Facts, SetState
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Fact

#: What to do about a warning.
NEXT = {
    "unreadable_files": "Run the backup as a user who may read these files, or exclude them.",
    "not_reached": "Name the mount point among the paths of a set, or exclude it.",
    "changed_during_backup": "Nothing, if they always move; else back up at a quieter time, or dump to a file first.",
    "size_drift": "See whether the files were removed on purpose.",
}

#: A set that has shrunk to less than this share of its files or bytes has probably lost something.
SHRUNK = 0.7


#: Why a set has no new snapshot although it was compared with the one before.
UNCHANGED = "Unchanged"


class Outcome:
    """How the backup of one set ended."""

    def __init__(self, status, message, reason="", differences="", **detail):
        # type: (str, str, str, str, Fact) -> None
        self.status = status
        self.message = message
        self.reason = reason
        self.differences = differences
        self.detail = detail


def made(status, message, reason, found, moved, source, told):
    # type: (str, str, str, manifest.Scan, list[bytes], Source, Facts) -> Outcome
    """Return the outcome of a set of which a snapshot was made; `told` is what else its record tells."""
    return Outcome(
        status,
        message,
        reason,
        differences(found),
        files=found.files,
        bytes=found.bytes,
        hashed=found.hashed,
        unreadable=found.unreadable.detail(),
        changed_during_backup=Named(moved).detail(),
        special=found.special.detail(),
        mounts_left_out=Named(sorted(source.skipped)).detail(),
        next=NEXT.get(reason, ""),
        **told,
    )


def members(reason, found, moved, source, before):
    # type: (str, manifest.Scan, list[bytes], Source, SetState) -> dict[str, Fact]
    """Return as members of the finding what is wrong with a snapshot: the paths, and whether the set has shrunk.

    Files that changed meanwhile are members only where nothing worse is wrong: they are others in each run.
    """
    if not reason:
        return {}
    troubles = [("unreadable", found.unreadable), ("left out", Named(source.warned()))]
    if reason == "changed_during_backup":
        troubles.append(("changed", Named(moved)))
    names = ["%s: %s" % (what, path) for what, paths in troubles for path in paths.first]
    unnamed = sum(paths.count for _what, paths in troubles) - len(names)
    return members_of(names + ["fewer %s" % unit for unit, _now, _then in _shrunk(found, before)], unnamed)


def standing(snapshot, state, why):
    # type: (Snapshot, SetState, str) -> Outcome
    """Return the outcome of a set of which no new snapshot is wanted: what is known of its newest one still holds."""
    message = "%s: snapshot %s (%s) is of %s." % (why, snapshot.id[:8], snapshot.kind, snapshot.time)
    status, reason = state.get("status", "ok"), state.get("reason", "")
    if status != "ok":
        message += " Then: " + state["message"]
    return Outcome(
        status,
        message,
        reason or "not_due",
        snapshot=snapshot.id[:8],
        backup="none",
        snapshot_time=snapshot.time,
        unchanged=why == UNCHANGED,
        next=NEXT.get(reason, ""),
        **{key: state["finding"][key] for key in ("members", "more_members") if key in state.get("finding", {})},
    )


def trouble(source, found, moved, before):
    # type: (Source, manifest.Scan, list[bytes], SetState) -> tuple[str, str]
    """Return the reason why a snapshot deserves a warning, "" for none, and the rest of its sentence."""
    troubles = []  # type: list[tuple[str, str]]
    if found.unreadable.count:
        words = "%s could not be read (%s)" % (found.unreadable.count, _some(found.unreadable))
        troubles.append(("unreadable_files", words))
    remote = Named(source.warned())
    if remote.count:
        troubles.append(("not_reached", "%s mounted from elsewhere left out (%s)" % (remote.count, _some(remote))))
    if moved:
        words = "%s changed meanwhile (%s)" % (len(moved), _some(Named(moved)))
        troubles.append(("changed_during_backup", words))
    for unit, now, then in _shrunk(found, before):
        troubles.append(("size_drift", "only %s %s where there were %s" % (now, unit, then)))
    if not troubles:
        return "", "."
    return troubles[0][0], "; %s." % "; ".join(words for _reason, words in troubles)


def _shrunk(found, before):
    # type: (manifest.Scan, SetState) -> list[tuple[str, int, int]]
    """Return of files and bytes those that became far fewer: unit, how many there are, how many there were."""
    counts = (("files", found.files, before.get("files") or 0), ("bytes", found.bytes, before.get("bytes") or 0))
    return [(unit, now, then) for unit, now, then in counts if now < then * SHRUNK]


def _some(paths):
    # type: (Named) -> str
    names = ", ".join(paths.first[:3])
    return names + ", ..." if paths.count > 3 else names


def differences(found):
    # type: (manifest.Scan) -> str
    """Return what differs from the manifest before as lines for a person, bounded."""
    lines = []
    for sign, paths in (("+", found.added), ("-", found.removed), ("~", found.modified)):
        lines += ["%s %s" % (sign, name) for name in paths.first]
        if paths.count > len(paths.first):
            lines.append("%s and %s more" % (sign, paths.count - len(paths.first)))
    return "".join(line + "\n" for line in lines)
