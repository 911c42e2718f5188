# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the controller's clock is behind what the ledger holds, and the record by which a person accepts that.

An acceptance covers the records up to a number: of a time that is far ahead nothing is asked again, and a record that
is stored later and is ahead of the clock is a new case.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common import GATE
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import CONTROLLER, iso

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Stored
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

#: Difference between a clock and a record that is taken for the inaccuracy of two controllers' clocks.
SKEW = timedelta(minutes=5)

_NEVER = "9999-12-31T23:59:59Z"

KIND, SUBJECT = "clock", "ledger"


def first_time_ahead(now: datetime) -> str:
    """Return the first time, as records hold it, that is later than now by more than the skew."""
    return iso(now.replace(microsecond=0) + SKEW + timedelta(seconds=1))


def record_ahead(ledger: Ledger, now: datetime) -> Stored | None:
    """Return the last stored record that is ahead of the clock and that nobody has accepted; raises LedgerError."""
    # With both bounds SQLite asks its index of the times, and reads no records where none is ahead.
    ahead = next(ledger.records(since=first_time_ahead(now), until=_NEVER, newest_first=True, limit=1), None)
    if ahead is None:
        return None
    accepted = ledger.records(host=CONTROLLER, domain=GATE, kind=KIND, subject=SUBJECT, status="ok")
    upto = (stored.record["detail"].get("upto") for stored in accepted)
    return None if any(isinstance(number, int) and number >= ahead.seq for number in upto) else ahead


def fault(ledger: Ledger, now: datetime) -> str:
    """Return that the clock is behind the ledger, as one sentence; "" where it is not, or where that was accepted."""
    ahead = record_ahead(ledger, now)
    if ahead is None:
        return ""
    return (
        f"The controller's clock says {iso(now)}, and record #{ahead.seq} of the ledger was made at "
        f"{ahead.record['finished']}: one of the two is wrong."
    )


def acceptance(ahead: Stored, reason: str, user: str, now: datetime) -> Observation:
    """Return what is recorded when a person says that the clock is right, whatever the records up to one say."""
    time = ahead.record["finished"]
    message = f"{user} accepts the clock at {iso(now)} although record #{ahead.seq} was made at {time}: {reason}"
    return observation(KIND, SUBJECT, "ok", message=message, upto=ahead.seq, ahead=time, why=reason, user=user)
