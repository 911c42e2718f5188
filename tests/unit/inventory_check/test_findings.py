# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults planted in an inventory: each is told with its file, line and hosts, all at once, and is gone when undone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted, validate

from tests.support.validation_site import HOSTS, problems, site, told, write

WEB1, BOTH = ["web1"], ["web1", "web2"]

#: A fault by a name: the file, what stands there, what is put in its place, and what is told of it.
FAULTS: dict[str, tuple[str, str, str, str, list[str]]] = {
    "value": (
        "group_vars/web.yml",
        'warning: "3"',
        'warning: "high"',
        "web.yml:7: egov_ops_probes__50_web.portal.warning is 'high', but must be a range such as",
        BOTH,
    ),
    "variable": (
        "group_vars/all.yml",
        "egov_ops_timezone:",
        "egov_ops_timezome:",
        "all.yml:2: egov_ops_timezome is not a variable of the plan; did you mean egov_ops_timezone?",
        ["db1", "web1", "web2"],
    ),
    "key": (
        "group_vars/web.yml",
        "paths: [/srv/www]",
        "paths: [/srv/www]\n    exlude: [tmp]",
        "web.yml:14: egov_ops_backup_sets__50_web.sites has no key 'exlude'; did you mean exclude?",
        BOTH,
    ),
    "required": (
        "group_vars/web.yml",
        "    full: weekly\n",
        "",
        "web.yml:11: egov_ops_backup_sets__50_web.sites lacks full; it must be one of hourly, daily,",
        BOTH,
    ),
    "reference": (
        "group_vars/web.yml",
        "full: weekly",
        "full: weekly\n    repository: remote",
        "web.yml:15: egov_ops_backup_sets__50_web.sites.repository is 'remote', which egov_ops_backup_repo",
        BOTH,
    ),
    "class": (
        "group_vars/web.yml",
        "egov_ops_backup_sets__50_web:",
        "egov_ops_backup_classes: [config, database]\negov_ops_backup_sets__50_web:",
        "web.yml:10: egov_ops_backup_classes has the class database, of which egov_ops_backup_sets has no set; add",
        BOTH,
    ),
    "default class": (
        "group_vars/web.yml",
        "  sites:\n    class: other",
        "  config: {state: absent}\n  sites:\n    class: other",
        "egov_ops_backup_classes has the class config, of which egov_ops_backup_sets has no set; add one, or take",
        BOTH,
    ),
    "retention": (
        "group_vars/web.yml",
        "full: weekly\n    incremental: daily\n",
        "full: quarterly\negov_ops_backup_retention:\n  other: {days: 30, weeks: 0, months: 0, years: 0}\n",
        "sites.full is 'quarterly', but egov_ops_backup_retention keeps the class other for 30 days, less than from",
        BOTH,
    ),
    "kind": (
        "group_vars/web.yml",
        "kind: http",
        "kind: htpp",
        "web.yml:4: egov_ops_probes__50_web.portal.kind is 'htpp', which there is not; did you mean http?",
        BOTH,
    ),
    "parameter": (
        "group_vars/web.yml",
        "url: http",
        "timout: 3\n    url: http",
        "web.yml:6: egov_ops_probes__50_web.portal.timout is no parameter of http; did you mean timeout?",
        BOTH,
    ),
    "bound": (
        "group_vars/all.yml",
        "730",
        "100",
        "all.yml:3: egov_ops_ledger_retention_days is 100, but must be at least 190 days.",
        ["db1", "web1", "web2"],
    ),
    "template": (
        "group_vars/all.yml",
        "730",
        '"{{ years * 365 }}"',
        "all.yml:3: egov_ops_ledger_retention_days cannot be templated: ",
        ["db1", "web1", "web2"],
    ),
    "address": (
        "hosts.yml",
        "192.0.2.11",
        "192.0.2.311",
        "hosts.yml:5: ansible_host is '192.0.2.311', but must be a name, or an address such as 192.0.2.1",
        WEB1,
    ),
    "host's own": (
        "hosts.yml",
        "web1: {ansible_host: 192.0.2.11}",
        "web1: {ansible_host: 192.0.2.11, egov_ops_report: 7}",
        "hosts.yml:5: egov_ops_report is 7, but must be true or false.",
        WEB1,
    ),
    "repeated": (
        "group_vars/web.yml",
        'critical: "15"',
        'critical: "15"\n    warning: "9"',
        "has warning twice, in lines 7 and 9, and only the last counts; remove one.",
        [],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_with_its_place_and_hosts_and_is_gone_when_it_is_undone(tmp_path: Path, name: str) -> None:
    file, before, after, sentence, hosts = FAULTS[name]
    path = site(tmp_path) / file
    sound = path.read_text()
    assert sound.count(before) == 1
    path.write_text(sound.replace(before, after))
    (problem,) = problems(tmp_path)
    assert problem["severity"] == "error"
    assert sentence in told([problem])[0]
    assert sorted(problem["hosts"]) == hosts
    path.write_text(sound)
    assert problems(tmp_path) == []


def test_all_faults_are_told_at_once_in_order_of_file_and_line(tmp_path: Path) -> None:
    site(tmp_path)
    write(
        tmp_path,
        group_vars__all="egov_ops_timezone: Mars\negov_ops_reprot: true\n",
        host_vars__db1="egov_ops_backup_sets:\n  config: {full: often, incremental: never}\n",
    )
    places = [(Path(found["file"]).name, found["line"]) for found in problems(tmp_path)]
    assert places == [("all.yml", 1), ("all.yml", 2), ("db1.yml", 2), ("db1.yml", 2)]


def test_a_fault_in_a_key_that_a_lower_layer_gives_is_told_there(tmp_path: Path) -> None:
    site(tmp_path)
    write(
        tmp_path,
        group_vars__all="egov_ops_backup_sets:\n  config:\n    repository: remote\n",
        host_vars__web1="egov_ops_backup_sets__90_host:\n  config: {full: daily}\n",
    )
    assert {(Path(found["file"]).name, found["line"]) for found in problems(tmp_path)} == {("all.yml", 3)}


def test_the_value_that_counts_is_told_where_several_files_set_one(tmp_path: Path) -> None:
    site(tmp_path)
    write(
        tmp_path,
        host_vars__web1="# of this host\negov_ops_timezone: Mars\n",
        group_vars__web="egov_ops_timezone: UTC\n",
    )
    (problem,) = problems(tmp_path)
    assert (Path(problem["file"]).name, problem["line"], problem["hosts"]) == ("web1.yml", 2, WEB1)


def test_each_problem_has_variable_path_value_and_what_is_allowed(tmp_path: Path) -> None:
    path = site(tmp_path) / "group_vars/web.yml"
    path.write_text(path.read_text().replace("full: weekly", "full: often"))
    (problem,) = problems(tmp_path)
    assert problem["variable"] == "egov_ops_backup_sets__50_web"
    assert problem["path"] == ["sites", "full"]
    assert problem["value"] == "'often'"
    assert problem["allowed"] == "one of hourly, daily, weekly, monthly, quarterly, yearly"


def test_a_clause_a_step_and_an_expectation_that_there_is_not_are_told(tmp_path: Path) -> None:
    site(tmp_path)
    write(
        tmp_path,
        group_vars__all="""\
            egov_ops_procedures__10_site:
              daily: {clauses: [S9.9.9-9]}
              nightly:
                title: {en: Night, zh: 夜}
                purpose: {en: Looks., zh: 查看。}
                team: SYS
                steps:
                  - {module: health_prob, domain: health}
                  - {module: health_probe, domain: heath}
            egov_ops_controls__10_site:
              IA-001: {expected: "at least 12", clauses: [8.1.4.1z]}
            """,
    )
    found = {(problem["rule"], problem["line"], problem["value"]) for problem in problems(tmp_path)}
    assert found == {
        ("clause", 2, "'S9.9.9-9'"),
        ("step", 7, "'health_prob'"),
        ("step", 7, "'heath'"),
        ("value", 11, "'at least 12'"),
        ("clause", 11, "'8.1.4.1z'"),
    }


def test_one_machine_under_two_names_is_a_warning(tmp_path: Path) -> None:
    site(tmp_path)
    write(tmp_path, hosts=HOSTS.replace("192.0.2.12", "192.0.2.11"))
    (problem,) = problems(tmp_path)
    assert (problem["severity"], problem["rule"], problem["line"]) == ("warning", "address", 6)
    assert problem["message"].startswith("web2 has the address of web1, 192.0.2.11; ")


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.1:99999",
        "192.0.2.1:65536",
        "192.0.2.1:0",
        "[2001:db8::1]:65536",
        "300.1.1.1:22",
        "2001:db8::1::2",
        "[2001:db8::zz]:22",
        "1.2.3.4.5:22",
    ],
)
def test_a_probes_address_that_is_none_is_told(tmp_path: Path, address: str) -> None:
    site(tmp_path)
    write(
        tmp_path,
        host_vars__db1=f"""\
            egov_ops_probes__90_host:
              port: {{kind: tcp, layer: platform, address: "{address}"}}
            """,
    )
    (problem,) = problems(tmp_path)
    assert (problem["rule"], problem["line"], problem["value"]) == ("address", 2, repr(address))


