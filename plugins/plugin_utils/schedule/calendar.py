# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan's calendar: where the hour, day, week, month, quarter or year begins in the plan's time zone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError

CADENCES = ("hourly", "daily", "weekly", "monthly", "quarterly", "yearly")

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

#: Days that lead from the first day of any period into the next period, never past its end.
_STEP = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "yearly": 366}


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
        day = _first_day(cadence, day + timedelta(days=_STEP[cadence]))
        following = _midnight(day, place)
    return following


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
    raise CalendarError(f"The cadence {cadence!r} is none of {', '.join(CADENCES)}.")


def _midnight(day: date, place: tzinfo) -> datetime:
    return datetime.combine(day, time(), place).astimezone(timezone.utc)
