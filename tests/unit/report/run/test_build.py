# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the report's data say for each state that a run can end in."""

from __future__ import annotations

import copy
import json

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import STATUSES
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import MARK_ORDER, Facts, worst
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.build import build
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.gather import gather
from hypothesis import given
from hypothesis import strategies as st

from tests.support.report_ledger import STEPS, DailyRun, ListLedger

NOT_BUILT = (*STEPS, {"module": "package_scan", "domain": "updates"})


def good_run(*hosts: str, ledger: ListLedger | None = None, **options: object) -> DailyRun:
    run = DailyRun(ledger or ListLedger(), hosts or ("local",), **options)
    for host in hosts or ("local",):
        run.good_host(host)
    return run


def test_hosts_without_findings_are_ok() -> None:
    run = good_run("web1", "web2")
    run.seal()
    verdict = run.report()["verdict"]
    assert (verdict["status"], verdict["complete"], verdict["sentence"]) == ("ok", True, "All 2 hosts are OK")


def test_one_host_is_named_in_the_verdict() -> None:
    run = good_run("local")
    run.seal()
    assert run.report()["verdict"]["sentence"] == "local is OK"


def test_the_verdict_counts_the_findings_that_need_action() -> None:
    run = good_run("web1", "web2")
    run.put("web1", "health", "swap", "swap", "critical", message="Swap is full.")
    run.put("web2", "health", "zombies", "zombies", "warning", message="3 zombies.")
    run.seal()
    verdict = run.report()["verdict"]
    assert (verdict["status"], verdict["sentence"]) == ("critical", "Action needed: 1 critical finding")


def test_warnings_alone_are_to_be_watched() -> None:
    run = good_run("local")
    run.put("local", "health", "swap", "swap", "warning")
    run.put("local", "health", "zombies", "zombies", "unknown", "permission")
    run.seal()
    assert run.report()["verdict"]["sentence"] == "Watch local: 1 unknown, 1 warning"


def test_the_same_fault_on_several_hosts_is_one_finding() -> None:
    run = good_run("web1", "web2", "db1")
    for host, message in (("web1", "Swap is full."), ("db1", "Swap is slow."), ("web2", "Swap is full.")):
        run.put(host, "health", "swap", "swap", "critical", message=message)
    run.seal()
    data = run.report()
    assert [(row["id"], row["host"]) for row in data["findings"]] == [
        ("F-01", "web1"),
        ("F-01", "web2"),
        ("F-02", "db1"),
    ]
    assert data["counts"]["findings"]["total"] == 2


def test_findings_stand_worst_first() -> None:
    run = good_run("local")
    for status in ("warning", "unknown", "failed", "critical"):
        run.put("local", "health", status, "x", status)
    run.seal()
    assert [row["status"] for row in run.report()["findings"]] == ["critical", "failed", "unknown", "warning"]


def test_a_dead_host_is_one_finding_and_hides_no_other_host() -> None:
    run = good_run("web1")
    run.hosts = ["web1", "app2"]
    run.all_steps("app2", "unreachable", "timeout", message="No answer on port 22.")
    run.seal()
    data = run.report()
    assert [host["name"] for host in data["hosts"]] == ["web1", "app2"]
    assert [(row["title"], len(row["also"])) for row in data["findings"]] == [("app2 does not answer", 2)]
    assert data["verdict"]["sentence"] == "Action needed: 1 host unreachable"
    assert data["counts"]["hosts"]["with_verdict"] == 1


def test_what_follows_from_a_dead_host_is_unreachable_too() -> None:
    run = good_run("web1")
    run.step("app2", 0, "unreachable", "timeout")
    for number in (1, 2):
        run.step("app2", number, "skipped", "not_reached")
    run.seal()
    data = run.report()
    assert data["hosts"][1]["domains"]["backup"] == "unreachable"
    assert data["verdict"]["complete"]


def test_no_host_with_a_verdict_is_a_failed_check() -> None:
    run = DailyRun(ListLedger(), ("web1", "web2"))
    for host in run.hosts:
        run.all_steps(host, "unreachable", "timeout")
    run.seal()
    data = run.report()
    assert data["verdict"]["sentence"] == "The check failed: 0 of 2 hosts have a verdict"
    assert "says nothing about the platform" in " ".join(data["verdict"]["facts"])


