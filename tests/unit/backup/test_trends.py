# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes, durations and room of backups: planted anomalies are found, and noise is none."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.engines import locks
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import capacity
from ansible_collections.egov.ops.plugins.plugin_utils.backup import trends
from hypothesis import given
from hypothesis import strategies as st

GIGA = 1e9


@given(st.integers(0, 2**32), st.floats(1e3, 1e12), st.floats(0, 0.1))
def test_noise_is_no_anomaly_of_size_and_a_halving_or_doubling_is(seed: int, usual: float, noise: float) -> None:
    chance = random.Random(seed)
    values = [usual * (1 + chance.uniform(-noise / 2, noise / 2)) for _number in range(20)]
    assert trends.size("pages", values)["status"] == "ok"
    for factor in (0.4, 2.0):
        assert trends.size("pages", [*values, usual * factor])["status"] == "warning"


@given(st.integers(0, 19))
def test_one_outlier_among_the_earlier_ones_hides_no_anomaly(place: int) -> None:
    values = [GIGA] * 20
    values[place] = 1e15
    assert trends.size("pages", [*values, GIGA])["status"] == "ok"
    assert trends.size("pages", [*values, GIGA / 3])["status"] == "warning"


@pytest.mark.parametrize("count", [0, 1, 8])
def test_too_few_sizes_are_said_and_not_judged(count: int) -> None:
    found = trends.size("pages", [GIGA] * count)
    assert (found["status"], found["reason"]) == ("skipped", "no_history")
    assert f"{count} of 9" in found["detail"]["message"]


def test_backups_that_take_longer_and_longer_are_told_and_one_slow_one_is_not() -> None:
    steady = [(float(day), 100.0 + (day % 3)) for day in range(30)]
    assert trends.duration("pages", steady)["status"] == "ok"
    assert trends.duration("pages", [*steady[:-1], (29.0, 5000.0)])["status"] == "ok"
    slower = [(float(day), 100.0 + 10 * day) for day in range(30)]
    found = trends.duration("pages", slower)
    assert found["status"] == "warning"
    assert "290 s more than 29 days ago" in found["detail"]["message"]
    assert trends.duration("pages", slower[:7])["reason"] == "no_history"


def growing(slope: float, days: int = 60, noise: float = 0.0, seed: int = 1) -> list[tuple[float, float]]:
    chance = random.Random(seed)
    return [(float(day), 100 * GIGA + slope * day + chance.gauss(0, noise)) for day in range(0, days, 2)]


def measured(points: list[tuple[float, float]], free: float) -> dict[str, int]:
    return {"used": int(points[-1][1]), "free": int(free), "total": int(points[-1][1] + free)}


@given(st.floats(1e6, 1e10), st.floats(5, 500), st.integers(0, 2**32))
def test_the_days_until_full_are_those_of_the_line_and_lie_in_the_band(slope: float, days: float, seed: int) -> None:
    points = growing(slope, noise=slope, seed=seed)
    found = trends.storage("local", measured(points, slope * days), 0, points, 0)
    low, middle, high = found["detail"]["days_until_full"]
    assert low <= middle
    assert high is None or middle <= high
    assert middle == pytest.approx(days, rel=0.25)
    assert found["status"] == ("critical" if middle < 14 else "warning" if middle < 90 else "ok")
    assert "Theil-Sen" in found["detail"]["method"]


@given(
    st.lists(st.tuples(st.floats(0, 400), st.floats(0, 1e15)), max_size=30), st.floats(0, 1e15), st.integers(0, 10**15)
)
def test_any_points_give_a_judgement(points: list[tuple[float, float]], free: float, quota: int) -> None:
    for seen in (None, {"used": 5, "free": int(free), "total": int(free) + 5}):
        found = trends.storage("local", seen, quota, sorted(points), 0)
        assert found["status"] in ("ok", "warning", "critical", "skipped")
        assert found["detail"]["message"].endswith(".")


@pytest.mark.parametrize("points", [[], growing(GIGA)[:7], [(day / 10, GIGA * day) for day in range(20)]])
def test_there_is_no_forecast_where_the_measurements_bear_none(points: list[tuple[float, float]]) -> None:
    found = trends.storage("local", {"used": 5, "free": 10, "total": 15}, 0, points, 0)
    assert found["status"] == "ok"
    assert "no forecast, since" in found["detail"]["message"]
    assert found["detail"]["days_until_full"] == [None] * 3


