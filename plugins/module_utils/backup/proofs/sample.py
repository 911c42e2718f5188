# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the files of a proof: the newest, the largest, one with extended attributes, and others by a seed."""

import hashlib
import heapq

from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import to_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Entry

#: A single file may take this part of the bytes, so that no large one leaves nothing for the others.
SINGLE = 4

#: Files kept in mind for each one wanted, since some will not fit into the bytes.
SPARE = 8


class Sample:
    """The entries chosen, in the order of the manifest, and what was there to choose from."""

    def __init__(self):
        # type: () -> None
        self.entries = []  # type: list[Entry]
        self.candidates = 0
        self.too_large = 0
        self.bytes = 0

    def take(self, entry, max_bytes):
        # type: (Entry | None, int) -> None
        """Add an entry if there is one, it is new and fits."""
        if entry is None or self.bytes + entry["size"] > max_bytes:
            return
        if not any(chosen["path"] == entry["path"] for chosen in self.entries):
            self.entries.append(entry)
            self.bytes += entry["size"]


def choose(entries, seed, files, max_bytes, without=()):
    # type: (Iterable[Entry], str, int, int, Container[str]) -> Sample
    """Return a Sample of at least `files` files and links (all of fewer) that together have at most max_bytes.

    The same entries and seed give the same sample. Paths in `without`, and what could not be read, are never chosen; a
    file of more than a quarter of max_bytes is too large to be chosen.
    """
    sample = Sample()
    newest, largest, attributed = None, None, None  # type: Entry | None, Entry | None, tuple[int, str, Entry] | None
    best = []  # type: list[tuple[int, str, Entry]]
    for entry in entries:
        if entry["type"] == "dir" or "unreadable" in entry or entry["path"] in without:
            continue
        sample.candidates += 1
        if entry["size"] > max_bytes // SINGLE:
            sample.too_large += 1
            continue
        if newest is None or entry["mtime"] > newest["mtime"]:
            newest = entry
        if largest is None or entry["size"] > largest["size"]:
            largest = entry
        ranked = (-_rank(seed, entry), entry["path"], entry)
        if entry["xattrs"] and (attributed is None or ranked > attributed):
            attributed = ranked
        if len(best) < files * SPARE:
            heapq.heappush(best, ranked)
        else:
            heapq.heappushpop(best, ranked)
    for special in (newest, largest, attributed and attributed[2]):
        sample.take(special, max_bytes)
    for _order, _path, entry in sorted(best, reverse=True):
        if len(sample.entries) >= files:
            break
        sample.take(entry, max_bytes)
    return sample


def _rank(seed, entry):
    # type: (str, Entry) -> int
    """Return a number by which each seed puts paths into an order of its own."""
    digest = hashlib.sha256(seed.encode("utf-8") + b"\0" + to_bytes(entry["path"])).digest()
    return int.from_bytes(digest[:8], "big")
