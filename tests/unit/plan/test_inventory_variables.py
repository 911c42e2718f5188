# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a host from its inventory, read by the Ansible that runs the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from ansible_collections.egov.ops.plugins.plugin_utils.plan.inventory_variables import InventoryPlan
from ansible_collections.egov.ops.plugins.plugin_utils.plan.problem import PlanError

Read = Callable[..., InventoryPlan]


@pytest.fixture
def plan_of(tmp_path: Path) -> Read:
    """Give what writes an inventory of files, and returns what reads the plans of its hosts."""

    def reading(extra: dict[str, object] | None = None, **files: str) -> InventoryPlan:
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.yml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        loader = DataLoader()
        inventory = InventoryManager(loader=loader, sources=[str(tmp_path / "hosts.yml")])
        manager = VariableManager(loader=loader, inventory=inventory)
        manager._extra_vars = extra or {}
        return InventoryPlan(manager, Templar(loader=loader))

    return reading


HOSTS = (
    "all: {vars: {a: source}, children: {web: {vars: {b: source, c: source}, hosts: {web1: {d: source}, web2: }}}}\n"
)


def test_the_order_of_precedence_is_that_of_ansible(plan_of: Read) -> None:
    """docs.ansible.com, "Understanding variable precedence": 3 to 10, a group's file over the source's own group."""
    reader = plan_of(
        hosts=HOSTS,
        group_vars__all="a: file of all\nb: file of all\nc: file of all\nd: file of all\n",
        group_vars__web="c: file of web\nd: file of web\n",
        host_vars__web1="d: file of web1\n",
    )
    wanted = {"a": "file of all", "b": "file of all", "c": "file of web", "d": "file of web1"}
    assert {name: reader.written("web1")[name] for name in wanted} == wanted
    assert reader.written("web2")["d"] == "file of web"


def test_a_variable_of_the_plan_is_templated_with_the_others_of_its_host(plan_of: Read) -> None:
    hosts = "all: {hosts: {web1: {site: north}, web2: {site: south}}}\n"
    plan = "egov_ops_platform_name: '{{ site }} of {{ inventory_hostname }}'\nother: '{{ site }}'\n"
    reader = plan_of(hosts=hosts, group_vars__all=plan)
    for host, name in (("web1", "north of web1"), ("web2", "south of web2")):
        variables = reader.variables(host)
        assert variables["egov_ops_platform_name"] == name
        assert variables["other"] == "{{ site }}"


def test_a_value_is_what_the_given_variables_make_of_it(plan_of: Read) -> None:
    template = "{{ site }} {{ inventory_hostname }} {{ inventory_hostname_short }}"
    reader = plan_of(hosts=f"all: {{hosts: {{web1.example: {{site: north, title: '{template}'}}}}}}\n")
    title = reader.written("web1.example")["title"]
    assert reader.value("web1.example", {"site": "east"}, title) == "east web1.example web1"


def refusal(reader: InventoryPlan) -> Any:
    with pytest.raises(PlanError) as caught:
        reader.variables("web1")
    (problem,) = caught.value.problems
    return problem


ADVICE = (
    "owner is an extra variable (-e), and the plan reads the inventory alone: set owner in the inventory, "
    "or pass it as an environment variable and write {{ lookup('env', 'OWNER') }}"
)


@pytest.mark.parametrize(
    ("variable", "direct"),
    [("egov_ops_platform_name", "."), ("egov_ops_fail_on", ", or give egov_ops_fail_on itself with -e.")],
)
def test_a_template_of_an_extra_variable_says_how_to_pass_it(plan_of: Read, variable: str, direct: str) -> None:
    hosts = "all: {hosts: {web1: }}\n"
    problem = refusal(plan_of({"owner": "li"}, hosts=hosts, group_vars__all=f"{variable}: '{{{{ owner }}}}'\n"))
    assert (problem.variable, problem.rule, problem.fatal) == (variable, "template", True)
    assert problem.message.startswith(f"{variable} cannot be templated: ")
    assert "'owner' is undefined" in problem.message
    assert problem.message.endswith(f" {ADVICE}{direct}")


def test_a_template_of_a_variable_that_nobody_gives_is_refused_without_advice(plan_of: Read) -> None:
    plan = "egov_ops_platform_name: '{{ owner }}'\n"
    problem = refusal(plan_of({"other": "li"}, hosts="all: {hosts: {web1: }}\n", group_vars__all=plan))
    assert "'owner' is undefined" in problem.message
    assert "extra variable" not in problem.message
