# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calendar: fixed days that a person can check, and laws that hold in every zone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.schedule.calendar import (
    CADENCES,
    ESCROW_DAYS,
    CalendarError,
    is_rarer,
    next_start,
    period_start,
)
from hypothesis import given
from hypothesis import strategies as st

UTC = timezone.utc
LONGEST = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "yearly": 366}

instants = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
zones = st.sampled_from(sorted(available_timezones()))
cadences = st.sampled_from(CADENCES)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


def test_each_cadence_is_rarer_than_those_before_it_and_never_is_the_rarest() -> None:
    order = ["change", "hourly", "daily", "weekly", "monthly", "quarterly", "yearly", None]
    found = {(before, after) for before in order for after in order if is_rarer(before, after)}
    assert found == {(before, after) for number, before in enumerate(order) for after in order[number + 1 :]}


def test_the_test_of_a_key_in_escrow_holds_for_a_quarter_and_eight_days() -> None:
    assert ESCROW_DAYS == 100


@pytest.mark.parametrize(
    ("cadence", "start"),
    [
        ("hourly", utc(2026, 5, 20, 16)),
        ("daily", utc(2026, 5, 20, 16)),
        ("weekly", utc(2026, 5, 17, 16)),
        ("monthly", utc(2026, 4, 30, 16)),
        ("quarterly", utc(2026, 3, 31, 16)),
        ("yearly", utc(2025, 12, 31, 16)),
    ],
)
def test_a_period_begins_at_local_midnight(cadence: str, start: datetime) -> None:
    assert period_start(cadence, utc(2026, 5, 20, 16, 30), "Asia/Shanghai") == start


@pytest.mark.parametrize(
    ("cadence", "following"),
    [
        ("hourly", utc(2028, 1, 31, 11)),
        ("daily", utc(2028, 2, 1)),
        ("weekly", utc(2028, 2, 7)),
        ("monthly", utc(2028, 2, 1)),
        ("quarterly", utc(2028, 4, 1)),
        ("yearly", utc(2029, 1, 1)),
    ],
)
def test_the_next_period_follows_the_current_one(cadence: str, following: datetime) -> None:
    assert next_start(cadence, utc(2028, 1, 31, 10), "UTC") == following


def test_a_day_of_23_hours_begins_once() -> None:
    now = utc(2026, 3, 29, 12)  # clocks went from 02:00 to 03:00 in Berlin
    assert period_start("daily", now, "Europe/Berlin") == utc(2026, 3, 28, 23)
    assert next_start("daily", now, "Europe/Berlin") == utc(2026, 3, 29, 22)


def test_a_day_without_midnight_begins_with_its_first_instant() -> None:
    assert period_start("daily", utc(2018, 11, 4, 12), "America/Sao_Paulo") == utc(2018, 11, 4, 3)


def test_a_midnight_that_comes_twice_begins_one_day() -> None:
    first, second = utc(2010, 11, 7, 2, 30), utc(2010, 11, 7, 3, 0)  # 00:00 and, clocks set back at 00:01, 23:30 again
    assert first.astimezone(ZoneInfo("America/St_Johns")).day == 7
    assert second.astimezone(ZoneInfo("America/St_Johns")).day == 6
    assert period_start("daily", second, "America/St_Johns") == first


def test_a_day_left_out_by_the_date_line_is_skipped() -> None:
    before = utc(2011, 12, 29, 12)
    assert next_start("daily", before, "Pacific/Apia") == utc(2011, 12, 30, 10)
    assert next_start("daily", utc(2011, 12, 30, 10), "Pacific/Apia") == utc(2011, 12, 31, 10)


@pytest.mark.parametrize("zone", ["Asia/Peking", "", "/etc/passwd", "../etc", "Europe"])
def test_an_unknown_zone_is_one_sentence(zone: str) -> None:
    with pytest.raises(CalendarError, match=r"time zone .* is not known.*egov_ops_timezone.*tzdata"):
        period_start("daily", utc(2026, 1, 1), zone)


def test_an_unknown_cadence_names_the_known_ones() -> None:
    with pytest.raises(CalendarError, match="'fortnightly' is none of hourly, daily, weekly"):
        period_start("fortnightly", utc(2026, 1, 1), "UTC")


@given(cadences, instants, zones)
def test_now_lies_in_its_period(cadence: str, now: datetime, zone: str) -> None:
    start, following = period_start(cadence, now, zone), next_start(cadence, now, zone)
    assert start <= now < following
    assert following - start <= timedelta(days=LONGEST[cadence], hours=25)


@given(cadences, instants, zones)
def test_the_start_of_a_period_lies_in_that_period(cadence: str, now: datetime, zone: str) -> None:
    start = period_start(cadence, now, zone)
    assert period_start(cadence, start, zone) == start


@given(cadences, instants, st.timedeltas(timedelta(0), timedelta(days=40)), zones)
def test_later_never_means_an_earlier_period(cadence: str, now: datetime, passed: timedelta, zone: str) -> None:
    assert period_start(cadence, now, zone) <= period_start(cadence, now + passed, zone)


@given(cadences, instants, zones)
def test_periods_leave_no_gap(cadence: str, now: datetime, zone: str) -> None:
    following = next_start(cadence, now, zone)
    assert period_start(cadence, following, zone) == following
    assert period_start(cadence, following - timedelta(microseconds=1), zone) == period_start(cadence, now, zone)
