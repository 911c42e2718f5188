# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is due and what is late."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import available_timezones

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.schedule.calendar import CADENCES, CalendarError, period_start
from ansible_collections.egov.ops.plugins.plugin_utils.schedule.due import (
    Late,
    Lateness,
    boundaries,
    late,
    late_procedures,
)
from hypothesis import given
from hypothesis import strategies as st

UTC = timezone.utc
NOW = datetime(2026, 5, 20, 16, 30, tzinfo=UTC)


def test_each_cadence_of_a_set_has_its_boundary() -> None:
    backup_set = {"full": "weekly", "incremental": "daily"}
    assert boundaries(backup_set, NOW, "Asia/Shanghai") == {
        "full_since": "2026-05-17T16:00:00Z",
        "incremental_since": "2026-05-20T16:00:00Z",
    }


def test_on_change_has_no_boundary() -> None:
    assert boundaries({"full": "monthly", "incremental": "change"}, NOW, "UTC")["incremental_since"] is None


def test_a_set_without_incremental_has_no_boundary_for_it() -> None:
    assert boundaries({"full": "quarterly"}, NOW, "UTC")["incremental_since"] is None


def test_an_unknown_cadence_is_an_error() -> None:
    with pytest.raises(CalendarError):
        boundaries({"full": "sometimes"}, NOW, "UTC")


def test_done_in_this_period_is_not_late() -> None:
    assert late("daily", NOW - timedelta(hours=10), NOW, "UTC") == Lateness(False, False, None)


def test_done_in_the_last_period_is_due_but_not_missed() -> None:
    standing = late("daily", NOW - timedelta(hours=30), NOW, "UTC")
    assert standing == Lateness(True, False, datetime(2026, 5, 20, tzinfo=UTC))


def test_a_whole_period_without_success_is_missed_since_its_start() -> None:
    standing = late("daily", datetime(2026, 5, 17, 23, tzinfo=UTC), NOW, "UTC")
    assert standing == Lateness(True, True, datetime(2026, 5, 18, tzinfo=UTC))


@pytest.mark.parametrize(
    ("last", "due", "missed"),
    [
        (datetime(2026, 5, 20, tzinfo=UTC), False, False),
        (datetime(2026, 5, 20, tzinfo=UTC) - timedelta(microseconds=1), True, False),
        (datetime(2026, 5, 19, tzinfo=UTC), True, False),
        (datetime(2026, 5, 19, tzinfo=UTC) - timedelta(microseconds=1), True, True),
    ],
)
def test_a_success_in_the_first_moment_of_a_period_counts_for_it(last: datetime, due: bool, missed: bool) -> None:
    standing = late("daily", last, NOW, "UTC")
    assert (standing.due, standing.missed) == (due, missed)


def test_a_period_begins_in_its_first_moment() -> None:
    midnight = datetime(2026, 5, 20, tzinfo=UTC)
    assert late("daily", midnight - timedelta(hours=1), midnight, "UTC").due
    assert not late("daily", midnight - timedelta(hours=1), midnight - timedelta(microseconds=1), "UTC").due


def test_without_history_it_is_due_and_nothing_can_be_said_to_be_missed() -> None:
    assert late("monthly", None, NOW, "UTC") == Lateness(True, False, None)


@given(
    st.sampled_from(CADENCES),
    st.sampled_from(sorted(available_timezones())),
    st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)),
    st.lists(st.timedeltas(timedelta(minutes=1), timedelta(days=40)), max_size=30),
)
def test_run_at_any_moments_it_is_due_once_in_each_period(
    cadence: str, zone: str, first: datetime, pauses: list[timedelta]
) -> None:
    moment, last, done = first.replace(tzinfo=UTC), None, []
    visited = set()
    for pause in [timedelta(0), *pauses]:
        moment += pause
        visited.add(period_start(cadence, moment, zone))
        if late(cadence, last, moment, zone).due:
            last = moment
            done.append(period_start(cadence, moment, zone))
    assert done == sorted(visited)


@given(
    st.sampled_from(CADENCES),
    st.sampled_from(sorted(available_timezones())),
    st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)),
    st.timedeltas(timedelta(0), timedelta(days=800)),
)
def test_what_is_late_is_late_since_a_time_between_success_and_now(
    cadence: str, zone: str, moment: datetime, age: timedelta
) -> None:
    now = moment.replace(tzinfo=UTC)
    standing = late(cadence, now - age, now, zone)
    if standing.due:
        assert standing.since is not None
        assert now - age < standing.since <= now
    assert standing.due or not standing.missed


#: One without a cadence stands before one that has it, as in the catalogue.
CATALOGUE = {"daily": {"cadence": "daily"}, "health_check": {}, "weekly": {"cadence": "weekly"}}


def late_ones(done: dict[str, datetime | None], first: datetime = NOW - timedelta(days=300)) -> list[Late]:
    return late_procedures(CATALOGUE, {**dict.fromkeys(CATALOGUE, NOW), **done}, first, NOW, "UTC")


def test_procedures_that_were_done_in_their_period_are_not_late() -> None:
    assert late_ones({}) == []


def test_a_procedure_is_late_from_the_end_of_the_first_period_without_it() -> None:
    last = NOW - timedelta(days=14)  # 6 May, in the week before last
    assert late_ones({"weekly": last}) == [Late("weekly", datetime(2026, 5, 18, tzinfo=UTC), last)]


def test_a_procedure_that_is_due_in_this_period_is_not_late_yet() -> None:
    assert late_ones({"weekly": NOW - timedelta(days=7)}) == []


def test_a_procedure_without_a_cadence_is_never_late() -> None:
    assert late_ones({"health_check": NOW - timedelta(days=900)}) == []


def test_a_procedure_that_was_never_done_is_late_as_if_it_had_been_when_the_ledger_began() -> None:
    assert late_ones({"weekly": None}, first=NOW - timedelta(days=7)) == []
    expected = [Late("weekly", datetime(2026, 5, 18, tzinfo=UTC), None)]
    assert late_ones({"weekly": None}, first=NOW - timedelta(days=14)) == expected