@pytest.mark.parametrize("address", ["192.0.2.1:1", "192.0.2.1:65535", "[2001:db8::1]:65535"])
def test_the_first_and_the_last_port_are_ports(tmp_path: Path, address: str) -> None:
    site(tmp_path)
    probe = f'{{kind: tcp, layer: platform, address: "{address}"}}'
    write(tmp_path, host_vars__db1=f"egov_ops_probes__90_host: {{port: {probe}}}\n")
    assert problems(tmp_path) == []


def test_a_file_of_a_group_that_there_is_not_is_a_warning(tmp_path: Path) -> None:
    write(site(tmp_path), group_vars__wep="egov_ops_timezone: UTC\n")
    (problem,) = problems(tmp_path)
    assert (problem["severity"], problem["rule"]) == ("warning", "owner")
    assert problem["message"].endswith(
        "belongs to no group of the inventory, so that nobody reads it; did you mean web?"
    )


@pytest.mark.parametrize(
    "text, line, sentence",
    [
        ("all:\n  hosts:\n    web1: {a: b\n", 4, "is no YAML"),
        ("- web1\n- web2\n", 1, "must be a dictionary of groups"),
        ("all:\n  host:\n    web1:\n", 2, "gives the group all a key 'host'; known are hosts, vars, children."),
        ("all:\n  hosts: [web1]\n", 2, "gives hosts of the group all no dictionary"),
        ("all:\n  children:\n    web: [web1]\n", 3, "gives the group web no dictionary"),
    ],
)
def test_an_inventory_that_does_not_parse_is_told_with_its_line_and_nothing_else(
    tmp_path: Path, text: str, line: int, sentence: str
) -> None:
    site(tmp_path)
    write(tmp_path, hosts=text, group_vars__all="egov_ops_timezone: Mars\n")
    (problem,) = problems(tmp_path)
    assert (problem["rule"], Path(problem["file"]).name, problem["line"]) == ("syntax", "hosts.yml", line)
    assert sentence in problem["message"]


