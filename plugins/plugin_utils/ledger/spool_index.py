# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# To isinstance a bool is an int: types are compared. pylint: disable=unidiomatic-typecheck

"""Where in a spool its headers and each host's steps stand, since each task asks for them and the rest is large.

The index is no evidence and is not fsynced: what it does not cover is searched in the spool itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.common import open_private

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import HeaderLine


class Covered(NamedTuple):
    """A part of a spool that is in the index, and the place and size of each line in it that was asked for."""

    begin: int
    end: int
    lines: list[tuple[int, int]]


class SpoolIndex:
    """The file `<run>.index` beside a spool, a line for each append to it."""

    def __init__(self, spool: Path) -> None:
        """Take the path of the spool."""
        self._path = spool.with_suffix(".index")

    def note(self, inode: int, begin: int, end: int, written: Iterable[tuple[Record | HeaderLine, str]]) -> None:
        """Note what was appended to the spool of an inode: items, with their lines. The caller holds its lock."""
        marks, place = [], begin
        for item, line in written:
            size = len(line.encode("utf-8"))
            if "header" in item or item.get("kind") == "step":
                marks.append([place, size, "" if "header" in item else item["host"]])
            place += size + 1
        with suppress(OSError), open(self._path, "a", encoding="utf-8", opener=open_private) as stream:
            stream.write(json.dumps([inode, begin, end, marks]) + "\n")

    def covered(self, inode: int, host: str) -> Iterator[Covered]:
        """Yield what is known of the spool of an inode, in order: a host's steps, the headers for ""."""
        for line in self._read():
            if _is_note(line) and line[0] == inode:
                _inode, begin, end, marks = line
                yield Covered(begin, end, [(place, size) for place, size, name in marks if name == host])

    def end(self) -> int:
        """Return where the last append that is known has ended, 0 where none is."""
        return max((line[2] for line in self._read() if _is_note(line)), default=0)

    def shows_cut(self, size: int) -> bool:
        """Tell whether a spool of this size has lost what was appended to it; a copy of it has another inode alone."""
        end = 0
        for line in self._read():
            if _is_note(line):
                if line[1] < end:
                    return True
                end = line[2]
        return end > size

    def _read(self) -> list[Any]:
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError:
            return []
        with suppress(ValueError, RecursionError):
            whole: list[Any] = json.loads(b"[%s]" % b",".join(lines))
            return whole
        found = []
        for line in lines:
            with suppress(ValueError, RecursionError):  # torn by a writer's death, the next line with it
                found.append(json.loads(line))
        return found

    def remove(self) -> None:
        """Remove the index, if there is one. Raises OSError."""
        self._path.unlink(missing_ok=True)


def _is_note(line: Any) -> bool:
    """Tell whether a line of an index is one of ours, whose marks lie in the part that it covers."""
    if not isinstance(line, list) or len(line) != 4 or not isinstance(line[3], list):
        return False
    begin, end = line[1], line[2]
    if type(begin) is not int or type(end) is not int or not 0 <= begin <= end:
        return False
    for mark in line[3]:
        if not isinstance(mark, list) or len(mark) != 3 or type(mark[0]) is not int or type(mark[1]) is not int:
            return False
        if mark[0] < begin or mark[1] < 0 or mark[0] + mark[1] > end:
            return False
    return True
