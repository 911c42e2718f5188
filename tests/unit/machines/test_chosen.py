# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What chooses another machine than the inventory, and what only chooses the account."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.plugins.loader import connection_loader
from ansible_collections.egov.ops.plugins.plugin_utils.machines.chosen import Chosen, choice_fault, naming_words


def fault(
    variables: dict[str, Any], inventory: dict[str, Any] | None = None, keyword: str = "ssh", port: Any = None
) -> str:
    connection_loader.get("ssh", class_only=True)  # which tells Ansible what its options are
    seen = {**(inventory or {}), **variables}
    chosen = Chosen(seen, "ssh", keyword, port)
    return choice_fault("n1", chosen, inventory or {}, lambda value: value, lambda value: value)


@pytest.mark.parametrize(
    "name",
    [
        *("ansible_host", "ansible_ssh_host", "ansible_port", "ansible_ssh_port", "ansible_ssh_common_args"),
        *("ansible_ssh_extra_args", "ansible_ssh_args", "ansible_ssh_executable", "ansible_control_path"),
        *("ansible_sftp_extra_args", "ansible_scp_executable", "ansible_connection"),
    ],
)
def test_a_variable_that_chooses_the_machine_comes_from_the_inventory(name: str) -> None:
    one, other = ("22", "2222") if "port" in name else ("n1x", "n2")
    assert name in fault({name: other})
    assert name in fault({name: other}, {name: one})
    assert fault({}, {name: other}) == ""


@pytest.mark.parametrize(
    "name",
    [
        *("ansible_user", "ansible_password", "ansible_ssh_private_key_file", "ansible_become", "ansible_become_user"),
        *("ansible_become_password", "ansible_ssh_timeout", "ansible_pipelining", "ansible_host_key_checking"),
    ],
)
def test_a_variable_that_chooses_the_account_is_anybodys(name: str) -> None:
    assert fault({name: "x"}) == ""


@pytest.mark.parametrize("name", ["ansible_host", "ansible_port", "ansible_ssh_common_args", "ansible_connection"])
def test_a_variable_that_the_inventory_sets_cannot_be_emptied(name: str) -> None:
    assert f"{name} is emptied" in fault({name: None}, {name: "22"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ansible_python_interpreter", "ssh n2 python3"),
        ("ansible_python_interpreter", "/tmp/$(id)"),
        ("ansible_shell_executable", "/usr/bin/ssh n2 /bin/sh"),
        ("ansible_become_exe", "ssh n2 sudo"),
        ("ansible_become_flags", "-h n2 -H"),
        ("ansible_sudo_flags", "--host=n2"),
        ("ansible_become_flags", "-H; ssh n2"),
    ],
)
def test_a_program_that_may_be_a_way_to_another_machine_comes_from_the_inventory(name: str, value: str) -> None:
    assert name in fault({name: value})
    assert name in fault({name: value}, {name: "/usr/bin/python3"})
    assert fault({}, {name: value}) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ansible_python_interpreter", "/usr/bin/python3"),
        ("ansible_python_interpreter", "auto_silent"),
        ("ansible_become_exe", "sudo"),
        ("ansible_become_flags", "-H -S -n"),
        ("ansible_become_flags", ""),
    ],
)
def test_a_program_and_its_flags_that_are_no_command_are_anybodys(name: str, value: str) -> None:
    assert fault({name: value}) == ""


def test_what_ansible_fills_in_is_no_choice() -> None:
    assert fault({"ansible_host": "n1", "ansible_connection": "ssh", "ansible_port": None}) == ""


def test_a_keyword_that_chooses_the_machine_is_named() -> None:
    assert "local" in fault({}, keyword="ansible.builtin.local")
    assert "community.general.ssh" in fault({}, keyword="community.general.ssh")
    assert fault({}, keyword="ansible.legacy.ssh") == ""
    assert "port" in fault({}, port=2222)
    assert fault({}, {"ansible_connection": "local"}, keyword="local") == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ANSIBLE_SSH_ARGS", "-o HostName=n2"),
        ("ANSIBLE_SSH_COMMON_ARGS", "-J n2"),
        ("ANSIBLE_SSH_EXTRA_ARGS", "-oProxyCommand='ssh n2 -W %h:%p'"),
        ("ANSIBLE_SSH_EXECUTABLE", "/tmp/ssh"),
        ("ANSIBLE_SSH_CONTROL_PATH", "/tmp/n2"),
        ("ANSIBLE_REMOTE_PORT", "2222"),
    ],
)
def test_the_environment_names_no_machine(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    assert variable in fault({})


def test_the_environment_may_set_what_names_no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_SSH_ARGS", "-C -o ControlMaster=auto -o ControlPersist=60s -o ControlPath=~/.ssh/%C")
    monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
    monkeypatch.setenv("ANSIBLE_PRIVATE_KEY_FILE", "/tmp/key")
    assert fault({}) == ""


@pytest.mark.parametrize(
    "arguments",
    [
        *("-F /tmp/config", "-p 22", "-o Port=22", "-oHostKeyAlias=n2", "-o 'ProxyJump n2'", "-W n2:22", "-S /tmp/n2"),
        *("-o ControlPath=/tmp/n2", "n2", "-L 1:n2:22", "-o Include=/tmp/x", "-b 10.0.0.1", "-o", "-CF/tmp/x", "'"),
        *("-o ControlPath=/tmp/x-%h", "-o ControlPath=~/.ssh/n2", "-o CanonicalDomains=elsewhere.example"),
    ],
)
def test_arguments_of_ssh_that_may_name_a_machine_are_found(arguments: str) -> None:
    assert list(naming_words(arguments))


@pytest.mark.parametrize("arguments", ["", "-vvv -4C", "-i /tmp/key -l ops", "-o User=ops -oStrictHostKeyChecking=no"])
def test_arguments_of_ssh_that_name_no_machine_pass(arguments: str) -> None:
    assert not list(naming_words(arguments))
