# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather the catalogue of a host's backups in one trip, with what the ledger knows of their proofs and checks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.backup.options import CATALOGUE
from ansible_collections.egov.ops.plugins.plugin_utils.actions import BackupTask, wanted
from ansible_collections.egov.ops.plugins.plugin_utils.backup import repositories_of
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir, inert
from ansible_collections.egov.ops.plugins.plugin_utils.gates import newest, newest_proof
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan, options_of
from ansible_collections.egov.ops.plugins.plugin_utils.runs import Run
from ansible_collections.egov.ops.plugins.plugin_utils.transport import (
    Check,
    Expected,
    fields,
    integer,
    line,
    list_of,
    map_of,
    number,
    optional,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import CatalogueArguments
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import HostResult, Outcome, TaskVars

MODULE = "backup_catalog"

#: The step that has judged the freshness of a host's sets already.
BACKUP = "backup_run"

_SNAPSHOT: dict[str, Check] = {
    **dict.fromkeys(("class", "host", "set", "time", "kind", "chain", "copy", "snapshot", "proved"), line()),
    "size": optional(integer),
    "ratio": optional(number),
}


class ActionModule(BackupTask["CatalogueArguments"]):
    """See plugins/modules/backup_catalog.py."""

    HALF = ("backup.repositories.catalogue", "catalogue")
    ARGUMENTS = CATALOGUE
    COPIES = True
    KINDS = ("copies", "lock", "device")
    RESULTS = {
        "measured": map_of(line(), fields(dict.fromkeys(("used", "free", "total"), integer)), 1000),
        "snapshots": list_of(fields(_SNAPSHOT), 2000),
        "snapshot_count": integer,
        "without_us": map_of(line(), list_of(line(), 1000), 1000),
    }

    def expected(self, given: CatalogueArguments) -> Expected:
        """Expect each set; a repository that cannot be opened has no locks and no device."""
        return self._expected(subjects={"copies": wanted(given["sets"])})

    def prepare(
        self, arguments: CatalogueArguments, plan: Plan, host: str, now: datetime
    ) -> tuple[CatalogueArguments, dict[str, str]]:
        """Fill in the host's site, each set's last proof and each repository's last check."""
        filled, secrets = super().prepare(arguments, plan, host, now)
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        filled["site"] = filled["site"] or plan["egov_ops_site"]
        proofs = {name: newest_proof(state, host, name, now) for name in filled["sets"]}
        filled["unproved"] = [plan["egov_ops_unproved_warning"], plan["egov_ops_unproved_critical"]]
        filled["proofs"] = {
            name: {"snapshot": record["detail"].get("snapshot_id", ""), "time": record["finished"]}
            for name, record in proofs.items()
            if record and record["status"] == "ok"
        }
        checks = {name: newest(state, host, "check", name, now) for name in repositories_of(filled["sets"])}
        filled["checks"] = {name: record["status"] for name, record in checks.items() if record}
        return filled, secrets

    def perform(self, arguments: CatalogueArguments, task_vars: TaskVars) -> HostResult:
        """Print, where a person asked for the state, how each set is restored without us."""
        result = super().perform(arguments, task_vars)
        host: str = task_vars["inventory_hostname"]
        plan = self.plan_of(host)
        run = self.open_run(plan)
        if not run or self._is_asked(run, plan):
            for name, lines in result.get("without_us", {}).items():
                self.say(f"Without us, set {name} of {host}:")
                for line in lines:
                    self.say(f"  {inert(line)}")
        return result

    def complete(
        self, outcome: Outcome, arguments: CatalogueArguments, plan: Plan, host: str, now: datetime
    ) -> Outcome:
        """Add to what the host has seen what the ledger says of its backups over time."""
        measured = outcome.pop("measured", None)
        if measured is None:
            return outcome
        from ansible_collections.egov.ops.plugins.plugin_utils.backup import watch  # by weekly work alone

        state = StateDir.resolve(plan["egov_ops_state_dir"])
        run = self.open_run(plan)
        backed_up = any(step["subject"] == BACKUP for step in run.steps(host)) if run else False
        sets = arguments["sets"] or plan["egov_ops_backup_sets"]
        watched = watch(plan, state, host, sets, measured, now, fresh=not backed_up)
        if run and self._is_asked(run, plan):
            from ansible_collections.egov.ops.plugins.plugin_utils.backup import untested

            watched += untested(state, host, repositories_of(sets), plan, now, due=False)
        return {**outcome, "evidence": [*outcome["evidence"], *watched]}

    def _is_asked(self, run: Run, plan: Plan) -> bool:
        """Tell whether a person waits for the answer; in other procedures it is read in their reports."""
        return options_of(plan, run.procedure, MODULE)["reader"] == "person"
