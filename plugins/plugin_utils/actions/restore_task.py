# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of a restore and of what a person decides about it."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.actions.changing import ChangingTask
from ansible_collections.egov.ops.plugins.plugin_utils.actions.task import Options
from ansible_collections.egov.ops.plugins.plugin_utils.common import inert, user_name
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import SettleArguments
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.types import HostResult, TaskVars


class RestoreTask(ChangingTask[Options]):
    """An action about a restore; a person waits for what it says."""

    DOMAIN = "restore"

    def perform(self, arguments: Options, task_vars: TaskVars) -> HostResult:
        """Print the outcome, in check mode what would be done and what the gates say of it."""
        result = super().perform(arguments, task_vars)
        self.say(f"{task_vars['inventory_hostname']}: {inert(result['msg'])}")
        return result


class SettleTask(RestoreTask["SettleArguments"]):
    """An action that accepts or undoes a restore; the person is the user of this process."""

    def prepare(
        self, arguments: SettleArguments, plan: Plan, host: str, now: datetime
    ) -> tuple[SettleArguments, dict[str, str]]:
        """Name the person; the half knows the rest from its journal."""
        return {**arguments, "person": user_name(os.geteuid())}, {}
