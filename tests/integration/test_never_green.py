# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run in which nothing happened is not green, and a host that is not ours fails no run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.sites import PROBES, Site

ROOT = Path(__file__).parents[2]
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
CORES = [None, pytest.param("2.16", marks=pytest.mark.slow), pytest.param("2.21", marks=pytest.mark.slow)]

#: What is typed behind `ansible-playbook egov.ops.daily`, and what the sentence names.
NOTHING = {
    "a path that does not exist": ("-i a/path/that/does/not/exist", ["-i is a/path/that/does/not/exist"]),
    "no inventory": ("", ["No inventory is given"]),
    "an unknown host": (
        "-i hosts.yml -e egov_ops_hosts=nosuchhost",
        ["egov_ops_hosts is 'nosuchhost'", "groups empty, web"],
    ),
    "one unknown of two": ("-i hosts.yml -e egov_ops_hosts=web1,nosuch", ["'web1,nosuch'", "nosuch is no host"]),
    "an unknown exclusion": ("-i hosts.yml -e 'egov_ops_hosts=all:!nosuch'", ["nosuch is no host"]),
    "a limit that leaves none": ("-i hosts.yml -e egov_ops_hosts=web1 --limit db1", ["--limit is 'db1'", "(web1)"]),
    "one unknown of a limit": ("-i hosts.yml --limit web1,nosuch", ["--limit is 'web1,nosuch'", "nosuch is no host"]),
    "a limit of nobody": ("-i hosts.yml --limit nosuch", ["nosuch", "no hosts to target"]),
    "a path and a limit": ("-i nowhere --limit web1", ["-i is nowhere, which does not exist"]),
    "an empty group": ("-i hosts.yml -e egov_ops_hosts=empty", ["egov_ops_hosts is 'empty'", "leaves no host"]),
    "an empty inventory": ("-i empty.yml", ["-i is empty.yml", "no host"]),
    "a file that is no inventory": ("-i broken.yml", ["-i is broken.yml", "no host"]),
    "one file of two that is none": ("-i hosts.yml -i broken.yml", ["inventory broken.yml cannot be read"]),
    "one path of two": ("-i hosts.yml -i nowhere", ["inventory nowhere cannot be read"]),
    "a file in a folder": ("-i folder", ["inventory folder/broken.yml cannot be read"]),
    "a script that fails": ("-i hosts.yml -i script", ["inventory script cannot be read"]),
}


