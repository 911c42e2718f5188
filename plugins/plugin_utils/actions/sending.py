# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the actions that send a half to a host: how it travels, and what comes back of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from ansible.errors import AnsibleError
from ansible_collections.egov.ops.plugins.plugin_utils.actions import secrecy, startup
from ansible_collections.egov.ops.plugins.plugin_utils.actions.task import Options, Task
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.transport import RAW, stream

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Context
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.types import TaskVars


class SendingTask(Task[Options]):
    """An action that sends a half to a host, by the transport of the plan."""

    #: The half's module below module_utils, and its function.
    HALF: ClassVar[tuple[str, str]]
    #: Whether the half needs the bindings of the system's own Python, which is then used whatever the inventory says.
    SYSTEM_PYTHON: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Compress the half's sources before ansible forks its workers, as the schema is read."""
        super().__init_subclass__()
        if hasattr(cls, "HALF"):
            startup.pack(cls.HALF[0])

    @property
    def _name(self) -> str:
        return str(self._task.action).rsplit(".", 1)[-1]

    def _transport(self, plan: Plan) -> str:
        """Return how the half travels: as the plan says, else as a stream where the connection takes input."""
        wanted = str(plan["egov_ops_transport"])
        if wanted != "auto":
            return wanted
        become = self._connection.become
        takes_input = self._connection.has_pipelining and (become is None or become.pipelining)
        return "stream" if takes_input else "module"

    def _send(
        self,
        plan: Plan,
        arguments: dict[str, object],
        context: Context,
        secrets: dict[str, str],
        task_vars: TaskVars,
    ) -> tuple[Mapping[str, object], str]:
        """Send the half and return the JSON object that came back, and how. Raises StreamError and AnswerError.

        It goes by its transport; by the other where sudo has refused the stream before anything ran.

        That sudo wants a terminal stands in its policy, which nobody may read before asking it.
        """
        if self._transport(plan) == "stream":
            try:
                return self._stream(arguments, context, secrets, task_vars), "stream"
            except stream.NoTerminal:
                if plan["egov_ops_transport"] == "stream":
                    raise
            self._connection.set_option("pipelining", False)  # what is piped has no terminal either
        return self._module(arguments, context, secrets, task_vars), "module"

    def _stream(
        self,
        arguments: dict[str, object],
        context: Context,
        secrets: dict[str, str],
        task_vars: TaskVars,
    ) -> Mapping[str, object]:
        data, nonce = stream.envelope(self.HALF, arguments, context, secrets)
        with suppress(KeyError):
            # Without it a local connection with a become password takes the terminal for input and hangs for ever.
            self._connection.set_option("pipelining", True)
        variables: Mapping[str, object] = task_vars
        if self._task.delegate_to:
            variables = task_vars.get("ansible_delegated_vars", {}).get(self._task.delegate_to, task_vars)
        wish = "" if self.SYSTEM_PYTHON else variables.get("ansible_python_interpreter") or ""
        line = stream.command(str(self._templar.template(wish)), site_packages=self.SYSTEM_PYTHON)
        answer = self._low_level_execute_command(line, in_data=data)
        output = "".join(answer[RAW])
        stream.check_terminal(answer["rc"], output)
        return stream.parse(output, nonce, secrets)

    def _module(
        self,
        arguments: dict[str, object],
        context: Context,
        secrets: dict[str, str],
        task_vars: TaskVars,
    ) -> Mapping[str, object]:
        self._printed = None
        self._warn_of_settings()
        with secrecy.concealed(self._task):
            answer = self._execute_module(
                module_name=self._task.action,
                module_args={**arguments, "context": context, "secrets": secrets},
                task_vars=task_vars,
            )
        if self._printed is None:  # Ansible has not even started it
            raise AnsibleError(str(answer.get("msg", "")))
        return stream.parse_module(*self._printed, secrets)

    def _warn_of_settings(self) -> None:
        """Say which settings are not followed, since they would show or keep what this task gives the host."""
        for variable in secrecy.showing():
            self._display.warning(f"{variable} is not followed for {self._name}: its options may hold secrets.")
