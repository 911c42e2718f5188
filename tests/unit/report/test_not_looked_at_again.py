# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found and not looked at again stands with the time of the last look, for each host and domain by itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import ledgers
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.markdown import render_markdown

from tests.support.report_ledger import DailyRun, ListLedger

HOSTS = ("web1", "db1")


def whole(ledger: ListLedger, day: int, full: tuple[str, ...] = (), dead: tuple[str, ...] = ()) -> DailyRun:
    """Write a run over all hosts, of which some have a full disk and some do not answer."""
    run = DailyRun(ledger, HOSTS, day=day)
    for host in HOSTS:
        if host in dead:
            run.all_steps(host, "unreachable", "timeout")
            continue
        run.good_host(host)
        if host in full:
            run.put(host, "health", "swap", "swap", "critical", message="Swap is full.")
        else:
            run.put(host, "health", "swap", "swap")
    run.seal()
    return run


def limited(ledger: ListLedger, day: int, host: str, status: str = "ok") -> DailyRun:
    run = DailyRun(ledger, (host,), day=day, limit=host, inventory=list(HOSTS))
    run.good_host(host)
    run.put(host, "health", "swap", "swap", status, message="Swap is full.")
    run.seal()
    return run


def state(run: DailyRun) -> dict[str, dict[str, str]]:
    data = run.report()
    return {
        "present": {row["host"]: row["state"] for row in data["findings"] if row["kind"] == "swap"},
        "fixed": {row["host"]: "" for row in data["fixed"] if row["kind"] == "swap"},
        "unseen": {row["host"]: row["since"][:10] for row in data["unseen"] if row["kind"] == "swap"},
    }


def test_a_limited_run_leaves_what_stands_elsewhere() -> None:
    ledger = ListLedger()
    whole(ledger, 20, full=HOSTS)
    assert state(limited(ledger, 21, "web1")) == {"present": {}, "fixed": {"web1": ""}, "unseen": {"db1": "2026-11-20"}}
    # The second limited run still knows what the last whole one found.
    assert state(limited(ledger, 22, "web1")) == {"present": {}, "fixed": {}, "unseen": {"db1": "2026-11-20"}}
    assert state(whole(ledger, 23, full=("db1",))) == {"present": {"db1": "open"}, "fixed": {}, "unseen": {}}


def test_after_a_limited_run_what_is_good_elsewhere_is_fixed() -> None:
    ledger = ListLedger()
    whole(ledger, 20, full=HOSTS)
    limited(ledger, 21, "web1", "critical")
    assert state(whole(ledger, 22)) == {"present": {}, "fixed": {"web1": "", "db1": ""}, "unseen": {}}


def test_a_dead_host_keeps_its_findings_for_as_long_as_it_is_dead() -> None:
    ledger = ListLedger()
    whole(ledger, 18, full=("db1",))
    for day in (19, 20, 21):
        assert state(whole(ledger, day, dead=("db1",))) == {"present": {}, "fixed": {}, "unseen": {"db1": "2026-11-18"}}
    assert state(whole(ledger, 22)) == {"present": {}, "fixed": {"db1": ""}, "unseen": {}}


def test_a_step_that_was_stopped_leaves_what_its_domain_had() -> None:
    ledger = ListLedger()
    whole(ledger, 18, full=("db1",))
    stopped = DailyRun(ledger, HOSTS, day=19)
    for host in HOSTS:
        stopped.all_steps(host, "failed", "interrupted")
    stopped.seal("failed", "interrupted")
    assert state(stopped)["unseen"] == {"db1": "2026-11-18"}
    assert state(whole(ledger, 20)) == {"present": {}, "fixed": {"db1": ""}, "unseen": {}}


def test_what_a_newer_part_of_a_run_saw_to_be_good_does_not_come_back() -> None:
    ledger = ListLedger()
    whole(ledger, 18, full=("db1",))
    partly = DailyRun(ledger, HOSTS, day=19)
    partly.step("db1", 0)
    partly.put("db1", "health", "swap", "swap")
    for number in (1, 2):
        partly.step("db1", number, "failed", "error")
    partly.seal()
    assert state(limited(ledger, 20, "web1"))["unseen"] == {}


@pytest.mark.parametrize(("language", "words"), [("en", "not looked at since"), ("zh", "起未复查")])
def test_page_and_markdown_say_since_when(language: str, words: str) -> None:
    ledger = ListLedger()
    whole(ledger, 20, full=HOSTS)
    data = limited(ledger, 21, "web1").report()
    assert words in render_html(data, language)
    assert words in render_markdown(data, language)


def test_a_range_shows_as_present_what_the_last_run_looked_at_alone(tmp_path: Path) -> None:
    fault = ledgers.Fault(("web1", "db1"), "health", "swap", "swap", "critical", "Swap is full.")
    made = ledgers.make(ledgers.Story(HOSTS, days=3, faults=(fault,), limit=("web1",)), tmp_path / "state")
    span = ledgers.Span("range", date(2026, 11, 22), date(2026, 11, 24), "Asia/Shanghai")
    data: Any = ledgers.period(made, span)
    states = {row["host"]: (row["state"], row["last"]["day"]) for row in data["findings"]}
    assert states == {"web1": ("found", "2026-11-24"), "db1": ("unseen", "2026-11-23")}
    run: Any = ledgers.report(made)
    assert {(row["host"], row["kind"]) for row in run["unseen"]} == {("db1", "swap")}
