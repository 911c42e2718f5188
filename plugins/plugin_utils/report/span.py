# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The range of days that a report is of, in the plan's zone, and the range before it to compare with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.record import iso
from ansible_collections.egov.ops.plugins.plugin_utils.schedule.calendar import (
    find_zone,
    midnight,
    next_start,
    period_start,
)

#: The periods that a report can be asked for by name, with the plan's word for how often they come.
PERIODS = {"day": "daily", "week": "weekly", "month": "monthly", "quarter": "quarterly"}

#: The word for a range of days that is none of these.
RANGE = "range"

#: Days of one range at most: what the law has kept is looked at by the quarter.
LONGEST = 400

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class SpanError(OpsError):
    """No range of days. The message is one sentence with the option, its value and what is allowed."""


@dataclass(frozen=True)
class Span:
    """Whole days in a zone, both ends included."""

    period: str
    first: date
    last: date
    zone: str

    @property
    def since(self) -> str:
        """Return the moment at which the range begins, as records hold times."""
        return iso(midnight(self.first, self.zone))

    @property
    def until(self) -> str:
        """Return the moment at which the range is over: the first that is no longer in it."""
        return iso(midnight(self.last + timedelta(days=1), self.zone))

    def days(self) -> list[date]:
        """Return each day of the range."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def before(self) -> Span:
        """Return the range before: the same period, or as many days."""
        if self.period == RANGE:
            length = self.last - self.first + timedelta(days=1)
            return Span(RANGE, self.first - length, self.last - length, self.zone)
        return _around(self.period, self.first - timedelta(days=1), self.zone)

    def upto(self, day: date) -> Span:
        """Return the part of the range up to a day."""
        return Span(self.period, self.first, min(self.last, day), self.zone)


def span_of(period: str, first: str, last: str, zone: str, now: datetime) -> Span:
    """Return the range that is asked for.

    A period alone is the last one that is over; with `first` it is the one in which that day lies. Without a period,
    `first` and `last` are the days of the range. Raises SpanError, and CalendarError for a zone that is not known.
    """
    place = find_zone(zone)
    if period:
        if period not in PERIODS:
            raise SpanError(f"period is {period[:40]!r}; use one of {', '.join(PERIODS)}, or from and to.")
        if last:
            raise SpanError(f"to is {last[:40]!r} beside a period, which has its own end; leave out one of them.")
        current = _around(period, now.astimezone(place).date(), zone)
        return _around(period, _day("from", first), zone) if first else current.before()
    if not first or not last:
        name, other = ("to", "from") if first else ("from", "to")
        raise SpanError(f"{name} is missing beside {other}; give both days like 2026-11-30, or a period.")
    begin, end = _day("from", first), _day("to", last)
    if not begin <= end < begin + timedelta(days=LONGEST):
        raise SpanError(
            f"from is {first} and to is {last}; give at most {LONGEST} days, the first of them before the last."
        )
    return Span(RANGE, begin, end, zone)


def _day(name: str, text: str) -> date:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        day = date.fromisoformat(text)
        if not 2000 <= day.year <= 2999:
            raise ValueError
    except ValueError:
        raise SpanError(f"{name} is {text[:40]!r}, not a day like 2026-11-30.") from None
    return day


def _around(period: str, day: date, zone: str) -> Span:
    """Return the period in which a day lies."""
    place = find_zone(zone)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=place)
    start = period_start(PERIODS[period], noon, zone).astimezone(place).date()
    following = next_start(PERIODS[period], noon, zone).astimezone(place).date()
    return Span(period, start, following - timedelta(days=1), zone)
