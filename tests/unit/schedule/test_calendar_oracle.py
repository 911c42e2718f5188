# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arithmetic of cadences against an oracle that walks from day to day and looks at the clock of the zone."""

from __future__ import annotations

import ast
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import environment
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema
from ansible_collections.egov.ops.plugins.plugin_utils.schedule.calendar import (
    CADENCES,
    ON_CHANGE,
    RETENTION_DAYS,
    ended_periods,
    longest,
    longest_days,
    midnight,
    next_start,
    objective,
    period_start,
)
from hypothesis import example, given
from hypothesis import strategies as st

UTC = timezone.utc
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PLUGINS = environment.ROOT / "plugins"

#: Zones whose days have 23 and 25 hours, begin at 01:00, have two midnights, or were left out.
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "America/St_Johns", "Pacific/Apia", "UTC", "Asia/Gaza")

of_days = st.sampled_from([name for name in CADENCES if name != "hourly"])
instants = st.datetimes(datetime(1995, 1, 1), datetime(2040, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


def begins(cadence: str, day: date) -> bool:
    """Tell whether a period begins on a day."""
    first = {
        "daily": True,
        "weekly": day.isoweekday() == 1,
        "monthly": day.day == 1,
        "quarterly": day.day == 1 and day.month in (1, 4, 7, 10),
        "yearly": (day.month, day.day) == (1, 1),
    }
    return first[cadence]


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """Return the first quarter of an hour at which the zone's clock shows this day or a later one."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
    while moment.astimezone(zone).date() < day:
        moment += timedelta(minutes=15)
    return moment


@given(of_days, instants, st.sampled_from(ZONES))
@example("daily", datetime(2026, 3, 29, 0, 30, tzinfo=UTC), "Europe/Berlin")
@example("monthly", datetime(2028, 2, 29, 23, tzinfo=UTC), "UTC")
@example("quarterly", datetime(2026, 3, 31, 15, 59, tzinfo=UTC), "Asia/Shanghai")
@example("quarterly", datetime(2026, 3, 31, 16, tzinfo=UTC), "Asia/Shanghai")
@example("daily", datetime(2011, 12, 30, 10, tzinfo=UTC), "Pacific/Apia")
@example("daily", datetime(2010, 11, 7, 2, 45, tzinfo=UTC), "America/St_Johns")
@example("daily", datetime(2018, 11, 4, 3, tzinfo=UTC), "America/Sao_Paulo")
@example("yearly", datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC), "UTC")
def test_a_period_is_the_one_that_a_walk_over_the_days_finds(cadence: str, now: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    day = now.astimezone(zone).date() + 2 * DAY
    while not begins(cadence, day) or first_instant(day, zone) > now:
        day -= DAY
    start = first_instant(day, zone)
    assert period_start(cadence, now, name) == start
    following = day + DAY
    while not begins(cadence, following) or first_instant(following, zone) <= start:
        following += DAY
    assert next_start(cadence, now, name) == first_instant(following, zone)


@given(of_days, instants, st.timedeltas(timedelta(0), timedelta(days=400)), st.sampled_from(ZONES))
def test_the_periods_that_ended_in_a_range_are_those_that_a_walk_finds(
    cadence: str, first: datetime, length: timedelta, name: str
) -> None:
    zone, end = ZoneInfo(name), first + length
    day = period_start(cadence, first, name).astimezone(zone).date()
    days = (day + number * DAY for number in range(length.days + 800))
    starts = sorted({first_instant(one, zone) for one in days if begins(cadence, one)})
    wanted = [start for start, following in pairwise(starts) if following <= end and following > first]
    assert list(ended_periods(cadence, first, end, name)) == wanted


@given(instants, st.sampled_from(ZONES))
def test_an_hour_is_one_of_utc(now: datetime, zone: str) -> None:
    start = period_start("hourly", now, zone)
    assert start <= now < start + HOUR == next_start("hourly", now, zone)
    assert (start.minute, start.second, start.microsecond) == (0, 0, 0)


@given(st.dates(date(1995, 1, 1), date(2039, 12, 31)), st.sampled_from(ZONES))
def test_midnight_is_the_first_instant_of_a_day(day: date, zone: str) -> None:
    assert midnight(day, zone) == first_instant(day, ZoneInfo(zone))


@pytest.mark.parametrize("cadence", [name for name in CADENCES if name != "hourly"])
def test_the_longest_period_is_the_longest_of_thirty_years(cadence: str) -> None:
    days = (date(2000, 1, 1) + number * DAY for number in range(11_000))
    starts = [day for day in days if begins(cadence, day)]
    assert longest(cadence) == max(later - earlier for earlier, later in pairwise(starts))
    assert longest_days(cadence) == longest(cadence).days


def test_the_objectives_are_the_longest_period_and_some_hours_to_do_the_work() -> None:
    hours = {name: objective(name) / HOUR for name in (ON_CHANGE, *CADENCES)}
    assert hours == {
        "change": 30,
        "hourly": 3,
        "daily": 30,
        "weekly": 8 * 24,
        "monthly": 33 * 24,
        "quarterly": 95 * 24,
        "yearly": 370 * 24,
    }
    assert RETENTION_DAYS == {"days": 1, "weeks": 7, "months": 31, "years": 366}
    assert longest_days("hourly") == 1
    assert longest_days(ON_CHANGE) == longest_days("fortnightly") == longest_days(None) == 0
    assert objective("fortnightly") == objective(None) == objective("daily")


def test_the_plan_offers_the_cadences_of_the_calendar() -> None:
    variables = load_schema().variables
    assert variables["egov_ops_procedures"].entry["cadence"].choices == CADENCES
    assert variables["egov_ops_backup_sets"].entry["full"].choices == CADENCES
    assert variables["egov_ops_backup_sets"].entry["incremental"].choices == (*CADENCES, ON_CHANGE)


#: Files that may write cadences out: the table, and the words by which a person asks for a report of a period.
NAMED_IN = {"plugin_utils/schedule/calendar.py", "plugin_utils/report/span.py"}
#: Periods of logrotate, which are no cadences of ours.
OTHER_MEANING = {"module_utils/hardening/settings.py"}


def test_cadences_are_written_out_in_one_place() -> None:
    found = set()
    for path in [*PLUGINS.glob("*_utils/**/*.py"), *(PLUGINS / "action").glob("*.py")]:
        constants = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if is_cadence(node))
        found |= {str(path.relative_to(PLUGINS)) for _constant in constants}
    assert found - OTHER_MEANING == NAMED_IN


def is_cadence(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in CADENCES