def test_a_failed_step_is_a_finding_with_its_own_sentence() -> None:
    run = good_run("local")
    run.put(
        "local", "backup", "step", "backup_check", "failed", "error", message="restic is not installed; install it."
    )
    run.seal()
    data = run.report()
    assert data["findings"][0]["title"] == "backup_check: restic is not installed; install it"
    assert data["hosts"][0]["domains"]["backup"] == "failed"


def test_a_step_that_is_not_built_makes_the_run_incomplete() -> None:
    run = good_run("local", steps=NOT_BUILT)
    run.step("local", 3, "skipped", "not_built")
    run.seal()
    data = run.report()
    assert data["verdict"]["sentence"] == "INCOMPLETE. local is OK"
    assert data["verdict"]["facts"][0] == "Not built yet, so their clauses stay due: Updates."
    assert data["verdict"]["status"] == "unknown"


def test_a_step_that_is_not_built_in_a_domain_that_stands_is_named_alone() -> None:
    run = good_run("local", steps=(*STEPS, {"module": "backup_check", "domain": "backup"}))
    run.step("local", 3, "skipped", "not_built")
    run.seal()
    assert run.report()["verdict"]["facts"][0] == "Not built yet, so their clauses stay due: backup_check."


@pytest.mark.parametrize("reason", ["not_reached", "not_started", "busy"])
def test_a_step_that_did_not_take_place_makes_the_run_incomplete(reason: str) -> None:
    run = good_run("local", steps=NOT_BUILT)
    run.step("local", 3, "skipped", reason)
    run.seal()
    assert run.report()["verdict"]["missing"] == {reason: ["updates"]}


def test_a_step_that_does_not_apply_leaves_the_run_complete() -> None:
    run = good_run("local", steps=NOT_BUILT)
    run.step("local", 3, "skipped", "not_applicable")
    run.seal()
    assert run.report()["verdict"]["complete"]


def test_a_missing_step_record_makes_the_run_incomplete() -> None:
    run = good_run("local", steps=NOT_BUILT)
    run.seal()
    data = run.report()
    assert data["verdict"]["missing"] == {"missing": ["updates"]}
    assert "3 of 4 expected step records" in data["verdict"]["facts"][0]


def test_a_run_without_its_seal_is_incomplete() -> None:
    assert "unsealed" in good_run("local").report()["verdict"]["missing"]


def test_a_killed_run_says_how_much_of_it_is_there() -> None:
    run = DailyRun(ListLedger(), ("local",))
    run.step("local", 0)
    run.disk("local", 41)
    run.step("local", 1, "failed", "interrupted")
    run.step("local", 2, "failed", "interrupted")
    run.seal("failed", "interrupted")
    data = run.report()
    assert data["verdict"]["sentence"] == "INCOMPLETE. The run was stopped before it was sealed"
    assert data["verdict"]["facts"][0].startswith("1 of 3 expected steps have a result")
    assert data["run"]["finished"] == f"{run.day}T22:00:02Z"


def test_a_narrowed_run_shows_the_other_hosts_without_evidence() -> None:
    run = good_run("web1", inventory=["web1", "db1"], limit="web")
    run.seal()
    data = run.report()
    assert data["verdict"]["sentence"].startswith("Partial run.")
    assert [(host["name"], host["status"]) for host in data["hosts"]] == [("web1", "ok"), ("db1", "none")]
    assert data["counts"]["hosts"]["with_verdict"] == 1
    assert data["counts"]["hosts"]["total"] == 2


def test_a_host_that_is_not_ours_has_a_row_and_is_not_counted() -> None:
    run = good_run("web1", not_ours=["switch1"])
    run.all_steps("switch1", "skipped", "not_ours")
    run.seal()
    data = run.report()
    assert data["hosts"][1]["status"] == "skipped"
    assert data["verdict"]["sentence"] == "web1 is OK"
    assert data["counts"]["hosts"] == {"total": 1, "with_verdict": 1, "not_ours": 1, "status": {"ok": 1}}


