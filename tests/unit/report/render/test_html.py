# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page: one valid, inert, offline file in each language."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.report.files import write_report
from ansible_collections.egov.ops.plugins.plugin_utils.report.render import html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import WHOLE_RECORDS, render_html

from tests.support.report_ledger import DailyRun, ListLedger
from tests.support.report_pages import HOSTILE, Page, eventful_run


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return eventful_run()


@pytest.fixture(params=["en", "zh"])
def page(request: pytest.FixtureRequest, data: dict[str, Any]) -> str:
    return render_html(data, request.param)


def test_elements_nest_and_ids_are_unique(page: str) -> None:
    ids = Page(page).ids
    assert len(ids) == len(set(ids))


def test_each_link_leads_to_a_place_on_the_page(page: str) -> None:
    parsed = Page(page)
    assert len(parsed.links) > 50
    assert {link[1:] for link in parsed.links} <= set(parsed.ids)
    assert all(link.startswith("#") for link in parsed.links)


def test_there_is_one_main_heading_and_one_main_part(page: str) -> None:
    counts = Page(page).counts
    assert (counts["h1"], counts["main"], counts["nav"]) == (1, 1, 1)


def test_each_host_and_each_finding_has_its_row(page: str, data: dict[str, Any]) -> None:
    ids = Page(page).ids
    assert sum(identifier.startswith("h-") for identifier in ids) == len(data["hosts"]) == 6
    assert {finding["id"] for finding in data["findings"]} <= set(ids)


def test_each_record_of_the_run_has_its_place(page: str, data: dict[str, Any]) -> None:
    numbers = {f"r-{seq}" for seq in range(data["evidence"]["first"], data["evidence"]["last"] + 1)}
    assert numbers <= set(Page(page).ids)


def test_the_page_asks_nothing_of_a_network(page: str) -> None:
    names = {name for name, _ in Page(page).attributes}
    assert not names & {"src", "srcset", "action", "style", "onclick", "onload"}
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg|www\.gnu\.org/licenses)", page)


