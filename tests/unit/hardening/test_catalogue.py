# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controls as data: enough of them, whole, one for each id, and changed by a site in layers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.egov.ops.plugins.module_utils.hardening import registry
from ansible_collections.egov.ops.plugins.module_utils.hardening.clauses import CLAUSES
from ansible_collections.egov.ops.plugins.plugin_utils.plan.checking import check
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema

from tests.support.constructed import ROOT, controls


def test_there_are_controls_and_primitives_enough() -> None:
    assert len(controls()) >= 60
    assert len({control["primitive"] for control in controls().values()}) >= 12


def test_each_primitive_is_used_by_a_shipped_control_and_documented_with_its_arguments() -> None:
    assert {control["primitive"] for control in controls().values()} == set(registry.PRIMITIVES)
    text = " ".join((ROOT / "plugins/modules/hardening_audit.py").read_text(encoding="utf-8").split())
    text = text[text.index("Primitives for settings:") :]
    for name, primitive in registry.PRIMITIVES.items():
        _before, found, rest = text.partition(f" C({name})")
        assert found, name
        # the arguments stand in the parentheses behind the name, before a semicolon
        words = rest.split(";")[0].replace("(", " ").replace(")", " ").replace(",", " ").split()
        assert [word for word in primitive.parameters() if word not in words] == [], name


def test_each_shipped_control_has_both_titles_a_reason_and_clauses_of_standard_and_plan() -> None:
    for name, control in controls().items():
        assert set(control["title"]) == {"en", "zh"}, name
        assert control["why"].endswith("."), name
        assert any(clause.startswith("8.1.") for clause in control["clauses"]), name
        assert any(clause.startswith("S5.") for clause in control["clauses"]), name
        assert set(control["clauses"]) <= CLAUSES, name


class _Once(yaml.SafeLoader):
    """A loader that refuses a key that stands twice."""


def _mapping(loader: _Once, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _value in node.value]
    assert len(keys) == len(set(keys)), f"one name twice before line {node.end_mark.line}"
    return dict(loader.construct_pairs(node, deep=True))


_Once.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def test_no_two_shipped_controls_have_one_id() -> None:
    text = (ROOT / "plugins/plugin_utils/plan/controls.yml").read_text(encoding="utf-8")
    assert yaml.load(text, Loader=_Once) == controls()


def test_two_controls_of_a_site_with_one_id_are_told_in_one_sentence(tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.yml"
    entry = '      X-1: {primitive: sshd, option: Port, expected: "=22", clauses: [8.1.4.4b]}\n'
    variables = f"  vars:\n    egov_ops_controls__10_site:\n{entry}{entry}"
    inventory.write_text(f"all:\n  hosts: {{here: }}\n{variables}")
    command = [sys.executable, "-m", "ansible", "inventory", "-i", str(inventory), "--host", "here"]
    env = {**os.environ, "ANSIBLE_HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", env=env)
    told = " ".join(done.stderr.split())
    assert "uplicate" in told
    assert "X-1" in told
    assert "X-1" in json.loads(done.stdout)["egov_ops_controls__10_site"]


def test_a_site_switches_a_control_off_and_changes_what_another_expects() -> None:
    layer = {
        "AC-001": {"state": "absent"},
        "IA-001": {"expected": ">=14"},
        "AC-024": {"spared": ["ansible"]},
    }
    variables = {"egov_ops_controls__10_site": layer}
    assert check(variables, load_schema()) == []
    plan = merge(variables, load_schema())["egov_ops_controls"]
    assert "AC-001" not in plan
    assert plan["IA-001"] == {**controls()["IA-001"], "expected": ">=14"}
    assert plan["AC-024"]["spared"] == ["ansible"]
    assert len(plan) == len(controls()) - 1
