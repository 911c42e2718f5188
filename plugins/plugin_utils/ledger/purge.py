# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Old records leave the ledger as a file of their own, and a checkpoint in the chain says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir, file_digest, write_whole
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.checkpoint_check import FLOOR_DAYS
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.continuity import acceptances_in, loss_in
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import CONTROLLER, iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import origin, verify_ledger

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record

SCHEMA = 1


@dataclass(frozen=True)
class Segment:
    """The oldest part of a chain: its first and last record, the hash it is chained to, and the one it ends with."""

    first: int
    last: int
    previous: str
    hash: str
    algorithm: str


def plan(ledger: Ledger, retention_days: int, now: datetime) -> Segment | None:
    """Return what is older than the retention and has nothing younger before it; None if there is nothing.

    Raises LedgerError for a retention below the legal floor, and for a ledger that does not verify.
    """
    if retention_days < FLOOR_DAYS:
        raise LedgerError(
            f"A retention of {retention_days} days is below the floor of {FLOOR_DAYS} (six months by law); "
            "set egov_ops_ledger_retention_days to at least that."
        )
    verdict = verify_ledger(ledger, [])
    start = origin(ledger)
    if not verdict.ok or start is None:
        raise LedgerError(f"Nothing is purged, because the ledger does not verify: {verdict.message}")
    young = next(ledger.records(since=iso(now - timedelta(days=retention_days)), limit=1), None)
    upto = young.seq - 1 if young else ledger.head().count
    last = next(ledger.records(upto=upto, newest_first=True, limit=1), None)
    if last is None:
        return None
    first, previous = start
    return Segment(first, last.seq, previous, last.hash, last.algorithm)


def purge(state: StateDir, ledger: Ledger, retention_days: int, now: datetime, run: str) -> Record | None:
    """Export the oldest segment, append its checkpoint, remove it; return the checkpoint record, None if none was due.

    The export lies whole below the state folder's `exports` before a record is removed; killed in between, the next
    purge writes it again. Raises LedgerError, and StateDirError if another process seals for too long.
    """
    with state.lock("seal"):
        if loss := loss_in(state, ledger):
            raise LedgerError(f"Nothing is purged. {loss}")
        segment = plan(ledger, retention_days, now)
        if segment is None:
            return None
        export = state.exports / f"ledger-{segment.first}-{segment.last}.jsonl"
        try:
            write_whole(export, export.with_suffix(".new"), _lines(ledger, segment))
            digest = file_digest(export)
        except OSError as error:
            raise LedgerError(
                f"The export {export} cannot be written ({error.strerror}); free space and purge again."
            ) from None
        accepted = max(acceptances_in(ledger), default=0)
        checkpoint = _checkpoint(segment, export.name, digest, now, run, accepted)
        with ledger.transaction():
            ledger.append([checkpoint])
            ledger.remove_upto(segment.last)
        return checkpoint


def _lines(ledger: Ledger, segment: Segment) -> Iterator[bytes]:
    yield (canonical({"schema": SCHEMA, **asdict(segment)}) + "\n").encode("utf-8")
    for row in ledger.records(upto=segment.last):
        yield (canonical(asdict(row)) + "\n").encode("utf-8")


def _checkpoint(segment: Segment, export: str, digest: str, now: datetime, run: str, accepted: int) -> Record:
    message = f"Records #{segment.first} to #{segment.last} were exported to {export} and removed."
    return record(
        run=run,
        procedure="ledger_purge",
        host=CONTROLLER,
        domain="run",
        observation=observation(
            "checkpoint",
            "ledger",
            "ok",
            message=message,
            count=segment.last,
            hash=segment.hash,
            algorithm=segment.algorithm,
            export=export,
            digest=digest,
            accepted=accepted,  # the record itself may be among those removed
        ),
        started=iso(now),
        finished=iso(now),
    )
