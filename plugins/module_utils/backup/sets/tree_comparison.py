# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What arrived of a snapshot, compared with its manifest path by path: content, mode, owner, time and attributes."""

import os
from contextlib import suppress

from ansible_collections.egov.ops.plugins.module_utils.backup.sets.comparison import compare
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.file_metadata import kind_of
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import join, shown, to_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Entry
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: Differences that a record names.
NAMED_DIFFERENCES = 10


class Comparison:
    """What differs from the manifest (`differences`, for people), what could not be compared, and bytes compared."""

    def __init__(self, entries, moved, host):
        # type: (list[Entry], Container[str], Host) -> None
        """Take the manifest's entries and the paths, as text or as shown, that changed while they were backed up."""
        self.differences = []  # type: list[str]
        self.skipped = {}  # type: dict[str, int]
        self.bytes = 0
        self._known = {to_bytes(entry["path"]): entry for entry in entries}
        self._moved = moved
        self._root = os.geteuid() == 0
        self._host = host

    def of(self, tree, tops):
        # type: (bytes, list[bytes]) -> None
        """Compare all that lies at and below some top paths of a tree; raises HalfError at the deadline."""
        for path, staged, kind, info in _walk(tree, tops):
            entry = self._known.pop(path, None)
            if entry is None:
                if kind:
                    self.differences.append("%s (not in the manifest)" % shown(path))
                continue
            if self._moved and self._has_moved(path, entry):
                self._skip("changed during the backup")
                continue
            if "unreadable" in entry:
                self._skip("unreadable during the backup")
                continue
            differs, not_compared = compare(entry, staged, self._root, self._host, info)
            if differs:
                self.differences.append("%s (%s)" % (shown(path), ", ".join(differs)))
            for what in not_compared:
                self._skip(what)
            self.bytes += entry["size"] if kind != "dir" else 0

    def end(self):
        # type: () -> None
        """Count what of the manifest has not arrived."""
        for path, entry in self._known.items():
            if "unreadable" in entry or (self._moved and self._has_moved(path, entry)):
                self._skip("not in the backup")
            else:
                self.differences.append("%s (missing)" % shown(path))
        self._known = {}

    def _has_moved(self, path, entry):
        # type: (bytes, Entry) -> bool
        return entry["path"] in self._moved or shown(path) in self._moved

    def _skip(self, what):
        # type: (str) -> None
        self.skipped[what] = self.skipped.get(what, 0) + 1


def _walk(tree, tops):
    # type: (bytes, list[bytes]) -> Iterator[tuple[bytes, bytes, str, os.stat_result | None]]
    """Yield path, staged path, type and, but for files, what lstat says of all that lies below some tops of a tree.

    What a folder's listing says of a file is enough here: it is opened next.
    """
    pending = []  # type: list[tuple[bytes, str, os.stat_result | None]]
    for path in tops:
        with suppress(FileNotFoundError):
            info = os.lstat(tree + path)
            pending.append((path, kind_of(info.st_mode), info))
    while pending:
        path, kind, known = pending.pop()
        if kind == "dir":
            start = join(path, b"")
            with os.scandir(tree + path) as inside:
                pending += [
                    (start + one.name, "file", None) if one.is_file(follow_symlinks=False) else _told(start, one)
                    for one in inside
                ]
        yield path, tree + path, kind, known


def _told(start, one):
    # type: (bytes, os.DirEntry[bytes]) -> tuple[bytes, str, os.stat_result]
    """Return the path, the type and what lstat says of an entry of a folder."""
    info = one.stat(follow_symlinks=False)
    return start + one.name, kind_of(info.st_mode), info
