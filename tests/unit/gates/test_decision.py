# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the gate decides, and the laws that it keeps whatever it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.gates.decision import Decision, Evidence, Signed, decide
from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import Approval
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso
from ansible_collections.egov.ops.plugins.plugin_utils.plan.problem import PlanError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.gate_cases import NOW, OWNERS, SNAPSHOT, approved, evidence, key, operation, plan, request

PLAN = plan()
REQUEST = request()
GOOD = evidence(REQUEST, "wang_1")


def refusal(decision: Decision, gate: str) -> str:
    """Return what a gate says that alone refuses."""
    assert not decision.allowed
    (check,) = decision.refused
    assert check.gate == gate
    assert check.remedy
    return check.message


def test_a_good_request_passes_each_gate_in_the_plans_order() -> None:
    decision = decide(REQUEST, PLAN, GOOD, NOW)
    assert decision.allowed
    assert [check.gate for check in decision.checks] == ["approval", "proved_backup", "freeze", "lock"]


def test_without_a_request_nothing_is_approved_and_it_is_said_who_may_ask() -> None:
    decision = decide(None, PLAN, Evidence("web1", "restore"), NOW)
    assert [check.gate for check in decision.refused] == ["approval", "proved_backup"]
    assert "may be asked for by li, zhao, zhou" in decision.message
    assert "egov.ops.request" in decision.message


def test_an_action_that_the_plan_does_not_know_is_never_allowed() -> None:
    decision = decide(REQUEST, PLAN, replace(GOOD, action="reformat"), NOW)
    assert "egov_ops_gates" in decision.refused[0].remedy
    assert not decision.allowed


def test_a_request_for_another_action_neither_approves_this_one_nor_names_its_snapshot() -> None:
    decision = decide(request(action="key_rotate"), PLAN, GOOD, NOW)
    assert [check.gate for check in decision.refused] == ["approval", "proved_backup"]
    assert "The request is for key_rotate, so no snapshot of restore is known." in decision.message


APPROVALS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("none", {}, {"approvals": ()}, "0 of 1 approvals"),
    ("by the requester's other key", {}, {"approvals": ("li_2",)}, "Approval ignored: li is the requester."),
    ("by one who may not", {}, {"approvals": ("chen_1",)}, "may not approve restore"),
    ("for another host", {"operation": operation(host="db1")}, {}, "is for db1, and not for web1"),
    ("done already", {}, {"done": "2026-03-04T05:00:00Z"}, "was carried out already"),
    ("by a requester who may not", {"requester": "wang"}, {"key": "wang_1", "approvals": ("zhao_1",)}, "may not ask"),
    ("made later", {"made": NOW + timedelta(hours=1)}, {}, "and it is only"),
    ("expired", {"made": NOW - timedelta(hours=2)}, {}, "has expired"),
    ("valid for too long", {"not_after": iso(NOW + timedelta(days=2))}, {}, "longer than the plan allows"),
    ("signed by another than its requester", {}, {"key": "zhao_1"}, "signed by the key zhao_1 of zhao"),
    ("signed by a stranger", {}, {"key": "stranger"}, "not signed by a key of egov_ops_signers"),
    ("with a signature that is not valid", {}, {"valid": False}, "is not what the key li_1 has signed"),
]


@pytest.mark.parametrize(("fields", "known", "words"), [case[1:] for case in APPROVALS], ids=[c[0] for c in APPROVALS])
def test_a_request_or_an_approval_is_refused(fields: dict[str, Any], known: dict[str, Any], words: str) -> None:
    asked = request(**fields)
    found = evidence(asked, *known.pop("approvals", ("wang_1",)))
    if "key" in known:
        known["key"] = key(known["key"])
    assert words in refusal(decide(asked, PLAN, replace(found, **known), NOW), "approval")


