# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of changing actions: an action that is added there is asked for, approved, decided and explained."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import environment
import pytest
import yaml
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.actions.changing import ask
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence as gate_evidence
from ansible_collections.egov.ops.plugins.plugin_utils.gates.decision import (
    GATES,
    Decision,
    Evidence,
    Signed,
    approval_fault,
    decide,
    may_approve,
    request_fault,
)
from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import (
    Approval,
    ApprovalError,
    Request,
    check_operation,
    read_request,
    words_of,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity, identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.operations import registry
from ansible_collections.egov.ops.plugins.plugin_utils.operations.fields import TEXT, one_of
from ansible_collections.egov.ops.plugins.plugin_utils.operations.registry import ACTIONS, ChangingAction
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import Plan, merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import Schema, load_schema, parse
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema_sources import read_sources
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import LANGUAGES
from hypothesis import given
from hypothesis import strategies as st

from tests.support.gate_cases import NOW, OWNERS, key, operation, request, signed_by, variables

PLUGINS = environment.ROOT / "plugins"

REBOOT = ChangingAction(
    module="host_reboot",
    title={"en": "Restart of a host", "zh": "主机重启"},
    gates=("approval", "proved_backup", "freeze", "lock"),
    floor=("approval", "lock"),
    fields={"reason": TEXT, "window": one_of("night", "now")},
)
#: The same for several hosts at once.
REBOOTS = REBOOT._replace(module="hosts_reboot", many=True)

OPERATION = {"host": "web1", "reason": "A new kernel", "window": "night"}

_SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
HOSTILE = st.recursive(
    _SCALAR, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner), max_leaves=8
)


@pytest.fixture
def reboot(monkeypatch: pytest.MonkeyPatch) -> Schema:
    """The schema made with a copy of the table that has two actions more."""
    monkeypatch.setattr(registry, "ACTIONS", {**ACTIONS, "reboot": REBOOT, "reboots": REBOOTS})
    return parse(read_sources())


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "state")
    made.prepare()
    return made


def plan_of(schema: Schema, action: str, gates: list[str]) -> Plan:
    given = variables(gates={action: {"gates": gates}})
    given["egov_ops_people"]["li"]["may_request"] = [action]
    given["egov_ops_people"]["wang"]["may_approve"] = [action]
    return merge(given, schema)


def signed_request(state: StateDir, asked: Request, plan: Plan) -> Request:
    """Store what li asks for and wang approves as the actions of both do, with real signatures."""
    assert read_request(asked.body.encode()) == asked
    approval = Approval(asked.digest, "wang", iso(NOW))
    gate_evidence.store(state, asked)
    document = gate_evidence.store(state, approval)
    signed = {
        "request": {"signature": signed_by("li_1", asked)},
        "approval": {"signature": signed_by("wang_1", approval), "document": document},
    }
    times = {"started": iso(NOW), "finished": iso(NOW)}
    with Ledger(state.ledger) as ledger:
        ledger.append(
            record(
                run="r1",
                procedure="standalone",
                host=host,
                domain=gate_evidence.DOMAIN,
                observation=observation(kind, asked.digest, "ok", **detail),
                **times,
            )
            for kind, detail in signed.items()
            for host in asked.hosts
        )
    found = gate_evidence.find(state, asked.digest[:8])
    known = gate_evidence.gather(found, found.action, found.host, plan, state, NOW)
    assert not request_fault(found, plan, known, NOW)
    assert not approval_fault(Signed(approval, key("wang_1"), True), found, plan, known, NOW)
    return found


def decided(state: StateDir, asked: str, action: str, host: str, plan: Plan) -> Decision:
    return ask(action, asked, host, plan, state, "", "", NOW).decision


