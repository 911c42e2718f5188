# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chapter of the hardening audit: which controls fail, where, on what basis, and what cannot be judged."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.report.render import hardening_chapter
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import LISTED_HOSTS, render_html

from tests.support.report_ledger import STEPS, DailyRun, ListLedger
from tests.support.report_pages import HOSTILE, Page

AUDIT = (*STEPS, {"module": "hardening_audit", "domain": "hardening"})
LANGUAGES = ("en", "zh")
TITLE = {"en": "Passwords are long", "zh": "口令足够长"}


def audited(run: DailyRun, host: str, name: str, status: str = "ok", reason: str = "", **detail: Any) -> int:
    """Write what a control found, and return the number of its record."""
    clauses = ["S5.2-1", "8.1.4.1a"]
    detail = {"title": TITLE, "severity": "critical", "expected": ">=12", "found": {"minlen": 8}, **detail}
    run.put(host, "hardening", "control", name, status, reason, clauses, **detail)
    return run.ledger.head().count


def chapter(data: dict[str, Any], language: str) -> str:
    found = re.search(r'<section class="chapter" id="hardening".*?</section>', render_html(data, language), re.DOTALL)
    assert found
    return found[0]


def tables(shown: str) -> list[list[list[str]]]:
    """Return the words of each cell of each row of each table."""
    return [
        [
            [
                " ".join(re.sub(r"<[^>]*>", " ", cell).split())
                for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
            ]
            for row in re.findall(r"<tr>.*?</tr>", body, re.DOTALL)
        ]
        for body in re.findall(r"<tbody>(.*?)</tbody>", shown, re.DOTALL)
    ]


@pytest.mark.parametrize(
    ("language", "title", "severity", "total"),
    [
        (
            "en",
            "Passwords are long",
            "Critical",
            "2 of 4, on hosts: 2; controls that cannot be judged somewhere: 1; checks passed: 2 of 6.",
        ),
        (
            "zh",
            "口令足够长",
            "严重",
            "4 项控制中 2 项不符合，涉及主机 2 台；存在无法判定情况的控制 1 项；检查 6 项次，通过 2 项次。",
        ),
    ],
)
def test_a_failing_control_is_one_row_with_its_basis_and_its_hosts(
    language: str, title: str, severity: str, total: str
) -> None:
    run = DailyRun(ListLedger(), ("web1", "web2"), steps=AUDIT)
    audited(run, "web1", "FI-001", "warning", severity="warning")
    numbers = [audited(run, "web1", "IA-001", "critical"), audited(run, "web2", "IA-001", "critical", found={"": 6})]
    unjudged = audited(run, "web1", "IA-002", "unknown", "permission", found={})
    audited(run, "web1", "OK-001")
    audited(run, "web2", "OK-001")
    audited(run, "web2", "NA-001", "skipped", "not_applicable")
    run.seal()
    shown = chapter(run.report(), language)
    assert total in shown
    failing, unknown = tables(shown)
    assert [row[0].split()[1] for row in failing] == ["IA-001", "FI-001"]
    assert failing[0][0].endswith(title)
    assert failing[0][1:4] == [severity, "S5.2-1 8.1.4.1a", "&gt;=12"]
    assert failing[0][4] == f"web1 #{numbers[0]} minlen: 8 web2 #{numbers[1]} 6"
    assert all(f'href="#r-{number}"' in shown for number in (*numbers, unjudged))
    assert [row[0].split()[1] for row in unknown] == ["IA-002"]
    assert unknown[0][3] == f"web1 #{unjudged}"


@pytest.mark.parametrize(("language", "words"), [("en", "No evidence"), ("zh", "无证据")])
def test_a_run_that_did_not_look_says_so(language: str, words: str) -> None:
    run = DailyRun(ListLedger(), ("web1",))
    run.good_host("web1")
    run.seal()
    shown = chapter(run.report(), language)
    assert words in shown
    assert "<table" not in shown
    assert not re.search(r"\d+ (of|项)", shown)


@pytest.mark.parametrize(("language", "words"), [("en", "No evidence"), ("zh", "无证据")])
def test_hosts_without_an_audit_are_no_evidence(language: str, words: str) -> None:
    run = DailyRun(ListLedger(), ("web1", "web2"), steps=AUDIT)
    audited(run, "web1", "IA-001")
    run.all_steps("web2", "unreachable", "timeout")
    run.seal()
    assert re.search(rf"{words}</span> web2</p>", chapter(run.report(), language))


@pytest.mark.parametrize("place", ["subject", "title", "severity", "expected", "found", "found_name", "clause"])
def test_text_from_hosts_is_shown_and_does_nothing(place: str) -> None:
    run = DailyRun(ListLedger(), ("web1",), steps=AUDIT)
    hostile: dict[str, Any] = {
        "title": {"title": {"en": HOSTILE}},
        "severity": {"severity": HOSTILE},
        "expected": {"expected": HOSTILE},
        "found": {"found": {"thing": [HOSTILE]}},
        "found_name": {"found": {HOSTILE: "no"}},
    }
    given = {"title": TITLE, "severity": "critical", "expected": "yes", "found": {}, **hostile.get(place, {})}
    subject, clause = (HOSTILE if place == name else "IA-001" for name in ("subject", "clause"))
    run.put("web1", "hardening", "control", subject, "critical", "", [clause], **given)
    run.seal()
    shown = chapter(run.report(), "en")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>" not in shown
    assert not set("\u202e\x1b\x07") & set(shown)


@pytest.mark.parametrize("wrong", [HOSTILE, None, [HOSTILE], {"en": [1]}, {"x": {"y": HOSTILE}}, 7, "x" * 100_000])
def test_other_shapes_of_a_record_leave_a_short_page(wrong: Any) -> None:
    run = DailyRun(ListLedger(), ("web1",), steps=AUDIT)
    for status in ("critical", "unknown"):
        audited(run, "web1", status, status, title=wrong, severity=wrong, expected=wrong, found=wrong)
    run.seal()
    for language in LANGUAGES:
        assert len(chapter(run.report(), language)) < 6000
        assert Page(render_html(run.report(), language)).counts["script"] == 1


def test_of_many_hosts_few_are_named_and_the_rest_leads_to_the_finding() -> None:
    hosts = [f"host{number:03}" for number in range(LISTED_HOSTS + 10)]
    run = DailyRun(ListLedger(), hosts, steps=AUDIT)
    for host in hosts:
        for number in range(20):
            audited(run, host, f"IA-{number:03}", "warning", found={"x" * 50: "y" * 5000})
    run.seal()
    data = run.report()
    shown = chapter(data, "en")
    (failing,) = tables(shown)
    assert len(failing) == 20
    assert all(row[4].count("host") == hardening_chapter.NAMED_OF_MANY for row in failing)
    assert all(row[4].endswith(f"+{len(hosts) - hardening_chapter.NAMED_OF_MANY}") for row in failing)
    assert {finding["id"] for finding in data["findings"]} == set(re.findall(r'href="#(F-\d+)"', shown))
    assert len(shown) < 20 * 1500
