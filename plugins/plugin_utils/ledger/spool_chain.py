# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running hash of a spool: after its header each line is JSON, a space, and a hash over the line before and itself.

The first line is the header alone, and its SHA-256 is what the second line follows. Spools of schema 1 have no hashes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import link

#: From this schema on the lines of a spool carry hashes.
CHAINED_SCHEMA = 2

NO_HASH = "it does not carry the running hash of its spool"
WRONG_HASH = "its running hash does not follow from the line before it and itself"

_HASH = re.compile(rb"\} ([0-9a-f]{64})$")
_LINE_END = re.compile(rb"\} ([0-9a-f]{64})\n")
_HASH_BYTES = 65  # with the space before it

#: Bytes at the end of a spool in which the last hash is looked for, and bytes of its first line.
_NEAR = 1024 * 1024
_FIRST_LIMIT = 16 * 1024 * 1024


def split(line: bytes) -> tuple[bytes, bytes]:
    """Return the JSON of a line and its running hash, b"" for a line that has none."""
    if line.endswith(b"}") or not _HASH.search(line, max(0, len(line) - _HASH_BYTES - 1)):
        return line, b""
    return line[:-_HASH_BYTES], line[-_HASH_BYTES + 1 :]


def linked(previous: str, bodies: Iterable[str]) -> list[str]:
    """Return lines with their running hashes, the first of which follows `previous`."""
    lines = []
    for body in bodies:
        previous = link(previous, body)
        lines.append(f"{body} {previous}")
    return lines


def first_hash(header: bytes) -> bytes:
    """Return the hash that the second line of a spool follows."""
    return hashlib.sha256(header).hexdigest().encode()


def is_chained(header: bytes) -> bool:
    """Tell whether a first line is the header of a spool whose lines carry hashes."""
    try:
        return bool(json.loads(header)["header"]["schema"] >= CHAINED_SCHEMA)
    except (ValueError, TypeError, LookupError, RecursionError):
        return False


class Follower:
    """Follows the running hash through the lines of a spool, which it is given in order and in pieces."""

    def __init__(self) -> None:
        """Begin before the first line."""
        self.header_hash = b""  # of the first line, whatever that is
        self.is_chained = False
        self._previous = b""

    def copy(self) -> Follower:
        """Return another one at the same place."""
        other = Follower()
        other.__dict__.update(self.__dict__)
        return other

    def follow(self, lines: list[bytes]) -> tuple[list[bytes], dict[int, str]]:
        """Return the JSON of each line, and by its place why a line does not follow.

        After a line that does not follow, the next one follows what that line says: one edit spoils one line.
        """
        bodies, breaks = [], {}
        for place, line in enumerate(lines):
            body, its_hash = split(line)
            bodies.append(body)
            if not self.header_hash:
                self.header_hash = self._previous = first_hash(body)
                self.is_chained = bool(its_hash) or is_chained(body)
                if its_hash:  # the header is gone
                    breaks[place] = WRONG_HASH
            elif its_hash:
                self.is_chained = True
                if hashlib.sha256(self._previous + body).hexdigest().encode() != its_hash:
                    breaks[place] = WRONG_HASH
            elif self.is_chained:
                breaks[place] = NO_HASH
            self._previous = its_hash or self._previous
        return bodies, breaks


def last_hash(descriptor: int, last_end: Callable[[], int]) -> str:
    """Return the hash that the next line of an open spool follows, "" for a spool without hashes. Raises OSError.

    last_end: gives where the last append has ended, 0 where that is not known.
    """
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _HASH_BYTES + 2, max(0, size - _HASH_BYTES - 2)).removesuffix(b"\n")
    if found := _HASH.search(tail):
        return found[1].decode()
    # Seldom: the header alone, a spool of an older release, or a last line that a death or somebody else has left.
    header = _first_line(descriptor)
    if not is_chained(header):
        return ""
    near = _LINE_END.findall(os.pread(descriptor, _NEAR, max(0, size - _NEAR)))
    before = near or _LINE_END.findall(os.pread(descriptor, _HASH_BYTES + 2, max(0, last_end() - _HASH_BYTES - 2)))
    return (before[-1] if before else first_hash(header)).decode()


def _first_line(descriptor: int) -> bytes:
    line = b""
    while b"\n" not in line and len(line) < _FIRST_LIMIT and (piece := os.pread(descriptor, _NEAR, len(line))):
        line += piece
    return line.partition(b"\n")[0]
