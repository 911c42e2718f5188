# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The summary at the end of a run: short, complete, readable at three in the morning."""

from __future__ import annotations

import os
import unicodedata

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import STATUSES
from ansible_collections.egov.ops.plugins.plugin_utils.common import terminal
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.text import MAX_LINES, render_text
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.report_ledger import PROCEDURE, STEPS, DailyRun, ListLedger

ALL_STEPS = (
    *STEPS,
    {"module": "package_scan", "domain": "updates"},
    {"module": "hardening_audit", "domain": "hardening"},
)


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def test_the_first_line_is_the_verdict() -> None:
    run = DailyRun(ListLedger(), ("local",), steps=ALL_STEPS)
    run.good_host("local")
    run.step("local", 3, "skipped", "not_built")
    run.step("local", 4, "skipped", "not_built")
    run.seal()
    assert render_text(run.report(), "en").splitlines()[0] == "INCOMPLETE. local is OK"
    assert render_text(run.report(), "zh").splitlines()[0] == "不完整。local 正常"


def test_each_domain_shows_status_counts_and_its_worst_finding_with_the_next_act() -> None:
    run = DailyRun(ListLedger(), ("local",))
    run.good_host("local")
    run.disk("local", 95, next="Remove old logs.")
    run.seal()
    lines = [" ".join(line.split()) for line in render_text(run.report(), "en").splitlines()]
    place = lines.index("Health CRITICAL 2 of 3 probes are OK; 1 finding")
    assert lines[place + 1 : place + 3] == ["critical /var is 95% full (limit 90%)", "Next: Remove old logs."]
    assert "Backup OK 1 of 1 set proved by a restore" in lines


def test_a_finding_says_since_when_it_stands() -> None:
    ledger = ListLedger()
    for day in (22, 23):
        run = DailyRun(ledger, day=day)
        run.disk("local", 95)
        run.all_steps("local")
        run.seal()
    assert "(limit 90%), since 23 Nov 06:00" in render_text(run.report(), "en")  # 22 November, 22:00 UTC


def test_hosts_that_do_not_answer_are_named() -> None:
    run = DailyRun(ListLedger(), ("web1", "app1", "app2"))
    run.good_host("web1")
    run.all_steps("app1", "unreachable", "timeout")
    run.all_steps("app2", "unreachable", "timeout")
    run.seal()
    assert "Unreachable: app1, app2." in render_text(run.report(), "en").splitlines()


def test_of_one_domain_three_findings_are_shown_and_the_others_counted() -> None:
    run = DailyRun(ListLedger(), ("local",))
    for number in range(5):
        run.put("local", "health", "probe", str(number), "critical", message=f"Fault {number}")
    run.seal()
    text = render_text(run.report(), "en")
    assert text.count("Fault") == 3
    assert "2 more findings in the report" in text


def test_each_domain_shows_its_worst_finding_however_bad_the_others_are() -> None:
    run = DailyRun(ListLedger(), ("local",), steps=ALL_STEPS)
    for number in range(9):
        run.put("local", "health", "probe", str(number), "critical", message=f"Health fault {number}")
        run.put("local", "hardening", "control", str(number), "critical", message=f"Hardening fault {number}")
        run.put("local", "updates", "held", str(number), "critical", message=f"Updates fault {number}")
    run.put("local", "backup", "backup", "data", "warning", message="Backup fault")
    run.seal()
    text = render_text(run.report(), "en")
    assert all(f"{domain} fault" in text for domain in ("Health", "Hardening", "Updates", "Backup")), text


def test_the_last_line_names_the_evidence() -> None:
    run = DailyRun(ListLedger(), ("local",))
    run.good_host("local")
    run.seal()
    head = run.ledger.head()
    expected = f"Evidence: run {run.run}, {head.count} records, ledger head #{head.count} {head.hash[:16]}"
    assert render_text(run.report(), "en").splitlines()[-1] == expected