@pytest.mark.parametrize(
    ("count", "end"), [(5, "host3, host4"), (6, "host3, host4 and 1 more host"), (7, "host3, host4 and 2 more hosts")]
)
def test_of_the_hosts_of_a_request_five_are_named(count: int, end: str) -> None:
    several = request(operation=operation(hosts=[f"host{number}" for number in range(count)]))
    message = refusal(decide(several, PLAN, evidence(several, "wang_1"), NOW), "approval")
    assert f"is for host0, host1, host2, {end}, and not for web1" in message


def test_what_is_missing_says_who_may_sign_until_when_and_how() -> None:
    (check,) = decide(REQUEST, PLAN, evidence(REQUEST), NOW).refused
    command = f"ansible-playbook egov.ops.approve -e egov_ops_request={REQUEST.digest[:8]}"
    assert check.remedy == f"Waiting for approval by one of wang, zhao before 2026-03-04T06:06:07Z: {command}"


def test_an_approval_of_another_request_does_not_count() -> None:
    found = replace(GOOD, approvals=approved(request(nonce="cd" * 16), "wang_1"))
    assert "is for the request" in refusal(decide(REQUEST, PLAN, found, NOW), "approval")


def test_an_approval_from_before_the_request_does_not_count() -> None:
    found = replace(GOOD, approvals=approved(REQUEST, "wang_1", made=NOW - timedelta(hours=1)))
    assert "before the request" in refusal(decide(REQUEST, PLAN, found, NOW), "approval")


MINUTES, SECOND = timedelta(minutes=5), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("made", NOW + MINUTES, True),
        ("made", NOW + MINUTES + SECOND, False),
        ("not_after", NOW + SECOND, True),
        ("not_after", NOW, False),
        ("not_after", NOW + timedelta(days=1), True),
        ("not_after", NOW + timedelta(days=1) + SECOND, False),
    ],
)
def test_a_request_counts_up_to_its_last_moment_and_no_longer(name: str, value: datetime, allowed: bool) -> None:
    assert PLAN["egov_ops_request_validity"] == timedelta(days=1).total_seconds()
    asked = request(**{name: value if name == "made" else iso(value)})
    found = replace(GOOD, approvals=approved(asked, "wang_1"))
    assert decide(asked, PLAN, found, NOW).allowed == allowed


@pytest.mark.parametrize(
    ("left", "allowed"),
    [(-MINUTES - SECOND, False), (-MINUTES, True), (timedelta(0), True), (MINUTES, True), (MINUTES + SECOND, False)],
)
def test_two_clocks_may_differ_by_five_minutes_about_an_approval(left: timedelta, allowed: bool) -> None:
    found = replace(GOOD, approvals=approved(REQUEST, "wang_1", made=NOW + left))
    assert decide(REQUEST, PLAN, found, NOW).allowed == allowed


def test_two_approvals_are_two_people() -> None:
    two = plan(gates={"restore": {"approvals": 2}})
    assert decide(REQUEST, two, evidence(REQUEST, "wang_1", "zhao_1"), NOW).allowed
    twice = evidence(REQUEST, "wang_1", "wang_1")
    assert "1 of 2 approvals" in refusal(decide(REQUEST, two, twice, NOW), "approval")


def test_the_plan_may_want_the_approval_of_a_team() -> None:
    of_data = plan(gates={"restore": {"teams": ["DATA"]}})
    assert decide(REQUEST, of_data, evidence(REQUEST, "zhao_1"), NOW).allowed
    assert "Approval ignored: wang is of the team SEC; of DATA approvals count." in refusal(
        decide(REQUEST, of_data, GOOD, NOW), "approval"
    )


def signers(**changed: Any) -> dict[str, Any]:
    return {**{name: {"person": person, "key": key(name)} for name, person in OWNERS.items()}, **changed}


@pytest.mark.parametrize("name", ["li_1", "wang_1"])
def test_a_key_is_worth_nothing_from_its_revocation_on(name: str) -> None:
    entry = {"person": OWNERS[name], "key": key(name)}
    later = plan(signers=signers(**{name: {**entry, "revoked": "2026-03-04 05:07 UTC"}}))
    assert decide(REQUEST, later, GOOD, NOW).allowed
    now = plan(signers=signers(**{name: {**entry, "revoked": "2026-03-04 13:06 Asia/Shanghai"}}))
    decision = decide(REQUEST, now, GOOD, NOW)
    assert "which was revoked on 2026-03-04 13:06 Asia/Shanghai" in refusal(decision, "approval")