def test_the_policy_allows_only_the_style_and_script_of_the_file(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    for element in ("style", "script"):
        content = re.search(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        assert content
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{element}-src &#39;sha256-{digest}&#39;" in policy[1]
    assert policy[1].startswith("default-src &#39;none&#39;")


def test_the_same_ledger_gives_the_same_bytes_in_each_process() -> None:
    program = (
        "import sys; sys.path[:0] = sys.argv[1].split(':'); from tests.support.report_pages import eventful_run; "
        "from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html; "
        "sys.stdout.buffer.write(render_html(eventful_run(), 'zh').encode())"
    )
    pages = {
        subprocess.run(
            [sys.executable, "-c", program, ":".join(sys.path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(pages) == 1


def test_the_language_is_declared(data: dict[str, Any]) -> None:
    assert '<html lang="zh-CN">' in render_html(data, "zh")
    assert '<html lang="en">' in render_html(data, "en")


def test_a_language_that_the_report_does_not_have_is_one_sentence(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^The report has no language 'fr'; use one of en, zh\.$"):
        render_html(data, "fr")


@pytest.mark.parametrize("place", ["host", "kind", "subject", "message", "next", "why", "unit", "clause", "platform"])
def test_text_from_records_is_shown_and_does_nothing(place: str) -> None:
    host = HOSTILE if place == "host" else "local"
    run = DailyRun(ListLedger(), (host,))
    names = {name: HOSTILE if place == name else name for name in ("kind", "subject")}
    detail = {name: HOSTILE if place == name else name for name in ("message", "next", "why", "unit")}
    clauses = [HOSTILE if place == "clause" else "S3.1-1"]
    run.put(host, "health", names["kind"], names["subject"], "critical", "", clauses, value=1, **detail)
    run.put(host, "backup", "backup", names["subject"], "ok", "", clauses)
    run.all_steps(host)
    run.seal()
    page = render_html(run.report(platform=HOSTILE if place == "platform" else ""), "en")
    parsed = Page(page)
    assert parsed.counts["script"] == 1
    assert "img" not in parsed.counts
    assert not set("\u202e\x1b\x07") & set(page)
    shown = "".join(parsed.words)
    assert "<script>alert(1)</script>" in shown
    assert "[U+202E]gnp.exe[U+001B][31m[U+0007]{{ 7 * 7 }}" in shown


def test_two_hosts_whose_names_cannot_be_anchors_are_kept_apart() -> None:
    run = DailyRun(ListLedger(), ("主机", "a b", "~0"))
    for host in run.hosts:
        run.good_host(host)
    run.seal()
    parsed = Page(render_html(run.report(), "zh"))
    assert {"h-~0", "h-~1", "h-~2"} <= set(parsed.ids)


def test_of_a_fault_on_many_hosts_each_record_has_its_place_and_few_are_whole() -> None:
    run = DailyRun(ListLedger(), tuple(f"web{number}" for number in range(30)))
    for host in run.hosts:
        run.put(host, "health", "swap", "swap", "critical", value=97.0, unit="%", message="Swap is 97% in use.")
    run.seal()
    data = run.report()
    parsed = Page(render_html(data, "en"))
    assert {f"r-{finding['seq']}" for finding in data["findings"]} <= set(parsed.ids)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {link[1:] for link in parsed.links if link.startswith("#")} <= set(parsed.ids)
    assert "".join(parsed.words).count("Detail as stored") == WHOLE_RECORDS
    assert "25 more" in "".join(parsed.words)


def test_the_data_beside_the_page_are_json_with_a_finding_on_each_line(tmp_path: Path, data: dict[str, Any]) -> None:
    write_report(data, tmp_path, "en")
    text = (tmp_path / "latest.json").read_text()
    assert json.loads(text) == json.loads(json.dumps(data))
    assert len(text.splitlines()) > len(data["findings"]) + len(data["records"])


def test_a_long_text_is_cut_and_its_length_said() -> None:
    run = DailyRun(ListLedger(), ("local",))
    run.put("local", "health", "swap", "swap", "critical", message="x" * 5000)
    run.seal()
    page = render_html(run.report(), "en")
    assert "x" * 2001 not in page
    assert "… [2000/5000]" in page


def test_more_quiet_records_than_are_listed_are_counted(monkeypatch: pytest.MonkeyPatch, data: dict[str, Any]) -> None:
    monkeypatch.setattr(html, "LISTED_RECORDS", 3)
    parsed = Page(render_html(data, "en"))
    assert {link[1:] for link in parsed.links} <= set(parsed.ids)
    assert "records that are OK or skipped" in "".join(parsed.words)


def test_many_hosts_are_counted_instead_of_marked() -> None:
    hosts = [f"host{number}" for number in range(html.MARKED_HOSTS + 1)]
    run = DailyRun(ListLedger(), hosts)
    for host in hosts:
        run.good_host(host)
    run.seal()
    page = render_html(run.report(), "en")
    assert page.count('class="count"') == 4


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_with_nothing_but_its_begin_still_has_a_page(language: str) -> None:
    run = DailyRun(ListLedger(), ())
    Page(render_html(run.report(), language))


def test_the_findings_can_be_filtered_and_sorted_by_what_their_rows_say(page: str, data: dict[str, Any]) -> None:
    rows = re.findall(r'<tbody id="(F-\d+)" data-rank="(\d+)" data-status="(\w+)" data-state="(\w+)"', page)
    faults = {finding["id"]: finding for finding in data["findings"]}
    assert [(name, status) for name, _, status, _ in rows] == [(name, row["status"]) for name, row in faults.items()]
    assert [int(rank) for _, rank, _, _ in rows] == list(range(1, len(rows) + 1))
    for name in ("rank", "host", "since", "owner"):
        assert f'data-sort="{name}"' in page
    offered = re.search(r'data-rows="findings".*?name="status">(.*?)</select>', page, re.DOTALL)
    assert offered
    assert set(re.findall(r'value="(\w+)"', offered[1])) == {row["status"] for row in faults.values()}


def test_without_a_script_nothing_is_hidden_but_what_needs_one(page: str) -> None:
    hidden = re.findall(r"<(\w+)[^>]*\shidden>", page)
    assert sorted(hidden) == ["button", "form", "form", "p"]


def test_many_hosts_stand_in_a_matrix_with_a_row_each() -> None:
    hosts = [f"host{number}" for number in range(html.LISTED_HOSTS + 1)]
    run = DailyRun(ListLedger(), hosts)
    for host in hosts[1:]:
        run.good_host(host)
    run.seal()
    page = render_html(run.report(), "en")
    matrix = re.search(r'<table class="matrix".*?</table>', page, re.DOTALL)
    assert matrix
    assert re.findall(r">(host\d+)</a>", matrix[0]) == hosts
    assert matrix[0].count('role="cell"') == 4 * len(hosts)
    assert '<tr role="row" data-status="none" class="w-none"><th scope="row" role="rowheader">' in matrix[0]


@pytest.mark.parametrize(("language", "number"), [("en", "Page "), ("zh", "第 ")])
def test_printed_pages_say_title_run_and_number_and_text_stays_text(language: str, number: str) -> None:
    run = DailyRun(ListLedger(), ("local",))
    run.good_host("local")
    run.seal()
    page = render_html(run.report(platform='x"; } </style><script>'), language)
    margins = page[page.rindex("@page") : page.index("</style>")]
    assert f'@bottom-right {{ content: "{number}" counter(page) "' in margins
    assert "</style><script>" not in page
    assert margins.count('"') == 2 * 3 + 4