def test_each_file_of_variables_that_does_not_parse_is_told(tmp_path: Path) -> None:
    write(site(tmp_path), group_vars__all="a: [1\n", host_vars__db1="b: {\n")
    assert [(Path(found["file"]).name, found["rule"]) for found in problems(tmp_path)] == [
        ("all.yml", "syntax"),
        ("db1.yml", "syntax"),
    ]


def test_an_ini_inventory_that_does_not_parse_has_the_words_of_its_plugin(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("[web]\nweb1\n[web:chldren]\ndb1\n")
    (problem,) = problems(tmp_path / "hosts")
    assert "cannot be parsed as an inventory" in problem["message"]
    assert "web:chldren" in problem["message"]
    assert problem["line"] == 3


@pytest.mark.parametrize("name", ["hosts", "hosts.ini"])
def test_a_fault_in_an_ini_inventory_is_told_with_its_line(tmp_path: Path, name: str) -> None:
    text = "db1\n\n[web]\nweb[1:2] egov_ops_report=7 # short\n\n[web:vars]\n; of all\negov_ops_timezone = Mars\n"
    (tmp_path / name).write_text(text)
    assert [(problem["line"], problem["variable"], problem["hosts"]) for problem in problems(tmp_path / name)] == [
        (4, "egov_ops_report", BOTH),
        (8, "egov_ops_timezone", BOTH),
    ]


def test_a_yaml_inventory_without_extension_is_read_as_such(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("all:\n  hosts:\n    web1: {egov_ops_timezone: Mars}\n")
    (problem,) = problems(tmp_path / "hosts")
    assert (problem["line"], problem["hosts"]) == (3, WEB1)


def test_a_variable_of_a_dynamic_inventory_is_told_by_its_name(tmp_path: Path) -> None:
    script = tmp_path / "hosts"
    script.write_text('#!/bin/sh\necho \'{"web": {"hosts": ["web1"], "vars": {"egov_ops_timezone": "Mars"}}}\'\n')
    script.chmod(0o755)
    (problem,) = problems(script)
    assert (problem["file"], problem["line"], problem["variable"]) == ("", 0, "egov_ops_timezone")
    assert problem["hosts"] == WEB1


def test_a_host_of_a_range_is_found_in_its_file(tmp_path: Path) -> None:
    write(tmp_path, hosts="all:\n  hosts:\n    web[1:2]: {egov_ops_timezone: Mars}\n")
    (problem,) = problems(tmp_path)
    assert (problem["line"], problem["hosts"]) == (3, BOTH)


@pytest.mark.parametrize("inventory", ["", "/nowhere/hosts.yml"])
def test_no_inventory_is_one_sentence(inventory: str) -> None:
    with pytest.raises(
        OpsError, match=r"^(No inventory is named|The inventory /nowhere/hosts.yml does not exist); .*\.$"
    ):
        validate(Wanted(inventory))


def test_a_roles_variable_of_the_wrong_type_is_told(tmp_path: Path) -> None:
    write(site(tmp_path), host_vars__db1="backup_timeout: soon\n")
    assert [problem["variable"] for problem in problems(tmp_path)] == ["backup_timeout"]


@pytest.mark.programs("ssh-keygen")
def test_a_persons_key_that_is_too_weak_to_sign_with_is_an_error_until_it_is_revoked(tmp_path: Path) -> None:
    def key(kind: str, bits: int) -> str:
        file = tmp_path / f"{kind}{bits}"
        command = ["ssh-keygen", "-q", "-t", kind, "-b", str(bits), "-N", "", "-f", str(file)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return file.with_suffix(".pub").read_text().strip()

    kinds = {"weak": ("rsa", 2048), "strong": ("rsa", 3072), "curve": ("ecdsa", 256), "new": ("ed25519", 256)}
    signers = {name: {"person": "li", "key": key(*kind)} for name, kind in kinds.items()}
    plan = {"egov_ops_people": {"li": {"team": "DATA"}}, "egov_ops_signers": signers}
    inventory = site(tmp_path / "site")
    write(inventory, group_vars__database=yaml.safe_dump(plan))
    (problem,) = problems(inventory)
    assert (problem["rule"], problem["severity"], problem["hosts"]) == ("weakening", "error", ["db1"])
    assert problem["message"].startswith("egov_ops_signers.weak.key is an RSA key of 2048 bits, which is too weak to")
    signers["weak"]["revoked"] = "2026-01-01 00:00 UTC"
    write(inventory, group_vars__database=yaml.safe_dump(plan))
    assert problems(inventory) == []
