# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the actions that work on a host's backups."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from ansible_collections.egov.ops.plugins.plugin_utils.actions.host_task import HostTask
from ansible_collections.egov.ops.plugins.plugin_utils.backup import (
    absent_files,
    passwords_of,
    passwords_of_copies,
    public,
    repositories_of,
    sets_of,
)
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Repository
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import SetArguments

SetOptions = TypeVar("SetOptions", bound="SetArguments")


class BackupTask(HostTask[SetOptions]):
    """An action over a half of the backup room: its sets, repositories and passwords come from plan and ledger."""

    DOMAIN = "backup"
    #: Whether the half also works on the repositories that take copies.
    COPIES = False
    #: The password files that this task has created, by repository.
    created: Mapping[str, Path] = MappingProxyType({})

    def prepare(self, arguments: SetOptions, plan: Plan, host: str, now: datetime) -> tuple[SetOptions, dict[str, str]]:
        """Fill in sets with what is due, repositories and the inventory's name of the host; find the passwords."""
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        sets = sets_of(plan, arguments["sets"], state, host, now)
        filled = copy(arguments)
        filled["sets"] = sets
        filled["repositories"] = public(plan["egov_ops_backup_repositories"])
        filled["host_name"] = arguments["host_name"] or host
        check_mode = bool(self._task.check_mode)
        absent = absent_files(repositories_of(sets), plan, state)
        found = passwords_of(sets, plan, state, check_mode)
        if self.COPIES:
            more, troubles = passwords_of_copies(sets, plan, state, check_mode)
            found |= more
            if troubles:
                known = filled["repositories"]
                broken: dict[str, Repository] = {
                    name: {**known.get(name, {}), "trouble": why} for name, why in troubles.items()
                }
                filled["repositories"] = {**known, **broken}
        self.created = {name: file for name, file in absent.items() if file.exists()}
        return filled, found
