# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan's calendar and all arithmetic of cadences: pure functions, and one table of how often things come.

It tells where the hour, day, week, month, quarter or year begins in the plan's time zone, how long one may be, and how
old what is done so often may become.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class Cadence(NamedTuple):
    """How often something comes: the longest time from one to the next, and what the work itself may take beyond."""

    longest: timedelta
    grace: timedelta


_TABLE = {
    "hourly": Cadence(_HOUR, 2 * _HOUR),
    "daily": Cadence(_DAY, 6 * _HOUR),
    "weekly": Cadence(7 * _DAY, _DAY),
    "monthly": Cadence(31 * _DAY, 2 * _DAY),
    "quarterly": Cadence(92 * _DAY, 3 * _DAY),
    "yearly": Cadence(366 * _DAY, 4 * _DAY),
}

#: The most frequent first.
CADENCES = tuple(_TABLE)

#: The cadence of a backup that means: whenever something has changed, which each daily run finds out.
ON_CHANGE = "change"

#: The days that one of each unit of retention takes at most.
RETENTION_DAYS = {
    unit: _TABLE[cadence].longest.days
    for unit, cadence in (("days", "daily"), ("weeks", "weekly"), ("months", "monthly"), ("years", "yearly"))
}

#: Days for which the test of a key in escrow holds: a quarter, and a week to bring the copy.
ESCROW_DAYS = _TABLE["quarterly"].longest.days + 8


def longest(cadence: str) -> timedelta:
    """Return the longest time from the begin of a period to that of the next; raise CalendarError."""
    if cadence not in _TABLE:
        raise _unknown(cadence)
    return _TABLE[cadence].longest


def longest_days(cadence: str | None) -> int:
    """Return the whole days that a period takes at most, 1 for an hour; 0 for what comes at no fixed time."""
    entry = _TABLE.get(str(cadence))
    return max(1, entry.longest.days) if entry else 0


def objective(cadence: str | None) -> timedelta:
    """Return how old what is done so often may become; what comes at no fixed time is looked at each day."""
    entry = _TABLE.get(str(cadence), _TABLE["daily"])
    return entry.longest + entry.grace


def is_rarer(before: str | None, after: str | None) -> bool:
    """Tell whether something is done less often than before: on change most often, and None never. ValueError."""
    order = (ON_CHANGE, *CADENCES, None)
    return order.index(after) > order.index(before)


class CalendarError(OpsError):
    """A cadence or a time zone is not known here."""


def find_zone(name: str) -> tzinfo:
    """Return the time zone of that name; raise CalendarError where this controller does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; a folder's name gives an OSError
        raise CalendarError(
            f"The time zone {name!r} is not known on this controller: "
            "correct egov_ops_timezone or install the system's tzdata package."
        ) from None


def period_start(cadence: str, now: datetime, zone: str) -> datetime:
    """Return, in UTC, when the current period began: the latest start that is not after `now`.

    A day begins at midnight in the zone, a week on Monday. An hour is an hour of UTC, which no change of clocks moves.
    Raise CalendarError for a cadence or zone that is not known.
    """
    place = find_zone(zone)
    if cadence == "hourly":
        return now.astimezone(timezone.utc).replace(minute=0, second=0, microsecond=0)
    today = now.astimezone(place).date()
    # Where clocks change around midnight, the local date may be one day off: the period of tomorrow's date has begun
    # already when midnight comes twice, today's has not when midnight is left out.
    for day in (today + _DAY, today):
        start = _midnight(_first_day(cadence, day), place)
        if start <= now:
            return start
    return _midnight(_first_day(cadence, today - _DAY), place)


def next_start(cadence: str, now: datetime, zone: str) -> datetime:
    """Return, in UTC, when the period after the current one begins; raise CalendarError as period_start does."""
    start = period_start(cadence, now, zone)
    if cadence == "hourly":
        return start + _HOUR
    place = find_zone(zone)
    day = _first_day(cadence, start.astimezone(place).date())
    following = start
    while following <= start:  # once, but for a day that a change of the date line left out
        # the longest period leads from the first day of any period into the next one, never past its end
        day = _first_day(cadence, day + longest(cadence))
        following = _midnight(day, place)
    return following


def ended_periods(cadence: str, first: datetime, end: datetime, zone: str) -> Iterator[datetime]:
    """Yield, in UTC, the starts of the periods that ended in a range, from the one that holds its first moment."""
    start = period_start(cadence, first, zone)
    while (following := next_start(cadence, start, zone)) <= end:
        yield start
        start = following


def midnight(day: date, zone: str) -> datetime:
    """Return, in UTC, when a day begins in a zone; raise CalendarError for a zone that is not known."""
    return _midnight(day, find_zone(zone))


def _first_day(cadence: str, day: date) -> date:
    if cadence == "daily":
        return day
    if cadence == "weekly":
        return day - timedelta(days=day.weekday())
    if cadence == "monthly":
        return day.replace(day=1)
    if cadence == "quarterly":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    if cadence == "yearly":
        return day.replace(month=1, day=1)
    raise _unknown(cadence)


def _unknown(cadence: str) -> CalendarError:
    return CalendarError(f"The cadence {cadence!r} is none of {', '.join(CADENCES)}.")


def _midnight(day: date, place: tzinfo) -> datetime:
    return datetime.combine(day, time(), place).astimezone(timezone.utc)