def test_a_new_key_takes_the_place_of_a_revoked_one() -> None:
    old = {"person": "li", "key": key("li_1"), "revoked": "2026-03-01 00:00 UTC"}
    rotated = plan(signers=signers(li_1=old))
    assert decide(REQUEST, rotated, evidence(REQUEST, "wang_1", key=key("li_2")), NOW).allowed


def test_a_key_that_is_entered_for_two_people_counts_for_neither() -> None:
    twice = plan(signers=signers(zhao_2={"person": "zhao", "key": key("li_1")}))
    assert "more than once" in refusal(decide(REQUEST, twice, GOOD, NOW), "approval")


@pytest.mark.parametrize(
    ("proof", "words"),
    [
        (None, "no proof"),
        ({"status": "failed", "finished": iso(NOW)}, "failed"),
        ({"status": "ok", "finished": iso(NOW - timedelta(days=8))}, "too old"),
    ],
)
def test_what_replaces_something_needs_a_fresh_proof_of_that_snapshot(proof: Any, words: str) -> None:
    decision = decide(REQUEST, PLAN, replace(GOOD, proof=proof), NOW)
    assert words in refusal(decision, "proved_backup")
    assert f"ansible web1 -m egov.ops.backup_prove -a snapshot={SNAPSHOT}" in decision.message


@pytest.mark.parametrize(("over", "fresh"), [(0, True), (1, False)])
def test_a_proof_is_fresh_up_to_its_longest_age_itself(over: int, fresh: bool) -> None:
    age = timedelta(seconds=PLAN["egov_ops_proof_max_age"] + over)
    proof = {"status": "ok", "finished": iso(NOW.replace(microsecond=0) - age)}
    assert decide(REQUEST, PLAN, replace(GOOD, proof=proof), NOW.replace(microsecond=0)).allowed == fresh


def test_what_replaces_nothing_needs_no_proof() -> None:
    beside = request(operation=operation(mode="beside", destination="/srv/restored"))
    assert decide(beside, PLAN, evidence(beside, "wang_1", proof=None), NOW).allowed


@pytest.mark.parametrize(
    ("begin", "end", "held"),
    [
        ("2026-03-04 05:06 UTC", "2026-03-04 05:07 UTC", True),
        ("2026-03-04 13:00 Asia/Shanghai", "2026-03-05 13:00 Asia/Shanghai", True),
        ("2026-03-04 05:00 UTC", "2026-03-04 05:06 UTC", False),
        ("2026-03-04 05:07 UTC", "2026-03-05 05:06 UTC", False),
    ],
)
def test_a_freeze_holds_from_its_beginning_to_its_end(begin: str, end: str, held: bool) -> None:
    frozen = plan(freezes={"congress": {"from": begin, "to": end, "reason": "The congress sits"}})
    decision = decide(REQUEST, frozen, GOOD, NOW)
    assert decision.allowed != held
    if held:
        assert f"until {end} (congress: The congress sits)" in refusal(decision, "freeze")


@pytest.mark.parametrize(
    ("begin", "end", "held"),
    [
        (timedelta(0), timedelta(minutes=1), True),
        (timedelta(minutes=1), timedelta(minutes=2), False),
        (timedelta(minutes=-1), timedelta(0), False),
    ],
)
def test_a_freeze_holds_in_its_first_moment_and_not_in_that_of_its_end(
    begin: timedelta, end: timedelta, held: bool
) -> None:
    now = NOW.replace(second=0, microsecond=0)
    moments = {name: f"{now + left:%Y-%m-%d %H:%M} UTC" for name, left in (("from", begin), ("to", end))}
    frozen = plan(freezes={"congress": {**moments, "reason": "The congress sits"}})
    (freeze,) = [check for check in decide(REQUEST, frozen, GOOD, now).checks if check.gate == "freeze"]
    assert freeze.allowed != held


