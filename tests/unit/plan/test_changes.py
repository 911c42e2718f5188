# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change means: laws that hold of every plan, and each kind of effect."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.plan.changes import Change, difference
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import Schema, load_schema
from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import Opaque
from hypothesis import given, settings
from hypothesis import strategies as st

Variables = dict[str, Any]
SETS, PROBES, CONTROLS = "egov_ops_backup_sets", "egov_ops_probes", "egov_ops_controls"

laws = settings(max_examples=60, deadline=None)

#: The schema of these tests, which hypothesis shall not print.
KNOWN: list[Schema] = []


@pytest.fixture(autouse=True, scope="module")
def known(schema: Schema) -> None:
    KNOWN.append(schema)


def plans(hosts: Mapping[str, Variables]) -> dict[str, Any]:
    """Return the plans of hosts as the validation compares them."""
    found: dict[str, Any] = {}
    for host, variables in hosts.items():
        plan = dict(merge(variables, KNOWN[0]))
        plan["egov_ops_witness_signers"] = {"file": plan["egov_ops_witness_signers"], "signers": []}
        found[host] = plan if plan["egov_ops_managed"] else None
    return found


def changes(before: Mapping[str, Variables], after: Mapping[str, Variables]) -> list[Change]:
    return difference(plans(before), plans(after), KNOWN[0])


def put(path: str, value: Any) -> Callable[[Variables], None]:
    """Return what sets a key, or removes it for None."""

    def work(variables: Variables) -> None:
        *above, last = path.split("/")
        for name in above:
            variables = variables.setdefault(name, {})
        if value is None:
            variables.pop(last, None)
        else:
            variables[last] = value

    return work


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMoEmjK0MoVAK5LRv7"

PLAN: Variables = {
    "egov_ops_ledger_retention_days": 1000,
    "egov_ops_patch_deadline_high": "20d",
    "egov_ops_backup_proof_files": 40,
    "egov_ops_max_lists_age": "26h",
    "egov_ops_security_origins": ["*security*", "Debian-Security"],
    SETS: {
        "sites": {
            "class": "other",
            "paths": ["/srv/www", "/srv/docs"],
            "exclude": ["*.tmp"],
            "full": "weekly",
            "incremental": "daily",
        }
    },
    "egov_ops_backup_repositories": {"far": {"location": "sftp:b:/srv"}, "near": {"location": "/srv/backup"}},
    f"{SETS}__10_site": {"sites": {"repository": "far"}},
    PROBES: {
        "portal": {"warning": "3", "critical": "15"},
        "ports": {"kind": "listening_ports", "layer": "platform", "expected": [22], "allowed": [22, 443]},
    },
    CONTROLS: {"AC-002": {"primitive": "sshd", "expected": ">=12", "clauses": ["S5.2-1"], "option": "MaxAuthTries"}},
    "egov_ops_people": {
        "li": {"team": "DATA", "may_request": ["restore"]},
        "wang": {"team": "SEC", "may_approve": ["restore"]},
    },
    "egov_ops_signers": {
        "li": {"person": "li", "key": f"{KEY}1"},
        "old": {"person": "li", "key": f"{KEY}2", "revoked": "2026-03-01 08:00 Asia/Shanghai"},
    },
    "egov_ops_gates": {"restore": {"approvals": 2, "teams": ["SEC"]}},
    "egov_ops_freezes": {
        "congress": {"from": "2027-03-01 00:00 UTC", "to": "2027-03-15 00:00 UTC", "reason": "The congress sits"}
    },
}

