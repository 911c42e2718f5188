# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import (
    Schema,
    SchemaError,
    load_schema,
    parse,
    role_options,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema_sources import read_role_options, read_sources

GOOD: dict[str, Any] = {
    "type": "str",
    "default": "",
    "origin": "ours",
    "description": {"en": "A name.", "zh": "名称。"},
}
LAYERED: dict[str, Any] = {**GOOD, "type": "dict", "layered": True, "default": {}}
KEY: dict[str, Any] = {"type": "str", "description": GOOD["description"]}

WRONG = [
    ("an unknown word", {**GOOD, "defualt": 1}),
    ("an unknown type", {**GOOD, "type": "string"}),
    ("an unknown type of elements", {**GOOD, "type": "list", "elements": "string"}),
    ("a list of nothing", {**GOOD, "type": "list"}),
    ("an unknown origin", {**GOOD, "origin": "rumour"}),
    ("no origin", {key: value for key, value in GOOD.items() if key != "origin"}),
    ("an unknown scope", {**GOOD, "scope": "host"}),
    ("a missing language", {**GOOD, "description": {"en": "A name."}}),
    ("a language too many", {**GOOD, "description": {"en": "A name.", "zh": "名称。", "fr": "Un nom."}}),
    ("an unknown rule of what is weaker", {**GOOD, "weaker": "smaller"}),
    ("no description", {key: value for key, value in GOOD.items() if key != "description"}),
    ("layers without keys", LAYERED),
    ("keys without layers", {**GOOD, "entry": {"a": KEY}}),
    ("a layered default that is a list", {**LAYERED, "default": [], "entry": {"a": KEY}}),
    ("a reference to nowhere", {**LAYERED, "entry": {"a": {**KEY, "refers_to": "egov_ops_y"}}}),
    ("a default file that is missing", {**LAYERED, "entry": {"a": KEY}, "default_file": "missing.yml"}),
]


def load(folder: Path, **variables: Any) -> Schema:
    (folder / "schema.yml").write_text(yaml.safe_dump({"variables": variables}, allow_unicode=True))
    return parse(read_sources(folder))


def test_a_good_schema_is_taken(tmp_path: Path) -> None:
    assert set(load(tmp_path, egov_ops_x=GOOD).variables) == {"egov_ops_x"}


@pytest.mark.parametrize("wrong", [text for _name, text in WRONG], ids=[name for name, _text in WRONG])
def test_a_wrong_schema_is_refused_by_the_variables_name(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match=r"egov_ops_x|missing\.yml"):
        load(tmp_path, egov_ops_x=wrong)


def test_a_variable_without_the_prefix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="backup_sets"):
        load(tmp_path, backup_sets=GOOD)


def test_the_name_of_a_layer_leads_to_its_variable(schema: Schema) -> None:
    variable, layer = schema.find("egov_ops_backup_sets__50_web")
    assert variable is schema.variables["egov_ops_backup_sets"]
    assert layer == "50_web"


def test_the_schema_is_read_once_in_a_process() -> None:
    assert load_schema() is load_schema()


def test_a_schema_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"schema\.json cannot be read"):
        load_schema(tmp_path)
    (tmp_path / "schema.json").write_text("{")
    with pytest.raises(SchemaError, match=r"schema\.json cannot be read"):
        load_schema(tmp_path)


def test_reading_the_schema_costs_a_fraction_of_reading_its_sources() -> None:
    def cost(work: Callable[[], object]) -> float:
        started = time.process_time()
        work()
        return time.process_time() - started

    pairs = [(cost(read_sources), cost(load_schema.__wrapped__)) for _number in range(7)]
    assert min(read for _sources, read in pairs) < min(sources for sources, _read in pairs) / 3


def test_the_options_of_roles_at_run_time_are_those_of_their_specs(tmp_path: Path) -> None:
    assert role_options() == read_role_options()
    (tmp_path / "role_options.json").write_text("{")
    with pytest.raises(SchemaError, match=r"role_options\.json cannot be read"):
        role_options(tmp_path)


def test_the_own_options_of_roles_are_read_from_their_argument_specs(tmp_path: Path) -> None:
    specs = tmp_path / "backup" / "meta" / "argument_specs.yml"
    specs.parent.mkdir(parents=True)
    options = "{backup_timeout: {type: int}, egov_ops_backup_sets: {type: dict}}"
    specs.write_text(f"argument_specs: {{main: {{options: {options}}}, other: {{}}}}")
    assert {role: set(options) for role, options in read_role_options(tmp_path).items()} == {
        "backup": {"backup_timeout"}
    }