def test_an_action_of_the_table_is_asked_for_approved_and_allowed(reboot: Schema, state: StateDir) -> None:
    plan = plan_of(reboot, "reboot", ["approval", "freeze", "lock"])
    asked = signed_request(state, request(action="reboot", operation=OPERATION), plan)
    decision = decided(state, asked.digest, "reboot", "web1", plan)
    assert decision.allowed
    assert decision.message.startswith("reboot on web1 may go on: Request ")
    assert not decided(state, asked.digest, "reboot", "db1", plan).allowed
    assert "is for reboot, and not for restore" in decided(state, asked.digest, "restore", "web1", plan).message


def test_one_request_may_cover_several_hosts(reboot: Schema, state: StateDir) -> None:
    plan = plan_of(reboot, "reboots", ["approval", "lock"])
    several = {**{key: OPERATION[key] for key in ("reason", "window")}, "hosts": ["db1", "web1", "web2"]}
    asked = signed_request(state, request(action="reboots", operation=several), plan)
    assert [decided(state, asked.digest, "reboots", host, plan).allowed for host in asked.hosts] == [True] * 3
    refused = decided(state, asked.digest, "reboots", "web3", plan).message
    assert "is for db1, web1, web2, and not for web3" in refused
    assert [line[9:] for line in words_of(asked) if line.startswith("host ")] == ["db1", "web1", "web2"]


def test_what_is_done_on_one_host_still_waits_for_the_others(reboot: Schema, state: StateDir) -> None:
    plan = plan_of(reboot, "reboots", ["approval", "lock"])
    asked = signed_request(
        state,
        request(action="reboots", operation={"hosts": ["db1", "web1"], "reason": "A new kernel", "window": "now"}),
        plan,
    )
    seen = observation(gate_evidence.DONE, asked.digest, "ok", action="reboots")
    times = {"started": iso(NOW), "finished": iso(NOW)}
    mine = identity(os.getpid())
    gone = Identity(mine.boot, mine.namespace, mine.pid, 0)
    spool = Spool.find_or_create(state.spool, gone, {"procedure": "standalone", "begun": ""}, NOW)
    about = {"run": spool.run, "procedure": "standalone", "host": "db1", "domain": gate_evidence.DOMAIN}
    spool.append([record(observation=seen, **about, **times)])
    assert "was carried out already" in decided(state, asked.digest, "reboots", "db1", plan).message
    assert decided(state, asked.digest, "reboots", "web1", plan).allowed


def test_what_is_missing_names_the_action_and_the_command_for_it(reboot: Schema, state: StateDir) -> None:
    plan = plan_of(reboot, "reboot", list(REBOOT.gates))
    with Ledger(state.ledger):
        pass
    decision = decided(state, "", "reboot", "web1", plan)
    assert "may be asked for by li" in decision.message
    assert "by egov.ops.request with egov_ops_action=reboot" in decision.message
    assert "reboot names no snapshot" in decision.message
    assert "Take proved_backup out of egov_ops_gates.reboot" in decision.message
    assert "backup_list" not in decision.message
    assert may_approve(plan, "reboot", "li", NOW) == ["wang"]


def test_an_approver_reads_each_field_in_both_languages(reboot: Schema) -> None:
    asked = request(action="reboot", operation=OPERATION)
    for language in LANGUAGES:
        lines = words_of(asked, language)
        assert all(any(value in line for line in lines) for value in ("A new kernel", "night", "web1", "reboot"))
    restore = {language: words_of(request(), language) for language in LANGUAGES}
    assert [line[:8].strip() for line in restore["zh"][:5]] == ["申请", "申请人", "有效期", "操作", "主机"]
    assert not any(ord(character) > 127 for character in "".join(restore["en"]))
    assert len(restore["en"]) == len(restore["zh"])


