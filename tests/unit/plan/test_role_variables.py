# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A role's argument spec names the variables of the plan that its modules work by: all of them, and no others."""

from __future__ import annotations

import importlib
import re
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.actions.changing import ChangingTask
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import Plan, merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema

ROLES = sorted((Path(__file__).resolve().parents[3] / "roles").iterdir())
#: What is no role's own.
COMMON = {"egov_ops_state_dir", "egov_ops_timezone"}


class Read(Plan):
    """A plan that knows which of its variables were asked for."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(dict(plan), plan.origins)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return super().__getitem__(name)


def read_by(module: str, state: Path) -> set[str]:
    """Return the variables that an action takes from the plan where its task gives no option."""
    name = f"ansible_collections.egov.ops.plugins.action.{module}"
    action = importlib.import_module(name).ActionModule
    if issubclass(action, ChangingTask) and action.operation is ChangingTask.operation:
        return {"egov_ops_request"}  # which says all the rest
    given = {option: spec.get("default") for option, spec in action.ARGUMENTS.items()}
    variables = {"egov_ops_state_dir": str(state), "egov_ops_ephemeral": "accept"}  # it may lie in memory
    plan = Read(merge(variables, load_schema()))
    plan.names.clear()
    task = object.__new__(action)
    task._task = SimpleNamespace(check_mode=True)
    task.prepare(given, plan, "web1", datetime.now(timezone.utc))
    return plan.names


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_a_roles_spec_names_what_its_modules_take_from_the_plan(role: Path, tmp_path: Path) -> None:
    tasks = "".join(path.read_text(encoding="utf-8") for path in sorted((role / "tasks").glob("*.yml")))
    modules = set(re.findall(r"egov\.ops\.(\w+):", tasks))
    spec = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]
    named = {name for name in spec["options"] if name.startswith("egov_ops_")}
    assert named
    assert set().union(*(read_by(module, tmp_path) for module in modules)) - COMMON == named


def test_each_role_that_the_schema_names_is_there() -> None:
    named = {variable.role for variable in load_schema().variables.values() if variable.role}
    assert named == {role.name for role in ROLES}
