# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nobody could look at is a dash, a gap or null, and never a zero."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import ledgers
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.markdown import render_lines
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_html import render_period
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_text import render_period_lines
from ansible_collections.egov.ops.plugins.plugin_utils.report.run import trends, updates
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.figures import passed

from tests.support.report_ledger import STEPS, DailyRun, ListLedger

SCAN = (*STEPS, {"module": "package_scan", "domain": "updates"})

#: The security updates of the last scan of each host that could be judged, straight from the ledger's table.
SECURITY = """
    SELECT SUM(json_extract(body, '$.detail.counts.security')) FROM record
    WHERE seq IN (SELECT MAX(seq) FROM record WHERE kind = 'package_list' AND subject = 'pending' GROUP BY host)
    AND status IN ('ok', 'warning', 'critical')
"""


def scan(run: DailyRun, host: str, status: str, **counts: int | None) -> None:
    run.put(host, "updates", "package_list", "pending", status, "stale_lists" * (status == "unknown"), counts=counts)


def total(run: DailyRun, language: str = "en") -> str:
    return str(updates.chapter(run.report(), Language(language, "UTC"), False)["total"])


@pytest.mark.parametrize("status", ["unknown", "failed", "unreachable", "skipped"])
@pytest.mark.parametrize("counts", [{}, {"pending": 0, "security": 0, "late": 0}, {"pending": 7, "security": 7}])
def test_where_no_scan_could_judge_no_update_is_counted(status: str, counts: dict[str, int]) -> None:
    run = DailyRun(ListLedger(), ("web1",), steps=SCAN)
    scan(run, "web1", status, **counts)
    run.seal()
    found = run.report()["updates"][0]["scan"]
    assert (found["pending"], found["security"], found["late"]) == (None, None, None)
    assert "pending: –, security updates among them: –, past their deadline: –;" in total(run)
    assert "hosts to restart: –, hosts with services to restart: –; hosts whose updates are not known: 1." in total(run)
    assert "待装更新 – 项，其中安全更新 – 项，已逾期 – 项" in total(run, "zh")


@pytest.mark.parametrize("missing", ["pending", "security", "late"])
def test_a_count_that_is_missing_is_not_added_as_zero(missing: str) -> None:
    run = DailyRun(ListLedger(), ("web1", "web2"), steps=SCAN)
    scan(run, "web1", "ok", **{"pending": 3, "security": 3, "late": 3, missing: None})
    names = {"pending": "pending: ", "security": "among them: ", "late": "deadline: "}
    assert f"{names[missing]}–" in total(run)
    scan(run, "web2", "ok", pending=2, security=2, late=2)
    assert f"{names[missing]}2" in total(run)


def test_a_zero_that_was_counted_stays_a_zero() -> None:
    run = DailyRun(ListLedger(), ("web1",), steps=SCAN)
    scan(run, "web1", "ok", pending=0, security=0, late=0)
    run.put("web1", "updates", "reboot", "host", "ok")
    run.put("web1", "updates", "restarts", "processes", "ok", counts={"processes": 0})
    run.seal()
    assert total(run).startswith("Updates pending: 0, security updates among them: 0, past their deadline: 0; hosts to")
    assert "restart: 0, hosts with services to restart: 0" in total(run)
    (line,) = updates.chapter(run.report(), Language("en", "UTC"), False)["lines"]
    assert line == "Nothing is pending and nothing is to be restarted on web1."


def test_a_host_whose_restarts_nobody_looked_for_is_not_said_to_need_none() -> None:
    run = DailyRun(ListLedger(), ("web1",), steps=SCAN)
    scan(run, "web1", "ok", pending=0, security=0, late=0)
    (line,) = updates.chapter(run.report(), Language("en", "UTC"), False)["lines"]
    assert line == "Nothing is pending on web1; whether anything is to be restarted there is not known."


def test_a_host_that_nobody_looked_at_has_no_number_of_findings() -> None:
    run = DailyRun(ListLedger(), ("web1",), limit="web1", inventory=["web1", "web2"])
    run.good_host("web1")
    run.seal()
    data = run.report()
    assert {host["name"]: host["findings"] for host in data["hosts"]} == {"web1": 0, "web2": None}
    assert [line.split("\t")[3] for line in render_lines(data).splitlines()] == ["0", "-"]
    assert '<td class="right wide">–</td>' in render_html(data, "en")


