# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that we print carry the options that the next one needs, and no secret."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from ansible import constants, context
from ansible.cli.playbook import PlaybookCLI
from ansible.utils.context_objects import CLIArgs
from ansible_collections.egov.ops.plugins.plugin_utils import command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a person works."""
    for name in ("ANSIBLE_CONFIG", "ANSIBLE_INVENTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def given(monkeypatch: pytest.MonkeyPatch, line: str) -> str:
    """Return what is printed for a playbook in a process that was started by a line, as Ansible itself parses it."""
    cli: Any = PlaybookCLI(["ansible-playbook", "egov.ops.daily", *shlex.split(line)])
    cli.init_parser()
    options = cli.post_process_args(cli.parser.parse_args(cli.args[1:]))
    monkeypatch.setattr(context, "CLIARGS", CLIArgs(vars(options)))
    return command.playbook("approve", egov_ops_request="1a2b3c4d")


@pytest.mark.parametrize(
    "options",
    [
        "",
        "-i site/hosts.yml",
        "-i 'a site/hosts.yml' -i more.yml",
        "-i web1,web2",
        "-i /elsewhere/hosts.yml",
        "-i hosts.yml --vault-password-file 'the vault'",
        "-i hosts.yml --vault-id dev@prompt --vault-id prod@keys/prod",
        "-i hosts.yml -J",
        "-i hosts.yml -u ops -k -b -K",
        "-i hosts.yml --private-key keys/ops --become-user admin",
        "-i hosts.yml '--ssh-common-args=-o ProxyJump=gate'",
        "-i hosts.yml -e @options.yml",
    ],
)
def test_options_come_back_as_they_were_typed(folder: Path, monkeypatch: pytest.MonkeyPatch, options: str) -> None:
    line = given(monkeypatch, options)
    words = ["ansible-playbook", "egov.ops.approve", *shlex.split(options), "-e", "egov_ops_request=1a2b3c4d"]
    assert sorted(shlex.split(line)) == sorted(words)
    assert given(monkeypatch, shlex.join(shlex.split(line)[2:-2])) == line


def test_values_of_extra_variables_are_never_printed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "s3cret" not in given(monkeypatch, '-e token=s3cret -e \'{"token": "s3cret"}\'')


def test_a_value_is_quoted_for_the_shell_and_for_ansible(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, "-i hosts.yml")
    words = shlex.split(command.playbook("backup", egov_ops_hosts="web1 web2"))
    assert words[-1] == "egov_ops_hosts='web1 web2'"
    words = shlex.split(command.module("web1", "backup_prove", snapshot="4f5e"))
    assert words == ["ansible", "web1", "-i", "hosts.yml", "-m", "egov.ops.backup_prove", "-a", "snapshot=4f5e"]


def test_an_inventory_of_the_environment_is_named_and_one_of_ansible_cfg_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [str(folder / "hosts.yml")]
    (folder / "ansible.cfg").write_text("[defaults]\ninventory = hosts.yml\n")
    monkeypatch.setattr(constants, "DEFAULT_HOST_LIST", sources)
    origin = {"is": str(folder / "ansible.cfg")}
    monkeypatch.setattr(constants.config, "get_config_value_and_origin", lambda _name: (sources, origin["is"]))
    assert " -i " not in given(monkeypatch, "")
    origin["is"] = "env: ANSIBLE_INVENTORY"
    assert " -i hosts.yml " in given(monkeypatch, "")
    origin["is"] = str(folder / "ansible.cfg")
    monkeypatch.setenv("ANSIBLE_CONFIG", str(folder / "ansible.cfg"))
    assert " -i hosts.yml " in given(monkeypatch, "")
