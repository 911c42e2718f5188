# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the sets of a host back into a sandbox in one trip, on the drill host of the plan."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.backup.options import DRILL
from ansible_collections.egov.ops.plugins.plugin_utils.actions import BackupTask
from ansible_collections.egov.ops.plugins.plugin_utils.actions import wanted as names_of
from ansible_collections.egov.ops.plugins.plugin_utils.backup import secrets_of
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import moved_files
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.transport import Expected

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import DrillArguments
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import Outcome


class ActionModule(BackupTask["DrillArguments"]):
    """See plugins/modules/restore_drill.py."""

    HALF = ("backup.restores.drill", "drill")
    ARGUMENTS = DRILL
    COPIES = True
    WATCHED = True
    KINDS = ("drill",)

    def expected(self, given: DrillArguments) -> Expected:
        """Expect each set."""
        return self._expected(subjects={"drill": names_of(given["sets"])})

    def elsewhere(self, plan: Plan, host: str) -> str:
        """Return the drill host of the plan."""
        return str(plan["egov_ops_drill_host"])

    def prepare(
        self, arguments: DrillArguments, plan: Plan, host: str, now: datetime
    ) -> tuple[DrillArguments, dict[str, str]]:
        """Take copy, sandbox and assertions from the plan too; refuse to drill where the plan does not."""
        wanted, delegate = plan["egov_ops_drill_host"], getattr(self._task, "delegate_to", None)
        if wanted and wanted not in (host, delegate):
            raise OpsError(f"The plan drills the sets of {host} on {wanted}; delegate the task to it.")
        filled, secrets = super().prepare(arguments, plan, host, now)
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        filled["copy"] = filled["copy"] or plan["egov_ops_drill_copy"]
        filled["folder"] = filled["folder"] or plan["egov_ops_drill_folder"]
        filled["assertions"] = filled["assertions"] or plan["egov_ops_drill_assertions"]
        if filled["copy"]:
            secrets |= secrets_of(filled["copy"], True, plan, state, bool(self._task.check_mode))
        filled["moved"] = {name: moved_files(state, host, name, now) for name in filled["sets"]}
        return filled, secrets

    def complete(self, outcome: Outcome, arguments: DrillArguments, plan: Plan, host: str, now: datetime) -> Outcome:
        """Note on which host the sets were brought back: only the controller knows whose backup that is."""
        machine = getattr(self._task, "delegate_to", None) or host
        drilled: list[Observation] = [
            {**item, "detail": {**item["detail"], "drilled_on": machine}} for item in outcome["evidence"]
        ]
        return {**outcome, "evidence": drilled}
