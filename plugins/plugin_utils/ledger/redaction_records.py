# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of redactions, by which verification accepts a chain that was anchored anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Stored
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import CONTROLLER
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import Witness

KIND = "redaction"

#: Numbers of records that a sentence names.
_NAMED = 20


def carried_out(ledger: Ledger, request: str) -> Stored | None:
    """Return the record of the redaction that a request asked for, None before it."""
    return next((one for one in redactions(ledger) if one.record["detail"].get("request") == request), None)


def redactions(ledger: Ledger) -> Iterator[Stored]:
    """Yield the records of redactions, oldest first."""
    return ledger.records(host=CONTROLLER, domain="run", kind=KIND)


class Redactions:
    """The redactions of a ledger, as verification asks for them."""

    def __init__(self, ledger: Ledger) -> None:
        """Read their records; one that is not of the shape of a redaction's accounts for nothing, and is a fault."""
        self._all = list(redactions(ledger))
        self._records = [stored for stored in self._all if _is_whole(stored.record["detail"])]

    def supersede(self, witness: Witness) -> bool:
        """Tell whether a witness saw the chain before a redaction anchored it anew from an earlier record on."""
        return any(
            detail["first"] <= witness.count <= detail["upto"] and witness.time <= stored.record["finished"]
            for stored in self._records
            for detail in [stored.record["detail"]]
        )

    def fault(self, hashes: Mapping[int, str]) -> tuple[int, str] | None:
        """Return the number and the sentence of a record whose anchor is not the chain's, given hashes by number."""
        for stored in self._all:
            upto, head = stored.record["detail"].get("upto"), stored.record["detail"].get("head")
            if stored not in self._records or upto != stored.seq - 1 or hashes.get(upto, head) != head:
                return stored.seq, f"Record #{stored.seq} says of a redaction what the chain does not bear out."
        return None

    def anchors(self) -> set[int]:
        """Return the numbers of the records at which a redaction has anchored the chain."""
        return {stored.seq - 1 for stored in self._records}

    def words(self) -> str:
        """Return where values were replaced, as sentences; "" for nowhere."""
        said = []
        for stored in self._records:
            detail = stored.record["detail"]
            numbers = ", ".join(f"#{number}" for number in detail["records"]["numbers"][:_NAMED]) or "no record"
            more = detail["records"]["count"] - _NAMED
            numbers += f" and {more} more" if more > 0 else ""
            said.append(
                f"Redacted by #{stored.seq} (request {detail['request'][:8]}): {numbers}; witnesses of before then, "
                f"from #{detail['first']} on, prove nothing."
            )
        return " ".join(said)


def _is_whole(detail: Mapping[str, object]) -> bool:
    """Tell whether the detail of a record is that of a redaction, in what verification reads of it."""
    records = detail.get("records")
    return (
        all(isinstance(detail.get(name), int) for name in ("first", "upto"))
        and all(isinstance(detail.get(name), str) for name in ("request", "head"))
        and isinstance(records, dict)
        and isinstance(records.get("count"), int)
        and isinstance(records.get("numbers"), list)
    )
