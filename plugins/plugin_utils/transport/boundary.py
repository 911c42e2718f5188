# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the output of a host enters Ansible: nothing that Ansible obeys or prints by itself passes."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.egov.ops.plugins.plugin_utils.common import inert_value

#: Standard output and errors of a command as they came, for who parses them; all else of it is inert.
RAW = "egov_ops_raw"


class Boundary(ActionBase):  # type: ignore[misc]
    """An action whose host has no say in what Ansible does.

    Ansible's own code prints what a host says where it looks for a Python or removes a folder, and takes warnings,
    facts and orders out of a module's answer. Both get their text from the two methods below.
    """

    #: What the last module printed, as RAW has it; None where none ran.
    _printed: tuple[str, str] | None = None

    def _low_level_execute_command(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run a command on the host and return what Ansible expects, with harmless text, and the output as it came."""
        done: dict[str, Any] = super()._low_level_execute_command(*args, **kwargs)
        raw = done["stdout"], done["stderr"]
        for name in ("stdout", "stderr"):
            done[name] = inert_value(done[name].replace("\r\n", "\n"))
            done[f"{name}_lines"] = done[name].splitlines()
        return {**done, RAW: raw}

    def _parse_returned_data(self, res: dict[str, Any], *profile: Any) -> Any:
        """Keep what a module printed, and give Ansible an empty result in its place, of the type that it wants."""
        self._printed = res[RAW]
        return super()._parse_returned_data({**res, "stdout": "{}", "stderr": ""}, *profile)
