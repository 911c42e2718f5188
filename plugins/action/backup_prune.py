# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prune the repositories of a host, from where their clients have no say."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.backup.options import PRUNE
from ansible_collections.egov.ops.plugins.plugin_utils.actions import ChangingTask, outcome_of
from ansible_collections.egov.ops.plugins.plugin_utils.backup import (
    DIFF,
    pruning,
    public,
    repositories_of,
    secrets_of_entry,
)
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.transport import Expected, flag, line, map_of, pair

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import PruneArguments, Repositoried
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import Outcome, TaskVars
    from ansible_collections.egov.ops.plugins.plugin_utils.backup import PlannedRepository

    class Options(PruneArguments, total=False):
        """What the task takes: elsewhere is for the controller alone."""

        elsewhere: bool


class ActionModule(ChangingTask["Options"]):
    """See plugins/modules/backup_prune.py."""

    DOMAIN = "backup"
    HALF = ("backup.repositories.prune", "prune")
    ARGUMENTS = PRUNE
    KINDS = ("prune",)
    RESULTS = {**DIFF, "seen": map_of(line(200, empty=False), pair(line(40), flag), 100_000)}

    def expected(self, given: Options) -> Expected:
        """Expect each repository of the operation."""
        return self._expected(subjects={"prune": given["operation"]["repositories"]})

    def elsewhere(self, plan: Plan, host: str) -> str:
        """Return the host from which repositories elsewhere are pruned, as the inventory or the role names it."""
        reader = self.inventory_plan()
        inventory = reader.written(host)
        return str(reader.value(host, inventory, inventory.get("backup_prune_host") or "localhost"))

    def operation(self, arguments: Options, plan: Plan, host: str) -> Repositoried:
        """Return the repositories that are pruned there."""
        return {"repositories": sorted(self._repositories(arguments, plan))}

    def prepare(self, arguments: Options, plan: Plan, host: str, now: datetime) -> tuple[Options, dict[str, str]]:
        """Fill in the rules of the plan and what the controller knows of the snapshots; find the passwords."""
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        found = self._repositories(arguments, plan)
        secrets: dict[str, str] = {}
        for name, entry in found.items():
            if "unprunable" not in entry:
                secrets |= secrets_of_entry(name, entry, state, bool(self._task.check_mode))
        given = arguments.copy()
        given.pop("elsewhere", None)
        return {
            **given,
            "repositories": public(found),
            "host_name": arguments["host_name"] or host,
            "sets": plan["egov_ops_backup_sets"],
            "rules": plan["egov_ops_backup_retention"],
            "holds": pruning.holds(plan, now),
            "proofs": evidence.proved(state, host, now),
            "known": {**pruning.remembered(state, host), **evidence.made(state, host)},
        }, secrets

    def _attempt(
        self, arguments: Options, plan: Plan, host: str, run_id: str, now: datetime, task_vars: TaskVars
    ) -> Outcome:
        """Prune what there is, and remember which snapshots were seen for the first time."""
        if not self._repositories(arguments, plan):
            where = "elsewhere" if arguments["elsewhere"] else "on the host itself"
            return outcome_of("ok", "", f"No repository of {host} is pruned {where}.")
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        if not state.ledger.exists():  # a first run: no gate could read what it decides upon
            return outcome_of("ok", "", "No snapshot is known to the controller yet, so none is removed.")
        outcome = super()._attempt(arguments, plan, host, run_id, now, task_vars)
        if outcome["status"] == "unreachable" and self._task.delegate_to:
            # The host itself has done nothing wrong, and what is left to do on it goes on.
            message = f"{self._task.delegate_to}, from which repositories of {host} are pruned, cannot be reached."
            outcome = {**outcome, "status": "failed", "reason": "not_reached", "msg": message}
        seen = outcome.pop("seen", {})
        if not self._task.check_mode:
            pruning.remember(state, host, seen)
        return outcome

    def _repositories(self, arguments: Options, plan: Plan) -> dict[str, PlannedRepository]:
        return pruning.repositories(plan, repositories_of(plan["egov_ops_backup_sets"]), arguments["elsewhere"])
