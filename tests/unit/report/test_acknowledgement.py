# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people acknowledge: which findings it covers, until when, and how the report tells it."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import environment
import ledgers
import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.text import render_text
from hypothesis import given
from hypothesis import strategies as st

from tests.support.report_ledger import DailyRun, ListLedger

NOW = datetime(2026, 11, 24, 1, tzinfo=timezone.utc)
GOOD = {
    "finding": "web1/health/swap/swap",
    "until": "2026-12-15",
    "ticket": "OPS-1",
    "name": "Zhang Wei",
    "reason": "Known.",
}
FINDING: dict[str, Any] = {
    "host": "web1",
    "domain": "health",
    "kind": "swap",
    "subject": "swap",
    "status": "warning",
    "reason": "",
    "detail": {},
}


def made(**options: Any) -> acknowledgement.Acknowledgement:
    (one,) = acknowledgement.make({**GOOD, **options}, [FINDING], "Asia/Shanghai", NOW)
    return one


def reported(*until: str, status: str = "warning", days: tuple[int, ...] = (23, 24), **changes: Any) -> dict[str, Any]:
    """Return the data of a run whose finding on web1 was acknowledged once for each `until`."""
    ledger = ListLedger()
    for day in days:
        run = DailyRun(ledger, ("web1", "web2"), day)
        for host in run.hosts:
            run.good_host(host)
        run.put("web1", "health", "swap", "swap", status if day == days[-1] else "warning")
        run.seal()
    for end in until:
        seen = acknowledgement.Acknowledgement(
            ("web1", "health", "swap", "swap"), end, "OPS-1", "Zhang Wei", "Known.", "warning", **changes
        ).observation()
        run.put("controller", "report", seen["kind"], seen["subject"], **seen["detail"])
    return run.report()


def test_an_acknowledged_finding_stays_and_counts_apart() -> None:
    data = reported("2026-12-15T15:59:59Z")
    (finding,) = data["findings"]
    assert (finding["state"], finding["status"]) == ("acknowledged", "warning")
    counts = data["counts"]["findings"]
    assert (counts["open"], counts["new"], counts["acknowledged"], counts["total"]) == (0, 0, 1, 1)
    assert finding["acknowledged"]["signed"] is False
    assert [host["name"] for host in data["hosts"]] == ["web1", "web2"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Acknowledged until 15 Dec 2026, ticket OPS-1, by Zhang Wei (a claim, not signed): Known."),
        ("zh", "已确认至2026年12月15日，工单 OPS-1，确认人 Zhang Wei（自行填报，未签名）：Known."),
    ],
)
def test_the_page_says_who_claims_it_and_until_when(language: str, words: str) -> None:
    page = render_html(reported("2026-12-15T15:59:59Z"), language)
    assert words in page
    assert "F-01" not in page[: page.index('id="hosts"')]


def test_the_summary_counts_it_and_shows_what_is_not_known_yet() -> None:
    known = render_text(reported("2026-12-15T15:59:59Z"), "en")
    assert "1 finding" in known
    assert "1 more finding in the report" in known
    assert "  warning" not in known
    assert "  warning" in render_text(reported("2026-11-20T15:59:59Z"), "en")


def test_one_that_has_expired_is_said_and_the_finding_counts_again() -> None:
    data = reported("2026-11-20T15:59:59Z")
    assert data["findings"][0]["state"] == "open"
    assert "The acknowledgement expired on 20 Nov 2026, ticket OPS-1" in render_html(data, "en")


def test_the_newest_of_a_key_counts() -> None:
    data = reported("2026-12-15T15:59:59Z", "2026-11-20T15:59:59Z")
    assert data["findings"][0]["state"] == "open"


def test_a_finding_that_became_worse_is_not_the_one_that_was_known() -> None:
    (finding,) = reported("2026-12-15T15:59:59Z", status="critical")["findings"]
    assert finding["state"] == "open"
    assert finding["acknowledged"] is None


@pytest.mark.parametrize("detail", [{}, {**made().observation()["detail"], "patterns": ["web1"]}])
def test_a_record_that_says_no_whole_acknowledgement_is_passed_over(detail: dict[str, Any]) -> None:
    run = DailyRun(ListLedger(), ("web1",))
    run.put("web1", "health", "swap", "swap", "warning")
    run.put("controller", "report", "acknowledgement", "web1/health/swap/swap", **detail)
    run.seal()
    assert run.report()["findings"][0]["acknowledged"] is None


