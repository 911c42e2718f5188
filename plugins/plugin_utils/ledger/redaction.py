# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace a secret that got into the evidence: the chain is anchored anew by a record, and verification shows where.

The order makes each step safe to repeat after a kill. New exports lie complete beside the old ones, and what becomes of
each hash in `redaction.json`, before the one transaction that changes the ledger; all that follows only brings files in
line with it. `redaction.json` is removed last: as long as it is there, a redaction waits to be continued.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir, inert, write_whole
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import redaction_files, rewriting
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.eraser import MARKER, Eraser, settled
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Stored
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import CONTROLLER, iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.redaction_records import KIND, carried_out
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.rewriting import documents_of
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import spools
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import origin, verify_ledger

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record

#: Places that an approver is shown one by one, and numbers of records that the redaction's own record has room for.
PLACES_LIMIT = 200
_NUMBERS_LIMIT = 500
#: Characters of a place in words.
_PLACE_LIMIT = 300


@dataclass(frozen=True)
class Survey:
    """Where a value stands: places in words without the value, and the same as facts that tell two values apart.

    records and artefacts: for each the number or name, and where in its text the value begins; files is a count.
    """

    records: tuple[tuple[int, tuple[int, ...]], ...]
    artefacts: tuple[tuple[str, tuple[int, ...]], ...]
    places: tuple[str, ...]
    files: int
    upto: int

    def digest(self, upto: int) -> str:
        """Return the digest of the places up to a record, and in documents; nothing of the value is in it."""
        return digest(canonical([[place for place in self.records if place[0] <= upto], self.artefacts]).encode())


def survey(state: StateDir, ledger: Ledger, eraser: Eraser) -> Survey:
    """Return where a value stands; raises LedgerError, also where a live run has it in its spool."""
    _refuse_spools(state, eraser)
    found: dict[int, tuple[int, ...]] = {}
    places = []
    for stored in _all_rows(state, ledger):
        if eraser.holds(stored.body):
            item = stored.record
            eraser.body(stored)  # raises where it cannot be replaced
            found[stored.seq] = eraser.starts(stored.body)
            of = eraser.text(f"{item['host']}, {item['domain']}/{item['kind']} {item['subject']}")
            fields = ", ".join(map(eraser.text, eraser.places(item)))
            places.append(inert(f"record #{stored.seq} of {of}: {fields}")[:_PLACE_LIMIT])
    documents = {}
    for document in documents_of(ledger):
        starts = eraser.starts(document.content.decode("utf-8", "surrogateescape"))
        if starts:
            documents[eraser.text(document.name)] = starts
    places += [inert(f"document {name}")[:_PLACE_LIMIT] for name in documents]
    files = [path for path in redaction_files.texts(state) if redaction_files.holds(path, eraser)]
    places += [inert(f"file {eraser.text(str(path.relative_to(state.path)))}")[:_PLACE_LIMIT] for path in files]
    return Survey(tuple(found.items()), tuple(documents.items()), tuple(places), len(files), ledger.head().count)


def redact(
    state: StateDir, ledger: Ledger, eraser: Eraser, request: str, people: list[str], now: datetime, run: str
) -> Record:
    """Replace the value everywhere, or continue what a killed call has begun, and return the redaction's record.

    The caller holds the lock `seal` and has drained the spools of runs that are over. Raises LedgerError.
    """
    done = carried_out(ledger, request)
    if done is None:
        redaction_files.forget_exports(state)
        made = _replace(state, ledger, eraser, request, people, now, run)
    else:
        eraser.names |= _kept_names(state)
        made = done.record
    redaction_files.put_exports(state)
    redaction_files.erase_texts(state, eraser)
    redaction_files.erase_witnesses(state.witness, eraser)
    rewriting.compact(ledger)
    _journal(state).unlink(missing_ok=True)
    return made


def _replace(
    state: StateDir, ledger: Ledger, eraser: Eraser, request: str, people: list[str], now: datetime, run: str
) -> Record:
    """Do what the transaction does, and before it what must be on the disk then."""
    verdict = verify_ledger(ledger, [])
    start = origin(ledger)
    if not verdict.ok or start is None:
        raise LedgerError(f"Nothing is replaced, because the ledger does not verify: {verdict.message}")
    found = survey(state, ledger, eraser)
    documents = dict(settled(eraser, list(documents_of(ledger))))
    redaction_files.note_digests(state, eraser)
    exports = [export.name for export in redaction_files.write_exports(state, eraser)]
    previous = old_previous = start[1]
    previous = eraser.names.get(previous, previous)
    head = previous
    changed: list[Stored] = []
    for stored in ledger.records():
        row = eraser.row(stored, previous, old_previous)
        if row is not stored:
            changed.append(row)
        previous, old_previous, head = row.hash, stored.hash, row.hash
    numbers = [number for number, _starts in found.records]
    first = changed[0].seq if changed else found.upto + 1
    write_whole(
        _journal(state), state.path / "redaction.new", [canonical({"request": request, "names": eraser.names}).encode()]
    )
    message = (
        f"A value was replaced by {MARKER} in {len(numbers)} records, {len(found.artefacts)} documents and "
        f"{found.files} files, as {people[0]} asked and {', '.join(people[1:])} approved; the chain is anchored anew "
        f"from #{first}."
    )
    seen = observation(
        KIND,
        "ledger",
        "ok",
        message=message,
        request=request,
        first=first,
        upto=found.upto,
        head=head,
        records={"count": len(numbers), "numbers": numbers[:_NUMBERS_LIMIT]},
        artefacts=len(documents),
        exports=exports,
        marker=MARKER,
    )
    made = record(
        run=run,
        procedure="ledger_redact",
        host=CONTROLLER,
        domain="run",
        observation=seen,
        started=iso(now),
        finished=iso(now),
    )
    with ledger.transaction():
        rewriting.rewrite(ledger, changed, documents)
        ledger.append([made])
    return made


def waits(state: StateDir) -> str:
    """Return that a redaction was begun and waits to be continued, as one sentence; "" where none does."""
    if not _journal(state).exists():
        return ""
    return (
        "A redaction of the ledger was begun and not ended; run egov.ops.ledger_redact again with the same request and "
        "value."
    )


def _all_rows(state: StateDir, ledger: Ledger) -> Iterator[Stored]:
    for export in redaction_files.exports(state):
        yield from export.rows()
    yield from ledger.records()


def _refuse_spools(state: StateDir, eraser: Eraser) -> None:
    """Refuse while a run that lives has the value in its spool: its end brings that into the ledger."""
    for spool in spools(state.spool):
        if redaction_files.holds(spool.path, eraser):
            raise LedgerError(
                f"The value stands in the spool of the run {spool.run}, which is not over; wait for its end, or end "
                "its process, and run this again."
            )


def _journal(state: StateDir) -> Path:
    return state.path / "redaction.json"


def _kept_names(state: StateDir) -> dict[str, str]:
    try:
        kept: Mapping[str, Any] = json.loads(_journal(state).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LedgerError(f"{_journal(state)} cannot be read ({error}); bring it back from a backup.") from None
    return {str(old): str(new) for old, new in kept["names"].items()}
