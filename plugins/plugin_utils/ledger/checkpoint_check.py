# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# To isinstance a bool is an int: types are compared. pylint: disable=unidiomatic-typecheck

"""Whether each checkpoint of a purge is backed: by its export, or by a witness that knows the export's digest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import GENESIS, first_break
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record, Stored
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import CONTROLLER, is_time, iso, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import Witness

#: The law asks for six months of network logs; six months can be 184 days.
FLOOR_DAYS = 190

#: Bytes of a line of an export; a record's body has an eighth of it, in which each quote is escaped.
_LINE_LIMIT = 8 * 1024 * 1024

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9A-Za-z._-]{1,200}")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says: the last record that was removed, its hash, and the file with its digest."""

    seq: int
    count: int
    hash: str
    export: str
    digest: str
    made: str

    @classmethod
    def of(cls, seq: int, record: Record) -> Checkpoint | None:
        """Return what a record says that is stored under a number; None for one that no purge writes."""
        detail = record["detail"]
        count, its_hash, export, digest = (detail.get(name) for name in ("count", "hash", "export", "digest"))
        if type(count) is not int or not 0 < count < seq or not isinstance(its_hash, str) or not its_hash:
            return None
        if not isinstance(export, str) or not _NAME.fullmatch(export) or not is_time(record["finished"]):
            return None
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or record["host"] != CONTROLLER:
            return None
        return cls(seq, count, its_hash, export, digest, record["finished"])


class _Bad(Exception):
    """The first thing that is wrong, in half a sentence."""


def flaw_of_checkpoints(ledger: Ledger, exports: Path, witnesses: Sequence[Witness]) -> tuple[int, str]:
    """Return the number of the first checkpoint that nothing backs, and why in a sentence; 0 and "" for none.

    An export that lies there is read whole: its chain, its digest, what witnesses saw of it, how old its records were.
    Raises LedgerError.
    """
    waiting = [(stored.seq, stored.record) for stored in ledger.records(domain="run", kind="checkpoint")]
    known, begins = {(0, GENESIS)}, []
    elsewhere = 0
    while waiting:
        number, record = waiting.pop(0)
        checkpoint = Checkpoint.of(number, record)
        if checkpoint is None:
            return number, f"Record #{number} is a checkpoint that no purge writes."
        known.add((checkpoint.count, checkpoint.hash))
        path = exports / checkpoint.export
        try:
            if path.is_file():
                segment = _Segment(path, checkpoint, witnesses)
                waiting += segment.checkpoints
                begins.append((number, checkpoint.export, segment.begin))
            elif not any(_knows(witness, checkpoint) for witness in witnesses):
                raise _Bad(f"{path} is not there, and no witness knows its digest")
            else:
                elsewhere += 1
        except _Bad as error:
            gone = f"Checkpoint #{number} removed the records up to #{checkpoint.count}, but"
            return number, f"{gone} {error}; bring the export back as it was, or a witness file that knows it."
    for number, name, begin in begins:
        # What an export begins after was removed by an earlier purge, whose own checkpoint may be in a file elsewhere.
        if begin not in known and not elsewhere:
            return number, f"Checkpoint #{number} hides records: its export {name} begins only after #{begin[0]}."
    return 0, ""


def _knows(witness: Witness, checkpoint: Checkpoint) -> bool:
    return witness.export == checkpoint.digest and witness.count >= checkpoint.seq


class _Segment:
    """The export of a checkpoint, read whole: the record that it begins after, and the checkpoints in it."""

    def __init__(self, path: Path, checkpoint: Checkpoint, witnesses: Sequence[Witness]) -> None:
        """Read it; raises _Bad."""
        self.checkpoints: list[tuple[int, Record]] = []
        self._hasher = hashlib.sha256()
        self._seen = {witness.count: witness.hash for witness in witnesses}
        self._last: Stored | None = None
        self._newest = ""
        try:
            with path.open("rb") as stream:
                header = json.loads(next(self._lines(stream), b""))
                self.begin: tuple[int, str] = (header["first"] - 1, header["previous"])
                broken = first_break(self._rows(stream), header["first"], header["previous"])
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise _Bad(f"{path} cannot be read as an export ({error})") from None
        if broken:
            raise _Bad(f"in {path} record #{broken.seq} is {broken.kind}")
        if self._last is None or (self._last.seq, self._last.hash) != (checkpoint.count, checkpoint.hash):
            raise _Bad(f"{path} does not end with that record")
        if self._hasher.hexdigest() != checkpoint.digest:
            raise _Bad(f"{path} is not the file whose digest it names")
        if iso(read_time(checkpoint.made) - timedelta(days=FLOOR_DAYS)) < self._newest:
            raise _Bad(
                f"{path} holds a record of {self._newest}, which was kept for less than the {FLOOR_DAYS} days that are "
                f"the least on {checkpoint.made}"
            )

    def _lines(self, stream: BinaryIO) -> Iterator[bytes]:
        while line := stream.readline(_LINE_LIMIT):
            if not line.endswith(b"\n"):
                raise ValueError(f"a line without an end, or of more than {_LINE_LIMIT} bytes")
            self._hasher.update(line)
            yield line

    def _rows(self, stream: BinaryIO) -> Iterator[Stored]:
        for line in self._lines(stream):
            row = Stored(**json.loads(line))
            record: Any = row.record
            if self._seen.get(row.seq, row.hash) != row.hash:
                raise ValueError(f"record #{row.seq} is not the one that a witness saw")
            if record["kind"] == "checkpoint" and record["domain"] == "run":
                self.checkpoints.append((row.seq, record))
            if not is_time(record["finished"]):
                raise ValueError(f"record #{row.seq} has no time")
            self._newest = max(self._newest, record["finished"])
            self._last = row
            yield row
