# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of a range of days: against the range before, and no evidence where there is none."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import environment
import jsonschema
import ledgers
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import sqlite
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.report.files import write_period_report
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.gather import choice_of
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.model import Choice
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.span import Span
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_html import render_period
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_text import (
    render_period_lines,
    render_period_markdown,
    render_period_text,
)

from tests.support.report_pages import Page

ALL = Choice()
FAULTS = (
    ledgers.Fault(("web1",), "health", "swap", "swap", "critical", "Swap is full.", days=(9, 6)),
    ledgers.Fault(("db1",), "health", "zombies", "zombies", "warning", "31 processes are zombies.", days=(4, 0)),
    ledgers.Fault(("db2",), "health", "filesystem_space", "/var", "critical", "/var is full.", days=(9, 0)),
)

#: Twelve days up to 24 November; nothing ran on the 19th, and gate1 has answered on none of the last two.
STORY = ledgers.Story(
    ("web1", "db1", "db2", "gate1"), days=12, faults=FAULTS, dead=("gate1",), skipped=(5,), not_ours=("switch1",)
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ledgers.Made:
    return ledgers.make(STORY, tmp_path_factory.mktemp("period") / "state")


def week(made: ledgers.Made, first: int = 18, last: int = 24, choice: Choice = ALL) -> dict[str, Any]:
    """Return the data of some days of November 2026."""
    span = Span("range", date(2026, 11, first), date(2026, 11, last), "Asia/Shanghai")
    return ledgers.period(made, span, choice)


@pytest.fixture(scope="module")
def data(made: ledgers.Made) -> dict[str, Any]:
    return week(made)


def row(data: dict[str, Any], part: str, **wanted: Any) -> dict[str, Any]:
    return next(found for found in data[part] if all(found[name] == value for name, value in wanted.items()))


def test_a_day_without_a_run_has_no_evidence_and_no_number(data: dict[str, Any]) -> None:
    day = row(data, "days", day="2026-11-19")
    assert (day["status"], day["runs"], day["hosts"], day["findings"]) == ("none", [], {}, None)
    assert {host["days"][1] for host in data["hosts"]} == {"none"}
    assert "No evidence for 1 of 7 days: 19 Nov." in data["verdict"]["facts"]
    assert data["range"]["with_evidence"] == 6


def test_a_finding_is_told_by_the_range_before_and_by_the_end(data: dict[str, Any]) -> None:
    states = {
        (found["host"], found["subject"]): found["state"] for found in data["findings"] if found["kind"] != "step"
    }
    assert states == {("db1", "zombies"): "new", ("db2", "/var"): "open", ("web1", "swap"): "fixed"}
    assert row(data, "findings", host="gate1")["state"] == "new"
    zombies = row(data, "findings", subject="zombies")
    assert (zombies["first"]["day"], zombies["last"]["day"], zombies["days"]) == ("2026-11-20", "2026-11-24", 5)


def test_the_record_of_a_finding_is_the_one_that_is_numbered(made: ledgers.Made, data: dict[str, Any]) -> None:
    with Ledger(made.state.ledger, read_only=True) as ledger:
        stored = {entry.seq: entry for entry in ledger.records(status=("critical", "warning", "unreachable"))}
    for found in data["findings"]:
        last = stored[found["last"]["seq"]]
        assert (last.hash, last.record) == (found["hash"], found["record"])
        assert stored[found["first"]["seq"]].record["subject"] == found["subject"]


def test_each_figure_stands_beside_that_of_the_range_before(data: dict[str, Any]) -> None:
    figures = {figure["name"]: (figure["now"], figure["before"]) for figure in data["comparison"]}
    assert figures["runs"] == (6, 5)
    assert figures["days"] == (6, 5)
    assert figures["answered"] == (91.7, 100)


def test_without_a_range_before_nothing_is_new_and_no_figure_is_zero(made: ledgers.Made) -> None:
    data = week(made, 13, 17)
    assert {figure["before"] for figure in data["comparison"]} == {None}
    assert {found["state"] for found in data["findings"]} <= {"found"}
    assert "nothing is called new" in data["verdict"]["facts"][-1]
    assert "no evidence" in render_period(data, "en")


def test_a_range_of_good_days_with_a_gap_is_not_called_ok(tmp_path: Path) -> None:
    whole = ledgers.make(ledgers.Story(("web1",), days=3), tmp_path / "whole")
    torn = ledgers.make(ledgers.Story(("web1",), days=3, skipped=(1,)), tmp_path / "torn")
    verdicts = [week(made, 22, 24)["verdict"] for made in (whole, torn)]
    assert [(verdict["status"], verdict["code"]) for verdict in verdicts] == [("ok", "ok"), ("unknown", "partly")]


def test_a_range_that_goes_on_ends_with_the_newest_record(made: ledgers.Made) -> None:
    span = Span("month", date(2026, 11, 1), date(2026, 11, 30), "Asia/Shanghai")
    data = ledgers.period(made, span, ALL)
    assert (data["range"]["covered"], data["range"]["last"]) == ("2026-11-24", "2026-11-30")
    assert data["days"][-1]["day"] == "2026-11-24"
    assert any("30 Nov" in fact for fact in data["verdict"]["facts"])


def test_a_group_has_its_own_hosts_and_findings_alone(made: ledgers.Made) -> None:
    choice = choice_of("databases", "", "", {"databases": ["db1", "db2"]})
    data = week(made, choice=choice)
    assert [host["name"] for host in data["hosts"]] == ["db1", "db2"]
    assert {found["host"] for found in data["findings"]} == {"db1", "db2"}
    assert row(data, "comparison", name="answered")["now"] == 100


def test_a_team_has_its_own_findings_alone(made: ledgers.Made) -> None:
    assert week(made, choice=choice_of("", "DATA", "", {}))["findings"] == []
    assert {found["owner"] for found in week(made, choice=choice_of("", "SYS", "", {}))["findings"]} == {"SYS"}


def test_the_plan_says_how_often_a_procedure_was_done(data: dict[str, Any]) -> None:
    plan = row(data, "plan", procedure="daily")
    assert (plan["done"], plan["due"]) == (6, 7)
    assert row(data, "plan", procedure="quarterly") == {
        "procedure": "quarterly",
        "cadence": "quarterly",
        "due": 0,
        "done": 0,
        "run": None,
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_links_each_number_to_what_it_counts(data: dict[str, Any], language: str) -> None:
    text = render_period(data, language)
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    places = {link[1:] for link in page.links if link.startswith("#")}
    assert places <= set(page.ids)
    elsewhere = {link.partition("#")[0] for link in page.links if not link.startswith("#")}
    assert {f"{run['run']}.html" for run in data["runs"]} == elsewhere
    assert {f"r-{row['seq']}" for run in data["runs"] for row in run["frame"]} <= set(page.ids)
    assert page.counts["script"] == 1


def test_the_data_obey_their_schema(data: dict[str, Any]) -> None:
    schema = json.loads((environment.ROOT / "docs/period.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    obeys = jsonschema.Draft202012Validator(schema)
    given = json.loads(json.dumps(data))
    assert [f"{list(error.path)}: {error.message[:200]}" for error in obeys.iter_errors(given)] == []
    for part in ("range", "counts", "verdict", "evidence"):
        assert not obeys.is_valid({**given, part: {**given[part], "surprise": 1}})


def test_hostile_text_in_a_range_is_shown_and_does_nothing(tmp_path: Path) -> None:
    made = ledgers.make(ledgers.STATES["hostile"](), tmp_path / "state")
    span = Span("day", date(2026, 11, 24), date(2026, 11, 24), "Asia/Shanghai")
    data = ledgers.period(made, span, Choice(None, ledgers.HOSTILE))
    page = Page(render_period(data, "en"))
    assert page.counts["script"] == 1
    assert "img" not in page.counts
    for text in (render_period_markdown(data, "zh"), render_period_text(data, "en"), render_period_lines(data)):
        assert not {"\u202e", "\x1b", "\x00"} & set(text)
    written = write_period_report(data, made.state.reports, "zh")
    assert written.parent == made.state.reports


def test_each_host_has_one_line_of_six_fields(data: dict[str, Any]) -> None:
    rows = [line.split("\t") for line in render_period_lines(data).splitlines()]
    assert [fields[0] for fields in rows] == [host["name"] for host in data["hosts"]]
    assert rows[3] == ["gate1", "unreachable", rows[3][2], "4/6", str(rows[3][4]), "2026-11-24"]
    assert {len(fields) for fields in rows} == {6}


def test_the_summary_fits_a_terminal(data: dict[str, Any]) -> None:
    for language in ("en", "zh"):
        lines = render_period_text(data, language).splitlines()
        assert len(lines) <= 25
        assert max(map(len, lines)) <= 110


def test_the_same_ledger_gives_the_same_bytes(made: ledgers.Made, tmp_path: Path) -> None:
    again = ledgers.make(STORY, tmp_path / "again")
    assert render_period(week(made), "zh") == render_period(week(again), "zh")


@pytest.mark.parametrize(
    ("first", "last", "choice", "words"),
    [
        (1, 5, ALL, "no run from 2026-11-01 to 2026-11-05; its runs are from 2026-11-13 to 2026-11-24"),
        (18, 24, Choice(frozenset({"mail1"}), "mail"), "no run that tells of the group mail from 2026-11-18"),
        (18, 24, Choice(procedure="weekly"), "holds no run of weekly"),
    ],
)
def test_a_range_without_runs_is_refused_in_one_sentence(
    made: ledgers.Made, first: int, last: int, choice: Choice, words: str
) -> None:
    with pytest.raises(OpsError, match=words) as refused:
        week(made, first, last, choice)
    assert str(refused.value).count(". ") == 0


def test_a_ledger_that_another_process_writes_for_long_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ledgers.make(ledgers.Story(("web1",)), tmp_path / "state")
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
    with closing(sqlite3.connect(made.state.ledger, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OpsError, match=r"^The ledger .* cannot be opened: database is locked; [^.]*\.$"):
            week(made, 24, 24)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("PRAGMA user_version = 99", "was written by a newer egov.ops"),
        ("PRAGMA application_id = 7", "is another program's database"),
    ],
)
def test_a_ledger_of_another_release_or_program_is_named(tmp_path: Path, statement: str, words: str) -> None:
    made = ledgers.make(ledgers.Story(("web1",)), tmp_path / "state")
    with closing(sqlite3.connect(made.state.ledger)) as database:
        database.execute(statement)
    with pytest.raises(OpsError, match=words):
        week(made, 24, 24)


@pytest.mark.parametrize(
    ("group", "team", "words"),
    [
        ("mail", "", r"^group is 'mail', which the inventory does not have; use one of all, web\.$"),
        ("", "OPS", r"^team is 'OPS'; use one of PM, SYS, SEC, DATA, SUP, CS\.$"),
    ],
)
def test_an_unknown_group_or_team_is_refused_in_one_sentence(group: str, team: str, words: str) -> None:
    with pytest.raises(OpsError, match=words):
        choice_of(group, team, "", {"web": ["web1"], "all": ["web1"]})
