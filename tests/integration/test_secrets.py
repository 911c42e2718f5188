# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret of the plan, the vault or the connection is shown, recorded, logged or left on a host."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.planted_secrets import (
    Sampler,
    assert_nowhere,
    found_below,
    found_in,
    plant,
    system_log,
)
from tests.support.sites import PROBES, Done, Site, wait_for

OPTION = {
    "kind": "nagios_plugin",
    "layer": "platform",
    "command": [
        "{{ hostvars[inventory_hostname].egov_ops_probes.plugin_plain.command[0] }}",
        "-x",
        "{{ vault_option }}",
    ],
}
TASKS = [
    {"name": "Probe by an option", "egov.ops.health_probe": {"timeout": 20, "probes": {"by_option": OPTION}}},
    {"name": "Probe", "egov.ops.health_probe": {"timeout": 20}},
    {"name": "Back up", "egov.ops.backup_run": {}},
]


def echoing(link: socket.socket) -> None:
    """Answer with what came."""
    link.sendall(b"-ERR unknown: " + link.recv(65536))


@pytest.fixture
def planted(either: Site) -> Iterator[tuple[Site, list[str]]]:
    """A site of one host with all secrets planted, and the options of ansible-playbook for it."""
    either.hosts = {"web1": either.hosts["web1"]}
    with servers.web(404) as web, servers.talking(echoing) as echo, servers.web(401) as rest:
        yield either, plant(either, web, echo, rest)


def everywhere(site: Site, done: Done) -> list[str]:
    """Return which secrets stand in the output, the state of controller and host, and the temporary folders."""
    shown = [f"{name}: terminal" for name in found_in(done.output)]
    return shown + found_below(site.state, site.folder / "host", site.folder / "home")


@pytest.mark.slow
@pytest.mark.programs("restic")
def test_no_secret_is_shown_recorded_or_kept(planted: tuple[Site, list[str]]) -> None:
    site, options = planted
    site.environment |= {"ANSIBLE_LOG_PATH": str(site.folder / "home" / "log"), "ANSIBLE_DEBUG": "1"}
    site.environment["ANSIBLE_KEEP_REMOTE_FILES"] = "1"
    with Sampler() as sampler, system_log() as lines:
        done = site.play(site.procedure(TASKS), "-vvvv", *options, timeout=300)
    reports = [site.play("egov.ops.report", "-e", f"egov_ops_report_language={language}") for language in ("en", "zh")]
    records = {(record["kind"], record["subject"]): record for record in site.records(host="web1")}
    echoed = [record for record in records.values() if record["kind"] == "nagios_plugin"]
    assert len(echoed) == 3, done.output[-3000:]
    assert all("********" in record["detail"]["message"] for record in echoed), "each plugin has repeated its secret"
    tcp = next(record for record in records.values() if record["kind"] == "tcp")
    assert "-ERR unknown: ********" in tcp["detail"]["message"]
    backups = {record["subject"]: record for record in records.values() if record["kind"] == "backup"}
    assert {name for name, record in backups.items() if record["status"] == "ok"} == {
        "set_local",
        "set_command",
        "set_vault",
        "set_env",
    }, backups
    pages = sorted(re.sub(":[0-9]+/", "/", subject) for kind, subject in records if kind == "http")
    assert pages == [
        "http://******** (page_broken)",
        "http://127.0.0.1/a?token=*** (page)",
        "http://127.0.0.1/a?token=*** (page_again)",
        "http://127.0.0.1/b",
    ]
    assert_nowhere(
        [
            *everywhere(site, done),
            *(f"{name}: report" for report in reports for name in found_in(report.output)),
            *(f"{name}: system log" for line in lines for name in found_in(line)),
            *sampler.forbidden(),
        ]
    )
    if site.variables["egov_ops_transport"] == "module":
        for variable in ("ANSIBLE_DEBUG", "ANSIBLE_KEEP_REMOTE_FILES"):
            assert f"{variable} is not followed for backup_run" in " ".join(done.output.split())