#: What takes protection away, each with the effect that is told, and by that what gives it back.
WEAKENINGS: dict[str, tuple[Callable[[Variables], None], str]] = {
    "retention": (put("egov_ops_ledger_retention_days", 400), "falls"),
    "deadline": (put("egov_ops_patch_deadline_high", "30d"), "rises"),
    "proof": (put("egov_ops_backup_proof_files", 20), "falls"),
    "age": (put("egov_ops_max_lists_age", "3d"), "rises"),
    "origins": (put("egov_ops_security_origins", ["*security*"]), "loses something"),
    "set": (put(f"{SETS}__90_host/sites/state", "absent"), "is lost"),
    "path": (put(f"{SETS}/sites/paths", ["/srv/www"]), "loses something"),
    "exclude": (put(f"{SETS}/sites/exclude", ["*.tmp", "*.db"]), "gains something"),
    "full": (put(f"{SETS}/sites/full", "yearly"), "becomes rarer"),
    "incremental": (put(f"{SETS}/sites/incremental", None), "becomes rarer"),
    "copy": (put(f"{SETS}__10_site/sites/repository", "near"), "comes onto the host"),
    "repository": (put("egov_ops_backup_repositories/far/location", "/mnt"), "comes onto the host"),
    "probe": (put(f"{PROBES}/portal/state", "absent"), "is lost"),
    "threshold": (put(f"{PROBES}/portal/warning", "5"), "is loosened"),
    "no threshold": (put(f"{PROBES}/portal/critical", None), "is loosened"),
    "kind": (put(f"{PROBES}/portal/kind", "tcp"), "changes"),
    "expected ports": (put(f"{PROBES}/ports/expected", []), "loses something"),
    "allowed ports": (put(f"{PROBES}/ports/allowed", [22, 443, 23]), "is widened"),
    "control": (put(f"{CONTROLS}/AC-002/state", "absent"), "is lost"),
    "severity": (put(f"{CONTROLS}/AC-001/severity", "warning"), "counts for less"),
    "expectation": (put(f"{CONTROLS}/AC-002/expected", ">=8"), "is loosened"),
    "override": (put(f"{CONTROLS}/AC-002/deb", {"expected": ">=8"}), "is loosened"),
    "gate": (put("egov_ops_gates/restore/gates", ["approval", "freeze", "lock"]), "loses something"),
    "approvals": (put("egov_ops_gates/restore/approvals", 1), "falls"),
    "another team": (put("egov_ops_gates/restore/teams", ["SEC", "PM"]), "is widened"),
    "any team": (put("egov_ops_gates/restore/teams", None), "is widened"),
    "action": (put("egov_ops_gates/reformat", {"gates": ["lock"]}), "is new"),
    "person": (put("egov_ops_people/zhao", {"team": "SEC"}), "is new"),
    "right to ask": (put("egov_ops_people/wang/may_request", ["restore"]), "gains something"),
    "right to approve": (put("egov_ops_people/li/may_approve", ["restore"]), "gains something"),
    "signer": (put("egov_ops_signers/new", {"person": "li", "key": f"{KEY}3"}), "is new"),
    "owner of a key": (put("egov_ops_signers/li/person", "wang"), "changes"),
    "revocation taken back": (put("egov_ops_signers/old/revoked", None), "comes later, or never"),
    "revocation put off": (put("egov_ops_signers/old/revoked", "2026-03-01 08:00 UTC"), "comes later, or never"),
    "freeze": (put("egov_ops_freezes/congress/state", "absent"), "is lost"),
    "freeze begins": (put("egov_ops_freezes/congress/from", "2027-03-02 00:00 UTC"), "comes later, or never"),
    "freeze ends": (put("egov_ops_freezes/congress/to", "2027-03-14 00:00 UTC"), "comes earlier"),
    "age of a proof": (put("egov_ops_proof_max_age", "30d"), "rises"),
    "validity of a request": (put("egov_ops_request_validity", "7d"), "rises"),
    "family": (put(f"{CONTROLS}/AC-002/families", ["rpm"]), "is narrowed"),
    "procedure": (put("egov_ops_procedures/daily/state", "absent"), "is lost"),
    "cadence": (put("egov_ops_procedures/daily/cadence", "weekly"), "becomes rarer"),
    "steps": (put("egov_ops_procedures/daily/steps", []), "loses something"),
    "managed": (put("egov_ops_managed", False), "no longer looked after"),
}

#: What is another thing in place of one: a weakening in either direction.
EXCHANGED = ("kind", "owner of a key")


def weakened(*names: str) -> Variables:
    variables = copy.deepcopy(PLAN)
    for name in names:
        WEAKENINGS[name][0](variables)
    return variables


@pytest.mark.parametrize("name", WEAKENINGS)
def test_a_weakening_is_told_by_its_effect_and_its_return_is_none(name: str) -> None:
    before, after = {"a": PLAN}, {"a": weakened(name)}
    found = [change for change in changes(before, after) if change.weakens]
    assert [change.effect for change in found] == [WEAKENINGS[name][1]]
    back = changes(after, before)
    assert back
    assert name in EXCHANGED or [change for change in back if change.weakens] == []


