# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Back up the sets of a host in one trip."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.backup.options import RUN
from ansible_collections.egov.ops.plugins.plugin_utils.backup import passwords_of, sets_of
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.task import HostTask


class ActionModule(HostTask):
    """See plugins/modules/backup_run.py."""

    DOMAIN = "backup"
    HALF = ("backup.run", "run")
    ARGUMENTS = RUN

    def prepare(
        self, arguments: dict[str, Any], plan: Plan, host: str, now: datetime
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Take sets, repositories and what is due from the plan, and the passwords from the controller's files."""
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        sets = sets_of(plan, arguments["sets"], state, host, now)
        secrets = passwords_of(sets, plan, state, bool(self._task.check_mode))
        filled = {
            **arguments,
            "sets": sets,
            "repositories": plan["egov_ops_backup_repositories"],
            "host_name": arguments["host_name"] or host,
        }
        return filled, secrets