@pytest.mark.slow
@pytest.mark.programs("restic")
def test_a_run_that_is_killed_leaves_no_secret_behind(planted: tuple[Site, list[str]]) -> None:
    site, options = planted
    wait = {"name": "Wait", "ansible.builtin.pause": {"seconds": 60}}
    process = site.start("ansible-playbook", site.procedure([*TASKS[:2], wait]), "-vvvv", *options)
    try:
        wait_for(lambda: len([line for path in site.spools() for line in path.open()]) > 15, 120)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    output = process.communicate()[0]
    assert site.spools(), output
    found = everywhere(site, Done(process.returncode, output))
    drained = site.play(site.procedure(TASKS[:1], name="after"), *options)
    assert "was interrupted" in drained.output
    assert_nowhere([*found, *everywhere(site, drained)])


@pytest.mark.slow
@pytest.mark.programs("restic")
@pytest.mark.parametrize("core", ["2.16", "2.21"])
def test_no_secret_is_shown_under_each_core(
    planted: tuple[Site, list[str]], ansible_core: Callable[[str], Path], core: str
) -> None:
    site, options = planted
    site.bin = ansible_core(core)
    site.environment |= {"ANSIBLE_DEBUG": "1", "ANSIBLE_LOG_PATH": str(site.folder / "home" / "log")}
    done = site.play(site.procedure(TASKS), "-vvvv", *options, timeout=300)
    plugins = site.records(kind="nagios_plugin")
    assert len(plugins) == 3, done.output[-3000:]
    assert all("********" in json.dumps(record["detail"]) for record in plugins)
    assert_nowhere(everywhere(site, done))


@pytest.mark.slow
def test_a_plan_with_a_fault_is_refused_without_the_value_from_vault(planted: tuple[Site, list[str]]) -> None:
    site, options = planted
    site.variables["egov_ops_report_language"] = "{{ vault_option }}"
    done = site.play(site.procedure(TASKS), "-vvvv", *options)
    assert done.rc != 0
    assert "egov_ops_report_language is '********', but must be one of en, zh" in " ".join(done.output.split())
    assert_nowhere(everywhere(site, done))


@pytest.mark.slow
@pytest.mark.programs("restic")
def test_secrets_with_the_text_of_ordinary_words_change_no_key_of_a_record(site: Site) -> None:
    words = ["health", "probe", "backup_run", "failed", "data", "local", "message", "memory", "web1", "step", "local:x"]
    site.hosts = {"web1": site.hosts["web1"]}
    site.has_repository()
    (site.state / "passwords" / "local").write_text("data\n")
    site.variables["egov_ops_backup_repositories"]["local"]["location"] = str(site.folder / "other-repository")
    site.variables["egov_ops_probes"] = PROBES
    keys = []
    for name in ("without", "with"):
        done = site.play(site.procedure(TASKS[1:], name=name), *password_options(site, words if name == "with" else []))
        assert done.rc == 0, done.output[-3000:]
        records = [record for record in site.records(host="web1") if record["procedure"] == name]
        mine = [record for record in records if record["kind"] in ("step", "backup", "memory")]
        keys.append({(item["kind"], item["subject"], item["status"], *item["clauses"]) for item in mine})
    assert keys[0] == keys[1]
    assert ("step", "health_probe", "ok") in {key[:3] for key in keys[1]}
    assert ("backup", "data", "ok") in {key[:3] for key in keys[1]}


def password_options(site: Site, texts: list[str]) -> list[str]:
    """Put texts into an encrypted file of variables, where there are some; return the options for ansible-playbook."""
    if not texts:
        return []
    password, variables = site.folder / "vault-password", site.folder / "group_vars" / "all" / "vault.yml"
    password.write_text("of the vault\n")
    variables.parent.mkdir(parents=True)
    variables.write_text(json.dumps({"vault_texts": texts}))
    encrypt = [site.bin / "ansible-vault", "encrypt", "--vault-password-file", password, variables]
    subprocess.run(encrypt, check=True, capture_output=True)
    return ["--vault-password-file", str(password)]
