# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Incidents of a range: from which run to which a finding was bad, and what says nothing of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import ledgers
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import Key
from ansible_collections.egov.ops.plugins.plugin_utils.report.period import incidents
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.incidents import Incidents
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.span import Span
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_html import render_period

from tests.support.report_pages import HOSTILE

SWAP = ("web1", "health", "swap", "swap")
STEP = ("web1", "health", "step", "health_probe")


def run(day: int, *findings: tuple[Any, ...], mark: str = "ok", procedure: str = "daily") -> dict[str, Any]:
    """Return what of a roll-up incidents are made of."""
    started = f"2026-11-{day:02}T22:00:00Z"
    numbered = [[*key, status, day * 10 + place] for place, (key, status) in enumerate(findings)]
    return {
        "procedure": procedure,
        "started": started,
        "findings": numbered,
        "hosts": {"web1": {"domains": {"health": mark}}},
    }


def folded(*runs: dict[str, Any]) -> Incidents:
    found = Incidents()
    for entry in runs:
        found.add(entry, entry["hosts"])
    return found


def test_an_incident_goes_from_the_first_bad_run_to_the_first_that_no_longer_has_it() -> None:
    found = folded(run(1, (SWAP, "critical")), run(2, (SWAP, "critical")), run(3), run(4, (SWAP, "critical")))
    first, second = found.all
    assert (first.began, first.until) == ("2026-11-01T22:00:00Z", "2026-11-03T22:00:00Z")
    assert (first.first, first.last, first.runs) == (10, 20, 2)
    assert (second.began, second.until) == ("2026-11-04T22:00:00Z", None)


@pytest.mark.parametrize(
    "silent",
    [
        run(2, mark="skipped"),
        run(2, mark="unreachable"),
        run(2, procedure="backup_drill"),
        run(2, (STEP, "failed"), mark="failed"),
    ],
)
def test_a_run_that_did_not_look_ends_nothing(silent: dict[str, Any]) -> None:
    found = folded(run(1, (SWAP, "critical")), silent)
    assert found.all[0].until is None


def test_a_finding_that_is_less_than_bad_is_no_incident_and_ends_one() -> None:
    found = folded(run(1, (SWAP, "warning"), mark="warning"), run(2, (SWAP, "critical")), run(3, (SWAP, "warning")))
    (only,) = found.all
    assert (only.began, only.until) == ("2026-11-02T22:00:00Z", "2026-11-03T22:00:00Z")


def test_the_worst_and_longest_stand_first_and_open_ones_last_until_the_end() -> None:
    other = ("web1", "health", "load", "load")
    dead = ("web1", "health", "step", "health_probe")
    found = folded(run(1, (SWAP, "critical")), run(2, (other, "critical")), run(5, (dead, "failed")), run(6))
    findings = [
        {**Key(*key)._asdict(), "id": f"F-{number}", "owner": "SYS"} for number, key in enumerate((SWAP, other, dead))
    ]
    rows = incidents.rows(found, [Key(*SWAP)], findings, "2026-11-07T22:00:00Z")
    assert [(row["kind"], row["before"], row["seconds"]) for row in rows] == [
        ("load", False, 4 * 86400),
        ("swap", True, 86400),
        ("step", False, 86400),
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ledgers.Made:
    return week(tmp_path_factory.mktemp("incidents"))


@pytest.fixture(scope="module")
def data(made: ledgers.Made) -> dict[str, Any]:
    return ledgers.period(made, Span("range", date(2026, 11, 18), date(2026, 11, 24), "Asia/Shanghai"))


def week(folder: Path) -> ledgers.Made:
    faults = (
        ledgers.Fault(("web1",), "health", "swap", "swap", "critical", "Swap is full.", days=(5, 4)),
        ledgers.Fault(("db1",), "health", "raid", HOSTILE[:60], "critical", HOSTILE, days=(9, 0)),
        ledgers.Fault(("web1",), "health", "zombies", "zombies", "warning", "31 zombies.", days=(3, 0)),
    )
    return ledgers.make(ledgers.Story(("web1", "db1"), days=12, faults=faults, skipped=(3,)), folder / "state")


def chapter(data: dict[str, Any], language: str) -> str:
    found = re.search(r'<section class="chapter" id="incidents".*?</section>', render_period(data, language), re.DOTALL)
    assert found
    return found[0]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("before 18 Nov 06:00", "Still open", "at least 6 d", "3 d", "Systems")),
        ("zh", ("早于 11月18日 06:00", "未结束", "至少 6 天", "3 天", "系统运维组")),
    ],
)
def test_the_page_says_who_from_when_to_when_and_how_long(
    language: str, words: tuple[str, ...], data: dict[str, Any]
) -> None:
    shown = chapter(data, language)
    for word in words:
        assert word in shown
    assert "zombies" not in shown
    assert "<script>" not in shown
    assert re.search(r'href="#F-\d+"', shown)


@pytest.mark.parametrize(("language", "words"), [("en", "No finding was critical"), ("zh", "没有问题处于严重")])
def test_a_range_without_one_says_so(language: str, words: str, data: dict[str, Any]) -> None:
    shown = chapter({**data, "incidents": []}, language)
    assert words in shown
    assert "<table" not in shown


def test_more_than_a_page_can_list_are_counted(data: dict[str, Any]) -> None:
    many = {**data, "incidents": data["incidents"][:1] * (incidents.LISTED + 7)}
    shown = chapter(many, "en")
    assert shown.count("<tr>") == incidents.LISTED + 1
    assert "7 more" in shown


def test_each_number_leads_to_its_record_in_the_report_of_its_run(made: ledgers.Made, data: dict[str, Any]) -> None:
    shown = chapter(data, "en")
    linked = {(run, int(number)) for run, number in re.findall(r'href="([^"#]+)\.html#r-(\d+)"', shown)}
    numbers = {row[end] for row in data["incidents"] for end in ("first", "last")}
    assert {number for _run, number in linked} == numbers
    for run in {run for run, _number in linked}:
        page = render_html(ledgers.report(replace(made, run=run)), "en")
        assert all(f'id="r-{number}"' in page for of, number in linked if of == run)


def test_a_number_that_may_be_of_two_runs_is_no_link(data: dict[str, Any]) -> None:
    both = [{**run, "frame": [{**run["frame"][0], "seq": number} for number in (1, 10**9)]} for run in data["runs"]]
    shown = chapter({**data, "runs": both}, "en")
    assert ".html#r-" not in shown
    assert '<span class="label">#' in shown
