# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that is wrong with an inventory and its plan: each mistake once, with its place and the hosts it concerns."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.addresses import addresses
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.site import Site
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.source_lines import (
    Fault,
    Finding,
    Place,
    shown_path,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan import (
    Memory,
    Plan,
    Problem,
    Schema,
    inspect,
    layer_names,
    load_vocabulary,
    role_options,
)
from ansible_collections.egov.ops.plugins.plugin_utils.runs import role_value_problems


class Checked(NamedTuple):
    """The variables and the plan of each host of a site, None where it cannot be followed, and what is wrong."""

    variables: Mapping[str, Mapping[str, Any]]
    plans: Mapping[str, Plan | None]
    findings: list[Finding]


def examine(site: Site, schema: Schema, memory: Memory) -> Checked:
    """Return the variables of a site's hosts and all that is wrong, in order of files and lines."""
    variables: dict[str, Mapping[str, Any]] = {}
    findings: dict[tuple[Place, Problem], list[str]] = {(fault.place, fault.problem): [] for fault in site.faults}
    words, plans = load_vocabulary(), dict[str, Plan | None]()
    for name in site.hosts:
        variables[name], problems = site.variables(name)
        plans[name], found = inspect(variables[name], schema, role_options(), words, memory)
        problems += found
        problems += role_value_problems(variables[name], role_options())
        for problem in problems:
            place = _place(site, name, problem, variables[name], schema)
            findings.setdefault((place, problem), []).append(name)
    for name, problem in addresses(variables):
        place = _place(site, name, problem, variables[name], schema)
        findings.setdefault((place, problem), []).append(name)
    for fault in _without_owner(site) if site.is_loaded else ():
        findings[fault.place, fault.problem] = []
    listed = [Finding(place, problem, tuple(hosts)) for (place, problem), hosts in findings.items()]
    return Checked(variables, plans, sorted(listed, key=lambda finding: (finding.place, finding.problem.message)))


def _without_owner(site: Site) -> Iterator[Fault]:
    """Yield the files of variables whose group or host the inventory does not have."""
    for folder, names, noun in (("group_vars", site.groups, "group"), ("host_vars", list(site.hosts), "host")):
        for path in site.places.without_owner(folder, names):
            name = path.name if path.is_dir() else path.stem
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"remove it, or add the {noun}."
            sentence = f"{shown_path(path)} belongs to no {noun} of the inventory, so that nobody reads it; {hint}"
            problem = Problem("", "", sentence, fatal=False, allowed=f"a {noun} of the inventory", rule="owner")
            yield Fault(Place(shown_path(path)), problem)


def _place(site: Site, host: str, problem: Problem, variables: Mapping[str, Any], schema: Schema) -> Place:
    """Return where the cause of a problem is written: for a key that a lower layer gives, there."""
    names = [problem.variable]
    variable = schema.find(problem.variable)[0]
    if variable and variable.layered and len(problem.path) > 1:
        layers = list(_layers_with(variable.name, problem.path, variables))
        names = names if problem.variable in layers else [*layers, *names]
    return next(filter(None, (_found(site, host, name, problem) for name in names)), Place())


def _layers_with(variable: str, path: tuple[str, ...], variables: Mapping[str, Any]) -> Iterator[str]:
    """Yield the layers that have the key of an entry which a path leads to, the highest first."""
    for name in reversed(layer_names(variable, variables)):
        entry = variables[name].get(path[0]) if isinstance(variables[name], Mapping) else None
        if isinstance(entry, Mapping) and path[1] in entry:
            yield name


def _found(site: Site, host: str, name: str, problem: Problem) -> Place | None:
    place = site.places.find(site.hosts[host], name, problem.path)
    return place if place.file else None
