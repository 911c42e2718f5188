# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where each value of a host's plan comes from: the layers of each entry, the lowest first, with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.site import Site
from ansible_collections.egov.ops.plugins.plugin_utils.plan import (
    DEFAULT,
    Opaque,
    Plan,
    Schema,
    Variable,
    layer_names,
    shown,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.types import (
        EntryData,
        Explanation,
        LayerData,
    )


def explain(site: Site, host: str, variables: Mapping[str, Any], plan: Plan, schema: Schema) -> Explanation:
    """Return the origin of each variable and entry of a host's plan."""
    variables_of_plan = [variable for variable in schema.variables.values() if variable.scope == "plan"]
    return {
        "host": host,
        "groups": [group.name for group in site.hosts[host].get_groups()],
        "entries": [
            item
            for variable in variables_of_plan
            for item in (_entries if variable.layered else _value)(site, host, variable, variables, plan)
        ],
    }


def render(data: Explanation) -> str:
    """Return the explanation as text; what the default alone says is counted."""
    lines = [f"The plan of {data['host']}, which is in {', '.join(data['groups'])}:"]
    defaults: dict[str, int] = {}
    for item in data["entries"]:
        names = [layer["layer"] for layer in item["layers"]]
        if names == [DEFAULT]:
            defaults[item["variable"]] = defaults.get(item["variable"], 0) + 1
            continue
        value = f" is {shown(item['value'])}" if item["entry"] == "" else ""
        lines.append(".".join(filter(None, (item["variable"], item["entry"]))) + value)
        lines += [f"  {_line_of(layer)}" for layer in item["layers"]]
    alone = ", ".join(f"{name}{f' ({number})' if number > 1 else ''}" for name, number in defaults.items())
    return "\n".join([*lines, f"From the default alone: {alone or 'nothing'}."])


def _value(site: Site, host: str, variable: Variable, variables: Mapping[str, Any], plan: Plan) -> Iterator[EntryData]:
    given = variables.get(variable.name) is not None
    layer = _layer(site, host, variable.name if given else DEFAULT)
    value = plan[variable.name]
    told = shown(value, variable.secret) if variable.secret or isinstance(value, Opaque) else value
    yield {"variable": variable.name, "entry": "", "value": told, "layers": [layer]}


def _entries(
    site: Site, host: str, variable: Variable, variables: Mapping[str, Any], plan: Plan
) -> Iterator[EntryData]:
    layers = {DEFAULT: variable.default} | {name: variables[name] for name in layer_names(variable.name, variables)}
    names = dict.fromkeys(entry for entries in layers.values() if isinstance(entries, Mapping) for entry in entries)
    for entry in names:
        made = [
            _layer(site, host, name, entry, entries[entry])
            for name, entries in layers.items()
            if isinstance(entries, Mapping) and entry in entries
        ]
        yield {"variable": variable.name, "entry": entry, "kept": entry in plan[variable.name], "layers": made}


def _layer(site: Site, host: str, name: str, entry: str = "", keys: object = None) -> LayerData:
    """Return a layer with its place and, of an entry, the keys that it sets."""
    place = site.places.find(site.hosts[host], name, (entry,) if entry else ())
    found: LayerData = {"layer": name, "file": place.file, "line": place.line}
    if isinstance(keys, Mapping):
        found["keys"] = sorted(map(str, keys))
        found["removes"] = keys.get("state") == "absent"
    return found


def _line_of(layer: LayerData) -> str:
    place = f" ({layer['file']}:{layer['line']})" if layer["file"] else ""
    if layer.get("removes"):
        return f"{layer['layer']}{place}: removes it"
    return f"{layer['layer']}{place}" + (f": {', '.join(layer['keys'])}" if "keys" in layer else "")
