# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove the backup sets of a host in one trip."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.backup.prove import ARGUMENTS
from ansible_collections.egov.ops.plugins.plugin_utils.backup import passwords_of, sets_of
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.task import HostTask


class ActionModule(HostTask):
    """See plugins/modules/backup_prove.py."""

    DOMAIN = "backup"
    HALF = ("backup.prove", "prove")
    ARGUMENTS = ARGUMENTS

    def prepare(
        self, arguments: dict[str, Any], plan: Plan, host: str, now: datetime
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Take sets, repositories and the size of the sample from the plan, and the passwords from their files."""
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        sets = sets_of(plan, arguments["sets"], state, host, now)
        secrets = passwords_of(sets, plan, state, bool(self._task.check_mode))
        filled = {
            **arguments,
            "sets": sets,
            "repositories": plan["egov_ops_backup_repositories"],
            "host_name": arguments["host_name"] or host,
            "files": arguments["files"] or plan["egov_ops_backup_proof_files"],
            "max_bytes": arguments["max_bytes"] or plan["egov_ops_backup_proof_bytes"],
        }
        return filled, secrets
