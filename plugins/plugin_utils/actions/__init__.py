# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bases of all actions: what each task of the collection does before, after and around its own work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.backup_task import BackupTask
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.changing import (
        ChangingTask,
        ask,
        refuse_plan_variables,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.host_task import HostTask
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.machine import acceptance
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.outcome import outcome_of
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.restore_task import RestoreTask, SettleTask
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.signing import SigningTask
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.statement import StatementTask
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.task import Task, wanted
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.types import HostResult, NoOptions, Outcome, TaskVars
else:
    __getattr__ = offering(
        __name__,
        {
            "backup_task": ("BackupTask",),
            "changing": ("ChangingTask", "ask", "refuse_plan_variables"),
            "host_task": ("HostTask",),
            "machine": ("acceptance",),
            "outcome": ("outcome_of",),
            "restore_task": ("RestoreTask", "SettleTask"),
            "signing": ("SigningTask",),
            "statement": ("StatementTask",),
            "task": ("Task", "wanted"),
            "types": ("HostResult", "NoOptions", "Outcome", "TaskVars"),
        },
    )