def test_skipped_never_counts_as_ok() -> None:
    run = DailyRun(ListLedger(), ("local",))
    run.all_steps("local")
    run.put("local", "health", "raid", "md0", "skipped", "not_applicable")
    run.seal()
    data = run.report()
    assert data["hosts"][0]["domains"]["health"] == "skipped"
    assert data["domains"][0]["measured"] == {"ok": 0, "total": 0}


def test_a_set_without_a_proof_is_not_counted_as_proved() -> None:
    run = good_run("local")
    run.put("local", "backup", "backup", "data", "ok")
    run.seal()
    assert run.report()["domains"][1]["sentence"] == "1 of 2 sets proved by a restore"


def test_a_finding_about_a_set_names_the_set() -> None:
    run = good_run("local")
    run.put("local", "backup", "proof", "data", "failed", "mismatch", message="2 of 20 files differ.")
    run.seal()
    assert run.report()["findings"][0]["title"] == "data: 2 of 20 files differ"


def test_a_set_that_was_backed_up_and_not_proved_keeps_its_row() -> None:
    run = good_run("local")
    run.put("local", "backup", "backup", "data", "warning", "unreadable_files", files=7, bytes=1024)
    run.seal()
    row = run.report()["backup"][1]
    assert (row["set"], row["backup"]["files"], row["proof"]) == ("data", 7, None)


def test_a_first_run_calls_nothing_new() -> None:
    run = good_run("local")
    run.disk("local", 95)
    run.seal()
    data = run.report()
    assert data["findings"][0]["state"] == "found"
    assert data["run"]["compared_with"] is None


def test_new_open_and_fixed_are_told_by_the_run_before() -> None:
    ledger = ListLedger()
    for day, faults in ((22, ("open", "fixed")), (23, ("open", "new"))):
        run = DailyRun(ledger, day=day)
        for kind in ("open", "fixed", "new"):
            run.put("local", "health", kind, "x", "critical" if kind in faults else "ok")
        run.all_steps("local")
        run.seal()
    data = run.report()
    assert {row["kind"]: row["state"] for row in data["findings"]} == {"open": "open", "new": "new"}
    assert [row["kind"] for row in data["fixed"]] == ["fixed"]


def test_what_the_run_did_not_look_at_is_not_fixed() -> None:
    ledger = ListLedger()
    earlier = good_run("local", ledger=ledger, day=22)
    earlier.put("local", "health", "swap", "swap", "critical")
    earlier.seal()
    run = good_run("local", ledger=ledger, day=23)
    run.seal()
    assert run.report()["fixed"] == []


def test_since_is_the_first_day_of_the_present_streak() -> None:
    ledger = ListLedger()
    for day, status in ((20, "critical"), (21, "ok"), (22, "critical"), (23, "critical")):
        run = DailyRun(ledger, day=day)
        run.put("local", "health", "swap", "swap", status)
        run.all_steps("local")
        run.seal()
    data = run.report()
    assert data["findings"][0]["since"].startswith("2026-11-22")
    assert data["hosts"][0]["since"].startswith("2026-11-22")


def test_each_finding_and_step_names_its_record() -> None:
    run = good_run("local")
    run.disk("local", 95)
    run.seal()
    data = run.report()
    stored = {item.seq: item for item in run.ledger.stored}
    finding = data["findings"][0]
    assert stored[finding["seq"]].record == finding["record"]
    assert stored[finding["seq"]].hash == finding["hash"]
    assert all(stored[step["seq"]].record["subject"] == step["module"] for step in data["steps"])


def test_the_data_are_json_and_the_same_for_the_same_ledger() -> None:
    run = good_run("web1", "web2", "db1")
    run.disk("db1", 95)
    run.seal()
    assert json.dumps(run.report()) == json.dumps(run.report())


def test_building_leaves_the_ledger_records_alone() -> None:
    run = good_run("local")
    run.disk("local", 95)
    run.seal()
    before = copy.deepcopy([stored.record for stored in run.ledger.stored])
    run.report()
    assert [stored.record for stored in run.ledger.stored] == before