def test_one_that_was_withdrawn_counts_no_more() -> None:
    assert reported("2026-12-15T15:59:59Z", withdrawn=True)["findings"][0]["acknowledged"] is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"until": "2026-11-23"},
            "until is 2026-11-23, which is over or more than 366 days ahead;",
        ),
        (
            {"until": "2027-12-15"},
            "until is 2027-12-15, which is over or more than 366 days ahead;",
        ),
        ({"until": "15.12.2026"}, "until is '15.12.2026', not a day like 2026-12-31."),
        ({"until": "2026-02-30"}, "until is '2026-02-30', not a day like 2026-12-31."),
        ({"reason": "x" * 301}, "reason has 301 characters; give 1 to 300."),
        ({"finding": "web1/health"}, "finding is 'web1/health', not a key host/domain/kind/subject; copy it from"),
        ({"host": "web1"}, "finding names all of a finding; leave out host, domain, kind and subject."),
        ({"finding": "", "host": "*"}, "host, domain, kind and subject name every finding; name at least one"),
        ({"finding": "", "host": "db*"}, "No finding that still stands has the key db*/*/*/*; see the report."),
        ({"tickets": 1}, "Unknown key 'tickets'; allowed are domain, finding, host,"),
    ],
)
def test_what_cannot_be_acknowledged_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(acknowledgement.AcknowledgementError) as caught:
        made(**options)
    assert str(caught.value).startswith(sentence)


def test_it_ends_with_its_day_in_the_plans_zone() -> None:
    assert made().until == "2026-12-15T15:59:59Z"
    assert made(until="2026-11-24").until == "2026-11-24T15:59:59Z"


def test_patterns_cover_what_they_name() -> None:
    options = {**GOOD, "finding": "", "host": "web*", "domain": "health"}
    both = [FINDING, {**FINDING, "host": "web2"}, {**FINDING, "host": "web2", "domain": "backup"}]
    first, second = acknowledgement.make(options, both, "Asia/Shanghai", NOW)
    assert (first.subject, second.subject) == ("web1/health/*/*", "web2/health/*/*")
    assert second.covers({**FINDING, "host": "web2"})
    assert not second.covers({**FINDING, "host": "web2", "status": "unknown"})
    assert not second.covers({**FINDING, "host": "web2", "subject": "a finding of tomorrow"})
    assert not second.covers({**FINDING, "host": "web2", "domain": "backup"})


def test_a_bare_name_is_a_kind_and_else_a_subject() -> None:
    other = {**FINDING, "kind": "service", "subject": "failed_units"}
    of_kind = {**FINDING, "kind": "failed_units"}
    for findings, kind in (([FINDING, other], "service"), ([of_kind, other], "failed_units")):
        options = {"host": "web1", "finding": "failed_units", "until": "2026-12-15"}
        (known,) = acknowledgement.make(options, findings, "UTC", NOW, "root")
        assert [key.split("/")[2] for key in known.covered or {}] == [kind]
        assert known.name == "root"


def of_set(*members: str, more: int = 0, **changes: Any) -> dict[str, Any]:
    return {**FINDING, "detail": {"members": list(members), "more_members": more}, **changes}


def test_a_member_that_was_not_seen_is_not_known() -> None:
    (known,) = acknowledgement.make(GOOD, [of_set("a", "b")], "UTC", NOW)
    assert known.covers(of_set("a", "b"))
    assert known.covers(of_set("b"))
    assert not known.covers(of_set("a", "c"))
    assert not known.covers(of_set("a", more=1))
    assert not known.covers(of_set("a", status="critical"))
    assert not known.covers(of_set("a", status="unknown"))
    assert not known.covers(FINDING)
    assert not known.covers({**FINDING, "detail": {"cut": {"names": ["x"], "count": 12, "limit": 1}}})


def test_a_record_of_an_older_release_covers_no_set() -> None:
    old = acknowledgement.Acknowledgement(("web1", "health", "swap", "*"), "", "", "", "", "warning")
    assert old.covers(FINDING)
    assert not old.covers(of_set("a"))


def test_a_list_that_was_cut_cannot_be_acknowledged() -> None:
    with pytest.raises(acknowledgement.AcknowledgementError, match="a list of members was cut"):
        acknowledgement.make(GOOD, [of_set("a", more=3)], "UTC", NOW)


