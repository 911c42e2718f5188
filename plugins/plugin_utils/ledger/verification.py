# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the ledger still says what it said: the chain shows edits, deletions, swaps; witnesses cuts and rewrites."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from ansible_collections.egov.ops.plugins.plugin_utils.common import file_digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import (
    ALGORITHMS,
    GENESIS,
    Break,
    canonical,
    first_break,
    link,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.checkpoint_check import flaw_of_checkpoints
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.continuity import acceptances_in, contradictions
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.database_check import (
    flaw_of_documents,
    flaw_of_guards,
    flaw_of_pages,
    flaw_of_tables,
    flaw_of_types,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Stored
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.redaction_records import Redactions
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import Witness, signer

NOT_PROVABLE = "not provable"


@dataclass(frozen=True)
class Verdict:
    """The outcome: if not ok, the number of the first bad record and the kind of damage, in a sentence too.

    kind: `edited`, `missing`, `swapped` (the chain shows it); `cut`, `rewritten` (a witness shows it); `forged`,
    `unsigned` (the witness itself is not what its signer wrote, or is missing); `schema`, `damaged`, `malformed`,
    `document` (the database shows it beside the chain); `checkpoint` (nothing backs what a purge removed).
    tail: how far witnesses prove the chain, `proved to #n` or `not provable`.
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
        self.odd = 0  # number of the first record that is not written as we write it

    def __iter__(self) -> Iterator[Stored]:
        for row in self._rows:
            if row.seq in self._numbers:
                self.hashes[row.seq] = row.hash
            self.last = row.seq
            if not self.odd and not _is_canonical(row.body):
                self.odd = row.seq
            yield row


def _is_canonical(body: str) -> bool:
    """Tell whether a text is the only way to write what it holds, so that the database reads the same in it as Python.

    Of a key that stands twice SQLite takes the first one and Python the last.
    """
    try:
        item = json.loads(body)
        return isinstance(item, dict) and canonical(item) == body
    except (ValueError, RecursionError):
        return False


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


def verify_ledger(
    ledger: Ledger, witnesses: Sequence[Witness], allowed_signers: Path | None = None, exports: Path | None = None
) -> Verdict:
    """Check the whole ledger: its database, its chain, and its chain against witnesses; return the first bad thing.

    With allowed_signers the newest witness must be validly signed, and signed ones alone prove the tail. With the
    folder of exports each checkpoint must be backed by its file there or by a witness. Memory does not grow with the
    ledger. Raises LedgerError if it cannot be read or signatures cannot be checked.
    """
    for kind, flaw in (("schema", flaw_of_tables), ("damaged", flaw_of_pages)):
        if sentence := ledger.inspect(flaw):
            return _bad(None, kind, sentence)
    number, sentence = ledger.inspect(flaw_of_types)
    if sentence:
        return _bad(number, "malformed", sentence)
    start = origin(ledger)
    if start is None:
        return _bad(1, "missing", "Records from #1 on are missing, and no checkpoint of a purge accounts for them.")
    first, previous = start
    redacted = Redactions(ledger)
    rows = _Watched(ledger.records(), {witness.count for witness in witnesses} | redacted.anchors())
    try:
        broken = first_break(rows, first, previous)
    except LedgerError as error:  # text that is no UTF-8, for one
        return _bad(rows.last + 1, "malformed", f"What follows record #{rows.last} cannot be read: {error}")
    if broken:
        return _explained(ledger, broken, previous)
    if rows.odd:
        return _bad(rows.odd, "malformed", f"Record #{rows.odd} is not written as egov.ops writes it.")
    if fault := redacted.fault(rows.hashes):
        return _bad(fault[0], "forged", fault[1])
    witnesses = [witness for witness in witnesses if not redacted.supersede(witness)]
    number, sentence = flaw_of_checkpoints(ledger, exports, witnesses) if exports else (0, "")
    if sentence:
        return _bad(number, "checkpoint", sentence)
    found = next(contradictions(witnesses, rows.hashes, first, rows.last, acceptances_in(ledger)), None)
    if found:
        return _bad(rows.last + 1 if found.kind == "cut" else found.witness.count, found.kind, f"{found.message}.")
    for kind, flaw in (("schema", flaw_of_guards), ("document", flaw_of_documents)):
        if sentence := ledger.inspect(flaw):
            return _bad(None, kind, sentence)
    verdict = _proved(ledger, witnesses, allowed_signers, first, rows.last)
    return replace(verdict, message=f"{verdict.message} {redacted.words()}".strip())


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


def _proved(
    ledger: Ledger, witnesses: Sequence[Witness], allowed_signers: Path | None, first: int, last: int
) -> Verdict:
    whole = f"The chain is whole from #{first} to #{last}" if last else "The ledger is empty"
    proving = [witness for witness in witnesses if witness.count >= first]
    by = ""
    if allowed_signers:
        newest = proving[-1] if proving else None
        seal = next(ledger.records(domain="run", kind="seal", newest_first=True, limit=1), None)
        if seal and (newest is None or newest.count < seal.seq):
            message = f"The run {seal.record['run']} was sealed as #{seal.seq}, but no witness saw that."
            return _bad(seal.seq, "unsigned", message)
        if last and not (newest and newest.signature):
            which = f"The witness of {newest.time} (run {newest.run}) is not" if newest else "No witness is"
            message = f"{which} signed, but {allowed_signers} names who signs them."
            return _bad(newest.count if newest else last, "unsigned", message)
        if newest:
            by = signer(newest, allowed_signers)
            if not by:
                return _bad(
                    newest.count,
                    "forged",
                    f"The witness of {newest.time} (run {newest.run}) is not signed by a key that "
                    f"{allowed_signers} allows.",
                )
            proving = [newest]
    if not proving:
        return Verdict(True, f"{whole}; no witness shows that nothing was cut from its end.", NOT_PROVABLE)
    tail = f"proved to #{max(witness.count for witness in proving)}"
    return Verdict(True, f"{whole}, {tail} by witnesses{f' signed by {by}' if by else ''}.", tail)


def _bad(number: int | None, kind: str, message: str) -> Verdict:
    return Verdict(False, message, NOT_PROVABLE, number, kind)
