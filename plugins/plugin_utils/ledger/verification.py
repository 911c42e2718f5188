# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the ledger still says what it said: the chain shows edits, deletions, swaps; witnesses cuts and rewrites."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from ansible_collections.egov.ops.plugins.plugin_utils.common import file_digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import ALGORITHMS, GENESIS, Break, first_break, link
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.continuity import acceptances_in, contradictions
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Stored
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import Witness, signer

NOT_PROVABLE = "not provable"


@dataclass(frozen=True)
class Verdict:
    """The outcome: if not ok, the number of the first bad record and the kind of damage, in a sentence too.

    kind: `edited`, `missing`, `swapped` (the chain shows it); `cut`, `rewritten` (a witness shows it); `forged` (the
    witness itself is not what its signer wrote). tail: how far witnesses prove the chain, `proved to #n` or
    `not provable`.
    """

    ok: bool
    message: str
    tail: str
    first_bad: int | None = None
    kind: str = ""


class _Watched:
    """Rows on their way through the chain's check, remembering the hash at each number that a witness names."""

    def __init__(self, rows: Iterable[Stored], numbers: set[int]) -> None:
        self._rows = rows
        self._numbers = numbers
        self.hashes: dict[int, str] = {}
        self.last = 0

    def __iter__(self) -> Iterator[Stored]:
        for row in self._rows:
            if row.seq in self._numbers:
                self.hashes[row.seq] = row.hash
            self.last = row.seq
            yield row


def origin(ledger: Ledger) -> tuple[int, str] | None:
    """Return the number of the first record and the hash it is chained to; None if no checkpoint accounts for it."""
    first = next(ledger.records(limit=1), None)
    if first is None or first.seq == 1:
        return 1, GENESIS
    for checkpoint in ledger.records(domain="run", kind="checkpoint", newest_first=True):
        detail = checkpoint.record["detail"]
        if detail["count"] == first.seq - 1:
            return first.seq, detail["hash"]
    return None


def verify_ledger(ledger: Ledger, witnesses: Sequence[Witness], allowed_signers: Path | None = None) -> Verdict:
    """Check the whole ledger against its chain, and its chain against witnesses.

    With allowed_signers the newest signed witness must be validly signed, and it alone proves the tail.
    Raises LedgerError if the ledger cannot be read or signatures cannot be checked.
    """
    start = origin(ledger)
    if start is None:
        return _bad(1, "missing", "Records from #1 on are missing, and no checkpoint of a purge accounts for them.")
    first, previous = start
    rows = _Watched(ledger.records(), {witness.count for witness in witnesses})
    broken = first_break(rows, first, previous)
    if broken:
        return _explained(ledger, broken, previous)
    found = next(contradictions(witnesses, rows.hashes, first, rows.last, acceptances_in(ledger)), None)
    if found:
        return _bad(rows.last + 1 if found.kind == "cut" else found.witness.count, found.kind, f"{found.message}.")
    return _proved(witnesses, allowed_signers, first, rows.last)


def verify_export(path: Path, ledger: Ledger) -> Verdict:
    """Check a segment that a purge exported: its own chain, and that it is the one the ledger's checkpoint names.

    Raises LedgerError if the file cannot be read as an export.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            header = json.loads(next(stream, ""))
            first, last, previous, end = (header[name] for name in ("first", "last", "previous", "hash"))
            rows = _Watched((Stored(**json.loads(line)) for line in stream), {last})
            broken = first_break(rows, first, previous)
        digest = file_digest(path)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LedgerError(f"The file {path} cannot be read as an exported segment of a ledger: {error}.") from None
    if broken:
        return _bad(broken.seq, broken.kind, f"In the export {path.name} record #{broken.seq} is {broken.kind}.")
    if rows.last != last or rows.hashes[last] != end:
        return _bad(rows.last + 1, "cut", f"The export {path.name} does not reach #{last}, which it says it holds.")
    for checkpoint in ledger.records(domain="run", kind="checkpoint"):
        detail = checkpoint.record["detail"]
        if (detail["count"], detail["hash"], detail["digest"]) == (last, end, digest):
            message = f"The export {path.name} holds #{first} to #{last} as checkpoint #{checkpoint.seq} says."
            return Verdict(True, message, f"proved to #{last}")
    return _bad(first, "rewritten", f"No checkpoint of the ledger {ledger.path} names the export {path.name} as it is.")


def _explained(ledger: Ledger, broken: Break, start: str) -> Verdict:
    number = broken.seq
    if broken.kind == "missing":
        return _bad(number, "missing", f"Record #{number} is missing.")
    bad = next(row for row in ledger.records() if row.seq == number)
    if bad.algorithm not in ALGORITHMS:
        return _bad(number, "edited", f"Record #{number} names the hash algorithm {bad.algorithm}: it was changed.")
    for hash_before in chain([start], (row.hash for row in ledger.records())):
        if link(hash_before, bad.body, bad.algorithm) == bad.hash:
            return _bad(number, "swapped", f"Record #{number} is whole but belongs elsewhere: records were swapped.")
    for row in ledger.records():
        if link(broken.previous, row.body, bad.algorithm) == bad.hash:
            return _bad(number, "swapped", f"Record #{number} now stands at #{row.seq}: records were swapped.")
    return _bad(number, "edited", f"Record #{number} is not what was stored: it, or the one before it, was changed.")


def _proved(witnesses: Sequence[Witness], allowed_signers: Path | None, first: int, last: int) -> Verdict:
    whole = f"The chain is whole from #{first} to #{last}" if last else "The ledger is empty"
    proving = [witness for witness in witnesses if witness.count >= first]
    by = ""
    if allowed_signers:
        signed = [witness for witness in proving if witness.signature]
        proving = signed[-1:]
        if signed:
            by = signer(signed[-1], allowed_signers)
            if not by:
                return _bad(
                    signed[-1].count,
                    "forged",
                    f"The witness of {signed[-1].time} (run {signed[-1].run}) is not signed by a key that "
                    f"{allowed_signers} allows.",
                )
    if not proving:
        return Verdict(True, f"{whole}; no witness shows that nothing was cut from its end.", NOT_PROVABLE)
    tail = f"proved to #{max(witness.count for witness in proving)}"
    return Verdict(True, f"{whole}, {tail} by witnesses{f' signed by {by}' if by else ''}.", tail)


def _bad(number: int, kind: str, message: str) -> Verdict:
    return Verdict(False, message, NOT_PROVABLE, number, kind)
