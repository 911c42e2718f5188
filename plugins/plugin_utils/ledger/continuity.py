# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the ledger still holds what its witnesses saw, and the record by which a person accepts one that does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import CONTROLLER, iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.redaction_records import Redactions
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import Witness, publish_head, read_witnesses

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record

#: The kind of the record by which a person accepts a ledger that its witnesses contradict.
ACCEPTANCE = "acceptance"


@dataclass(frozen=True)
class Contradiction:
    """A witness that saw another chain: `cut` where the ledger ends before it, `rewritten` where its record differs.

    ledger_end: number of the ledger's last record, 0 for an empty one.
    """

    witness: Witness
    kind: Literal["cut", "rewritten"]
    ledger_end: int

    @property
    def message(self) -> str:
        """Return a sentence without its end."""
        seen = self.witness
        by = f"the witness of {seen.time} (run {seen.run}) saw"
        if self.kind == "rewritten":
            return f"Record #{seen.count} of the ledger is not the one that {by}: the chain was written anew"
        if not self.ledger_end:
            return f"The ledger holds no record, but {by} #{seen.count}: it was removed or emptied"
        return (
            f"The ledger ends with #{self.ledger_end}, but {by} #{seen.count}: its tail was cut, or it is an older copy"
        )


def contradictions(
    witnesses: Sequence[Witness], hashes: Mapping[int, str], first: int, last: int, acceptances: Sequence[int]
) -> Iterator[Contradiction]:
    """Yield what contradicts a chain of the records `first` to `last`, in the order of the witnesses.

    hashes: those of the chain's records, at least of those that witnesses name; acceptances: see `acceptances_in`.
    Witnesses of records that a purge has removed say nothing of it.
    """
    for witness in _since_acceptance(witnesses, hashes, first, acceptances):
        if witness.count > last:
            yield Contradiction(witness, "cut", last)
        elif witness.count >= first and hashes.get(witness.count) != witness.hash:
            yield Contradiction(witness, "rewritten", last)


def _since_acceptance(
    witnesses: Sequence[Witness], hashes: Mapping[int, str], first: int, acceptances: Sequence[int]
) -> Sequence[Witness]:
    """Return the witnesses from the first that saw an acceptance in this chain; what earlier ones saw was given up."""
    for acceptance in sorted(acceptances, reverse=True):
        for place, witness in enumerate(witnesses):
            if witness.count >= max(acceptance, first) and hashes.get(witness.count) == witness.hash:
                return witnesses[place:]
    return witnesses


def acceptances_in(ledger: Ledger) -> list[int]:
    """Return the numbers of the acceptances in a ledger, those included that a purge has removed."""
    numbers = [stored.seq for stored in ledger.records(domain="run", kind=ACCEPTANCE, host=CONTROLLER)]
    for checkpoint in ledger.records(domain="run", kind="checkpoint", host=CONTROLLER):
        accepted = checkpoint.record["detail"].get("accepted", 0)
        if isinstance(accepted, int) and 0 < accepted < checkpoint.seq:
            numbers.append(accepted)
    return numbers


def contradiction(ledger: Ledger, witnesses: Sequence[Witness]) -> Contradiction | None:
    """Return what contradicts a ledger most, without reading its records: the witness of the longest chain.

    Raises LedgerError.
    """
    redacted = Redactions(ledger) if witnesses else None
    witnesses = [witness for witness in witnesses if redacted and not redacted.supersede(witness)]
    if not witnesses:
        return None
    oldest = next(ledger.records(limit=1), None)
    hashes = ledger.hashes({witness.count for witness in witnesses})
    found = contradictions(witnesses, hashes, oldest.seq if oldest else 1, ledger.head().count, acceptances_in(ledger))
    return max(found, key=lambda item: item.witness.count, default=None)


def loss_in(state: StateDir, ledger: Ledger) -> str:
    """Return what the witnesses beside a ledger know more than it, and what to do, in a sentence; "" for nothing.

    Raises LedgerError if either cannot be read.
    """
    found = contradiction(ledger, read_witnesses(state.witness))
    if found is None:
        return ""
    return (
        f"{found.message}; put the right {ledger.path} back, or accept this one with the playbook "
        "egov.ops.accept_ledger: until then each run ends with 2."
    )


def accept(
    state: StateDir, ledger: Ledger, run: str, now: datetime, name: str, reason: str, key: Path | None
) -> Record | None:
    """Record that a person accepts the ledger as it is, and publish the head that holds this; None if nothing is wrong.

    Raises LedgerError, and StateDirError if another process seals for too long.
    """
    with state.lock("seal"):
        found = contradiction(ledger, read_witnesses(state.witness))
        if found is None:
            return None
        item = _acceptance(found, run, now, name, reason)
        ledger.append([item])
        publish_head(state.witness, ledger.head(), run, iso(now), key)
    return item


def _acceptance(found: Contradiction, run: str, now: datetime, name: str, reason: str) -> Record:
    """Return the record of an acceptance, with the witness that is given up."""
    seen = observation(
        ACCEPTANCE,
        "ledger",
        "ok",
        message=f"{name} accepts the ledger as it is: {reason.rstrip('.')}. ({found.message}.)",
        name=name,
        why=reason,
        ledger_end=found.ledger_end,
        witness=asdict(replace(found.witness, signature="")),
    )
    return record(
        run=run,
        procedure="accept_ledger",
        host=CONTROLLER,
        domain="run",
        observation=seen,
        started=iso(now),
        finished=iso(now),
    )
