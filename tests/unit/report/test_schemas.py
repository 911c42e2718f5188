# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schemas of the reports' data and the types in the code say the same, key by key."""

from __future__ import annotations

import copy
import json
import types
import typing
from collections.abc import Iterator
from typing import Any

import environment
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record
from ansible_collections.egov.ops.plugins.plugin_utils.report import PeriodReport, RunReport

REPORTS = {"period.schema.json": PeriodReport, "report.schema.json": RunReport}

#: The type of a value of JSON, by the type in the code.
NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def schema_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((environment.ROOT / "docs" / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", REPORTS)
def test_a_schema_and_the_types_have_the_same_keys_and_values(name: str) -> None:
    schema = schema_of(name)
    assert list(differences(REPORTS[name], schema, schema, name)) == []


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (("evidence", "properties"), lambda keys: keys.pop("head")),
        (("evidence",), lambda part: part["required"].remove("head")),
        (("findings", "items", "properties"), lambda keys: keys.update(surprise={"type": "string"})),
        (("findings", "items", "properties", "clauses"), lambda part: part.update(items={"type": "integer"})),
        (("hosts", "items", "properties", "findings"), lambda part: part.update(type="string")),
        (("domains", "items", "properties", "hosts"), lambda part: part.update(additionalProperties={"type": "null"})),
        (("trends", "properties", "charts", "items", "properties", "limit"), lambda part: part.update(type="number")),
    ],
)
@pytest.mark.parametrize("name", REPORTS)
def test_each_kind_of_difference_is_found(name: str, path: tuple[str, ...], change: Any) -> None:
    schema = copy.deepcopy(schema_of(name))
    part = schema["properties"]
    for key in path:
        part = part[key]
        if "$ref" in part:
            part.update(copy.deepcopy(resolved(part, schema)))
            del part["$ref"]
    change(part)
    assert list(differences(REPORTS[name], schema, schema, name))


def differences(kind: Any, schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    """Yield where a type in the code and a schema do not say the same."""
    schema = resolved(schema, root)
    if kind is object or (kind is Record and "properties" not in schema):
        return  # anything, or a record that the schema does not look into
    kinds = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    parts = [resolved(part, root) for part in schema.get("anyOf", [schema])]
    if json_types(kinds) != {name for part in parts for name in names_of(part)}:
        yield f"{path}: {kinds} is not {parts}"
        return
    for inner in kinds:
        if inner not in NAMES:
            part = next(part for part in parts if part.get("type") == name_of(inner))
            yield from inner_differences(inner, part, root, path)


def inner_differences(kind: Any, schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    """Yield what differs within a list or a mapping."""
    if typing.is_typeddict(kind):
        hints, properties = typing.get_type_hints(kind), schema.get("properties", {})
        if hints.keys() != properties.keys() or schema.get("additionalProperties") is not False:
            yield f"{path}: the keys {sorted(hints.keys() ^ properties.keys())}"
        if kind.__required_keys__ != set(schema.get("required", ())):
            yield f"{path}: required are {sorted(kind.__required_keys__ ^ set(schema.get('required', ())))}"
        for name in hints.keys() & properties.keys():
            yield from differences(hints[name], properties[name], root, f"{path}.{name}")
    elif schema["type"] == "array":
        yield from differences(typing.get_args(kind)[0], schema["items"], root, f"{path}[]")
    elif typing.get_args(kind)[1] is not Any:
        values = schema.get("properties", {}).values() or [schema["additionalProperties"]]
        for value in values:
            yield from differences(typing.get_args(kind)[1], value, root, f"{path}.*")


def resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Return a part of a schema, or the definition that it names."""
    return root["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def names_of(schema: dict[str, Any]) -> set[str]:
    """Return the types of JSON that a part of a schema allows."""
    if "const" in schema or "enum" in schema:
        return {NAMES[type(value)] for value in schema.get("enum", [schema.get("const")])}
    return {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])


def json_types(kinds: Any) -> set[str]:
    """Return the types of JSON of some types in the code."""
    return {name_of(kind) for kind in kinds}


def name_of(kind: Any) -> str:
    """Return the type of JSON of a type in the code."""
    if kind in NAMES:
        return NAMES[kind]
    return "object" if typing.is_typeddict(kind) or issubclass(typing.get_origin(kind), typing.Mapping) else "array"
