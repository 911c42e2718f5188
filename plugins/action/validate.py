# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check an inventory and its plan without touching a host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ansible import constants
from ansible_collections.egov.ops.plugins.plugin_utils.actions import Task
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check import (
    Wanted,
    output,
    refuse_linked_folder,
    validate,
    validate_untrusted,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan import check, load_schema, merge
from ansible_collections.egov.ops.plugins.plugin_utils.runs import refuse_settings

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

#: Problems and changes shown in Ansible's own result; all of them are printed, and stand in the files.
SHOWN = 20


class ActionModule(Task["Mapping[str, str | None]"]):
    """See plugins/modules/validate.py."""

    ARGUMENTS = {
        "mode": {"type": "str", "choices": ["trusted", "untrusted"]},
        "inventory": {"type": "str"},
        "base": {"type": "str"},
        "explain": {"type": "str"},
        "folder": {"type": "str"},
    }

    def perform(self, arguments: Mapping[str, str | None], task_vars: TaskVars) -> Mapping[str, object]:
        """Load and check the inventory, say what was found and write the files."""
        refuse_settings("linear", str(constants.DEFAULT_HASH_BEHAVIOUR))
        extra = self.extra_variables()
        for problem in check({}, load_schema(), extra):
            if problem.fatal:
                raise OpsError(problem.message)
            self._display.warning(problem.message)
        plan = merge({}, load_schema(), extra)
        wanted = Wanted(*(arguments[name] or plan[f"egov_ops_validate_{name}"] for name in Wanted._fields))
        folder = arguments["folder"] or plan["egov_ops_validate_folder"]
        if (arguments["mode"] or plan["egov_ops_validate"]) == "untrusted":
            if folder:
                refuse_linked_folder(wanted.inventory, folder)
            data = validate_untrusted(wanted, self._sources(), constants.CONFIG_FILE)
        else:
            data = validate(wanted)
        self.say(output.render_text(data))
        files = output.write(data, Path(folder)) if folder and not self._task.check_mode else []
        errors = sum(problem["severity"] == "error" for problem in data["problems"])
        return {
            "failed": errors > 0,
            "changed": bool(files),
            "msg": output.sentence_of(data),
            "problems": data["problems"][:SHOWN],
            "problem_count": len(data["problems"]),
            "error_count": errors,
            "changes": data["changes"][:SHOWN],
            "change_count": len(data["changes"]),
            "not_checked": data["not_checked"],
            "unknown": data["unknown"],
            "files": files,
        }

    def _sources(self) -> list[str]:
        """Return the inventories that this very process has read."""
        return [str(source) for source in self._task.get_variable_manager()._inventory._sources]