subsets = st.lists(st.sampled_from(sorted(WEAKENINGS)), unique=True, max_size=8)


@given(names=subsets, hosts=st.integers(0, 3))
@laws
def test_an_empty_difference_never_fails(names: list[str], hosts: int) -> None:
    site = {f"host{number}": weakened(*names[number:]) for number in range(hosts)}
    assert changes(site, copy.deepcopy(site)) == []


@given(names=subsets, more=subsets)
@laws
def test_adding_protection_never_weakens(names: list[str], more: list[str]) -> None:
    """What takes protection away, left out, is protection added: on every host, and with hosts added too."""
    kept = [name for name in names if name not in more and name not in EXCHANGED]
    before = {"a": weakened(*(name for name in names if name not in EXCHANGED)), "b": PLAN}
    after = {"a": weakened(*kept), "b": PLAN, "c": PLAN}
    assert [change for change in changes(before, after) if change.weakens] == []


@given(names=subsets, order=st.randoms())
@laws
def test_weakening_then_restoring_is_no_difference(names: list[str], order: Any) -> None:
    shuffled = list(names)
    order.shuffle(shuffled)
    restored = weakened(*shuffled)
    for name in PLAN:
        restored[name] = copy.deepcopy(PLAN[name])
    for name in set(restored) - set(PLAN):
        del restored[name]
    assert changes({"a": PLAN}, {"a": restored}) == []


@given(names=subsets.filter(bool))
@laws
def test_each_of_several_weakenings_is_told(names: list[str]) -> None:
    found = [change for change in changes({"a": PLAN}, {"a": weakened(*names)}) if change.weakens]
    assert found
    if "managed" in names:
        assert [change.effect for change in found] == ["no longer looked after"]


def test_a_host_that_is_gone_is_a_weakening_and_a_new_one_is_not() -> None:
    found = changes({"a": PLAN, "b": PLAN}, {"b": PLAN, "c": PLAN})
    assert [(change.effect, change.weakens, change.hosts) for change in found] == [
        ("no longer in the inventory", True, ("a",)),
        ("new in the inventory", False, ("c",)),
    ]


def test_a_host_that_was_not_looked_after_may_go() -> None:
    (change,) = changes({"a": {"egov_ops_managed": False}}, {})
    assert not change.weakens


def test_the_same_effect_on_several_hosts_is_told_once() -> None:
    before = {"a": PLAN, "b": PLAN, "c": PLAN}
    (change,) = changes(before, {"a": weakened("full"), "b": weakened("full"), "c": PLAN})
    assert change.hosts == ("a", "b")
    assert change.sentence == f"{SETS}.sites.full becomes rarer: weekly, now yearly"


def test_a_digest_is_another_one_for_another_host_or_value() -> None:
    def digest(host: str, name: str) -> str:
        return changes({host: PLAN}, {host: weakened(name)})[0].digest

    assert digest("a", "retention") == digest("a", "retention")
    assert len({digest("a", "retention"), digest("b", "retention"), digest("a", "proof"), digest("a", "full")}) == 4


def test_a_title_that_changes_weakens_nothing() -> None:
    after = weakened()
    after[CONTROLS]["AC-002"]["title"] = {"en": "Tries", "zh": "次数"}
    (change,) = changes({"a": PLAN}, {"a": after})
    assert (change.effect, change.weakens) == ("changes", False)


def test_a_duration_is_told_as_it_is_written() -> None:
    (change,) = changes({"a": PLAN}, {"a": weakened("deadline")})
    assert change.sentence == "egov_ops_patch_deadline_high rises: 20d, now 30d"


def test_the_place_of_a_password_is_not_told() -> None:
    after = weakened()
    after["egov_ops_backup_repositories"]["far"]["password_file"] = "/root/password"
    (change,) = changes({"a": PLAN}, {"a": after})
    assert "/root/password" not in f"{change}"