def test_one_that_does_not_grow_or_is_full_far_from_now_is_no_finding() -> None:
    points = growing(-1.0)
    assert "does not grow" in trends.storage("local", measured(points, 10), 0, points, 0)["detail"]["message"]
    points = growing(1.0)
    found = trends.storage("local", measured(points, GIGA), 0, points, 0)
    assert "not be full within 580 days" in found["detail"]["message"]


def test_a_quota_counts_where_it_is_less_than_what_is_free() -> None:
    points = growing(GIGA)
    room = measured(points, 1000 * GIGA)
    assert trends.storage("local", room, 0, points, 0)["status"] == "ok"
    found = trends.storage("local", room, int(room["used"] + 10 * GIGA), points, 0)
    assert (found["status"], found["detail"]["days_until_full"][1]) == ("critical", pytest.approx(10, rel=0.05))


def test_a_repository_elsewhere_without_a_quota_has_no_room_that_is_known() -> None:
    assert trends.storage("cloud", None, 0, growing(GIGA), 0)["reason"] == "no_history"
    assert trends.storage("cloud", None, int(1e15), growing(GIGA), 0)["status"] == "ok"


def test_what_the_plan_keeps_and_does_not_fit_is_told_before_it_is_full() -> None:
    points = growing(1.0)
    needed = trends.needed_by({"pages": [50 * GIGA, *[GIGA] * 10], "new": [GIGA]}, {"pages": 101, "new": 10})
    assert needed == 150 * GIGA
    found = trends.storage("local", measured(points, 40 * GIGA), 0, points, needed)
    assert found["status"] == "critical"
    assert "What the plan keeps will take about 150 GB and does not fit." in found["detail"]["message"]
    assert trends.storage("local", measured(points, 60 * GIGA), 0, points, needed)["status"] == "ok"


def test_a_line_through_two_values_of_one_time_is_none() -> None:
    assert trends.trend([(1.0, 2.0)] * 20) is None
    assert trends.trend(growing(5.0)) is not None
    assert not math.isnan(trends.trend(growing(5.0)).slope)  # type: ignore[union-attr]


LOCK: dict[str, Any] = {"time": "2026-05-20T01:00:00.5+08:00", "hostname": "web1", "pid": 77, "exclusive": False}
TAKEN = 1_779_210_000.0


def test_a_time_with_an_offset_is_read() -> None:
    assert locks.seconds_of("2026-05-20T01:00:00.5+08:00") == TAKEN
    assert locks.seconds_of("2026-05-19T17:00:00Z") == TAKEN
    assert locks.seconds_of("2026-05-19T12:00:00.123-05:00") == TAKEN


@pytest.mark.parametrize(
    ("change", "hostname", "begun", "state"),
    [
        ({}, "web1", None, locks.GONE),
        ({}, "web1", TAKEN + 60, locks.GONE),
        ({}, "web1", TAKEN - 60, locks.HELD),
        ({}, "web1", TAKEN + 1, locks.HELD),
        ({}, "web2", None, locks.UNKNOWN),
        ({"hostname": "localhost"}, "localhost", None, locks.UNKNOWN),
        ({"hostname": "localhost.localdomain"}, "localhost.localdomain", None, locks.UNKNOWN),
        ({"pid": 0}, "web1", None, locks.UNKNOWN),
    ],
)
def test_a_holder_is_gone_only_where_its_process_is_known_to_be(
    change: dict[str, Any], hostname: str, begun: float | None, state: str
) -> None:
    assert locks.judge({**LOCK, **change}, hostname, lambda _pid: begun) == state


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ([], "ok"),
        ([{"age": 60, "exclusive": True}], "ok"),
        ([{"age": 7200, "exclusive": False}], "warning"),
        ([{"age": 7200, "exclusive": False}, {"age": 1900, "exclusive": True}], "critical"),
    ],
)
def test_a_lock_that_nobody_renews_is_a_finding(found: list[dict[str, Any]], status: str) -> None:
    assert capacity.judge([{**LOCK, **lock} for lock in found])[0] == status
