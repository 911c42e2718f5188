# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chapter of security updates: what is pending, what is past its deadline, and of which hosts nothing is known."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import LISTED_HOSTS, render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.run import updates

from tests.support.report_ledger import STEPS, DailyRun, ListLedger
from tests.support.report_pages import HOSTILE, Page

SCAN = (*STEPS, {"module": "package_scan", "domain": "updates"})
LANGUAGES = ("en", "zh")


def run_of(*hosts: str) -> DailyRun:
    run = DailyRun(ListLedger(), hosts, steps=SCAN)
    for host in hosts:
        run.good_host(host)
    return run


def scanned(run: DailyRun, host: str, status: str, pending: int, security: int = 0, late: int = 0, **more: Any) -> int:
    """Write what a scan found, and return the number of its record."""
    counts = {"pending": pending, "security": security, "late": late}
    run.put(host, "updates", "package_list", "pending", status, more.pop("reason", ""), counts=counts, **more)
    return run.ledger.head().count


def update(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "installed": "1.0", "candidate": "1.1", "security": False, **more}


def chapter(data: dict[str, Any], language: str) -> str:
    found = re.search(r'<section class="chapter" id="updates".*?</section>', render_html(data, language), re.DOTALL)
    assert found
    return found[0]


def rows(shown: str) -> list[list[str]]:
    """Return the words of each cell of each row of hosts."""
    lines = re.findall(r"<tr>\s*<th scope=\"row\">.*?</tr>", shown, re.DOTALL)
    cells = [re.findall(r"<(?:td|th)[^>]*>(.*?)</(?:td|th)>", line, re.DOTALL) for line in lines]
    return [[" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in line] for line in cells]


@pytest.mark.parametrize(
    ("language", "overdue", "total"),
    [
        ("en", "Overdue, critical", "Updates pending: 18, security updates among them: 4, past their deadline: 2;"),
        (
            "zh",
            "逾期，严重",
            "待装更新 18 项，其中安全更新 4 项，已逾期 2 项；需重启的主机 1 台，需重启服务的",
        ),
    ],
)
def test_late_hosts_stand_first_and_each_number_leads_to_its_record(language: str, overdue: str, total: str) -> None:
    run = run_of("web1", "web2", "db1", "db2")
    scanned(run, "web1", "ok", 11)
    scanned(run, "web2", "ok", 0)
    scanned(run, "db1", "warning", 4, 2, updates=[update("curl", security=True)])
    entries = [
        update("openssl", security=True, severities=["critical"], cves=[f"CVE-{number}" for number in range(5)]),
        update("sudo", security=True, age_days=19.6, hold="pin"),
        update("vim"),
    ]
    late = scanned(run, "db2", "critical", 3, 2, 2, updates=entries)
    run.put("db2", "updates", "reboot", "host", "warning", reasons=["a newer kernel"])
    reboot = run.ledger.head().count
    run.put("web1", "updates", "restarts", "processes", "warning", counts={"processes": 2}, units=["nginx.service"])
    run.seal()
    shown = chapter(run.report(), language)
    assert total in shown
    found = rows(shown)
    assert [row[0] for row in found] == ["db2", "db1", "web1"]
    assert found[0][2:5] == ["3", "2", "2"]
    assert f"openssl 1.0 → 1.1 {overdue}" in found[0][5]
    assert "CVE-0" in found[0][5]
    assert "+2" in found[0][5]
    assert "vim 1.0 → 1.1" in found[0][5]
    assert "vim 1.0 → 1.1 " not in found[0][5]
    assert shown.count(f'href="#r-{late}">') == 4
    assert shown.count(f'href="#r-{reboot}"') == 1
    assert f"#{reboot}" in found[0][6]
    assert re.match(r"(Processes: 2|进程 2 个) \(nginx\.service\) #\d+$", found[2][6])
    assert 'href="#h-web2"' not in shown
    assert "web2" in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_known_is_no_number(language: str) -> None:
    run = run_of("web1", "web2", "web3")
    scanned(run, "web1", "ok", 0)
    scanned(run, "web2", "unknown", 77, 66, 55, reason="stale_lists")
    run.all_steps("web3", "unreachable", "timeout")
    run.seal()
    shown = chapter(run.report(), language)
    assert rows(shown)[0][2:5] == ["–", "–", "–"]
    assert not re.search(r"77|66|55", shown)
    words = {"en": "hosts whose updates are not known: 1", "zh": "更新情况未知的主机 1 台"}
    assert words[language] in shown
    none = {"en": "No evidence", "zh": "无证据"}
    assert re.search(rf"{none[language]}</span> web3</p>", shown)


@pytest.mark.parametrize(("language", "words"), [("en", "No evidence"), ("zh", "无证据")])
def test_a_run_that_did_not_look_says_so(language: str, words: str) -> None:
    run = DailyRun(ListLedger(), ("web1",))
    run.good_host("web1")
    run.seal()
    data = run.report()
    shown = chapter(data, language)
    assert data["updates"] == []
    assert words in shown
    assert "<table" not in shown
    assert not re.search(r"[：:] ?0|0 项", shown)


def test_the_newest_record_counts() -> None:
    run = run_of("web1")
    scanned(run, "web1", "critical", 9, 9, 9)
    newest = scanned(run, "web1", "ok", 1)
    run.seal()
    (row,) = run.report()["updates"]
    assert (row["scan"]["seq"], row["scan"]["pending"], row["scan"]["late"]) == (newest, 1, 0)


@pytest.mark.parametrize("wrong", [HOSTILE, None, [HOSTILE], {"x": HOSTILE}, True, -1, 1.5])
def test_text_and_shapes_from_hosts_do_nothing(wrong: Any) -> None:
    run = run_of("web1")
    entry = dict.fromkeys(("name", "installed", "candidate", "hold", "severities", "cves", "age_days"), wrong)
    counts = {"pending": wrong, "security": wrong, "late": 1}
    run.put("web1", "updates", "package_list", "pending", "critical", counts=counts, updates=[entry, wrong])
    run.put("web1", "updates", "package_list", "pending", "critical", counts=wrong, updates=wrong)
    run.put("web1", "updates", "reboot", "host", "warning", reasons=wrong)
    run.put("web1", "updates", "restarts", "processes", "warning", counts=wrong, units=wrong)
    run.seal()
    for language in LANGUAGES:
        page = render_html(run.report(), language)
        assert Page(page).counts["script"] == 1
        assert "img" not in Page(page).counts
        assert not set("\u202e\x1b\x07") & set(page)


@pytest.mark.parametrize("place", ["name", "installed", "candidate", "hold"])
def test_hostile_text_of_an_update_is_shown_as_text(place: str) -> None:
    run = run_of("web1")
    scanned(run, "web1", "critical", 1, 1, 1, updates=[update(**{"name": "x", place: HOSTILE})])
    run.seal()
    shown = chapter(run.report(), "en")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>" not in shown


def test_of_many_hosts_each_names_few_updates_and_the_rest_is_counted() -> None:
    hosts = [f"host{number:03}" for number in range(updates.ROWS + 2)]
    run = DailyRun(ListLedger(), hosts, steps=SCAN)
    for host in hosts:
        scanned(run, host, "warning", 6, 6, updates=[update(f"package{number}") for number in range(6)])
    run.seal()
    shown = chapter(run.report(), "en")
    found = rows(shown)
    assert len(found) == updates.ROWS
    assert len(hosts) > LISTED_HOSTS
    assert all(row[5].count("package") == updates.NAMED_OF_MANY for row in found)
    assert all("4 more in the record" in row[5] for row in found)
    assert "2 more hosts are counted above" in shown
    assert f"Updates pending: {6 * len(hosts):,}," in shown
    assert len(shown) < 250_000