def test_what_one_record_cannot_hold_goes_on_in_the_next() -> None:
    findings = [of_set(*(f"{n}-{i:03}-{'x' * 60}" for i in range(40)), subject=f"s{n}") for n in range(9)]
    options = {"host": "web1", "until": "2026-12-15", "owner": "Li Na"}
    (known,) = acknowledgement.make(options, findings, "UTC", NOW, "root", acknowledgement.DEBT)
    run = DailyRun(ListLedger(), ("web1",))
    parts = known.observations()
    assert len(parts) > 1
    for seen in (*parts, *parts):
        assert len(json.dumps(seen["detail"])) < 16 * 1024
        run.put("controller", "report", seen["kind"], seen["subject"], **seen["detail"])
    (stands,) = acknowledgement.read(run.ledger.stored[1:])
    assert stands.covered == known.covered
    assert all(stands.covers(record) for record in findings)
    (gone,) = acknowledgement.withdraw({"host": "web1", "state": "absent"}, [stands], "root")
    run.put("controller", "report", gone.observation()["kind"], gone.subject, **gone.observation()["detail"])
    assert acknowledgement.read(run.ledger.stored[1:]) == []


def debt_of(*findings: dict[str, Any], **options: Any) -> acknowledgement.Acknowledgement:
    wanted = {"host": "*", "until": "2026-12-15", "owner": "Li Na", **options}
    (one,) = acknowledgement.make(wanted, findings, "Asia/Shanghai", NOW, "root", acknowledgement.DEBT)
    return one


def test_a_debt_needs_an_owner_and_a_day() -> None:
    for missing, sentence in (("owner", "owner is missing; name"), ("until", "until is '', not a day like")):
        with pytest.raises(acknowledgement.AcknowledgementError, match=sentence):
            debt_of(FINDING, **{missing: ""})


def test_what_is_not_judged_is_no_debt() -> None:
    bad = [{**FINDING, "status": status, "subject": status} for status in ("unknown", "failed", "unreachable")]
    assert list(debt_of(FINDING, *bad).covered or {}) == ["web1/health/swap/swap"]
    with pytest.raises(acknowledgement.AcknowledgementError, match="status is unknown or failed"):
        debt_of(*bad)


def days_with(*members: str, until: str = "2026-12-15", second: str = "warning") -> dict[str, Any]:
    """Return the report of a day with some failed units, of which a and b were accepted as debt the day before."""
    ledger = ListLedger()
    for day, names, status in ((23, ("a", "b"), "warning"), (24, members, second)):
        run = DailyRun(ledger, ("web1", "web2"), day)
        for host in run.hosts:
            run.good_host(host)
        run.put("web1", "health", "failed_units", "failed_units", status, members=list(names), more_members=0)
        run.seal()
        if day == 23:
            debt = debt_of(ledger.stored[-2].record, until=until)
            seen = debt.observation()
            run.put("controller", "report", seen["kind"], seen["subject"], **seen["detail"])
    return run.report()


def test_debt_has_its_own_chapter_with_age_and_is_not_on_the_first_screen() -> None:
    data = days_with("a", "b")
    (row,) = data["debt"]
    assert (row["owner"], row["members"], row["age"] > 0) == ("Li Na", ["a", "b"], True)
    assert data["counts"]["findings"]["debt"] == 1
    assert data["verdict"]["status"] == "warning"
    for language, heading, words in (("en", "Known debt", "1 finding, which"), ("zh", "已知欠账", "1 个问题")):
        page = render_html(data, language)
        assert f"{heading}</h2>" in page[page.index('id="debt"') :]
        assert words in page
        assert "F-01" not in page[: page.index('id="hosts"')]
        text = render_text(data, language)
        assert words in text
        assert "failed_units" not in text


@pytest.mark.parametrize(
    ("members", "options", "state"),
    [
        (("a", "c"), {}, "new"),
        (("a", "b"), {"second": "critical"}, "open"),
        (("a", "b"), {"second": "unknown"}, "open"),
        (("a", "b"), {"until": "2026-11-24"}, "open"),
    ],
)
def test_debt_hides_nothing_beyond_it(members: tuple[str, ...], options: dict[str, str], state: str) -> None:
    data = days_with(*members, **options)
    (finding,) = data["findings"]
    assert (finding["state"], data["debt"]) == (state, [])
    assert "Known debt" not in render_text(data, "en")