def test_another_run_on_the_host_is_waited_for() -> None:
    decision = decide(REQUEST, PLAN, replace(GOOD, running=("20260304T050000Z-0123456789ab",)), NOW)
    assert "20260304T050000Z-0123456789ab is changing web1" in refusal(decision, "lock")


@pytest.mark.parametrize("left", [["approval"], ["lock"], ["proved_backup", "freeze"], []])
def test_no_plan_goes_below_the_floor(left: list[str]) -> None:
    with pytest.raises(PlanError):
        plan(gates={"restore": {"gates": left}})


def test_an_action_whose_gates_are_taken_away_is_not_allowed() -> None:
    assert not decide(REQUEST, plan(gates={"restore": {"state": "absent"}}), GOOD, NOW).allowed


@dataclass
class Case:
    """A good request with all that it needs, to be changed."""

    request: dict[str, Any] = field(default_factory=dict)
    operation: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(
        default_factory=lambda: {"signers": signers(), "freezes": {}, "gates": {"restore": {}}}
    )
    approvers: list[str] = field(default_factory=lambda: ["wang_1"])
    evidence: dict[str, Any] = field(default_factory=dict)
    strangers: tuple[Any, ...] = ()
    now: datetime = NOW
    named: bool = True

    def decided(self) -> Decision:
        asked = request(operation=operation(**self.operation), **self.request)
        known = evidence(asked, *self.approvers, **self.evidence)
        known = replace(known, approvals=(*self.strangers, *known.approvals))
        return decide(asked if self.named else None, plan(**self.plan), known, self.now)


def _freeze(case: Case, begin: timedelta, end: timedelta) -> None:
    held = {"from": f"{NOW + begin:%Y-%m-%d %H:%M} UTC", "to": f"{NOW + end:%Y-%m-%d %H:%M} UTC", "reason": "Congress"}
    case.plan["freezes"][f"freeze_{len(case.plan['freezes'])}"] = held


def _revoke(case: Case, name: str, moment: timedelta) -> None:
    entry = {**case.plan["signers"][name], "revoked": f"{NOW + moment:%Y-%m-%d %H:%M} UTC"}
    case.plan["signers"] = {**case.plan["signers"], name: entry}


def _more_approvals(case: Case) -> None:
    case.plan["gates"]["restore"]["approvals"] = 2
    case.approvers = ["wang_1", "zhao_1"]


#: Each of them alone is a reason to refuse.
SPOILERS: dict[str, Callable[[Case], Any]] = {
    "no request": lambda case: setattr(case, "named", False),
    "not signed": lambda case: case.evidence.update(valid=False),
    "signed by a stranger": lambda case: case.evidence.update(key=key("stranger")),
    "signed by another": lambda case: case.evidence.update(key=key("zhou_1")),
    "no approval": lambda case: case.approvers.clear(),
    "one approval too few": lambda case: case.plan["gates"]["restore"].update(approvals=3),
    "approved by the wrong team": lambda case: case.plan["gates"]["restore"].update(teams=["PM"]),
    "another host": lambda case: case.evidence.update(host="db1"),
    "carried out": lambda case: case.evidence.update(done=iso(NOW)),
    "expired": lambda case: setattr(case, "now", NOW + timedelta(hours=1)),
    "not made yet": lambda case: setattr(case, "now", NOW - timedelta(hours=1)),
    "valid for too long": lambda case: case.request.update(not_after=iso(NOW + timedelta(days=3))),
    "requester's key revoked": lambda case: _revoke(case, "li_1", -timedelta(hours=2)),
    "approver's key revoked": lambda case: _revoke(case, "wang_1", -timedelta(hours=2)),
    "no proof": lambda case: (case.evidence.update(proof=None), case.operation.update(mode="in_place", destination="")),
    "frozen": lambda case: _freeze(case, -timedelta(days=1), timedelta(days=1)),
    "busy": lambda case: case.evidence.update(running=("other",)),
}

