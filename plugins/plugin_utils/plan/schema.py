# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schema of the plan's variables: written in schema.yml, read at run time from schema.json, which is made of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError

PREFIX = "egov_ops_"

#: By role its own options, each with its argument spec, which Ansible defines and reads.
RoleOptions = Mapping[str, Mapping[str, Mapping[str, object]]]

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
    #: Of an open variable the other keys that may hold a secret, as the registry of the host half marks them.
    secret_others: Sequence[str] = ()
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
    """Return the schema as tools/generate.py has written it, read once in a process. Raises SchemaError."""
    path = folder / "schema.json"
    try:
        return parse(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise SchemaError(f"The plan's file {path} cannot be read: {error}.") from error


def parse(document: Mapping[str, Any]) -> Schema:
    """Return the schema that a document describes. Raises SchemaError."""
    return Schema({name: _variable(name, text) for name, text in document["variables"].items()})


@functools.cache
def role_options(folder: Path = Path(__file__).parent) -> RoleOptions:
    """Return each role's own options with their specs, as tools/generate.py has written them. Raises SchemaError."""
    path = folder / "role_options.json"
    try:
        options: RoleOptions = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SchemaError(f"The plan's file {path} cannot be read: {error}.") from error
    return options


def read_yaml(path: Path) -> Any:
    """Return what a YAML file of the collection holds. Raises SchemaError."""
    try:
        return yaml.load(path.read_bytes(), Loader=_Loader)
    except (OSError, yaml.YAMLError) as error:
        raise SchemaError(f"The plan's file {path} cannot be read: {' '.join(str(error).split())}.") from error


def _variable(name: str, text: Mapping[str, Any]) -> Variable:
    try:
        entry = {key: Key(**_arguments(key, inner)) for key, inner in text.get("entry", {}).items()}
        return Variable(**{**_arguments(name, text), "entry": entry})
    except TypeError as error:
        raise SchemaError(f"The schema describes {name} wrongly: {error}.") from error


def _arguments(name: str, text: Mapping[str, Any]) -> dict[str, Any]:  # Any: each field of a Key has its type
    return {**text, "name": name, "choices": tuple(text.get("choices", ()))}