def prepare(site: Site) -> None:
    """Write the inventories that the commands name."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
    children = {"web": {"hosts": {"web1": None}}, "empty": {}}
    hosts = {name: {**local, "egov_ops_machine_alias": name} for name in ("web1", "db1")}
    document = {"all": {"hosts": hosts, "children": children, "vars": site.variables}}
    (site.folder / "hosts.yml").write_text(yaml.safe_dump(document))
    (site.folder / "empty.yml").write_text("all:\n  hosts: {}\n")
    (site.folder / "broken.yml").write_text("all: [\n")
    (site.folder / "folder").mkdir()
    (site.folder / "folder/hosts.yml").write_text(yaml.safe_dump(document))
    (site.folder / "folder/broken.yml").write_text("all: [\n")
    (site.folder / "script").write_text("#!/bin/sh\nexit 3\n")
    (site.folder / "script").chmod(0o755)


def red(site: Site, command: str, sentences: list[str]) -> None:
    done = site.paste(command)
    assert done.rc != 0, done.output
    output = " ".join(done.output.split())
    for sentence in sentences:
        assert sentence in output, done.output
    assert not (site.state / "ledger.sqlite3").exists()
    assert not (site.folder / "host").exists()


#: Of which the words, or who finds them, differ between one ansible-core and another: a path, a pattern, a file.
DIFFER = ("a path that does not exist", "no inventory", "a limit of nobody", "one file of two that is none")


def runs_of_nothing() -> Iterator[Any]:
    """Yield each case under the ansible-core of the tests; those that differ, in the long run all, under others too."""
    for case in NOTHING:
        yield pytest.param(None, case, id=case)
        mark = pytest.mark.slow if case in DIFFER else pytest.mark.long
        yield from (pytest.param(core, case, id=f"{case}-{core}", marks=mark) for core in ("2.16", "2.21"))


@pytest.mark.parametrize(("core", "case"), [*runs_of_nothing()])
def test_a_run_of_nothing_is_red(site: Site, ansible_core: Callable[[str], Path], core: str | None, case: str) -> None:
    if core:
        site.bin = ansible_core(core)
    prepare(site)
    arguments, sentences = NOTHING[case]
    red(site, f"ansible-playbook egov.ops.daily {arguments}", sentences)


@pytest.mark.parametrize("core", CORES)
def test_an_imported_procedure_of_nothing_is_red(
    site: Site, ansible_core: Callable[[str], Path], core: str | None
) -> None:
    if core:
        site.bin = ansible_core(core)
    prepare(site)
    (site.folder / "night.yml").write_text("- import_playbook: egov.ops.daily\n")
    red(site, "ansible-playbook night.yml -i nowhere", ["-i is nowhere, which does not exist"])
    red(site, "ansible-playbook night.yml -i hosts.yml -e egov_ops_hosts=empty", ["leaves no host"])


def playbooks() -> Iterator[Any]:
    """Yield each playbook; of those that are made from one template, all but the first belong to the long run."""
    made = [name for name in PLAYBOOKS if "Made by tools/generate.py" in (ROOT / f"playbooks/{name}.yml").read_text()]
    for name in PLAYBOOKS:
        yield pytest.param(name, marks=pytest.mark.long if name in made[1:] else pytest.mark.slow)


@pytest.mark.parametrize("playbook", [*playbooks()])
def test_no_playbook_of_nothing_is_green(site: Site, playbook: str) -> None:
    prepare(site)
    red(site, f"ansible-playbook egov.ops.{playbook} -i hosts.yml -e egov_ops_hosts=web1 --limit db1", ["db1"])


@pytest.mark.parametrize("option", ["--syntax-check", "--list-hosts", "--list-tasks", "--list-tags"])
def test_what_only_lists_says_nothing_of_it(site: Site, option: str) -> None:
    playbooks = " ".join(f"egov.ops.{name}" for name in PLAYBOOKS)
    done = site.paste(f"ansible-playbook {playbooks} {option}")
    assert done.rc == 0, done.output
    assert "No inventory is given" not in done.output
    assert done.output.count("playbook: ") == len(PLAYBOOKS)


def test_hosts_that_an_earlier_play_adds_are_hosts(site: Site) -> None:
    site.variables["egov_ops_probes"] = PROBES
    prepare(site)
    added = {"name": "web9", **site.hosts["web1"]}
    play = {
        "name": "Add",
        "hosts": "web1",
        "gather_facts": False,
        "tasks": [{"name": "Add web9", "ansible.builtin.add_host": added}],
    }
    (site.folder / "night.yml").write_text(yaml.safe_dump([play, {"import_playbook": "egov.ops.health_check"}]))
    done = site.paste("ansible-playbook night.yml -i hosts.yml -e egov_ops_hosts=web9")
    assert done.rc == 0, done.output
    assert rows(site) == {"web9": {("ok", "")}}


#: Hosts that are not ours, of whose connection nothing is installed.
FOREIGN: dict[str, dict[str, Any]] = {
    "printer1": {"egov_ops_managed": False, "ansible_connection": "no.such.plugin"},
    "printer2": {"egov_ops_managed": False, "ansible_connection": "ssh", "ansible_ssh_executable": "./visited"},
    "switch1": {"ansible_connection": "no.netcommon.network_cli", "ansible_network_os": "vyos"},
    "router1": {"ansible_connection": "no.netcommon.httpapi"},
    "windows1": {"ansible_connection": "winrm"},
}


def rows(site: Site) -> dict[str, set[tuple[str, str]]]:
    """Return the statuses and reasons of the steps of each host in the newest run, by SQL."""
    with sqlite3.connect(site.state / "ledger.sqlite3") as ledger:
        found: dict[str, set[tuple[str, str]]] = {}
        steps = ledger.execute(
            "SELECT host, status, reason FROM record WHERE kind = 'step' AND run = (SELECT MAX(run) FROM record)"
        )
        for host, status, reason in steps:
            found.setdefault(host, set()).add((status, reason))
    return found


@pytest.mark.parametrize(
    ("core", "playbook"),
    [
        (None, "health_check"),
        *(pytest.param(core, "health_check", marks=pytest.mark.slow) for core in ("2.16", "2.21")),
        pytest.param(None, "daily", marks=pytest.mark.slow),
        *(pytest.param(core, "daily", marks=pytest.mark.long) for core in ("2.16", "2.21")),
    ],
)
def test_hosts_that_are_not_ours_keep_their_row_and_are_never_connected_to(
    site: Site, ansible_core: Callable[[str], Path], core: str | None, playbook: str
) -> None:
    if core:
        site.bin = ansible_core(core)
    site.hosts = {**FOREIGN, "web1": site.hosts["web1"]}
    site.variables["egov_ops_probes"] = PROBES
    visited = site.folder / "visited"
    visited.write_text(f"#!/bin/sh\ntouch {site.folder}/was_visited\nexit 255\n")
    visited.chmod(0o755)
    done = site.play(f"egov.ops.{playbook}")
    assert done.rc == 0, done.output
    found = rows(site)
    assert ("ok", "") in found.pop("web1")
    assert found == {host: {("skipped", "not_ours")} for host in FOREIGN}
    assert site.play(f"egov.ops.{playbook}", "--check").rc == 0
    assert not (site.folder / "was_visited").exists()


@pytest.mark.parametrize("core", CORES)
def test_a_run_of_hosts_that_are_not_ours_alone_is_recorded_and_red(
    site: Site, ansible_core: Callable[[str], Path], core: str | None
) -> None:
    if core:
        site.bin = ansible_core(core)
    site.hosts = FOREIGN
    done = site.play("egov.ops.health_check")
    assert done.rc != 0, done.output
    assert "No host of this run is ours (printer1, printer2, switch1, router1, windows1)" in done.output
    assert rows(site) == {host: {("skipped", "not_ours")} for host in FOREIGN}
    done = site.play("egov.ops.health_check", "--check")
    assert done.rc != 0, done.output
    assert "No host of this run is ours" in done.output