#: None of them is.
HARMLESS: dict[str, Callable[[Case], Any]] = {
    "two approvals": _more_approvals,
    "beside": lambda case: case.operation.update(mode="beside", destination="/srv/restored"),
    "a freeze that has ended": lambda case: _freeze(case, -timedelta(days=9), -timedelta(days=2)),
    "a freeze to come": lambda case: _freeze(case, timedelta(days=2), timedelta(days=9)),
    "a revocation to come": lambda case: _revoke(case, "wang_1", timedelta(days=2)),
    "another key revoked": lambda case: _revoke(case, "li_2", -timedelta(days=2)),
    "an approval that counts for nothing": lambda case: setattr(
        case, "strangers", approved(request(nonce="cd" * 16), "zhao_1")
    ),
    "an approval of one's own": lambda case: case.approvers.append("li_2"),
    "a team that counts": lambda case: case.plan["gates"]["restore"].update(teams=["SEC", "DATA"]),
    "some minutes later": lambda case: setattr(case, "now", NOW + timedelta(minutes=30)),
}


@given(st.sets(st.sampled_from(sorted(SPOILERS)), max_size=2), st.permutations(sorted(HARMLESS)), st.integers(0, 4))
@settings(max_examples=300, deadline=None)
def test_a_gate_opens_exactly_if_nothing_speaks_against_it(spoiled: set[str], harmless: list[str], few: int) -> None:
    case = Case()
    for name in harmless[:few]:
        HARMLESS[name](case)
    for name in sorted(spoiled):
        SPOILERS[name](case)
    decision = case.decided()
    assert decision.allowed == (not spoiled), decision.message
    assert decision == case.decided()
    assert all(check.remedy for check in decision.refused)


@pytest.mark.parametrize("name", SPOILERS)
def test_each_reason_alone_closes_a_gate_and_another_gate_never_opens_it(name: str) -> None:
    case = Case()
    SPOILERS[name](case)
    assert not case.decided().allowed
    case.plan["gates"]["restore"]["gates"] = ["approval", "lock"]
    fewer = case.decided().allowed
    assert fewer == (name in ("no proof", "frozen"))


def test_with_one_approver_left_that_one_is_waited_for() -> None:
    two = plan(gates={"restore": {"approvals": 2}})
    (check,) = decide(REQUEST, two, evidence(REQUEST, "wang_1"), NOW).refused
    assert check.remedy.startswith("Waiting for approval by zhao before 2026-03-04T06:06:07Z: ")


def test_where_nobody_may_approve_the_remedy_says_what_the_plan_lacks() -> None:
    nobody = plan(people={name: {"team": "DATA", "may_request": ["restore"]} for name in set(OWNERS.values())})
    (check,) = decide(REQUEST, nobody, evidence(REQUEST), NOW).refused
    assert check.message == f"Request {REQUEST.digest[:8]} has 0 of 1 approvals."
    assert check.remedy.startswith(
        "Nobody may approve it yet: give a person may_approve in egov_ops_people, and a key in"
    )
    assert (
        f"before 2026-03-04T06:06:07Z: ansible-playbook egov.ops.approve -e egov_ops_request={REQUEST.digest[:8]}"
        in (check.remedy)
    )


def test_an_approval_with_the_key_of_the_request_is_ignored() -> None:
    both = plan(signers=signers(li_1={"person": "li", "key": key("li_1")}))
    signed = Signed(Approval(REQUEST.digest, "wang", iso(NOW)), key("li_1"), True)
    message = refusal(decide(REQUEST, both, replace(GOOD, approvals=(signed,)), NOW), "approval")
    assert message.endswith("has 0 of 1 approvals. Approval ignored: wang signed with the key of the request.")


def test_a_key_that_stands_in_the_plan_twice_signs_for_nobody() -> None:
    twice = plan(signers=signers(wang_9={"person": "wang", "key": key("wang_1")}))
    message = refusal(decide(REQUEST, twice, GOOD, NOW), "approval")
    assert "stands in egov_ops_signers more than once, as wang_1 and wang_9" in message


