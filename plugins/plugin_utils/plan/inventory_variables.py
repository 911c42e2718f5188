# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a host as its inventory says it: from inventory sources and their vars plugins, nothing else.

Play variables, role defaults, facts and registered results cannot reach the plan, so a playbook cannot loosen it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.helpers import get_group_vars, sort_groups
from ansible.utils.vars import combine_vars
from ansible.vars.plugins import get_vars_from_inventory_sources
from ansible_collections.egov.ops.plugins.plugin_utils.plan import vaulted
from ansible_collections.egov.ops.plugins.plugin_utils.plan.problem import PlanError, Problem
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import PREFIX, load_schema

#: How ansible-core names a variable that a template needs and that does not exist.
_UNDEFINED = re.compile(r"'(\w+)' is undefined")


class InventoryPlan:
    """Reads hosts' variables from the inventory of a running Ansible process; groups are read once."""

    def __init__(self, variable_manager: Any, templar: Any) -> None:
        """Take the task's variable manager and a templar; raises AttributeError where ansible-core has changed."""
        self._inventory = variable_manager._inventory
        self._loader = variable_manager._loader
        self._extra: Collection[str] = variable_manager.extra_vars
        self._templar = templar
        self._groups: dict[tuple[str, ...], Mapping[str, object]] = {}
        #: The values of vault that the hosts' plans and connections have used so far.
        self.secrets: set[str] = set()
        self._seen: set[str] = set()

    def variables(self, host_name: str) -> dict[str, object]:
        """Return all inventory variables of a host; those of the plan that hold Jinja are templated with the others."""
        variables = self.written(host_name)
        if vaulted.has_vault(self._loader):
            self._collect(variables)
        jinja = [name for name, value in variables.items() if name.startswith(PREFIX) and _holds_jinja(value)]
        if jinja:
            self._templar.available_variables = {"inventory_hostname": host_name, **variables}
            variables.update({name: self._templated(name, variables[name]) for name in jinja})
        return variables

    def value(self, host_name: str, variables: Mapping[str, Any], value: Any) -> Any:
        """Return a value of a host's inventory as Ansible would have it from these variables alone; AnsibleError."""
        names = {"inventory_hostname": host_name, "inventory_hostname_short": host_name.split(".")[0]}
        self._templar.available_variables = {**names, **variables}
        return self._templar.template(value)

    def written(self, host_name: str) -> dict[str, Any]:  # Any: values of Ansible's own classes too
        """Return all inventory variables of a host as they are written, in Ansible's order of precedence."""
        host = self._inventory.get_host(host_name)
        groups = sort_groups([group for group in host.get_groups() if group.name != "all"])
        key = tuple(group.name for group in groups)
        if key not in self._groups:
            everyone = self._inventory.groups["all"]
            merged = everyone.get_vars()
            for layer in (get_group_vars(groups), self._from_plugins([everyone]), self._from_plugins(groups)):
                merged = combine_vars(merged, layer)
            self._groups[key] = merged
        return dict(combine_vars(combine_vars(self._groups[key], host.get_vars()), self._from_plugins([host])))

    def _collect(self, variables: Mapping[str, object]) -> None:
        """Note the values of vault that a host's variables use."""
        unseen = self._loader._FILE_CACHE.keys() - self._seen
        if not self._seen:
            self.secrets |= vaulted.values_of_sources(self._loader, self._inventory._sources)
        self.secrets |= vaulted.values_of_files(self._loader, unseen)
        self._seen |= unseen
        words = vaulted.words_of(variables, PREFIX)
        self.secrets |= vaulted.values_in_use(variables, words | vaulted.DYNAMIC if self._computed else words)

    @cached_property
    def _computed(self) -> bool:
        """Whether any value of the inventory may have been made of others."""
        return vaulted.are_computed(self._inventory._sources)

    def _templated(self, name: str, value: Any) -> Any:
        try:
            with vaulted.noted(self._loader, self.secrets):
                return self._templar.template(value)
        except AnsibleError as error:
            why = " ".join(str(error).split()).rstrip(".")
            sentence = f"{name} cannot be templated: {why}.{self._hint(name, why)}"
            raise PlanError([Problem(name, "", sentence, rule="template")]) from None

    def _hint(self, name: str, why: str) -> str:
        """Return what to do about an undefined variable that the command line gives; "" where it gives none such."""
        given = next((word for word in _UNDEFINED.findall(why) if word in self._extra), "")
        if not given:
            return ""
        variable = load_schema().find(name)[0]
        direct = f", or give {name} itself with -e" if variable and variable.scope != "plan" else ""
        lookup = f"{{{{ lookup('env', '{given.upper()}') }}}}"
        return (
            f" {given} is an extra variable (-e), and the plan reads the inventory alone: set {given} in the "
            f"inventory, or pass it as an environment variable and write {lookup}{direct}."
        )

    def _from_plugins(self, entities: list[Any]) -> dict[str, object]:
        return dict(get_vars_from_inventory_sources(self._loader, self._inventory._sources, entities, "task"))


def _holds_jinja(value: Any) -> bool:
    """Return whether a value, or one inside it, is a template."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(_holds_jinja(item) for item in value.values())
    return isinstance(value, Iterable) and any(_holds_jinja(item) for item in value)
