# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out a requested restore on its host, in a job that outlives this process."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.backup.options import RESTORE
from ansible_collections.egov.ops.plugins.plugin_utils.actions import RestoreTask
from ansible_collections.egov.ops.plugins.plugin_utils.backup import passwords_of, public
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import moved_files
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.transport import Expected

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Moved, RestoreArguments, Sets


class ActionModule(RestoreTask["RestoreArguments"]):
    """See plugins/modules/restore_run.py."""

    HALF = ("backup.restores.job", "restore")
    DETACHES = True
    ARGUMENTS = RESTORE
    KINDS = ("restore",)

    def expected(self, given: RestoreArguments) -> Expected:
        """Expect the set of the operation."""
        return self._expected(subjects={"restore": (given["operation"]["set"],)})

    def longest(self, given: RestoreArguments, timeout: float) -> float:
        """Allow the job its own time."""
        return max(timeout, float(given["job_timeout"]))

    def prepare(
        self, arguments: RestoreArguments, plan: Plan, host: str, now: datetime
    ) -> tuple[RestoreArguments, dict[str, str]]:
        """Fill in the repository of the request, and find its password."""
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        operation = arguments["operation"]
        owner = operation.get("of", host)
        if owner != host:
            plan = self.plan_of_other(owner)
        sets: Sets = {operation["set"]: {"repository": operation["repository"], "known": True}}
        repositories = {operation["repository"]: plan["egov_ops_backup_repositories"].get(operation["repository"])}
        secrets = passwords_of(sets, plan, state, bool(self._task.check_mode))
        moved: Moved = {}
        with suppress(LedgerError):  # an emergency may find none, and then such a file is named as a difference
            moved = moved_files(state, owner, operation["set"], now)
        known = {name: entry for name, entry in repositories.items() if entry}
        return {**arguments, "repositories": public(known), "moved": moved}, secrets
