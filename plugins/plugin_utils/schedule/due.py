# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is due and what is late, from cadences and the time of the last success."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.schedule.calendar import ON_CHANGE, next_start, period_start

if TYPE_CHECKING:
    from typing import TypedDict

    class Boundaries(TypedDict):
        """From when on a snapshot of a set counts, ISO 8601; None where nothing is due by the calendar."""

        full_since: str | None
        incremental_since: str | None


class Lateness(NamedTuple):
    """Whether something with a cadence is done for its current period."""

    due: bool
    """Nothing has succeeded in the current period yet."""
    missed: bool
    """A whole period has passed without success."""
    since: datetime | None
    """Start of the first period without success; None when nothing is due, or when there is no history to tell it."""


def boundaries(backup_set: Mapping[str, Any], now: datetime, zone: str) -> Boundaries:
    """Return from when on a snapshot of the set counts: `full_since` and `incremental_since`, ISO 8601 or None.

    A full backup is due unless the catalogue has one not older than `full_since`, and likewise for incrementals.
    None: nothing is due by the calendar. Raise CalendarError for a cadence or zone that is not known.
    """
    incremental = backup_set.get("incremental")
    return {
        "full_since": _since(backup_set.get("full"), now, zone),
        "incremental_since": None if incremental == ON_CHANGE else _since(incremental, now, zone),
    }


def late(cadence: str, last_success: datetime | None, now: datetime, zone: str) -> Lateness:
    """Judge one set or procedure by its cadence and the time of its last success (None: it never succeeded).

    Raise CalendarError for a cadence or zone that is not known.
    """
    start = period_start(cadence, now, zone)
    if last_success is None:
        return Lateness(due=True, missed=False, since=None)
    if last_success >= start:
        return Lateness(due=False, missed=False, since=None)
    before = period_start(cadence, start - timedelta(microseconds=1), zone)
    return Lateness(due=True, missed=last_success < before, since=next_start(cadence, last_success, zone))


class Late(NamedTuple):
    """A procedure that was not run for a whole period."""

    procedure: str
    by: datetime
    """When it should have been done at the latest: the end of the first period without it."""
    last: datetime | None
    """When it was done last; None: never."""


def late_procedures(
    catalogue: Mapping[str, Mapping[str, Any]],
    done: Mapping[str, datetime | None],
    first: datetime,
    now: datetime,
    zone: str,
) -> list[Late]:
    """Return the procedures with a cadence that are late, in the catalogue's order.

    `done` says when each was done last. One that never was is judged as if it had been when the ledger began, at
    `first`: nobody could have run it before.
    """
    found = []
    for name, entry in catalogue.items():
        if "cadence" not in entry:
            continue
        standing = late(entry["cadence"], done.get(name) or first, now, zone)
        if standing.missed and standing.since:
            found.append(Late(name, next_start(entry["cadence"], standing.since, zone), done.get(name)))
    return found


def _since(cadence: str | None, now: datetime, zone: str) -> str | None:
    if not cadence:
        return None
    return period_start(cadence, now, zone).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
