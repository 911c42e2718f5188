# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One snapshot of the catalogue."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Snapshot:
    """One snapshot of the catalogue."""

    def __init__(self, identity, time, backup_set, kind, paths, original=""):
        # type: (str, str, str, str, list[str], str) -> None
        """Take id, time (UTC, to the second, with Z), set, kind (full, incremental, change) and the paths backed up.

        original is the id of the snapshot that this one is a copy of, without it its own.
        """
        self.id = identity
        self.time = time
        self.set = backup_set
        self.kind = kind
        self.paths = paths
        self.original = original or identity
        #: Bytes of the files, and how many of them one byte stored holds; None where the engine does not tell.
        self.size = None  # type: int | None
        self.ratio = None  # type: float | None


def snapshot_of(entry):
    # type: (dict[str, Any]) -> Snapshot
    """Return the Snapshot that restic describes in JSON."""
    tags = dict(tag.split("=", 1) for tag in entry.get("tags") or [] if "=" in tag)
    time, kind, original = entry["time"][:19] + "Z", tags.get("kind", ""), entry.get("original") or ""
    snapshot = Snapshot(entry["id"], time, tags.get("set", ""), kind, entry["paths"], original)
    summary = entry.get("summary") or {}  # since restic 0.17
    snapshot.size = summary.get("total_bytes_processed")
    if summary.get("data_added") and summary.get("data_added_packed"):
        snapshot.ratio = round(summary["data_added"] / summary["data_added_packed"], 2)
    return snapshot