OPERATION_FAULTS = [
    ({"reason": "A new kernel"}, "lacks host; give it in egov_ops_operation."),
    ({**OPERATION, "extra": 1}, "has a key 'extra', which there is not; known are host, reason, window."),
    ({**OPERATION, 5: 1}, "has a key 5, which there is not"),
    ({**OPERATION, "window": "noon"}, "has a window that cannot be: 'noon'; it must be one of night, now."),
    ({**OPERATION, "window": ["night"]}, "cannot be: ['night']; it must be one of"),
    ({**OPERATION, "reason": 7}, "has a reason that cannot be: 7; it must be a text"),
    ({**OPERATION, "reason": "\x1b[2J"}, "it must be a text of 1 to 1000 visible characters"),
    ({**OPERATION, "host": ""}, "has a host that cannot be: ''; it must be the name of a host"),
    ([], "is [], but must be a dictionary; give it in"),
    (None, "is None, but must be a dictionary"),
]


@pytest.mark.parametrize(("hostile", "sentence"), OPERATION_FAULTS, ids=[case[1][:30] for case in OPERATION_FAULTS])
def test_a_wrong_operation_is_refused_by_name_value_and_what_is_allowed(
    reboot: Schema, hostile: Any, sentence: str
) -> None:
    with pytest.raises(ApprovalError) as refused:
        check_operation("reboot", hostile)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("hosts", [[], ["web1", "web1"], ["web2", "web1"], "web1", [5], None, ["w"] * 6000])
def test_hosts_that_are_no_list_of_names_are_refused(reboot: Schema, hosts: Any) -> None:
    with pytest.raises(ApprovalError, match="it must be a list of 1 to 5000 hosts"):
        check_operation("reboots", {"hosts": hosts, "reason": "A new kernel", "window": "now"})


@pytest.mark.parametrize("name", [name for name, action in ACTIONS.items() if action.fields is None])
def test_what_cannot_be_asked_for_is_refused_and_no_gate_waits_for_it(name: str) -> None:
    with pytest.raises(ApprovalError, match="is no action that can be asked for; known are restore"):
        check_operation(name, {"host": "web1"})
    plan = merge(variables(gates={name: {"gates": ["approval", "lock"]}}), load_schema())
    (refused,) = decide(None, plan, Evidence("web1", name), NOW).refused
    assert refused.message == f"{name} cannot be asked for by a request, so nobody can approve it."
    assert refused.remedy == f"Take approval out of egov_ops_gates.{name} in the inventory."


@given(
    action=st.sampled_from([*ACTIONS, "reboot", "reboots"]),
    hostile=HOSTILE | st.dictionaries(st.sampled_from([*operation(), "hosts", "reason", "window", "of"]), HOSTILE),
)
def test_any_operation_is_refused_in_one_sentence_or_can_be_shown(action: str, hostile: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "ACTIONS", {**ACTIONS, "reboot": REBOOT, "reboots": REBOOTS})
        try:
            check_operation(action, hostile)
        except ApprovalError as error:
            assert str(error).endswith(".")
            assert "\n" not in str(error)
            assert len(str(error)) < 600
        else:
            for language in LANGUAGES:
                assert words_of(request(action=action, operation=hostile), language)


def known_requests() -> Iterator[Request | None]:
    yield None
    yield request()
    yield request(operation=operation(mode="beside", destination="/srv/restored"))
    yield request(operation=operation(of="db1", original="9" * 64))
    yield request(action="reboot", operation=OPERATION)
    yield request(action="reboots", operation={**OPERATION, "hosts": ["db1", "web1"]})


@given(
    action=st.sampled_from([*ACTIONS, "reboot", "reboots", "no_such_action"]),
    asked=st.sampled_from(list(known_requests())),
    proof=st.none() | st.sampled_from(["ok", "failed"]),
    age=st.timedeltas(timedelta(0), timedelta(days=30)),
    valid=st.booleans(),
    running=st.booleans(),
)
def test_each_gate_says_one_sentence_of_each_action_whatever_is_known(
    action: str, asked: Request | None, proof: str | None, age: timedelta, valid: bool, running: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "ACTIONS", {**ACTIONS, "reboot": REBOOT, "reboots": REBOOTS})
        plan = merge(variables(gates={action: {"gates": list(GATES)}}), load_schema())
        known = Evidence(
            "web1",
            action,
            key=key("li_1"),
            valid=valid,
            proof={"status": proof, "finished": iso(NOW - age)} if proof else None,
            running=("r2",) if running else (),
        )
        decision = decide(asked, plan, known, NOW)
        assert not decision.allowed  # nobody has approved
        assert decision.message.startswith(f"{action} on web1 is refused. ")
        for check in decision.checks:
            assert check.message.endswith(".")
            assert "\n" not in check.message
            assert check.allowed or check.remedy.endswith(".") or ": ansible" in check.remedy
        approvals = (Signed(Approval(asked.digest, OWNERS["wang_1"], iso(NOW)), key("wang_1"), True),) if asked else ()
        assert decide(asked, plan, replace(known, approvals=approvals), NOW).message


