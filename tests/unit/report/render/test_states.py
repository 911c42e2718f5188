# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each state that a report must show, from a ledger that the collection itself wrote."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import environment
import jsonschema
import ledgers
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import verify_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import read_witnesses
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.markdown import (
    LISTED,
    render_lines,
    render_markdown,
)

from tests.support.report_pages import Page

pytestmark = pytest.mark.slow

#: Bytes of the page of 200 hosts at most.
BUDGET = 1_200_000

READABLE = sorted(set(ledgers.STATES) - {"lost_tail"})

#: The verdict of each state, and whether it is complete.
VERDICTS = {
    "all_green": ("ok", True),
    "broken": ("no_verdict", True),
    "eventful": ("action", True),
    "first_run": ("action", True),
    "hostile": ("action", True),
    "incomplete": ("action", False),
    "killed": ("interrupted", False),
    "many": ("action", True),
    "one_host": ("action", True),
    "partial": ("action", True),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ledgers.Made]:
    """Write each state once."""
    found: dict[str, ledgers.Made] = {}

    def once(state: str) -> ledgers.Made:
        if state not in found:
            found[state] = ledgers.make(ledgers.STATES[state](), tmp_path_factory.mktemp("states") / state)
        return found[state]

    return once


@pytest.fixture(scope="module")
def data(made: Callable[[str], ledgers.Made]) -> Callable[[str], dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}

    def once(state: str) -> dict[str, Any]:
        if state not in found:
            found[state] = ledgers.report(made(state))
        return found[state]

    return once


@pytest.mark.parametrize("state", READABLE)
def test_the_chain_verifies(state: str, made: Callable[[str], ledgers.Made]) -> None:
    folder = made(state).state
    with Ledger(folder.ledger, read_only=True) as ledger:
        found = verify_ledger(ledger, read_witnesses(folder.witness))
    assert found.ok, found.message


@pytest.mark.parametrize("state", ["eventful", "killed"])
def test_a_state_written_again_is_the_same_to_the_last_hash(
    state: str, made: Callable[[str], ledgers.Made], tmp_path: Path
) -> None:
    again = ledgers.make(ledgers.STATES[state](), tmp_path / "again")
    heads = []
    for each in (made(state), again):
        with Ledger(each.state.ledger, read_only=True) as ledger:
            heads.append(ledger.head())
    assert heads[0] == heads[1]
    pages = {render_html(ledgers.report(each), "zh") for each in (made(state), again)}
    assert len(pages) == 1


@pytest.mark.parametrize("state", READABLE)
def test_the_verdict_of_the_state(state: str, data: Callable[[str], dict[str, Any]]) -> None:
    verdict = data(state)["verdict"]
    assert (verdict["code"], verdict["complete"]) == VERDICTS[state]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("state", READABLE)