def test_a_decision_is_shown_with_each_check_and_the_request() -> None:
    shown = decide(REQUEST, PLAN, evidence(REQUEST), NOW).shown()
    assert (shown["allowed"], shown["action"], shown["request"]) == (False, "restore", REQUEST.digest)
    assert [(check["gate"], check["allowed"]) for check in shown["checks"]] == [
        ("approval", False),
        *((name, True) for name in ("proved_backup", "freeze", "lock")),
    ]
    assert decide(None, PLAN, Evidence("web1", "restore"), NOW).shown()["request"] == ""


def test_gates_of_an_action_that_does_not_exist_allow_nothing() -> None:
    odd = {**PLAN, "egov_ops_gates": {**PLAN["egov_ops_gates"], "reformat": PLAN["egov_ops_gates"]["restore"]}}
    decision = decide(REQUEST, odd, replace(GOOD, action="reformat"), NOW)
    (check,) = decision.refused
    assert (check.gate, check.message) == ("plan", "The plan has gates for reformat, but there is no such action.")
    assert check.remedy.startswith("Name one of ")


@pytest.mark.parametrize(
    ("action", "gate", "words"),
    [
        ("backup_prune", "proved_backup", "backup_prune names no snapshot, so there is no proof to look for."),
        ("backup_prune", "approval", "backup_prune cannot be asked for by a request, so nobody can approve it."),
    ],
)
def test_a_gate_that_an_action_cannot_pass_is_to_be_taken_out(action: str, gate: str, words: str) -> None:
    odd = {
        **PLAN,
        "egov_ops_gates": {**PLAN["egov_ops_gates"], action: {"gates": [gate], "approvals": 1, "teams": None}},
    }
    (check,) = decide(None, odd, Evidence("web1", action), NOW).refused
    assert (check.gate, check.message) == (gate, words)
    assert check.remedy == f"Take {gate} out of egov_ops_gates.{action} in the inventory."


def test_a_clock_that_is_behind_the_ledger_refuses_before_all_else() -> None:
    decision = decide(REQUEST, PLAN, replace(GOOD, clock="The clock is behind."), NOW)
    assert [check.gate for check in decision.checks] == ["clock", "approval", "proved_backup", "freeze", "lock"]
    (check,) = decision.refused
    assert check.message == "The clock is behind."
    assert "egov.ops.accept_clock" in check.remedy


def test_a_freeze_holds_from_its_first_to_before_its_last_moment_and_the_longest_is_named() -> None:
    def freezes(**ends: tuple[str, str]) -> dict[str, Any]:
        return {
            **PLAN,
            "egov_ops_freezes": {
                name: {"from": begin, "to": end, "reason": "Congress"} for name, (begin, end) in ends.items()
            },
        }

    at = NOW.replace(second=0)
    around = freezes(
        short=("2026-03-04 05:06 UTC", "2026-03-04 05:07 UTC"), long=("2026-03-01 00:00 UTC", "2026-03-05 00:00 UTC")
    )
    message = refusal(decide(REQUEST, around, GOOD, at), "freeze")
    assert message == "web1 is frozen until 2026-03-05 00:00 UTC (long: Congress)."
    short = freezes(short=("2026-03-04 05:06 UTC", "2026-03-04 05:07 UTC"))
    for moment, is_held in ((-1, False), (0, True), (59, True), (60, False)):
        decision = decide(REQUEST, short, GOOD, at + timedelta(seconds=moment))
        assert [check.allowed for check in decision.checks if check.gate == "freeze"] == [not is_held]


def test_where_only_another_machines_drill_counts_the_remedy_is_a_drill_of_the_host() -> None:
    (check,) = decide(REQUEST, plan(proof_by="drill_host"), evidence(REQUEST, "wang_1", proof=None), NOW).refused
    assert " by another host (egov_ops_proof_by) that is fresh enough." in check.message
    assert check.remedy.startswith("Name that host in egov_ops_drill_host, and drill the newest snapshot: ")
    assert "egov.ops.restore_drill -e egov_ops_hosts=web1" in check.remedy
