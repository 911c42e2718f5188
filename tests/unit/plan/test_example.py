# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example inventory, read as a run reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecret
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from ansible_collections.egov.ops.plugins.module_utils.health.registry import KINDS
from ansible_collections.egov.ops.plugins.plugin_utils.plan.checking import check
from ansible_collections.egov.ops.plugins.plugin_utils.plan.inventory_variables import InventoryPlan
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import Plan, merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema, role_options

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "inventories/example"
TEAMS = ("PM", "SYS", "SEC", "DATA", "SUP", "CS")

#: The sample's own password stands in a comment beside it.
PASSWORD = b"example"


@pytest.fixture(scope="module")
def inventory() -> InventoryManager:
    loader = DataLoader()
    loader.set_vault_secrets([("default", VaultSecret(PASSWORD))])
    return InventoryManager(loader=loader, sources=[str(EXAMPLE)])


@pytest.fixture(scope="module")
def variables(inventory: InventoryManager) -> dict[str, dict[str, Any]]:
    manager = VariableManager(loader=inventory._loader, inventory=inventory)
    reader = InventoryPlan(manager, Templar(loader=inventory._loader))
    return {host.name: reader.variables(host.name) for host in inventory.get_hosts()}


@pytest.fixture(scope="module")
def plans(variables: dict[str, dict[str, Any]]) -> dict[str, Plan]:
    return {host: merge(found, load_schema()) for host, found in variables.items()}


def test_its_plan_has_no_problem_on_any_host(variables: dict[str, dict[str, Any]]) -> None:
    problems = {host: check(found, load_schema(), {}, role_options()) for host, found in variables.items()}
    assert {host: found for host, found in problems.items() if found} == {}


def test_a_mistake_in_it_would_be_found(variables: dict[str, dict[str, Any]]) -> None:
    spoilt = {**variables["web1"], "egov_ops_backup_sets__50_web": {"sites": {"class": "other"}}}
    assert "egov_ops_backup_sets__50_web.sites lacks" in check(spoilt, load_schema())[0].message


def test_it_has_some_twenty_hosts_each_in_one_layer(inventory: InventoryManager) -> None:
    layers = [set(inventory.groups[name].get_hosts()) for name in ("application", "platform", "infrastructure")]
    assert sum(len(layer) for layer in layers) == len(set().union(*layers)) == len(inventory.get_hosts())
    assert 18 <= len(inventory.get_hosts()) <= 24


def test_each_of_the_six_teams_looks_after_hosts_and_each_managed_host_has_a_team(
    inventory: InventoryManager, plans: dict[str, Plan]
) -> None:
    teams = {team: {host.name for host in inventory.groups[f"team_{team.lower()}"].get_hosts()} for team in TEAMS}
    assert all(teams.values())
    assert set().union(*teams.values()) == set(plans)


def test_its_probes_are_of_kinds_that_there_are_with_parameters_that_these_take(plans: dict[str, Plan]) -> None:
    common = set(load_schema().variables["egov_ops_probes"].entry)
    for host, plan in plans.items():
        for name, probe in plan["egov_ops_probes"].items():
            parameters = KINDS[probe["kind"]].parameters()
            assert set(probe) - common <= set(parameters), (host, name)
            assert {parameter for parameter, is_needed in parameters.items() if is_needed} <= set(probe), (host, name)


def test_each_file_says_what_a_site_changes() -> None:
    files = list(EXAMPLE.rglob("*.yml"))
    assert [path.name for path in files if "Change: " not in path.read_text(encoding="utf-8")] == []


def test_each_group_file_belongs_to_a_group_that_there_is(inventory: InventoryManager) -> None:
    groups = {path.stem for path in (EXAMPLE / "group_vars").iterdir()}
    assert groups <= set(inventory.groups)


def test_a_groups_set_is_added_to_those_of_every_host(plans: dict[str, Plan]) -> None:
    sets = {host: sorted(plan["egov_ops_backup_sets"]) for host, plan in plans.items()}
    assert sets["web1"] == ["config", "sites"]
    assert sets["db1"] == ["config", "dumps"]
    assert sets["db3"] == ["config"]
    assert plans["backup1"]["egov_ops_backup_sets"]["config"]["repository"] == "second_disk"


def test_each_host_has_a_repository_of_its_own(plans: dict[str, Plan]) -> None:
    places = [plan["egov_ops_backup_repositories"]["server"]["location"] for plan in plans.values()]
    assert len(set(places)) == len(plans)
    assert all(place.startswith("sftp:") for place in places)


def test_secrets_stand_in_it_encrypted_and_nowhere_else(variables: dict[str, dict[str, Any]]) -> None:
    assert str(variables["web1"]["vault_become_password"]) == "change-me"
    assert (EXAMPLE / "group_vars/all/vault").read_text().startswith("$ANSIBLE_VAULT;")
    words = [word for path in EXAMPLE.rglob("*.yml") for word in yaml.safe_load(path.read_text()) if "password" in word]
    assert words == ["ansible_become_password"]
    assert variables["web1"]["ansible_become_password"] == "{{ vault_become_password }}"