def test_the_page_is_whole_and_within_its_size(
    state: str, language: str, data: Callable[[str], dict[str, Any]]
) -> None:
    text = render_html(data(state), language)
    page = Page(text)
    assert len(text.encode()) <= BUDGET
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert sum(name.startswith("h-") for name in page.ids) == len(data(state)["hosts"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_hostile_text_is_shown_and_does_nothing(language: str, data: Callable[[str], dict[str, Any]]) -> None:
    text = render_html(data("hostile"), language)
    page = Page(text)
    assert page.counts["script"] == 1
    assert "img" not in page.counts
    assert not {"\u202e", "\x1b", "\x00"} & set(text)
    assert "<script>alert(1)</script>" in "".join(page.words)
    assert "x" * 2001 not in text


def test_each_host_of_a_narrowed_run_has_its_row(data: Callable[[str], dict[str, Any]]) -> None:
    assert [host["name"] for host in data("partial")["hosts"]] == list(ledgers.FEW)
    assert sum(host["has_verdict"] for host in data("partial")["hosts"]) == 2


def test_the_digest_of_a_host_and_domain_is_that_of_the_ledgers_own_hashes(
    made: Callable[[str], ledgers.Made], data: Callable[[str], dict[str, Any]]
) -> None:
    path, run = made("eventful").state.ledger, made("eventful").run
    host = next(row for row in data("eventful")["hosts"] if row["name"] == "db2")
    assert set(host["digests"]) == {"health", "backup", "updates", "hardening"}
    query = "SELECT hash FROM record WHERE run = ? AND host = 'db2' AND domain = ? ORDER BY seq"
    with closing(sqlite3.connect(path)) as database:
        for domain, digest in host["digests"].items():
            lines = "".join(f"{found}\n" for (found,) in database.execute(query, (run, domain)))
            assert hashlib.sha256(lines.encode()).hexdigest() == digest
            assert digest in render_html(data("eventful"), "en")


def test_the_days_of_a_host_end_with_the_run_and_a_day_without_one_has_no_evidence(
    data: Callable[[str], dict[str, Any]],
) -> None:
    days, hosts = data("eventful")["days"], {host["name"]: host for host in data("eventful")["hosts"]}
    assert (days[0], days[-1], len(days)) == ("2026-11-11", "2026-11-24", 14)
    gaps = [days[number] for number, status in enumerate(hosts["db2"]["days"]) if status == "none"]
    assert gaps == ["2026-11-15", "2026-11-20"]
    assert hosts["db2"]["days"][-4:] == ["ok", "critical", "critical", "critical"]
    assert all(host["days"][-1] == host["status"] for host in hosts.values())
    assert [data(state)["days"] for state in ("first_run", "many", "all_green")] == [[], [], []]


def test_the_next_check_is_in_the_period_that_follows(data: Callable[[str], dict[str, Any]]) -> None:
    assert data("eventful")["run"]["next"] == "2026-11-24T16:00:00Z"


def test_a_ledger_whose_tail_is_lost_is_refused_in_one_sentence(made: Callable[[str], ledgers.Made]) -> None:
    with pytest.raises(LedgerError, match=r"^The ledger .*ledger\.sqlite3 cannot be \w+: .*; free its disk, .*\.$"):
        ledgers.report(made("lost_tail"))


@pytest.fixture(scope="module")
def obeys() -> jsonschema.Draft202012Validator:
    schema = json.loads((environment.ROOT / "docs/report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("state", READABLE)
def test_the_data_obey_their_schema(
    state: str, data: Callable[[str], dict[str, Any]], obeys: jsonschema.Draft202012Validator
) -> None:
    # Of hosts and records that are alike a few are enough: the check of all is a hundred times the report.
    given = json.loads(json.dumps(data(state)))
    for part in ("hosts", "findings", "steps", "records", "backup"):
        given[part] = [*given[part][:50], *given[part][-10:]]
    assert [f"{list(error.path)}: {error.message[:200]}" for error in obeys.iter_errors(given)] == []


@pytest.mark.parametrize("part", ["run", "counts", "verdict", "evidence", "health"])
def test_data_with_a_name_that_the_schema_lacks_do_not_obey_it(
    part: str, data: Callable[[str], dict[str, Any]], obeys: jsonschema.Draft202012Validator
) -> None:
    given = json.loads(json.dumps(data("one_host")))
    given[part]["surprise"] = 1
    assert not obeys.is_valid(given)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("state", READABLE)
def test_the_markdown_is_short_and_each_table_is_whole(
    state: str, language: str, data: Callable[[str], dict[str, Any]]
) -> None:
    text = render_markdown(data(state), language)
    assert len(text) < 30_000
    tables = [line for line in text.splitlines() if line.startswith("|")]
    columns = {len(re.findall(r"(?<!\\)\|", line)) for line in tables}
    assert columns <= {4, 6}
    assert len(tables) <= 2 + len(data(state)["domains"]) + 2 + LISTED
    assert text.rstrip().endswith(f"`{data(state)['evidence']['head']['hash'][:16]}`")


@pytest.mark.parametrize("state", READABLE)
def test_each_host_has_one_line_of_six_fields(state: str, data: Callable[[str], dict[str, Any]]) -> None:
    rows = [line.split("\t") for line in render_lines(data(state)).splitlines()]
    assert [row[0] for row in rows] == [host["name"] for host in data(state)["hosts"]]
    assert {len(row) for row in rows} == {6}
    assert {row[1] for row in rows} <= {
        "critical",
        "failed",
        "unreachable",
        "unknown",
        "warning",
        "ok",
        "skipped",
        "none",
    }


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("state", READABLE)
def test_updates_and_hardening_have_their_chapters_in_each_state(
    state: str, language: str, data: Callable[[str], dict[str, Any]]
) -> None:
    page = render_html(data(state), language)
    chapters = re.findall(r'<section class="chapter" id="(\w+)".*?</section>', page, re.DOTALL)
    place = chapters.index("updates")
    assert chapters[place + 1] == "hardening"
    assert set(chapters[place + 2 :]) <= {"trends", "run", "evidence", "records"}
    has_all = {"health", "backup"} <= set(chapters)
    numbers = {"en": ("5", "6"), "zh": ("五、", "六、")}[language]
    for name, number in zip(("updates", "hardening"), numbers, strict=True):
        assert (f'<h2 id="{name}-heading"><span class="number">{number}</span>' in page) == has_all


def test_the_eventful_state_has_something_of_everything_in_both_chapters(
    data: Callable[[str], dict[str, Any]],
) -> None:
    page = render_html(data("eventful"), "en")
    for shown in ("Overdue, critical", "kept back: hold", "nginx.service", "minlen: 8", "Cannot be judged"):
        assert shown in page