def test_the_table_is_what_the_schema_offers() -> None:
    schema = load_schema().variables
    assert list(schema["egov_ops_gates"].default) == list(ACTIONS)
    assert {name: lists["gates"] for name, lists in schema["egov_ops_gates"].floor.items()} == {
        name: list(action.floor) for name, action in ACTIONS.items()
    }
    assert schema["egov_ops_action"].choices == tuple(ACTIONS)
    assert schema["egov_ops_people"].entry["may_request"].choices == tuple(registry.requestable())
    assert set(schema["egov_ops_gates"].entry["gates"].choices) == set(GATES)
    for action in ACTIONS.values():
        assert set(action.floor) <= set(action.gates) <= set(GATES)
        assert set(action.title) == set(action.source) == set(LANGUAGES)
        assert (PLUGINS / f"action/{action.module}.py").exists()


def test_the_page_of_the_module_request_offers_what_can_be_asked_for() -> None:
    text = (PLUGINS / "modules/request.py").read_text(encoding="utf-8")
    documentation = yaml.safe_load(text.split('DOCUMENTATION = r"""')[1].split('"""')[0])
    assert documentation["options"]["action"]["choices"] == registry.requestable()


@pytest.mark.parametrize("depth", [100, 600, 900, 20_000])
def test_a_request_is_refused_in_one_sentence_however_deep_it_is(depth: int) -> None:
    body = request().body.replace('"host":"web1"', f'"host":{"[" * depth}{"]" * depth}')
    with pytest.raises(ApprovalError, match=r"^The (request|operation) [^\n]*\.$"):
        read_request(body.encode())


def changing_modules() -> set[str]:
    """Return the modules whose action asks gates: whose class comes from ChangingTask, whatever its options are."""
    bases = {"ChangingTask", "RestoreTask", "SettleTask"}
    found = set()
    for path in (PLUGINS / "action").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and bases & {ast.unparse(base).partition("[")[0] for base in node.bases}:
                found.add(path.stem)
    return found


def test_each_module_that_changes_a_host_carries_out_one_action_of_the_table() -> None:
    on_hosts = {name: action for name, action in ACTIONS.items() if name != registry.REDACTION}
    assert sorted(changing_modules()) == sorted(action.module for action in on_hosts.values())


#: Files that may write an action's name: the table, its operation's own file, and texts about it.
NAMED_IN = {"plugin_utils/operations/registry.py"}
#: The same words with another meaning: a kind of record, a domain, a module, a half, a command of restic.
OTHER_MEANING = {
    ("plugin_utils/backup/restore_estimate.py", "restore"),
    ("plugin_utils/common/domains.py", "restore"),
    ("plugin_utils/actions/restore_task.py", "restore"),
    ("action/restore_accept.py", "restore_accept"),
    ("action/restore_undo.py", "restore_undo"),
    ("action/restore_run.py", "restore"),
    ("plugin_utils/ledger/redaction.py", "ledger_redact"),
}


def test_nothing_outside_the_table_names_an_action() -> None:
    found = set()
    for path in [*(PLUGINS / "plugin_utils").rglob("*.py"), *(PLUGINS / "action").glob("*.py")]:
        name = str(path.relative_to(PLUGINS))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in ACTIONS and name not in NAMED_IN:
                found.add((name, node.value))
    assert found - OTHER_MEANING == set()
