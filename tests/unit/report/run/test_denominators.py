# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host has a verdict where this run has looked at it, and the others are named."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import ledgers
import pytest

from tests.support.report_ledger import DailyRun, ListLedger

#: Hosts of which a step was done in a run, straight from the ledger's table.
LOOKED_AT = "SELECT DISTINCT host FROM record WHERE run = ? AND kind = 'step' AND status = 'ok' ORDER BY host"


def run_of(*hosts: str, good: tuple[str, ...], **announced: object) -> DailyRun:
    run = DailyRun(ListLedger(), hosts, **announced)
    for host in good:
        run.good_host(host)
    return run


def without(run: DailyRun) -> list[str]:
    return [fact for fact in run.report()["verdict"]["facts"] if "Without a verdict" in fact]


@pytest.mark.parametrize(
    ("domain", "kind", "via"),
    [("backup", "freshness", "none"), ("machine", "identity", "none"), ("gate", "x", "controller")],
)
@pytest.mark.parametrize("status", ["ok", "warning", "critical", "failed"])
def test_what_the_controller_knows_of_a_dead_host_is_no_verdict(domain: str, kind: str, via: str, status: str) -> None:
    run = run_of("web1", "web2", "db1", good=("web1", "web2"))
    run.all_steps("db1", "unreachable", "timeout")
    run.put("db1", domain, kind, "config", status, via=via)
    run.seal()
    data = run.report()
    assert data["counts"]["hosts"]["with_verdict"] == 2
    assert [host["name"] for host in data["hosts"] if not host["has_verdict"]] == ["db1"]
    assert without(run) == ["Without a verdict of this run: db1."]
    backup = next(row for row in data["domains"] if row["domain"] == "backup")
    assert backup["without"] == 1


def test_a_host_that_died_after_its_first_step_has_a_verdict_in_that_domain_alone() -> None:
    run = run_of("web1", good=())
    run.step("web1", 0)
    run.disk("web1", 41)
    for number in (1, 2):
        run.step("web1", number, "unreachable", "timeout")
    run.seal()
    data = run.report()
    assert data["hosts"][0]["has_verdict"]
    assert {row["domain"]: row["without"] for row in data["domains"] if row["code"] == "measured"} == {
        "health": 0,
        "backup": 1,
    }


def test_a_step_that_failed_gives_no_verdict_by_what_the_controller_knows() -> None:
    run = run_of("web1", "db1", good=("web1",))
    run.all_steps("db1", "failed", "timeout")
    run.put("db1", "backup", "freshness", "config", "ok", via="none")
    run.seal()
    assert run.report()["counts"]["hosts"]["with_verdict"] == 1


def test_a_gate_that_refuses_a_host_which_is_there_is_a_verdict() -> None:
    run = run_of("web1", good=())
    run.put("web1", "gate", "decision", "restore", "critical", via="controller")
    run.step("web1", 1, "failed", "refused")
    run.seal()
    assert run.report()["counts"]["hosts"]["with_verdict"] == 1


@pytest.mark.parametrize(
    ("good", "sentence", "named"),
    [
        (("web1",), "Partial run. web1 is OK", "db1, web2"),
        (("db1",), "Partial run. db1 is OK", "web1, web2"),
        (("web1", "db1"), "Partial run. All 2 hosts are OK", "web2"),
    ],
)
def test_a_limited_run_counts_what_it_looked_at(good: tuple[str, ...], sentence: str, named: str) -> None:
    run = run_of(*good, good=good, limit=",".join(good), inventory=["web1", "db1", "web2"])
    run.seal()
    data = run.report()
    assert data["verdict"]["sentence"] == sentence
    assert data["counts"]["hosts"]["with_verdict"] == len(good)
    assert without(run) == [f"Without a verdict of this run: {named}."]


def test_a_host_of_which_all_was_skipped_is_not_counted_as_ok() -> None:
    run = run_of("web1", "web2", good=("web1",))
    run.all_steps("web2", "skipped", "not_due")
    run.seal()
    assert run.report()["verdict"]["sentence"] == "web1 is OK"
    assert without(run) == ["Without a verdict of this run: web2."]


def test_many_hosts_without_a_verdict_are_counted() -> None:
    hosts = [f"web{number:02}" for number in range(20)]
    run = run_of("web00", good=("web00",), limit="web00", inventory=hosts)
    run.seal()
    assert without(run) == ["Without a verdict of this run: 19 hosts."]


@pytest.mark.parametrize(
    "story",
    [
        ledgers.Story(("web1", "web2", "db1"), days=2, dead=("db1",)),
        ledgers.Story(("web1", "web2", "db1"), days=2, limit=("web2",)),
        ledgers.Story(("web1", "web2", "db1"), days=2, limit=("web2", "db1"), dead=("db1",)),
    ],
    ids=["one is dead", "limited", "limited, and one is dead"],
)
def test_a_query_of_the_ledger_counts_the_same_hosts(story: ledgers.Story, tmp_path: Path) -> None:
    made = ledgers.make(story, tmp_path / "state")
    with closing(sqlite3.connect(made.state.ledger)) as database:
        looked_at = [host for (host,) in database.execute(LOOKED_AT, (made.run,))]
    data = ledgers.report(made)
    assert sorted(host["name"] for host in data["hosts"] if host["has_verdict"]) == looked_at
    assert data["counts"]["hosts"]["with_verdict"] == len(looked_at)
