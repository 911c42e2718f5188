# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schema of the plan's variables, read from schema.yml."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.plan.strength import OVERRIDE, RULES
from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import LANGUAGES, TYPES

PREFIX = "egov_ops_"
ORIGINS = ("plan", "law", "standard", "ours")
SCOPES = ("plan", "run", "command")

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SchemaError(OpsError):
    """The schema itself is wrong: a defect of the collection, not of an inventory."""


@dataclass(frozen=True, eq=False)
class Key:
    """What a value may be: of a variable, or of one key of a layered variable's entries."""

    name: str
    type: str
    description: Mapping[str, str]
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    elements: str = ""
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    secret: bool = False
    refers_to: str = ""
    default_by: Mapping[str, Any] = field(default_factory=dict)
    weaker: str = ""
    origin: str = ""
    clause: str = ""

    def default_in(self, entry: Mapping[str, Any]) -> Any:
        """Return the default of this key in an entry, which may depend on another of its keys; None for none."""
        if self.default_by:
            return self.default_by["values"].get(entry.get(self.default_by["key"]))
        return self.default


@dataclass(frozen=True, eq=False)
class Variable(Key):
    """A variable of the plan."""

    minimum_origin: str = ""
    default_file: str = ""
    scope: str = "plan"
    role: str = ""
    layered: bool = False
    open: bool = False
    others: Mapping[str, str] = field(default_factory=dict)
    entry: Mapping[str, Key] = field(default_factory=dict)
    floor: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)


class Schema(NamedTuple):
    """All variables of the plan, by name."""

    variables: Mapping[str, Variable]

    def find(self, name: str) -> tuple[Variable | None, str]:
        """Return the variable that a name stands for, None for an unknown one, and the layer after its first "__"."""
        base, _separator, layer = name.partition("__")
        return self.variables.get(base), layer


@functools.cache
def load_schema(folder: Path = Path(__file__).parent) -> Schema:
    """Return the schema in `folder`, read once in a process. Raises SchemaError."""
    document = read_yaml(folder / "schema.yml")
    variables = {name: _variable(name, dict(text), folder) for name, text in document["variables"].items()}
    for variable in variables.values():
        for key in variable.entry.values():
            if key.refers_to and key.refers_to not in variables:
                raise SchemaError(f"The schema's {variable.name}.{key.name} refers to an unknown {key.refers_to}.")
    return Schema(variables)


@functools.cache
def role_options(folder: Path = Path(__file__).parents[3] / "roles") -> Mapping[str, Mapping[str, dict[str, Any]]]:
    """Return each role's own options with their specs, not the plan's variables, read once. Raises SchemaError."""
    return {
        path.parent.parent.name: {
            name: option
            for spec in read_yaml(path)["argument_specs"].values()
            for name, option in spec.get("options", {}).items()
            if not name.startswith(PREFIX)
        }
        for path in sorted(folder.glob("*/meta/argument_specs.yml"))
    }


def read_yaml(path: Path) -> Any:
    """Return what a YAML file of the collection holds. Raises SchemaError."""
    try:
        return yaml.load(path.read_bytes(), Loader=_Loader)
    except (OSError, yaml.YAMLError) as error:
        raise SchemaError(f"The plan's file {path} cannot be read: {' '.join(str(error).split())}.") from error


def _variable(name: str, text: dict[str, Any], folder: Path) -> Variable:
    if "default_file" in text:
        text["default"] = read_yaml(folder / text["default_file"])
    try:
        entry = {key: Key(**_arguments(key, dict(inner))) for key, inner in text.pop("entry", {}).items()}
        variable = Variable(entry=entry, **_arguments(name, text))
    except (TypeError, KeyError) as error:
        raise SchemaError(f"The schema describes {name} wrongly: {error}.") from error
    if not name.startswith(PREFIX) or variable.origin not in ORIGINS or variable.scope not in SCOPES:
        raise SchemaError(f"The schema gives {name} a name, an origin or a scope that there is not.")
    if variable.layered != bool(entry) or (variable.layered and not isinstance(variable.default, dict)):
        raise SchemaError(
            f"The schema's {name} must have entry keys exactly if it is layered, and then a default dictionary."
        )
    return variable


def _arguments(name: str, text: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of Key or Variable that a part of the schema describes. Raises TypeError, KeyError."""
    for kind in (text["type"], text.get("elements", "str")):
        if kind not in TYPES:
            raise TypeError(f"there is no type {kind}")
    if (text["type"] == "list") != ("elements" in text):
        raise TypeError("a list, and nothing else, names the type of its elements")
    if text.get("origin", "ours") not in ORIGINS:
        raise TypeError(f"there is no origin {text['origin']}")
    for rule in {text.get("weaker", ""), *text.get("others", {}).values()} - {"", OVERRIDE}:
        if rule not in RULES:
            raise TypeError(f"there is no rule {rule} of what is weaker")
    if set(text["description"]) != set(LANGUAGES):
        raise TypeError(f"{name} needs a description in each of {', '.join(LANGUAGES)}")
    return {**text, "name": name, "choices": tuple(text.get("choices", ()))}
