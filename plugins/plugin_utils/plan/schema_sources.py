# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources of the schema: schema.yml, the default files and the tables that it names, checked on the way.

`choices_from`, `default_from` and `floor_from` of a key name what stands in a table of the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.operations import registry
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import (
    PREFIX,
    RoleOptions,
    SchemaError,
    parse,
    read_yaml,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan.strength import OVERRIDE, RULES
from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import LANGUAGES, TYPES
from ansible_collections.egov.ops.plugins.plugin_utils.schedule import CADENCES, ON_CHANGE

ORIGINS = ("plan", "law", "standard", "ours")
SCOPES = ("plan", "run", "command")


def read_sources(folder: Path = Path(__file__).parent) -> Mapping[str, Any]:
    """Return what schema.json holds: schema.yml with the default files in their place. Raises SchemaError."""
    document: Mapping[str, Any] = read_yaml(folder / "schema.yml")  # Any: what YAML holds, looked at below
    for name, text in document["variables"].items():
        if "default_file" in text:
            text["default"] = read_yaml(folder / text["default_file"])
        try:
            for key in (text, *text.get("entry", {}).values()):
                _fill_from_tables(key)
            _check(name, text)
        except (TypeError, KeyError) as error:
            raise SchemaError(f"The schema describes {name} wrongly: {error}.") from error
    for variable in parse(document).variables.values():
        for key in variable.entry.values():
            if key.refers_to and key.refers_to not in document["variables"]:
                raise SchemaError(f"The schema's {variable.name}.{key.name} refers to an unknown {key.refers_to}.")
    return document


def read_role_options(folder: Path = Path(__file__).parents[3] / "roles") -> RoleOptions:
    """Return each role's own options with their specs, not the plan's variables. Raises SchemaError."""
    return {
        path.parent.parent.name: {
            name: option
            for spec in read_yaml(path)["argument_specs"].values()
            for name, option in spec.get("options", {}).items()
            if not name.startswith(PREFIX)
        }
        for path in sorted(folder.glob("*/meta/argument_specs.yml"))
    }


def _tables() -> Mapping[str, object]:
    """Return what a key of the schema may take from a table, by the name that it has there."""
    actions = registry.ACTIONS
    return {
        "cadences": list(CADENCES),
        "cadences_or_change": [*CADENCES, ON_CHANGE],
        "action": registry.DEFAULT,
        "actions": list(actions),
        "requestable": registry.requestable(),
        "gates": {
            name: {"gates": list(action.gates), **({"approvals": action.approvals} if action.approvals > 1 else {})}
            for name, action in actions.items()
        },
        "floor": {name: {"gates": list(action.floor)} for name, action in actions.items()},
    }


def _fill_from_tables(text: dict[str, object]) -> None:
    """Put what a table holds in the place of its name; raises KeyError for a table that there is not."""
    filled = {
        key.removesuffix("_from"): _tables()[str(value)] if key.endswith("_from") else value
        for key, value in text.items()
    }
    text.clear()
    text.update(filled)


def _check(name: str, text: Mapping[str, Any]) -> None:
    """Raise SchemaError, TypeError or KeyError for a variable that is described wrongly."""
    entry = text.get("entry", {})
    for key, inner in {name: text, **entry}.items():
        _check_key(key, inner)
    if not name.startswith(PREFIX) or text["origin"] not in ORIGINS or text.get("scope", "plan") not in SCOPES:
        raise SchemaError(f"The schema gives {name} a name, an origin or a scope that there is not.")
    layered = text.get("layered", False)
    if layered != bool(entry) or (layered and not isinstance(text.get("default"), dict)):
        raise SchemaError(
            f"The schema's {name} must have entry keys exactly if it is layered, and then a default dictionary."
        )


def _check_key(name: str, text: Mapping[str, Any]) -> None:
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