def test_what_records_say_cannot_move_the_cursor_or_add_lines() -> None:
    run = DailyRun(ListLedger(), ("local",))
    run.put("local", "health", "swap", "swap", "critical", message="a\x1b[2J\nb\u202ec")
    run.seal()
    text = render_text(run.report(), "en")
    assert "a[U+001B][2J[U+000A]b[U+202E]c" in text
    assert not set("\x1b\u202e") & set(text)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "主机", "c" * 70]), st.sampled_from(STATUSES), st.text(max_size=120)),
        max_size=60,
    ),
    st.sampled_from(["en", "zh"]),
)
def test_whatever_was_found_it_fits_a_screen(found: list[tuple[str, str, str]], language: str) -> None:
    run = DailyRun(ListLedger(), ("a", "主机", "c" * 70), steps=ALL_STEPS, limit="x" * 200)
    for number, (host, status, message) in enumerate(found):
        domain = ALL_STEPS[number % len(ALL_STEPS)]["domain"]
        run.put(host, domain, "probe", str(number), status, message=message)
    data = run.report()
    whole = render_text(data, language)
    assert len(whole.splitlines()) <= MAX_LINES
    for width in (60, 110):
        folded = render_text(data, language, width=width)
        assert max(columns(line) for line in folded.splitlines()) <= width
        # Folding moves words to other lines, and loses and adds none.
        assert "".join(folded.split()) == "".join(whole.split())


@pytest.mark.parametrize("count", [1, 50])
def test_a_fault_on_many_hosts_is_one_finding(count: int) -> None:
    hosts = [f"web{number}" for number in range(count)]
    run = DailyRun(ListLedger(), hosts)
    for host in hosts:
        run.put(host, "health", "swap", "swap", "critical", message="Swap is full.")
    run.seal()
    text = render_text(run.report(), "en")
    assert text.count("Swap is full") == 1
    assert ("50 hosts: Swap is full" in text) == (count == 50)


LATE = {"weekly": {"cadence": "weekly"}, "monthly": {"cadence": "monthly"}, "daily": {"cadence": "daily"}}


def test_a_procedure_that_was_missed_is_named_with_the_command_that_catches_it_up() -> None:
    ledger = ListLedger()
    for day in (2, 24):
        run = DailyRun(ledger, day=day)
        run.good_host("local")
        run.seal()
    lines = render_text(run.report(procedures={"weekly": {"cadence": "weekly"}}), "en").splitlines()
    # The ledger began in the week of Monday 2 November; the week after it went by without a run, until the 16th.
    assert lines[1] == "weekly is 9 days late and was never done; run: ansible-playbook egov.ops.weekly"


def test_a_missed_procedure_is_named_in_chinese_with_the_day_of_its_last_run() -> None:
    ledger = ListLedger()
    for day in (2, 24):
        run = DailyRun(ledger, day=day)
        run.good_host("local")
        run.seal()
    data = run.report(procedures={PROCEDURE: {"cadence": "daily"}, "weekly": {"cadence": "weekly"}})
    (late,) = data["late"]  # what this run itself has done is not late any more
    late["last"] = "2026-11-02T22:00:03Z"
    line = "weekly 已逾期 9 天，上次完成于2026年11月3日；请执行：ansible-playbook egov.ops.weekly"
    assert render_text(data, "zh").splitlines()[1] == line


def test_a_run_names_no_procedure_as_late_whose_period_has_not_passed() -> None:
    run = DailyRun(ListLedger())
    run.good_host("local")
    run.seal()
    assert run.report(procedures=LATE)["late"] == []


LONG = "The repository at the other site refuses the key that the plan names for it since the rotation of last Tuesday"


def test_a_long_cause_is_whole_and_goes_on_below_its_own_words() -> None:
    run = DailyRun(ListLedger(), ("local",))
    run.put("local", "health", "swap", "swap", "critical", message=f"{LONG}.", next="Look at it.")
    run.seal()
    assert f"  critical    {LONG}\n" in render_text(run.report(), "en")
    folded = render_text(run.report(), "en", width=80)
    assert (
        "  critical    The repository at the other site refuses the key that the plan\n"
        "              names for it since the rotation of last Tuesday\n"
    ) in folded


def test_a_terminal_gives_its_width_and_a_pipe_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for size, width in ((os.terminal_size((200, 50)), 200), (os.terminal_size((20, 5)), 60)):
        monkeypatch.setattr("os.get_terminal_size", lambda _descriptor, answer=size: answer)
        terminal.remember_width()
        assert terminal.width() == width

    def no_terminal(_descriptor: int) -> os.terminal_size:
        raise OSError

    monkeypatch.setattr("os.get_terminal_size", no_terminal)
    terminal.remember_width()
    assert terminal.width() == 0
