# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing is changed on a machine that is not the one that the inventory means, and nothing is said of it."""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import pytest
import yaml

from tests.support.gate_requests import approve, ask
from tests.support.signers import make_key, people, signers
from tests.support.sites import PROBE, Done, Site

pytestmark = [pytest.mark.programs("restic", "ssh-keygen"), pytest.mark.slow]

RESTORE = "egov.ops.restore"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, site_in: Any) -> Site:
    """A site of two hosts, both visited, with a proved backup and an approved restore of web1."""
    site: Site = site_in(tmp_path_factory.mktemp("machines"))
    site.hosts = {name: {**site.hosts[name], "egov_ops_machine_alias": name} for name in ("web1", "web2")}
    for name in ("li", "wang"):
        make_key(site.folder, name)
    site.variables |= {"egov_ops_people": people(), "egov_ops_signers": signers(site.folder, "li", "wang")}
    site.has_repository()
    done = site.play("egov.ops.backup")
    assert done.rc == 0, done.output
    return site


@pytest.fixture(scope="module")
def digest(shared: Site) -> str:
    named = ask(shared)
    done = approve(shared, named)
    assert done.rc == 0, done.output
    assert "\nmachine " in done.output
    return named


def restored(site: Site) -> bool:
    return (site.folder / "restored").exists()


def carry_out(site: Site, digest: str, *more: str) -> Done:
    return site.play(RESTORE, "--limit", "web1", "--tags", "restore", "-e", f"egov_ops_request={digest}", *more)


def findings(site: Site) -> list[tuple[str, str, str]]:
    """Return host, status and fault of what is recorded of machines, oldest first."""
    found = site.records(domain="machine", kind="identity")
    return [(entry["host"], entry["status"], str(entry["detail"].get("fault", ""))) for entry in found]


def own_play(site: Site, *tasks: dict[str, Any]) -> str:
    path = site.folder / "own.yml"
    path.write_text(yaml.safe_dump([{"hosts": "web1", "gather_facts": False, "tasks": list(tasks)}]))
    return str(path)


def test_what_chooses_another_machine_is_refused_for_changes(shared: Site, digest: str) -> None:
    go = {"name": "Go", "egov.ops.restore_run": {"request": digest}}
    aim = {"name": "Aim", "ansible.builtin.set_fact": {"ansible_host": "192.0.2.9"}}
    adhoc = ["ansible", "web1", "-m", "egov.ops.restore_run", "-a", f"request={digest}"]
    for argv, word in (
        (["ansible-playbook", RESTORE, "-e", f"egov_ops_request={digest}", "-e", "ansible_host=web2"], "ansible_host"),
        ([*adhoc, "-e", "inventory_hostname=web2"], "inventory_hostname"),
        (["ansible-playbook", own_play(shared, aim, go)], "ansible_host"),
    ):
        done = shared.run(*argv)
        assert done.rc != 0, (argv, done.output)
        assert word in done.output, (argv, done.output)
        assert not restored(shared), argv
    for keywords, word in (
        ({"vars": {"ansible_port": 2222}}, "ansible_port"),
        ({"delegate_to": "web2"}, "delegated to web2"),
        ({"delegate_to": "localhost"}, "delegated to localhost"),
    ):
        done = shared.play(own_play(shared, {**go, **keywords}))
        assert done.rc != 0, (keywords, done.output)
        assert word in done.output, (keywords, done.output)
        assert not restored(shared), keywords


def test_what_chooses_another_machine_makes_an_observation_unknown(shared: Site) -> None:
    done = shared.play("egov.ops.health_check", "--limit", "web1", "-e", "ansible_connection=ssh")
    assert done.rc == 2, done.output
    assert shared.steps()["web1", "health_probe"] == ("unknown", "other_machine")
    assert "ansible_connection" in shared.records(kind="step")[-1]["detail"]["message"]
    done = shared.play(shared.procedure([PROBE]), "--limit", "web1", "-e", "ansible_user=nobody", "-u", "nobody")
    assert done.rc == 0, done.output  # the account is anybody's to choose


def test_a_changed_machine_is_a_finding_and_refuses_changes_until_accepted(shared: Site, digest: str) -> None:
    known = shared.hosts["web1"]["egov_ops_machine_alias"]
    shared.hosts["web1"]["egov_ops_machine_alias"] = "replacement"
    try:
        done = carry_out(shared, digest)  # nobody has seen it yet: the half itself refuses
        assert done.rc != 0, done.output
        assert not restored(shared)
        assert findings(shared)[-1] == ("web1", "critical", "changed"), done.output
        done = carry_out(shared, digest)
        assert "machine: The machine that answers to web1 is " in done.output, done.output
        assert not restored(shared)
        finding = shared.records(domain="machine", kind="identity")[-1]
        named = re.search(r"answers to web1 is ([0-9a-f]{8})", finding["detail"]["message"])
        assert named
        unlike = {"egov_ops_accept_machine": {"web1": "00000000"}, "egov_ops_reason": "x"}
        wrong = shared.play("egov.ops.accept_machine", "-e", json.dumps(unlike))
        assert wrong.rc != 0
        assert f"is {named[1]}, and not 00000000" in wrong.output
        command = str(finding["detail"]["next"]).partition("accept it: ")[2]
        silent = shared.paste(command.replace("WHY", ""))
        assert "needs a reason" in silent.output, silent.output
        shutil.rmtree(shared.state / "machines")  # the ledger knows it too
        done = carry_out(shared, digest)
        assert done.rc != 0, done.output
        assert not restored(shared)
        done = shared.paste(command.replace("WHY", "The board was replaced."))
        assert done.rc == 0, done.output
        accepted = shared.records(domain="machine", kind="acceptance")[-1]
        assert accepted["detail"]["why"] == "The board was replaced."
        done = carry_out(shared, digest)
        assert "The request is for the machine" in done.output, done.output
        assert not restored(shared)
        done = carry_out(shared, digest, "-e", '{"egov_ops_override": {"reason": "It burns."}}')
        assert done.rc == 0, done.output
        assert restored(shared)
    finally:
        shared.hosts["web1"]["egov_ops_machine_alias"] = known


def test_one_machine_of_two_names_is_a_finding_for_both(shared: Site) -> None:
    was = shared.hosts["web2"]["egov_ops_machine_alias"]
    before = len(findings(shared))
    shared.hosts["web2"]["egov_ops_machine_alias"] = shared.hosts["web1"]["egov_ops_machine_alias"] = "twin"
    try:
        done = shared.play("egov.ops.health_check")
        assert done.rc == 0, done.output
        assert {(host, status) for host, status, _fault in findings(shared)[before:]} == {
            ("web1", "critical"),
            ("web2", "critical"),
        }
    finally:
        shared.hosts["web2"]["egov_ops_machine_alias"], shared.hosts["web1"]["egov_ops_machine_alias"] = was, "web1"
