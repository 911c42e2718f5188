# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the output of a host enters Ansible: nothing that Ansible obeys or prints by itself passes."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ansible.plugins.action import ActionBase
from ansible_collections.egov.ops.plugins.plugin_utils.common import inert_value
from ansible_collections.egov.ops.plugins.plugin_utils.transport.stream import StreamError

#: Standard output and errors of a command as they came, for who parses them; all else of it is inert.
RAW: Final = "egov_ops_raw"

#: MiB by which one command of a host may make this process grow, and seconds of its CPU between two looks.
FLOOD = 256
_LOOK = 0.1


if TYPE_CHECKING:
    from typing import TypedDict

    class Ran(TypedDict):
        """What Ansible returns of a command."""

        rc: int
        stdout: str
        stdout_lines: list[str]
        stderr: str
        stderr_lines: list[str]

    class Executed(Ran):
        """The same with harmless text, and beside it standard output and errors as they came."""

        egov_ops_raw: tuple[str, str]


class _Flood(BaseException):
    """A host prints without end; nothing on the way may swallow it."""


class Boundary(ActionBase):  # type: ignore[misc]
    """An action whose host has no say in what Ansible does.

    Ansible's own code prints what a host says where it looks for a Python or removes a folder, and takes warnings,
    facts and orders out of a module's answer. Both get their text from the two methods below.
    """

    #: What the last module printed, as RAW has it; None where none ran.
    _printed: tuple[str, str] | None = None

    def _low_level_execute_command(self, *args: Any, **kwargs: Any) -> Executed:
        """Run a command on the host and return what Ansible expects, with harmless text, and the output as it came.

        Raises StreamError where the output would fill this machine's memory.
        """
        try:
            with _bounded_memory():
                done: Ran = super()._low_level_execute_command(*args, **kwargs)
        except _Flood:
            raise StreamError(
                f"The host printed so much that the controller took {FLOOD} MiB for it, and was not heard further; "
                "see what prints there when somebody logs in, or who answers in its place.",
                "too_large",
            ) from None
        raw = done["stdout"], done["stderr"]
        done["stdout"] = inert_value(done["stdout"].replace("\r\n", "\n"))
        done["stdout_lines"] = done["stdout"].splitlines()
        done["stderr"] = inert_value(done["stderr"].replace("\r\n", "\n"))
        done["stderr_lines"] = done["stderr"].splitlines()
        return {**done, RAW: raw}

    def _parse_returned_data(self, res: Executed, *profile: Any) -> Any:
        """Keep what a module printed, and give Ansible an empty result in its place, of the type that it wants."""
        self._printed = res[RAW]
        return super()._parse_returned_data({**res, "stdout": "{}", "stderr": ""}, *profile)


@contextmanager
def _bounded_memory() -> Iterator[None]:
    """Raise _Flood inside once this process has grown by FLOOD MiB.

    Connection plugins keep all that a host prints, and a host that has its own `sh` or SSH server heeds no limit that
    a command line sets. Reading takes CPU, so a timer of that looks, and a host that says nothing costs nothing.
    """
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def look(_signal: int, _frame: object) -> None:
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun > FLOOD * 1024:
            raise _Flood

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _LOOK, _LOOK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
