# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ranges of days: which one is meant, where it begins and ends, and which one is before it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.span import LONGEST, PERIODS, Span, span_of
from hypothesis import given
from hypothesis import strategies as st

ZONE = "Asia/Shanghai"
#: Still the 30th in UTC, the 1st of December in the plan's zone.
NOW = datetime(2026, 11, 30, 17, tzinfo=timezone.utc)
DAYS = st.dates(date(2001, 1, 1), date(2998, 12, 1))


@pytest.mark.parametrize(
    ("period", "first", "days"),
    [
        ("day", "", ("2026-11-30", "2026-11-30")),
        ("week", "", ("2026-11-23", "2026-11-29")),
        ("month", "", ("2026-11-01", "2026-11-30")),
        ("quarter", "", ("2026-07-01", "2026-09-30")),
        ("month", "2026-02-14", ("2026-02-01", "2026-02-28")),
        ("quarter", "2026-12-01", ("2026-10-01", "2026-12-31")),
    ],
)
def test_a_period_is_the_last_that_is_over_or_the_one_of_a_day(period: str, first: str, days: tuple[str, str]) -> None:
    span = span_of(period, first, "", ZONE, NOW)
    assert (span.first.isoformat(), span.last.isoformat()) == days


def test_a_day_begins_and_ends_at_midnight_of_the_zone() -> None:
    span = span_of("", "2026-11-24", "2026-11-25", ZONE, NOW)
    assert (span.since, span.until) == ("2026-11-23T16:00:00Z", "2026-11-25T16:00:00Z")


@pytest.mark.parametrize(
    ("period", "first", "last", "words"),
    [
        ("fortnight", "", "", r"^period is 'fortnight'; use one of day, week, month, quarter, or from and to\.$"),
        ("week", "", "2026-11-30", "^to is '2026-11-30' beside a period"),
        ("week", "yesterday", "", "^from is 'yesterday', not a day like"),
        ("", "2026-11-31", "2026-12-01", "^from is '2026-11-31', not a day like"),
        ("", "2026-11-01", "20261130", "^to is '20261130', not a day like"),
        ("", "2026-11-01", "", "^to is missing beside from"),
        ("", "", "2026-11-01", "^from is missing beside to"),
        ("", "2026-11-02", "2026-11-01", f"^from is 2026-11-02 and to is 2026-11-01; give at most {LONGEST} days"),
        ("", "2020-11-02", "2026-11-01", f"give at most {LONGEST} days"),
        ("", "9999-12-31", "9999-12-31", "^from is '9999-12-31', not a day like"),
        ("week", "2026-11-02'; --", "", "not a day like"),
    ],
)
def test_what_is_no_range_is_refused_in_one_sentence(period: str, first: str, last: str, words: str) -> None:
    with pytest.raises(OpsError, match=words) as refused:
        span_of(period, first, last, ZONE, NOW)
    assert str(refused.value).endswith(".")


def test_a_zone_that_is_not_known_is_refused() -> None:
    with pytest.raises(OpsError, match="No/Such"):
        span_of("day", "", "", "No/Such", NOW)


@given(DAYS, st.sampled_from(sorted(PERIODS)))
def test_periods_follow_each_other_without_a_gap(day: date, period: str) -> None:
    span = span_of(period, day.isoformat(), "", ZONE, NOW)
    before = span.before()
    assert span.first <= day <= span.last
    assert before.last + timedelta(days=1) == span.first
    assert before.until == span.since
    assert before.period == period


@given(DAYS, st.integers(0, LONGEST - 1))
def test_the_range_before_is_as_long(day: date, length: int) -> None:
    span = Span("range", day, day + timedelta(days=length), ZONE)
    before = span.before()
    assert before.until == span.since
    assert len(before.days()) == len(span.days()) == length + 1