@pytest.mark.parametrize(
    ("statuses", "wanted"),
    [
        (["unknown", "unknown"], (0, 0)),
        (["unknown", "critical"], (0, 2)),
        (["unknown", "ok"], (1, 2)),
        (["skipped"], (0, 0)),
    ],
)
def test_a_share_of_what_was_never_judged_is_of_nothing(statuses: list[str], wanted: tuple[int, int]) -> None:
    measured = passed({"kind": "control", "status": status} for status in statuses)  # type: ignore[typeddict-item]
    assert (measured["ok"], measured["total"]) == wanted


@pytest.mark.parametrize(
    ("statuses", "bad", "watched"),
    [
        ({"skipped": 9}, None, None),
        ({"unreachable": 4}, 4, None),
        ({"unknown": 4}, None, 4),
        ({"ok": 4}, 0, 0),
        (None, None, None),
    ],
)
def test_a_chart_has_a_gap_where_nothing_was_judged(
    statuses: dict[str, int] | None, bad: int | None, watched: int | None
) -> None:
    seal: Any = {"finished": "2026-11-24T22:00:00Z", "detail": {"statuses": statuses} if statuses else {}}
    assert trends._counted(seal, trends.BAD)[1] == bad
    assert trends._counted(seal, trends.WATCHED)[1] == watched


def test_a_value_that_could_not_be_judged_is_no_point_of_a_chart() -> None:
    record: Any = {"finished": "", "status": "unknown", "detail": {"value": 0, "counts": {"security": 0}}}
    assert [trends.value_of(record, field)[1] for field in ("value", "security")] == [None, None]
    assert [trends.value_of({**record, "status": "ok"}, field)[1] for field in ("value", "security")] == [0, 0]


def faults(status: str, **counts: int) -> tuple[ledgers.Fault, ...]:
    fault = ledgers.Fault(("web1",), "updates", "package_list", "pending", status, "Lists.", detail={"counts": counts})
    return (fault, replace(fault, hosts=("web2",), status="warning", detail={"counts": {"pending": 5, "security": 3}}))


def period(made: ledgers.Made, first: int = 22) -> dict[str, Any]:
    found: Any = ledgers.period(made, ledgers.Span("range", date(2026, 11, first), date(2026, 11, 24), "Asia/Shanghai"))
    return found


def figure(data: dict[str, Any], name: str) -> float | None:
    found: float | None = next(row["now"] for row in data["comparison"] if row["name"] == name)
    return found


@pytest.mark.parametrize("status", ["unknown", "failed", "ok"])
def test_a_query_of_the_ledger_counts_the_same_security_updates(status: str, tmp_path: Path) -> None:
    story = ledgers.Story(("web1", "web2"), days=3, faults=faults(status, pending=9, security=2))
    made = ledgers.make(story, tmp_path / "state")
    with closing(sqlite3.connect(made.state.ledger)) as database:
        ((expected,),) = database.execute(SECURITY)
    data = period(made)
    assert figure(data, "security") == expected
    chart = next(row for row in data["trends"]["charts"] if row["name"] == "updates")
    assert chart["series"][0]["points"] == [expected] * 3


def test_a_range_in_which_nobody_could_scan_has_no_number_of_updates(tmp_path: Path) -> None:
    story = ledgers.Story(("web1",), days=3, faults=faults("unknown", pending=0, security=0)[:1])
    data = period(ledgers.make(story, tmp_path / "state"))
    assert figure(data, "security") is None
    assert [row for row in data["trends"]["charts"] if row["name"] == "updates"] == []


def test_a_range_of_dead_hosts_has_no_zero(tmp_path: Path) -> None:
    made = ledgers.make(ledgers.Story(("web1",), days=2, dead=("web1",)), tmp_path / "state")
    data = period(made, 23)
    shares = {name: figure(data, name) for name in ("health", "backup", "hardening", "security")}
    assert set(shares.values()) == {None}
    assert {row["measured"]["total"] for row in data["domains"]} == {0}


def test_a_host_that_no_run_of_a_range_answers_for_has_no_number_of_findings(tmp_path: Path) -> None:
    story = ledgers.Story(("web1", "web2"), limit=("web1",))
    data = period(ledgers.make(story, tmp_path / "state"), 24)
    assert {host["name"]: host["findings"] for host in data["hosts"]} == {"web1": 0, "web2": None}
    assert [line.split("\t")[4] for line in render_period_lines(data).splitlines()] == ["0", "-"]
    assert json.dumps(data)
    assert render_period(data, "en")
