# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.plan.checking import check
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import Plan, merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import Schema, load_schema

ROOT = Path(__file__).resolve().parents[3]

#: The host's plan variables as Ansible resolves them, templates and all.
RESOLVED = "{{ dict(q('varnames', '^egov_ops_') | zip(q('vars', *q('varnames', '^egov_ops_')))) }}"


@pytest.fixture(scope="module")
def local_variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    ansible = [sys.executable, "-m", "ansible", "adhoc", "-i", str(ROOT / "inventories/local")]
    done = subprocess.run(
        [*ansible, "localhost", "-m", "ansible.builtin.debug", "-a", f'msg="{RESOLVED}"'],
        stdout=subprocess.PIPE,
        check=True,
        cwd="/",
        env={**os.environ, "ANSIBLE_HOME": str(tmp_path_factory.mktemp("home"))},
    )
    found: dict[str, Any] = json.loads(done.stdout.partition(b"=>")[2])["msg"]
    return found


@pytest.fixture
def local_plan(local_variables: dict[str, Any], schema: Schema) -> Plan:
    return merge(local_variables, schema)


def test_the_page_of_variables_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "tools/generate.py"), "--check"]
    assert subprocess.run(command, capture_output=True, check=False).stderr == b""


def test_the_default_plan_with_the_probes_it_ships_has_no_problem() -> None:
    assert check({}, load_schema()) == []


def test_the_local_inventory_has_no_problem(local_variables: dict[str, Any], schema: Schema) -> None:
    assert [problem for problem in check(local_variables, schema) if problem.fatal] == []


def test_the_local_inventory_keeps_all_that_it_writes_in_the_checkouts_var(local_plan: Plan) -> None:
    repository = local_plan["egov_ops_backup_repositories"]["local"]
    assert local_plan["egov_ops_state_dir"] == f"{ROOT}/var"
    assert local_plan["egov_ops_host_state_dir"] == f"{ROOT}/var/host"
    assert repository["location"] == f"{ROOT}/var/repository"
    assert repository["password_file"] == f"{ROOT}/var/repository.password"
    assert repository["create"] is True


def test_the_local_inventory_backs_up_etc_and_the_checkout(local_plan: Plan) -> None:
    sets = local_plan["egov_ops_backup_sets"]
    assert {
        name: (found["class"], found["paths"], found["full"], found["incremental"]) for name, found in sets.items()
    } == {
        "config": ("config", ["/etc"], "monthly", "change"),
        "checkout": ("other", [str(ROOT)], "weekly", "daily"),
    }


def test_the_local_inventory_leaves_its_own_repository_out_of_the_checkouts_set(local_plan: Plan) -> None:
    assert f"{ROOT}/var" in local_plan["egov_ops_backup_sets"]["checkout"]["exclude"]
