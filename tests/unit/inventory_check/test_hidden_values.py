# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Templates are filled in once for what they share, and what is encrypted is neither opened nor missed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted, validate
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.site import Site

from tests.support.validation_site import problems, site, told, write

SECRET = "hunter2"


def encrypted(text: str) -> str:
    return VaultLib([("default", VaultSecret(b"password"))]).encrypt(text).decode()


def inline(text: str, indent: int) -> str:
    """Return a value as `ansible-vault encrypt_string` writes it."""
    return "!vault |\n" + "".join(f"{' ' * indent}{line}\n" for line in encrypted(text).splitlines())


class Counting:
    """A templar that counts what it is asked."""

    def __init__(self, templar: Any) -> None:
        self.templar, self.asked = templar, list[str]()

    @property
    def available_variables(self) -> Any:
        return self.templar.available_variables

    @available_variables.setter
    def available_variables(self, variables: Any) -> None:
        self.templar.available_variables = variables

    def template(self, text: Any) -> Any:
        self.asked.append(str(text))
        return self.templar.template(text)


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Path]:
    """An inventory of forty hosts in two rooms."""
    hosts = "".join(f"    host{number}: {{room: {number % 2}}}\n" for number in range(40))
    write(tmp_path, hosts=f"all:\n  hosts:\n{hosts}")
    yield tmp_path


def asked(inventory: Path) -> list[str]:
    loaded = Site(str(inventory))
    counting = loaded._templates._templar = Counting(loaded._templates._templar)
    for host in loaded.hosts:
        loaded.variables(host)
    return counting.asked


def test_a_value_without_jinja_is_not_templated(many: Path) -> None:
    write(many, group_vars__all="egov_ops_tool_path: [/opt/bin, /srv/bin]\n")
    assert asked(many) == []


def test_a_value_is_templated_once_for_all_hosts_that_share_what_it_needs(many: Path) -> None:
    write(many, group_vars__all='root: /opt\nbin: "{{ root }}/bin"\negov_ops_tool_path: ["{{ bin }}"]\n')
    assert asked(many) == ["{{ bin }}"]


def test_a_value_is_templated_again_where_what_it_needs_differs(many: Path) -> None:
    write(many, group_vars__all='bin: "/opt/{{ room }}"\negov_ops_tool_path: ["{{ bin }}"]\n')
    assert len(asked(many)) == 2


def test_a_value_that_needs_the_whole_host_is_templated_for_each(many: Path) -> None:
    write(many, group_vars__all="egov_ops_tool_path: [\"{{ lookup('vars', 'room') }}\"]\n")
    assert len(asked(many)) == 40


def test_a_variable_outside_the_plan_is_not_templated(many: Path) -> None:
    write(many, group_vars__all='motd: "{{ nothing }}"\n')
    assert asked(many) == []


def test_the_plan_that_comes_of_a_template_is_checked_for_each_host(many: Path) -> None:
    write(many, group_vars__all='egov_ops_tool_path: ["{{ room }}"]\n')
    found = problems(many)
    assert sorted(len(problem["hosts"]) for problem in found) == [20, 20]
    assert told(found)[0].startswith("all.yml:1: egov_ops_tool_path is a list, but must be a list whose elements are")


def test_an_encrypted_value_is_taken_for_right_without_a_password(tmp_path: Path) -> None:
    site(tmp_path)
    text = f"egov_ops_backup_repositories:\n  local:\n    create: true\n    location: {inline('/srv', 6)}"
    write(tmp_path, host_vars__db1=text, host_vars__web1=f"egov_ops_backup_sets:\n  config: {inline('{}', 4)}")
    write(tmp_path, host_vars__web2=f"egov_ops_platform_name: {inline(SECRET, 2)}")
    assert problems(tmp_path) == []


def test_an_encrypted_layer_hides_no_reference_and_no_other_fault(tmp_path: Path) -> None:
    site(tmp_path)
    text = f"egov_ops_backup_repositories__10_site: {inline('{}', 2)}egov_ops_backup_sets:\n  config: {{full: often}}\n"
    write(tmp_path, host_vars__db1=text)
    assert [problem["path"] for problem in problems(tmp_path)] == [["config", "full"]]
    write(tmp_path, host_vars__db1=text.replace("full: often", "repository: hidden"))
    assert problems(tmp_path) == []


def test_a_template_of_an_encrypted_value_is_not_filled_in(tmp_path: Path) -> None:
    site(tmp_path)
    write(tmp_path, group_vars__all=f'secret: {inline(SECRET, 2)}egov_ops_witness_key: "/{{{{ secret }}}}"\n')
    assert problems(tmp_path) == []


def test_a_file_that_is_encrypted_as_a_whole_is_listed_and_what_it_may_hold_is_not_missed(tmp_path: Path) -> None:
    site(tmp_path)
    write(tmp_path, group_vars__web='egov_ops_witness_key: "{{ vault_key }}"\n')
    assert len(problems(tmp_path)) == 1
    (tmp_path / "host_vars/web1").mkdir(parents=True)
    (tmp_path / "host_vars/web1/vault").write_text(encrypted("vault_key: /root/key\n"))
    data = validate(Wanted(str(tmp_path)))
    assert [Path(file).name for file in data["not_checked"]] == ["vault"]
    assert [problem["hosts"] for problem in data["problems"]] == [["web2"]]


def test_a_name_that_may_be_a_mistake_or_encrypted_is_a_warning(tmp_path: Path) -> None:
    site(tmp_path)
    write(tmp_path, host_vars__db1__main='# of db1\negov_ops_witness_key: "{{ kye }}"\n')
    (tmp_path / "host_vars/db1/vault").write_text(encrypted("key: /root/key\n"))
    (problem,) = problems(tmp_path)
    assert (problem["severity"], problem["line"], problem["hosts"]) == ("warning", 2, ["db1"])
    assert problem["message"].startswith("egov_ops_witness_key needs kye, which no file that can be read sets; ")


def test_an_inventory_that_is_encrypted_as_a_whole_is_listed(tmp_path: Path) -> None:
    site(tmp_path)
    (tmp_path / "more.yml").write_text(encrypted("all:\n  hosts:\n    web9:\n"))
    data = validate(Wanted(str(tmp_path)))
    assert ([Path(file).name for file in data["not_checked"]], data["hosts"], data["problems"]) == (["more.yml"], 3, [])


def test_no_secret_is_in_what_is_told(tmp_path: Path) -> None:
    site(tmp_path)
    write(
        tmp_path,
        group_vars__all=f"""\
            egov_ops_password: {SECRET}
            egov_ops_backup_repositories:
              local: {{location: ".. {SECRET}", password_file: {SECRET}}}
            """,
    )
    found = problems(tmp_path)
    assert {problem["rule"] for problem in found} == {"name", "value"}
    assert SECRET not in str([problem for problem in found if problem["path"] != ["local", "location"]])
