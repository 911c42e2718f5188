# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove the backup sets of a host in one trip."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.backup.options import PROVE
from ansible_collections.egov.ops.plugins.plugin_utils.actions import BackupTask, wanted
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.transport import Expected

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import ProveArguments


class ActionModule(BackupTask["ProveArguments"]):
    """See plugins/modules/backup_prove.py."""

    HALF = ("backup.proofs.proof", "prove")
    ARGUMENTS = PROVE
    KINDS = ("proof",)

    def expected(self, given: ProveArguments) -> Expected:
        """Expect each set; where one snapshot is named, at least one that has it."""
        if given["snapshot"]:
            return self._expected(some=True)
        return self._expected(subjects={"proof": wanted(given["sets"])})

    def prepare(
        self, arguments: ProveArguments, plan: Plan, host: str, now: datetime
    ) -> tuple[ProveArguments, dict[str, str]]:
        """Take the size of the sample from the plan too."""
        filled, secrets = super().prepare(arguments, plan, host, now)
        filled["files"] = filled["files"] or plan["egov_ops_backup_proof_files"]
        filled["max_bytes"] = filled["max_bytes"] or plan["egov_ops_backup_proof_bytes"]
        return filled, secrets