def test_the_credentials_in_an_address_are_not_told() -> None:
    after = weakened()
    after["egov_ops_backup_repositories"]["far"]["location"] = "rest:https://li:hunter2@backup.example.internal/"
    found = changes({"a": PLAN}, {"a": after})
    assert found
    assert "hunter2" not in f"{found}"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("url", "https://li:hunter2@portal.example/health?token=hunter2", "https://portal.example/health"),
        ("command", ["/usr/bin/ask", "--password", "hunter2"], "ask, arguments not shown"),
        ("send", "AUTH hunter2", "not shown"),
        ("headers", {"Cookie": "hunter2"}, "not shown"),
    ],
)
def test_of_what_may_hold_a_secret_no_more_is_told_than_a_reader_needs(name: str, value: Any, shown: str) -> None:
    after = weakened()
    after[PROBES]["portal"][name] = value
    (change,) = [change for change in changes({"a": PLAN}, {"a": after}) if change.path == ("portal", name)]
    assert shown in change.sentence
    assert "hunter2" not in f"{change}"


def test_what_each_variable_of_the_plan_says_of_weakening_is_deliberate() -> None:
    """A variable of the plan without a rule is one whose change is told and never refused; this is all of them."""
    variables = [variable for variable in load_schema().variables.values() if variable.scope == "plan"]
    silent = {variable.name for variable in variables if not variable.weaker}
    assert silent == {
        "egov_ops_state_dir",
        "egov_ops_host_state_dir",
        "egov_ops_tool_path",
        "egov_ops_drill_folder",
        "egov_ops_platform_name",
        "egov_ops_timezone",
        "egov_ops_backup_repositories",
    }


def test_overrides_of_a_family_that_are_encrypted_count_as_weaker_and_are_not_shown() -> None:
    before, after = copy.deepcopy(PLAN), copy.deepcopy(PLAN)
    before[CONTROLS]["AC-002"]["deb"] = {"expected": "=1"}
    (old,), (new,) = plans({"a": before}).values(), plans({"a": after}).values()
    new[CONTROLS] = {**new[CONTROLS], "AC-002": {**new[CONTROLS]["AC-002"], "deb": Opaque("of the vault")}}
    for earlier, later in ((old, new), (new, old)):
        (change,) = difference({"a": earlier}, {"a": later}, KNOWN[0])
        assert (change.variable, change.path, change.weakens) == (CONTROLS, ("AC-002", "deb"), True)
        assert "of the vault" not in change.sentence
        assert "encrypted, " in change.sentence


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (Change("is new", "egov_ops_probes", ("cpu",), None, None, False), None, "egov_ops_probes.cpu is new"),
        (Change("is lost", "egov_ops_probes", ("cpu",), None, None, True), None, "egov_ops_probes.cpu is lost"),
        (Change("new in the inventory", "", (), None, None, False), None, "host new in the inventory"),
        (Change("changes", "a", ("b",), None, "x" * 120, False), None, f"a.b changes: nothing, now {'x' * 120}"),
        (Change("changes", "a", ("b",), 5, "x" * 121, False), None, f"a.b changes: 5, now {'x' * 117}..."),
    ],
)
def test_a_change_is_one_sentence(before: Change, after: None, said: str) -> None:
    assert before.sentence == said


def test_a_copy_is_where_its_repository_is() -> None:
    after = copy.deepcopy(PLAN)
    after["egov_ops_backup_repositories"]["far"]["location"] = "/srv/near"
    found = [change for change in changes({"a": PLAN}, {"a": after}) if change.variable == SETS]
    assert found
    assert all(change.weakens for change in found)
    assert {change.after for change in found if isinstance(change.after, str)} <= {"far at /srv/near"}


def test_a_host_that_is_looked_after_from_now_on_is_no_weakening() -> None:
    before = copy.deepcopy(PLAN)
    before["egov_ops_managed"] = False
    (change,) = changes({"a": before}, {"a": PLAN})
    assert (change.effect, change.weakens, change.hosts) == ("now looked after", False, ("a",))
    (change,) = changes({"a": PLAN}, {"a": before})
    assert (change.effect, change.weakens, change.hosts) == ("no longer looked after", True, ("a",))
    assert changes({"a": before}, {"a": before}) == []


@pytest.mark.parametrize(
    ("location", "shown"),
    [("s3:key:hunter2@host/bucket", "s3:host/bucket"), ("swift:box:/path?token=hunter2", "swift:box:/path?token=***")],
)
def test_a_location_is_told_without_what_opens_it(location: str, shown: str) -> None:
    after = weakened()
    after["egov_ops_backup_repositories"]["far"]["location"] = location
    found = [change for change in changes({"a": PLAN}, {"a": after}) if change.path == ("far", "location")]
    assert [change.after for change in found] == [shown]
