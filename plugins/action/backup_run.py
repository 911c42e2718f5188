# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Back up the sets of a host in one trip."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.backup.options import RUN
from ansible_collections.egov.ops.plugins.plugin_utils.actions import BackupTask, wanted
from ansible_collections.egov.ops.plugins.plugin_utils.backup import DIFF, freshness, new_passwords
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.transport import Expected

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import BackupArguments
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import Outcome


class ActionModule(BackupTask["BackupArguments"]):
    """See plugins/modules/backup_run.py."""

    HALF = ("backup.run", "backup")
    ARGUMENTS = RUN
    COPIES = True
    WATCHED = True
    KINDS = ("backup", "copy")
    RESULTS = DIFF

    def expected(self, given: BackupArguments) -> Expected:
        """Expect each set, and each of its copies."""
        sets = wanted(given["sets"])
        copies = {f"{name} to {copy}" for name in sets for copy in given["sets"][name].get("copies") or ()}
        return self._expected(subjects={"backup": sets, "copy": copies})

    def complete(self, outcome: Outcome, arguments: BackupArguments, plan: Plan, host: str, now: datetime) -> Outcome:
        """Judge how old each set's newest good backup is, whatever became of this one."""
        if self._task.check_mode or outcome["status"] == "skipped":  # nobody was to look at this host
            return outcome
        outcome["evidence"] = [*outcome["evidence"], *new_passwords.creations(self.created)]
        sets = arguments["sets"] or plan["egov_ops_backup_sets"]
        state, away = StateDir.resolve(plan["egov_ops_state_dir"]), outcome["status"] == "unreachable"
        with suppress(OpsError):  # without its ledger the backup itself has failed, and says why
            found = freshness.of_run(state, host, sets, outcome["evidence"], now, away)
            outcome["evidence"] = [*outcome["evidence"], *found]
        return outcome
