# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What restic is told and what it prints: its patterns, its JSON, and how far it says it is."""

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import join, to_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Source
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Document

#: Bytes of what was heard last that hold at least one whole line of progress.
_KEPT = 16 * 1024

#: How restic tells, in plain words even where JSON is wanted, how many packs it has copied.
_PACKS = r"([0-9]+) / ([0-9]+) packs copied"


class Heard:
    """The end of what a restic that still runs has printed."""

    def __init__(self):
        # type: () -> None
        self._end = b""

    def __call__(self, piece):
        # type: (bytes) -> None
        """Take the next piece."""
        self._end = (self._end + piece)[-_KEPT:]

    def status(self):
        # type: () -> tuple[int | None, int | None]
        """Return the bytes that a backup or restore has done and has in all; None for what restic has not said."""
        for entry in reversed(documents(self._text())):
            if entry.get("message_type") == "status":
                done = entry.get("bytes_done", entry.get("bytes_restored"))
                return done or 0, entry.get("total_bytes")
        return None, None

    def packs(self):
        # type: () -> tuple[int | None, int | None]
        """Return how many packs a copy has sent, and of how many; None where restic has not said."""
        import re

        said = re.findall(_PACKS, self._text())
        return (int(said[-1][0]), int(said[-1][1])) if said else (None, None)

    def _text(self):
        # type: () -> str
        return self._end.decode("utf-8", "backslashreplace")


def literal(path):
    # type: (bytes) -> bytes
    """Return a path as a pattern of restic that matches this path alone."""
    for sign in (b"\\", b"*", b"?", b"["):
        path = path.replace(sign, b"\\" + sign)
    return path


def excludes(source):
    # type: (Source) -> list[bytes]
    patterns = [literal(path) for path in sorted(source.excluded) + sorted(source.skipped)]
    for name in source.names:
        # Bound to the roots: restic would also match a bare name among the folders above them.
        only_stars = to_bytes(name).replace(b"\\", b"\\\\").replace(b"[", b"\\[")
        patterns += [join(join(literal(root), b"**"), only_stars) for root in source.roots]
    return patterns


def documents(text, opening="{"):
    # type: (str, str) -> list[Document]
    """Return the JSON objects that restic printed, one or a list on a line, between lines for people."""
    import json

    found = []  # type: list[Document]
    for line in text.splitlines():
        if line.startswith(opening):
            try:
                document = json.loads(line)
            except ValueError:
                continue
            found += document if isinstance(document, list) else [document]
    return found


def snapshot_of(entry):
    # type: (Document) -> Snapshot
    """Return the Snapshot that restic describes in JSON."""
    tags = dict(tag.split("=", 1) for tag in entry.get("tags") or [] if "=" in tag)
    time, kind, original = entry["time"][:19] + "Z", tags.get("kind", ""), entry.get("original") or ""
    snapshot = Snapshot(entry["id"], time, tags.get("set", ""), kind, entry["paths"], original)
    summary = entry.get("summary") or {}  # since restic 0.17
    snapshot.size = summary.get("total_bytes_processed")
    if summary.get("data_added") and summary.get("data_added_packed"):
        snapshot.ratio = round(summary["data_added"] / summary["data_added_packed"], 2)
    return snapshot
