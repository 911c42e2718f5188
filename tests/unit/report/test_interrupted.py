# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that was stopped accuses the controller, once, and no host; it has its own report when it is drained."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ledgers
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Drained, open_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.plan import load_schema, merge
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.markdown import render_lines, render_markdown
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_html import render_period
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.text import render_text
from ansible_collections.egov.ops.plugins.plugin_utils.report.standing import standing_findings
from ansible_collections.egov.ops.plugins.plugin_utils.runs import interrupted

from tests.support.report_ledger import DailyRun, ListLedger
from tests.support.report_pages import Page

HOSTS = tuple(f"web{number}" for number in range(1, 11))

#: Hosts of which a killed run has no finished step, straight from the ledger's table.
CUT_OFF = """
    SELECT COUNT(*) FROM (
        SELECT host FROM record WHERE run = ? AND kind = 'step' GROUP BY host HAVING MIN(reason = 'interrupted') = 1
    )
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> ledgers.Made:
    """Return a platform of ten hosts whose last run was killed after the first host."""
    story = ledgers.Story(HOSTS, days=2, cut_off_after=1)
    return ledgers.make(story, tmp_path_factory.mktemp("killed") / "state")


def test_it_accuses_the_controller_once_and_no_host(killed: ledgers.Made) -> None:
    data = ledgers.report(killed)
    assert [(row["host"], row["domain"], row["kind"]) for row in data["findings"]] == [("controller", "run", "seal")]
    assert data["findings"][0]["title"] == f"The controller stopped the run {killed.run} before its end"
    assert data["findings"][0]["next"].startswith("Find out why its process on the controller ended")
    with closing(sqlite3.connect(killed.state.ledger)) as database:
        ((cut_off,),) = database.execute(CUT_OFF, (killed.run,))
    assert data["counts"]["hosts"]["status"] == {"ok": len(HOSTS) - cut_off, "none": cut_off}
    assert data["counts"]["hosts"]["with_verdict"] == len(HOSTS) - cut_off == 1
    assert (data["verdict"]["code"], data["verdict"]["status"]) == ("interrupted", "failed")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_format_says_so_once(killed: ledgers.Made, language: str) -> None:
    data = ledgers.report(killed)
    stopped = {"en": "The controller stopped the run", "zh": "在管理节点上中断"}[language]
    text = render_text(data, language)
    assert text.count(stopped) == 1
    assert "web2" not in text.split("\n\n", 1)[1]
    assert render_markdown(data, language).count(stopped) >= 1
    assert {line.split("\t")[1] for line in render_lines(data).splitlines()} == {"ok", "none"}
    page = Page(render_html(data, language))
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_the_next_run_does_not_call_the_cut_off_steps_fixed(killed: ledgers.Made, tmp_path: Path) -> None:
    ledger = ListLedger()
    stopped = DailyRun(ledger, ("web1",), day=23)
    stopped.all_steps("web1", "failed", "interrupted")
    stopped.seal("failed", "interrupted")
    after = DailyRun(ledger, ("web1",), day=24)
    after.good_host("web1")
    after.seal()
    data = after.report()
    assert (data["findings"], data["fixed"], data["unseen"]) == ([], [], [])


def test_what_was_found_before_the_end_stands(tmp_path: Path) -> None:
    fault = ledgers.Fault(("web1",), "health", "swap", "swap", "critical", "Swap is full.")
    made = ledgers.make(ledgers.Story(HOSTS, faults=(fault,), cut_off_after=1), tmp_path / "state")
    found = [(row["host"], row["subject"]) for row in ledgers.report(made)["findings"]]
    assert found == [("web1", "swap"), ("controller", "daily")]


def range_of(made: ledgers.Made) -> dict[str, Any]:
    found: Any = ledgers.period(made, ledgers.Span("range", date(2026, 11, 22), date(2026, 11, 24), "Asia/Shanghai"))
    return found


def test_a_range_accuses_the_controller_too(killed: ledgers.Made) -> None:
    data = range_of(killed)
    assert [(row["host"], row["state"]) for row in data["findings"]] == [("controller", "found")]
    assert {host["status"] for host in data["hosts"]} == {"ok"}, "what the last whole run saw of them"
    page = Page(render_period(data, "en"))
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("cannot", ["", "The controller has no address for the hosts."])
def test_the_next_run_that_reaches_its_end_ends_it(cannot: str, tmp_path: Path) -> None:
    made = ledgers.make(ledgers.Story(HOSTS, cut_off_after=1), tmp_path / "state")
    with open_ledger(made.state) as ledger:
        day = ledgers._Day(ledgers.Story(HOSTS, cannot=cannot), 0)
        day._begun += timedelta(hours=12)
        day._ended += timedelta(hours=12)
        day._header["begun"] = day._begun.strftime("%Y-%m-%dT%H:%M:%SZ")
        day.write(made.state, ledger)
    states = {row["state"] for row in range_of(made)["findings"] if row["host"] == "controller"}
    assert states == {"fixed"}


def test_nobody_can_acknowledge_a_step_that_was_cut_off(killed: ledgers.Made) -> None:
    with open_ledger(killed.state, read_only=True) as ledger:
        assert [record["host"] for record in standing_findings(ledger) if record["kind"] == "step"] == []


def test_a_dead_run_has_its_own_report_and_latest_stays(killed: ledgers.Made) -> None:
    plan = merge({}, load_schema())
    drained = Drained(0, [killed.run], 0, [], None, [], {killed.run})  # type: ignore[arg-type]
    latest = killed.state.reports / "latest.html"
    with open_ledger(killed.state) as ledger:
        sentences = list(interrupted.report(drained, ledger, killed.state, plan))
        (silent,) = interrupted.report(
            replace(drained, unlogged=()), ledger, killed.state, {**plan, "egov_ops_report": False}
        )
    page = killed.state.reports / f"{killed.run}.html"
    assert sentences[0].startswith(f"The run {killed.run} was interrupted; what it had recorded is now in the ledger.")
    assert sentences[0].endswith(f"Its report: {page}")
    data = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert (data["run"]["id"], data["run"]["interrupted"]) == (killed.run, True)
    assert not latest.exists()
    assert silent == f"The run {killed.run} was interrupted; what it had recorded is now in the ledger."


def test_a_report_that_cannot_be_written_is_said_and_harms_nothing(killed: ledgers.Made) -> None:
    obstacle = killed.state.reports / f"{killed.run}.html.new"
    obstacle.mkdir()
    drained = Drained(0, [killed.run], 0, [], None, [], ())  # type: ignore[arg-type]
    try:
        with open_ledger(killed.state) as ledger:
            (sentence,) = interrupted.report(drained, ledger, killed.state, merge({}, load_schema()))
    finally:
        obstacle.rmdir()
    assert "cannot be written" in sentence
