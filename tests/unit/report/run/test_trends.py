# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The course of values: what is not known is a gap, never a zero and never joined."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.render import charts
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from hypothesis import given
from hypothesis import strategies as st

from tests.support.report_ledger import DailyRun, ListLedger
from tests.support.report_pages import HOSTILE, Page

NUMBERS = st.one_of(st.none(), st.floats(0, 1e15), st.integers(0, 10**15))


def runs(*used: int | None, first: int = 10, host: str = "db2") -> dict[str, Any]:
    """Return the data of the last of some days' runs in which a disk was so full; None is a day without a run."""
    ledger = ListLedger()
    for day, percent in enumerate(used, first):
        if percent is not None:
            run = DailyRun(ledger, (host,), day)
            run.good_host(host)
            run.disk(host, percent)
            run.seal()
            ledger.stored[-1].record["detail"]["statuses"] = {"ok": 5, "critical": int(percent > 90)}
    return run.report()


def chart(data: dict[str, Any], name: str) -> dict[str, Any]:
    return next(found for found in data["trends"]["charts"] if found["name"] == name)


def test_a_day_without_a_run_is_a_gap_in_each_course() -> None:
    data = runs(60, None, 70, 95)
    assert data["trends"]["days"] == ["2026-11-11", "2026-11-12", "2026-11-13", "2026-11-14"]
    assert chart(data, "health")["series"][0]["points"] == [60, None, 70, 95]
    assert chart(data, "findings")["series"][0]["points"] == [0, None, 0, 1]
    assert chart(data, "backup_size")["series"][0]["points"][1] is None


def test_the_line_breaks_at_the_gap_and_a_band_marks_it() -> None:
    drawing = str(charts.course(chart(runs(60, 61, None, 70, 95), "health"), ["2026-11-11"] * 5, Language("en")))
    assert len(re.findall(r'class="line"', drawing)) == 2
    assert len(re.findall(r'class="gap"', drawing)) == 1


def test_two_days_are_no_course() -> None:
    data = runs(60, 70)
    assert data["trends"]["charts"] == []
    assert 'id="trends"' not in render_html(data, "en")


def test_the_limit_is_drawn_where_the_value_has_one() -> None:
    found = chart(runs(60, 70, 80), "health")
    assert (found["limit"], found["unit"]) == (90, "%")
    assert 'class="limit"' in str(charts.course(found, ["2026-11-11"] * 3, Language("en")))


def test_a_later_run_does_not_change_the_course_of_an_earlier_report() -> None:
    ledger = ListLedger()
    reports = []
    for day in (10, 11, 12, 13):
        run = DailyRun(ledger, ("db2",), day)
        run.good_host("db2")
        run.seal()
        if day == 12:
            earlier = run
            reports.append(run.report()["trends"])
    reports.append(earlier.report()["trends"])
    assert reports[0] == reports[1]


def test_a_run_that_was_cut_off_has_not_counted_what_it_found() -> None:
    ledger = ListLedger()
    for day in (10, 11, 12):
        run = DailyRun(ledger, ("db2",), day)
        run.good_host("db2")
        run.seal("failed", "interrupted")
    assert "findings" not in [found["name"] for found in run.report()["trends"]["charts"]]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_draws_each_course_and_lists_its_values(language: str) -> None:
    data = runs(60, None, 70, 95)
    page = render_html(data, language)
    parsed = Page(page)
    assert page.count('<svg class="chart"') == len(data["trends"]["charts"]) + 1
    assert parsed.counts["figure"] == len(data["trends"]["charts"])
    assert "95%" in page[page.index('id="trends"') :]


def test_names_in_a_drawing_do_nothing() -> None:
    page = render_html(runs(60, 70, 80, host=HOSTILE), "en")
    parsed = Page(page)
    assert parsed.counts["script"] == 1
    assert "img" not in parsed.counts


@pytest.mark.parametrize(
    ("unit", "top", "ticks"),
    [
        ("bytes", 228_070_000_000, ["0 B", "125 GiB", "250 GiB"]),
        ("bytes", 5_242_880, ["0 B", "2.5 MiB", "5 MiB"]),
        ("s", 570.2, ["0 s", "500 s", "1,000 s"]),
        ("%", 91, ["0%", "50%", "100%"]),
    ],
)
def test_the_axis_has_round_numbers_in_the_unit_that_is_shown(unit: str, top: float, ticks: list[str]) -> None:
    found = {"name": "health", "unit": unit, "limit": None, "series": [{"label": "x", "points": [top] * 3}]}
    drawing = str(charts.course(found, ["2026-11-11"] * 3, Language("en")))
    assert re.findall(r'text-anchor="end">([^<]+)<', drawing) == ticks


@given(st.lists(NUMBERS, min_size=3, max_size=30), st.sampled_from(["%", "", "bytes", "s"]))
def test_any_course_is_drawn_within_its_frame(points: list[Any], unit: str) -> None:
    found = {"name": "health", "unit": unit, "limit": None, "series": [{"label": "x", "points": points}]}
    drawing = str(charts.course(found, ["2026-11-11"] * len(points), Language("zh")))
    for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", drawing):
        assert 0 <= float(x) <= charts.WIDTH
        assert 0 <= float(y) <= charts.HEIGHT
    known = sum(point is not None for point in points)
    assert drawing.count('class="gap"') == len(points) - known
