# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""However a change is called, its gates decide: nothing that is not approved touches a host."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool

from tests.support.gate_requests import approve, ask, records
from tests.support.signers import make_key, people, signers
from tests.support.sites import Done, Site

pytestmark = pytest.mark.programs("restic", "ssh-keygen")

RUN = "egov.ops.restore"


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory, site_in: Any) -> Site:
    """A site with a proved backup of web1, li's request for a restore of it, and nobody's approval."""
    site: Site = site_in(tmp_path_factory.mktemp("gated"))
    site.hosts = {"web1": site.hosts["web1"], "web2": site.hosts["web2"]}
    for name in ("li", "wang", "zhao"):
        make_key(site.folder, name)
    site.variables |= {"egov_ops_people": people(), "egov_ops_signers": signers(site.folder, "li", "wang")}
    site.has_repository()
    done = site.play("egov.ops.backup", "--limit", "web1")
    assert done.rc == 0, done.output
    return site


@pytest.fixture(scope="module")
def asked(gated: Site) -> str:
    """The digest of a request that nobody has approved."""
    return ask(gated)


def untouched(site: Site, digest: str) -> None:
    """Assert that the restore which was asked for has not begun on the host."""
    assert not (site.folder / "restored").exists()
    assert not (site.folder / "host" / "operations" / digest).exists()