def test_a_run_that_the_ledger_does_not_hold_is_one_sentence() -> None:
    with pytest.raises(LookupError, match=r"^The ledger holds no record of run 2026; list its runs"):
        gather(ListLedger(), "2026", Facts())


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.lists(st.sampled_from(STATUSES), max_size=4), min_size=1)
)
def test_each_host_has_a_row_whatever_it_left(statuses: dict[str, list[str]]) -> None:
    run = DailyRun(ListLedger(), sorted(statuses))
    for host, found in statuses.items():
        for number, status in enumerate(found):
            run.put(host, "health", "probe", str(number), status)
    data = run.report()
    assert [host["name"] for host in data["hosts"]] == sorted(statuses)
    findings = sum(status not in ("ok", "skipped") for found in statuses.values() for status in found)
    assert len(data["findings"]) == findings
    assert not data["verdict"]["complete"]


@given(st.lists(st.sampled_from(MARK_ORDER), min_size=1))
def test_the_one_mark_is_never_better_than_any_of_the_several(statuses: list[str]) -> None:
    assert all(MARK_ORDER.index(worst(statuses)) <= MARK_ORDER.index(status) for status in statuses)


def test_build_is_given_everything_and_asks_nothing() -> None:
    run = good_run("local")
    run.seal()
    material = gather(run.ledger, run.run, Facts(platform="Portal", zone="Asia/Shanghai"))
    run.ledger.stored.clear()
    assert build(material)["run"]["platform"] == "Portal"


def test_a_finding_has_its_owner_and_its_age() -> None:
    ledger = ListLedger()
    for day in (22, 24):
        run = good_run("web1", ledger=ledger, day=day)
        run.put("web1", "backup", "proof", "data", "failed", "mismatch")
        run.put("web1", "hardening", "control", "IA-001", "warning")
        run.put("web1", "gate", "gate", "x", "warning")
        run.step("web2", 1, "unreachable", "timeout")
        run.seal()
    findings = run.report(procedures={"daily": {"team": "PM"}})["findings"]
    owners = {(row["domain"], row["status"]): row["owner"] for row in findings}
    assert owners == {
        ("backup", "failed"): "DATA",
        ("backup", "unreachable"): "SYS",
        ("hardening", "warning"): "SEC",
        ("gate", "warning"): "PM",
    }
    assert {row["age"] // 3600 for row in findings} == {48}
    assert {row["state"] for row in findings} == {"open"}


def test_what_was_found_and_is_not_looked_at_again_is_neither_open_nor_fixed() -> None:
    ledger = ListLedger()
    first = good_run("web1", "web2", "db1", ledger=ledger, day=23)
    for host in ("web1", "web2"):
        first.put(host, "health", "swap", "swap", "critical", message="Swap is full.")
    first.put("db1", "health", "raid", "md0", "critical")
    first.put("db1", "health", "zombies", "zombies", "warning")
    first.seal()
    second = good_run("web1", "web2", "db1", ledger=ledger, day=24)
    for host in ("web1", "web2"):
        second.put(host, "health", "swap", "swap", "ok")
    second.put("db1", "health", "zombies", "zombies", "skipped", "not_due")
    second.seal()
    data = second.report()
    assert [(row["host"], row["subject"]) for row in data["fixed"]] == [("web1", "swap"), ("web2", "swap")]
    assert [(row["host"], row["subject"]) for row in data["unseen"]] == [("db1", "md0"), ("db1", "zombies")]
    counts = data["counts"]["findings"]
    assert (counts["open"], counts["new"], counts["fixed"], counts["unseen"]) == (0, 0, 1, 2)


@given(st.lists(st.sampled_from(["critical", "ok", "skipped", "none"]), min_size=2, max_size=5))
def test_each_earlier_finding_is_open_fixed_or_not_looked_at_again(course: list[str]) -> None:
    ledger = ListLedger()
    for day, status in enumerate(course, 20):
        run = good_run("web1", ledger=ledger, day=day)
        if status != "none":
            run.put("web1", "health", "raid", "md0", status)
        run.seal()
    data = run.report()
    was_bad, now = course[-2] == "critical", course[-1]
    last_seen = next((status for status in reversed(course[:-1]) if status != "none"), "")
    expected = ["open" if last_seen == "critical" else "new"] if now == "critical" else []
    assert [row["state"] for row in data["findings"]] == expected
    assert len(data["fixed"]) == (was_bad and now == "ok")
    assert len(data["unseen"]) == (was_bad and now in ("skipped", "none"))
