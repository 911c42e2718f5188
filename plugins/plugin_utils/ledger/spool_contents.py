# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a spool holds, read whole, and how it is read in pieces."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_chain import Follower
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_folder import without_waiting
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_index import SpoolIndex
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import (
    HEADER_LIMIT,
    BadLine,
    Header,
    HeaderLine,
    LineError,
    data_after,
    flaw_of_line,
    is_torn,
    parse,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record

#: Bytes that are read of a spool at once, and bytes of bad lines that are held.
_PIECE = 16 * 1024 * 1024
_BAD_LIMIT = 64 * 1024 * 1024


class Contents(NamedTuple):
    """What stands in a spool: the last word of its header, the records in order, lines torn by a writer's death,
    whether a seal record follows the last announcement, each record's JSON, and the lines that are none of these;
    where they are too large to hold, without content and to be kept with the whole file. header_hash is that of the
    first line; is_chained tells whether the lines carry running hashes."""

    header: Header
    records: list[Record]
    torn: int
    sealed: bool
    bodies: list[str]
    bad: list[BadLine]
    is_vast: bool
    header_hash: str = ""
    is_chained: bool = False


class Reader:
    """Reads the lines of a spool, and of one that it has read before only what that has grown by."""

    def __init__(self, path: Path, run: str) -> None:
        """Take the path of the spool and its run."""
        self._path = path
        self._run = run
        self._first = (0, b"")
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._seen: list[tuple[Record | HeaderLine, str]] = []  # the good whole lines that were met, parsed
        self._bad: list[BadLine] = []  # and the others
        self._follower = Follower()
        self.is_vast = False
        self._end = 0

    @property
    def header_hash(self) -> str:
        """The hash of the first line."""
        return self._follower.header_hash.decode()

    @property
    def is_chained(self) -> bool:
        """Whether the lines carry running hashes."""
        return self._follower.is_chained

    def read(self, index: SpoolIndex) -> tuple[list[tuple[Record | HeaderLine, str]], list[BadLine], int]:
        """Return the good lines, parsed and their JSON, the bad ones, and how many are torn. Raises OSError.

        Where only the index knows that lines are missing, an empty bad line says so.
        """
        with open(self._path, "rb", buffering=0, opener=without_waiting) as stream:
            descriptor = stream.fileno()
            state = os.fstat(descriptor)
            first = state.st_ino, os.pread(descriptor, 4096, 0).partition(b"\n")[0]
            if first != self._first or state.st_size < self._end:
                self._begin_anew()
                self._first = first
            with without_collections():
                rest = self._take(descriptor)
        # What lacks its end may be whole all the same; if not, it is what a writer's death has left, or somebody else.
        good, bad = self._split([rest] if rest else [], self._follower.copy())
        torn = [line for line in bad if self._seen and is_torn(line.content)]
        bad = [*self._bad, *(line for line in bad if line not in torn)]
        if not bad and index.shows_cut(state.st_size):
            bad.append(BadLine(b"", "lines that its index knows were cut off"))
        return [*self._seen, *good], bad, len(torn)

    def _take(self, descriptor: int) -> bytes:
        """Parse the whole lines that a file has grown by, and return what follows them. Raises OSError."""
        rest, place = b"", self._end
        while piece := os.pread(descriptor, _PIECE, place):
            place += len(piece)
            whole, line_end, rest = (rest + piece).rpartition(b"\n")
            if line_end:
                self._end += len(whole) + 1
                good, bad = self._split(whole.split(b"\n"), self._follower)
                self._seen += good
                self._bad += bad
            if len(rest) > HEADER_LIMIT:
                self._bad.append(BadLine(b"", f"it has more than {HEADER_LIMIT} bytes"))
                self.is_vast, rest = True, b""
                self._end = place = end_of_line(descriptor, place, _PIECE)
            if self.is_vast or sum(len(line.content) for line in self._bad) > _BAD_LIMIT:
                self._bad, self.is_vast = [BadLine(b"", line.cause) for line in self._bad], True
        return rest

    def _split(
        self, lines: list[bytes], follower: Follower
    ) -> tuple[list[tuple[Record | HeaderLine, str]], list[BadLine]]:
        bodies, breaks = follower.follow(lines)
        if not breaks:
            with suppress(LineError):
                return [parse(body, self._run) for body in bodies], []
        causes = [flaw_of_line(body, self._run) or breaks.get(place, "") for place, body in enumerate(bodies)]
        good = [parse(body, self._run) for body, cause in zip(bodies, causes, strict=True) if not cause]
        return good, [BadLine(line, cause) for line, cause in zip(lines, causes, strict=True) if cause]


@contextmanager
def without_collections() -> Iterator[None]:
    """Keep Python from looking for garbage while thousands of records are made, of which none is: it costs a fifth."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def end_of_line(descriptor: int, place: int, at_once: int) -> int:
    """Return where the line ends, its end included, in which a place lies; holes are not read, the rest in pieces."""
    while piece := os.pread(descriptor, at_once, place):
        line_end = piece.find(b"\n") + 1
        if line_end:
            return place + line_end
        place = data_after(descriptor, place + len(piece))
    return place