def plays(site: Site, digest: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the ways in which somebody might try to go around the gates."""
    named = ["-e", f"egov_ops_request={digest}"]
    play = ["ansible-playbook", RUN, *named, "--limit", "web1"]
    yield "limit", play
    yield "tags", [*play, "--tags", "restore"]
    yield "skip tags", [*play, "--skip-tags", "always"]
    yield "start at task", [*play, "--start-at-task", "Carry out the restore that was requested"]
    loosened = {
        "egov_ops_gates": {"restore": {"gates": ["lock"]}},
        "egov_ops_gates__99": {"restore": {"gates": ["lock"]}},
        "egov_ops_people": {"zhao": {"team": "SEC", "may_request": ["restore"], "may_approve": ["restore"]}},
        "egov_ops_signers": {"zhao": {"person": "zhao", "key": "x"}},
        "egov_ops_freezes": {},
        "egov_ops_proof_max_age": "1y",
        "egov_ops_request_validity": "30d",
        "egov_ops_state_dir": str(site.folder / "other"),
    }
    for name, value in loosened.items():
        yield f"extra {name}", [*play, "-e", json.dumps({name: value})]
        adhoc = ["ansible", "web1", "-m", "egov.ops.restore_run", "-a", f"request={digest}"]
        yield f"ad hoc, extra {name}", [*adhoc, "-e", json.dumps({name: value})]
    yield "empty override", [*play, "-e", '{"egov_ops_override": {}}']
    yield "override without reason", [*play, "-e", '{"egov_ops_override": {"reason": ""}}']
    yield "override in words", [*play, "-e", "egov_ops_override=yes"]
    yield "ad hoc", ["ansible", "web1", "-m", "egov.ops.restore_run", "-a", f"request={digest}"]
    operation = {"host": "web1", "set": "data", "mode": "beside", "destination": str(site.folder / "restored")}
    given = {"operation": operation, "operation_id": digest, "gates": ["approval"], "approvers": ["wang"]}
    yield "ad hoc, all options given", ["ansible", "web1", "-m", "egov.ops.restore_run", "-a", json.dumps(given)]
    yield (
        "ad hoc, as a module",
        ["ansible", "web1", "-m", "egov.ops.restore_run", *named, "-e", "egov_ops_transport=module"],
    )
    tasks = [{"name": "Loosen", "ansible.builtin.set_fact": loosened}, {"name": "Go", "egov.ops.restore_run": {}}]
    path = site.folder / "own.yml"
    path.write_text(yaml.safe_dump([{"hosts": "web1", "gather_facts": False, "vars": loosened, "tasks": tasks}]))
    yield "play variables and facts", ["ansible-playbook", str(path), *named]
    for undo in ("restore_accept", "restore_undo"):
        yield f"{undo} of what was never done", ["ansible-playbook", f"egov.ops.{undo}", *named, "--limit", "web1"]
        yield f"{undo} without a request", ["ansible", "web1", "-m", f"egov.ops.{undo}"]


@pytest.mark.slow
def test_no_way_of_calling_a_change_goes_around_its_gates(gated: Site, asked: str) -> None:
    passed = {}
    for name, argv in plays(gated, asked):
        done = gated.run(*argv)
        assert "Traceback" not in done.output, done.output
        if done.rc == 0:
            passed[name] = done.output
        untouched(gated, asked)
    assert passed == {}
    wrong = gated.run("ansible", "web2", "-m", "egov.ops.restore_undo", "-a", f"request={asked}")
    assert "The request is for web1, and not for web2." in wrong.output
    decided = [entry for entry in records(gated, "gate") if entry["detail"]["action"] == "restore"]
    assert {entry["status"] for entry in decided} == {"failed"}


def test_check_mode_shows_the_plan_and_the_decision_and_does_not_fail(gated: Site, asked: str) -> None:
    before = len(gated.records())
    done = gated.play(RUN, "-e", f"egov_ops_request={asked}", "--limit", "web1", "--check", "-v")
    assert done.rc == 0, done.output
    assert "CHECK MODE: nothing was changed" in done.output
    summary = done.output.partition("CHECK MODE")[2]
    assert "web1: restore on web1 is refused. approval: Request " in summary
    assert "has 0 of 1 approvals" in done.output
    assert "5 files" in done.output
    untouched(gated, asked)
    assert len(gated.records()) == before
    without = gated.play(RUN, "--limit", "web1", "--check", "-v")
    assert without.rc == 0, without.output
    assert "No request is named" in without.output.partition("CHECK MODE")[2]


def test_the_explanation_tells_who_may_sign_and_launches_nothing(gated: Site, asked: str) -> None:
    done = gated.play("egov.ops.gate_explain", "-e", f"egov_ops_request={asked}")
    assert done.rc == 0, done.output
    assert "web1  restore: refused" in done.output
    assert "Waiting for approval by wang before " in done.output
    assert "for web1, and not for web2" in done.output
    untouched(gated, asked)


@pytest.mark.parametrize(
    ("name", "confirm", "words"),
    [
        ("li", None, "li is the requester"),
        ("zhao", None, "is not signed by a key of egov_ops_signers"),
        ("wang", "00000000", "egov_ops_confirm is not"),
        ("wang", "", "Nothing is signed yet"),
    ],
)
def test_an_approval_is_not_signed(gated: Site, asked: str, name: str, confirm: str | None, words: str) -> None:
    done = approve(gated, asked, name, confirm)
    assert words in done.output, done.output
    assert (done.rc == 0) == (confirm == "")
    assert f"into {gated.folder}/restored, which must not exist" in done.output
    assert not [entry for entry in records(gated, "approval") if entry["subject"] == asked]


def test_an_approved_request_is_carried_out_once(gated: Site) -> None:
    digest = ask(gated, "approved")
    assert approve(gated, digest).rc == 0
    done = gated.play(RUN, "-e", f"egov_ops_request={digest[:8]}", "--limit", "web1")
    assert done.rc == 0, done.output
    source, copy = gated.folder / "data", gated.folder / "approved"
    assert {path.name: path.read_bytes() for path in source.iterdir()} == {
        path.name: path.read_bytes() for path in copy.rglob("file*")
    }
    (decision,) = [entry for entry in records(gated, "gate") if entry["subject"] == digest]
    assert decision["status"] == "ok"
    shutil.rmtree(copy)
    again = gated.play(RUN, "-e", f"egov_ops_request={digest[:8]}", "--limit", "web1")
    assert again.rc != 0
    assert "was carried out already" in again.output
    assert not copy.exists()


def test_a_freeze_and_a_missing_proof_refuse_what_is_approved(gated: Site) -> None:
    digest = ask(gated, "frozen")
    assert approve(gated, digest).rc == 0
    freeze = {"from": "2020-01-01 00:00 UTC", "to": "2999-01-01 00:00 UTC", "reason": "The congress sits"}
    gated.hosts["web1"]["egov_ops_freezes"] = {"congress": freeze}
    try:
        done = gated.play(RUN, "-e", f"egov_ops_request={digest}", "--limit", "web1")
    finally:
        del gated.hosts["web1"]["egov_ops_freezes"]
    assert done.rc != 0
    assert "congress: The congress sits" in done.output
    assert not (gated.folder / "frozen").exists()


def test_a_revoked_key_refuses_and_its_old_evidence_still_tells_whose_it_was(gated: Site) -> None:
    digest = ask(gated, "revoked")
    assert approve(gated, digest).rc == 0
    gated.variables["egov_ops_signers"]["wang"]["revoked"] = "2026-01-01 00:00 UTC"
    try:
        done = gated.play(RUN, "-e", f"egov_ops_request={digest}", "--limit", "web1")
        explained = gated.play("egov.ops.gate_explain", "-e", f"egov_ops_request={digest}", "--limit", "web1")
    finally:
        del gated.variables["egov_ops_signers"]["wang"]["revoked"]
    assert done.rc != 0
    assert "signed by the key wang, which was revoked on 2026-01-01 00:00 UTC" in explained.output
    assert not (gated.folder / "revoked").exists()


def test_an_override_is_loud_and_evidence(gated: Site) -> None:
    digest = ask(gated, "overridden")
    emergency = json.dumps({"egov_ops_request": digest, "egov_ops_override": {"reason": "The portal is down"}})
    done = gated.play(RUN, "-e", emergency, "--limit", "web1")
    assert (gated.folder / "overridden").exists(), done.output
    (record,) = records(gated, "override")
    assert (record["status"], record["subject"], record["detail"]["why"]) == ("critical", digest, "The portal is down")
    summary = gated.report()["verdict"]["facts"][0]
    assert summary.startswith("EMERGENCY OVERRIDE on web1 by ")
    assert summary in done.output
    assert (gated.state / "reports" / "latest.html").read_text().count("EMERGENCY OVERRIDE") == 1


def test_an_override_in_the_inventory_is_refused(gated: Site, asked: str) -> None:
    gated.variables["egov_ops_override"] = {"reason": "always"}
    try:
        done = gated.play(RUN, "-e", f"egov_ops_request={asked}", "--limit", "web1")
        adhoc = gated.run("ansible", "web1", "-m", "egov.ops.restore_run", "-a", f"request={asked}")
    finally:
        del gated.variables["egov_ops_override"]
    for found in (done, adhoc):
        assert found.rc != 0
        assert "egov_ops_override is set in the inventory, but must be given on the command line" in found.output
    untouched(gated, asked)


@pytest.mark.slow
def test_an_override_works_without_the_ledger_but_not_without_the_spool(gated: Site) -> None:
    digest = ask(gated, "emergency")
    emergency = json.dumps({"egov_ops_request": digest, "egov_ops_override": {"reason": "No ledger"}})
    ledger, kept = gated.state / "ledger.sqlite3", gated.folder / "kept.sqlite3"
    spool, aside = gated.state / "spool", gated.folder / "spool"
    ledger.rename(kept)
    ledger.write_text("this is no database at all, and long enough to be told from one")
    try:
        refused = gated.play(RUN, "-e", f"egov_ops_request={digest}", "--limit", "web1")
        assert refused.rc != 0
        spool.rename(aside)
        spool.write_text("")
        lost = gated.run("ansible", "web1", "-m", "egov.ops.restore_run", "-e", emergency)
        spool.unlink()
        aside.rename(spool)
        assert lost.rc != 0
        assert "spool" in lost.output
        assert not (gated.folder / "emergency").exists()
        done = gated.play(RUN, "-e", emergency, "--limit", "web1")
        assert (gated.folder / "emergency").exists(), done.output
        assert done.rc != 0  # the evidence waits in the spool
        (record,) = [entry for path in gated.spools() for entry in Spool(path).holding(b'"kind":"override"')]
        assert record["detail"]["gates"] == "ledger"
    finally:
        kept.rename(ledger)
    gated.play("egov.ops.backup", "--limit", "web1")
    assert "ledger" in {entry["detail"]["gates"] for entry in gated.records(kind="override")}
    assert gated.verified()


def test_the_agents_key_signs_and_others_are_refused_in_one_sentence(gated: Site, asked: str, tmp_path: Path) -> None:
    for name, passphrase, mode in (("open", "", 0o644), ("locked", "secret phrase", 0o600)):
        make_key(tmp_path, name, passphrase)
        (tmp_path / name).chmod(mode)
    gated.variables["egov_ops_signers"]["locked"] = {"person": "li", "key": (tmp_path / "locked.pub").read_text()}
    body = json.loads((gated.state / "requests" / f"{asked}.json").read_text())
    wanted = json.dumps({"egov_ops_operation": body["operation"], "egov_ops_reason": "By agent"})

    def sign_with(name: str) -> Done:
        return gated.play("egov.ops.request", "-e", wanted, "-e", f"egov_ops_signing_key={tmp_path}/{name}")

    refused = {
        "open": "others can read it (mode 0644); run chmod 600",
        "locked": "load it into ssh-agent",
        "locked.pub": "no ssh-agent runs",
        "nothing": "No such file or directory",
    }
    try:
        for name, words in refused.items():
            done = sign_with(name)
            assert done.rc != 0
            assert words in done.output, done.output
        agent = subprocess.Popen(
            ["ssh-agent", "-D", "-a", str(tmp_path / "agent")], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        try:
            helper = tmp_path / "askpass"
            helper.write_text("#!/bin/sh\necho secret phrase\n")
            helper.chmod(0o755)
            environment = {"SSH_AUTH_SOCK": str(tmp_path / "agent"), "SSH_ASKPASS": str(helper)}
            while not (tmp_path / "agent").exists():
                assert agent.poll() is None
            command = ["ssh-add", "-q", str(tmp_path / "locked")]
            subprocess.run(command, env={**environment, "SSH_ASKPASS_REQUIRE": "force", "PATH": "/usr/bin"}, check=True)
            gated.environment["SSH_AUTH_SOCK"] = environment["SSH_AUTH_SOCK"]
            done = sign_with("locked.pub")
            assert done.rc == 0, done.output
            assert "asks     li, at" in done.output
        finally:
            agent.kill()
            agent.wait()
    finally:
        gated.environment.pop("SSH_AUTH_SOCK", None)
        del gated.variables["egov_ops_signers"]["locked"]


def test_a_gate_of_ones_own_playbook_refuses_early_and_shows_in_check_mode(gated: Site, asked: str) -> None:
    path = gated.folder / "early.yml"
    tasks = [{"name": "Refuse early", "egov.ops.gate": {"action": "restore", "request": asked}}]
    path.write_text(yaml.safe_dump([{"hosts": "web1", "gather_facts": False, "tasks": tasks}]))
    done = gated.play(str(path))
    assert done.rc != 0
    assert "has 0 of 1 approvals" in done.output
    check = gated.play(str(path), "--check", "-v")
    assert check.rc == 0, check.output
    assert "has 0 of 1 approvals" in check.output


@pytest.mark.slow
def test_a_host_that_another_run_changes_is_left_alone(gated: Site) -> None:
    digest = ask(gated, "locked")
    assert approve(gated, digest).rc == 0
    with subprocess.Popen(["sleep", "600"]) as other:
        try:
            spool = Spool.find_or_create(gated.state / "spool", identity(other.pid), {"procedure": "restore"})
            seen = observation("gate", "f" * 64, "ok", module="restore_run")
            times = {"started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:00:00Z"}
            spool.append(
                [record(run=spool.run, procedure="restore", host="web1", domain="gate", observation=seen, **times)]
            )
            done = gated.play(RUN, "-e", f"egov_ops_request={digest}", "--limit", "web1")
        finally:
            other.kill()
    assert done.rc != 0
    assert f"{spool.run} is changing web1 just now" in done.output
    assert not (gated.folder / "locked").exists()
    again = gated.play(RUN, "-e", f"egov_ops_request={digest}", "--limit", "web1")
    assert again.rc == 0, again.output
    assert (gated.folder / "locked").exists()
