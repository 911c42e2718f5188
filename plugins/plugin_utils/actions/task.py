# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of every action of the collection: its options, the plan, and errors as one sentence."""

from __future__ import annotations

import gc
import traceback
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber
from ansible_collections.egov.ops.plugins.plugin_utils.actions import secrecy, startup
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, inert_value
from ansible_collections.egov.ops.plugins.plugin_utils.plan import InventoryPlan, Plan, load_schema, merge, vaulted
from ansible_collections.egov.ops.plugins.plugin_utils.transport import EXACT, Boundary

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.types import TaskVars

#: What an action is called with: a TypedDict of what its ARGUMENTS allow.
Options = TypeVar("Options", bound=Mapping[str, object])

startup.read_shared()
startup.flush_lines()


class Task(Boundary, Generic[Options]):
    """An action of the collection: options checked, errors as one sentence, no async."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    ARGUMENTS: ClassVar[Mapping[str, object]] = {}

    def run(self, tmp: str | None = None, task_vars: TaskVars | None = None) -> dict[str, object]:
        """Check the options, do the work, and turn an error of ours into the task's message."""
        if self._task.async_val:
            raise AnsibleActionFail(
                f"{self._task.action} appends its evidence in this very task and cannot run with async; remove async."
            )
        # A worker lives for one task, and a search for cycles would copy all the memory that it shares with ansible.
        gc.disable()
        result: dict[str, object] = super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            _result, arguments = self.validate_argument_spec(self.ARGUMENTS)
            found = self.perform(arguments, variables)
        except AnsibleConnectionFailure:  # perform has made its text
            raise
        except (OpsError, AnsibleError) as error:
            raise AnsibleActionFail(self._public(str(error), variables)) from None
        except Exception as error:  # a defect of ours, whose text and traceback may hold anything
            message = self._public(str(error) or "no text", variables).rstrip(".")
            where = self.keep_crash(traceback.format_exc(), variables)
            raise AnsibleActionFail(f"{self._task.action} broke: {type(error).__name__}: {message}. {where}") from None
        # The one way to Ansible's result, which it prints: whatever stands in it of a host is harmless.
        result.update((name, value if name == EXACT else inert_value(value)) for name, value in found.items())
        return result

    @abstractmethod
    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Do the work and return the result; each action fills this in."""

    def inventory_plan(self) -> InventoryPlan:
        """Return the reader of the inventory's plan; an ansible-core whose inventory cannot be read is an error."""
        return self._reader

    @cached_property
    def _reader(self) -> InventoryPlan:
        """The reader, made once in a task: its environment for templates is dear."""
        try:
            reader = InventoryPlan(self._task.get_variable_manager(), self._templar.copy_with_new_env())
            reader.secrets = self._vaulted
            return reader
        except AttributeError as error:
            raise OpsError(
                f"The plan cannot be read from this ansible-core ({error}); use a version the README lists."
            ) from error

    @cached_property
    def _vaulted(self) -> set[str]:
        """The values of vault that the plans read so far have used."""
        return set()

    def known_secrets(self, task_vars: TaskVars, plan: Plan | None = None) -> Scrubber:
        """Return what takes the secrets that this task knows out of what it shows or records; names are none."""
        values = self._vaulted | vaulted.connection_secrets(task_vars) | secrecy.logins(self._connection)
        if vaulted.has_vault(self._loader):
            values |= vaulted.values_of_arguments(self._task.args, task_vars)
        return secrecy.scrubber(values, {task_vars["inventory_hostname"], *plan.names()} if values and plan else ())

    def _public(self, text: str, task_vars: TaskVars) -> str:
        """Return a text harmless, and without the secrets that this task knows."""
        return str(inert_value(self.known_secrets(task_vars).text(text)))

    def keep_crash(self, stack: str, task_vars: TaskVars) -> str:
        """Show a stack at -vvv, keep it in the log of crashes, and return the sentence that says where it is."""
        from ansible_collections.egov.ops.plugins.plugin_utils.actions import crashes  # what few tasks need

        host, public = str(task_vars.get("inventory_hostname") or "controller"), self._public(stack, task_vars)
        if not self._task.no_log:
            for line in public.splitlines():
                self._display.vvv(f"{host}: {line}")
        if self._task.check_mode:
            return crashes.NOT_KEPT
        try:
            plan = self.plan_of(host)
            state = StateDir.resolve(plan["egov_ops_state_dir"], group=plan["egov_ops_state_group"])
        except Exception:  # the plan itself may be what broke, and nobody knows then where its state lies
            return crashes.NOT_KEPT
        where = f" on {self._task.delegate_to}" if self._task.delegate_to else ""
        return crashes.keep(state, self._public(f"{host} {self._task.action}{where}", task_vars), public)

    def plan_of(self, host: str) -> Plan:
        """Return the merged plan of one host, run options among the extra variables included; raises PlanError."""
        return merge(self.inventory_plan().variables(host), load_schema(), self.extra_variables())

    def plan_of_other(self, host: str) -> Plan:
        """Return the plan of a host that somebody has named; raises OpsError for one that is not in the inventory."""
        if self._task.get_variable_manager()._inventory.get_host(host) is None:
            raise OpsError(f"There is no host {host} in this inventory; name one that is.")
        return self.plan_of(host)

    def extra_variables(self) -> Mapping[str, object]:
        """Return the extra variables of the command line, as Ansible has parsed them."""
        return dict(self._task.get_variable_manager().extra_vars)

    def play(self) -> Any:
        """Return the play that this task stands in."""
        parent = self._task._parent
        while not hasattr(parent, "_play"):
            parent = parent._parent
        return parent._play

    def say(self, text: str) -> None:
        """Print lines at once, harmless as they are: a task's result shows line ends as escapes."""
        if not self._task.no_log:
            self._display.display(inert_value(text))


def wanted(entries: Mapping[str, Any]) -> set[str]:
    """Return the names of those entries of the plan that are not absent."""
    return {
        name for name, entry in entries.items() if not (isinstance(entry, Mapping) and entry.get("state") == "absent")
    }