@given(st.tuples(*[st.text("ab*?[]!/", min_size=1, max_size=6)] * 4), st.text("ab*?[]!/", min_size=1, max_size=6))
def test_the_key_of_a_finding_covers_that_finding_alone(parts: tuple[str, ...], other: str) -> None:
    host, domain, kind = (part.replace("/", "a") for part in parts[:3])
    finding = {**FINDING, "host": host, "domain": domain, "kind": kind, "subject": parts[3]}
    (key,) = acknowledgement.keys_of_options({"finding": "/".join([host, domain, kind, parts[3]])})
    assert acknowledgement.matches(key, finding)
    assert acknowledgement.matches(key, {**finding, "subject": other}) == (other == parts[3])


def test_the_playbook_records_it_once(tmp_path: Path) -> None:
    story = ledgers.Story(("db2",), days=2, faults=ledgers.STATES["one_host"]().faults)
    state = ledgers.make(story, tmp_path / "state").state
    (tmp_path / "hosts").write_text(f"db2 ansible_connection=local egov_ops_state_dir={state.path}\n")
    wanted = {**GOOD, "finding": "db2/health/filesystem_space//var", "until": f"{datetime.now().year + 1}-01-01"}

    def play(*options: str) -> str:
        extra = json.dumps({"egov_ops_acknowledge": wanted})
        argv = ["ansible-playbook", "-i", str(tmp_path / "hosts"), "egov.ops.acknowledge", "-e", extra, *options]
        done = subprocess.run(argv, cwd=environment.ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stored() -> list[dict[str, Any]]:
        with Ledger(state.ledger, read_only=True) as ledger:
            return [entry.record for entry in ledger.records(domain="report", kind="acknowledgement")]

    assert "changed=1" in play("--check")
    assert stored() == []
    assert "changed=1" in play()
    assert "changed=0" in play()
    (record,) = stored()
    assert record["subject"] == "db2/health/filesystem_space//var"
    assert record["detail"]["ticket"] == "OPS-1"
    again = ledgers.report(ledgers.Made(state, sorted(path_of_runs(state))[-1], ledgers.FACTS))
    assert [row["state"] for row in again["findings"]] == ["acknowledged"]


def path_of_runs(state: Any) -> list[str]:
    with Ledger(state.ledger, read_only=True) as ledger:
        return [run.run for run in ledger.runs()]


def test_the_commands_cover_what_any_run_found_and_print_its_members(tmp_path: Path) -> None:
    story = ledgers.Story(("db2",), days=2, faults=ledgers.STATES["one_host"]().faults)
    state = ledgers.make(story, tmp_path / "state").state
    (tmp_path / "hosts").write_text(f"db2 ansible_connection=local egov_ops_state_dir={state.path}\n")
    units = {"message": "2 units have failed.", "members": ["a.service", "b.service"], "more_members": 0}
    seen = observation("failed_units", "failed_units", "critical", **units)
    times = {"started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:00:00Z"}
    with Ledger(state.ledger) as ledger, ledger.transaction():  # of a module used alone: no run has it
        ledger.append(
            [
                record(
                    run="20260101T000000Z-000000000000",
                    procedure="standalone",
                    host="db2",
                    domain="health",
                    observation=seen,
                    **times,
                )
            ]
        )
    until = f"until={datetime.now().year + 1}-01-01"

    def play(name: str, *extra: str) -> str:
        words = [word for one in (until, *extra) for word in ("-e", one)]
        argv = ["ansible-playbook", "-i", str(tmp_path / "hosts"), f"egov.ops.{name}", *words]
        done = subprocess.run(argv, cwd=environment.ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "db2/health/failed_units/failed_units: critical: a.service, b.service" in play(
        "acknowledge", "host=db2", "finding=failed_units"
    )
    assert "db2/health/filesystem_space//var: " in play("known_debt", "owner=zhang")
    assert "changed=0" in play("known_debt", "owner=zhang")
    with Ledger(state.ledger, read_only=True) as ledger:
        first, second = acknowledgement.read(ledger.records(domain="report", kind="acknowledgement"))
    assert (first.sort, second.sort, second.owner) == ("acknowledged", "debt", "zhang")
    assert first.user == first.name != ""
