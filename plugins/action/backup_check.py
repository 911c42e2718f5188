# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the repositories of a host again in one trip."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.backup.options import CHECK
from ansible_collections.egov.ops.plugins.plugin_utils.actions import BackupTask, wanted
from ansible_collections.egov.ops.plugins.plugin_utils.backup import escrow, repositories_of
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan, options_of, password
from ansible_collections.egov.ops.plugins.plugin_utils.transport import Expected

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import CheckArguments
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import Outcome

MODULE = "backup_check"


class ActionModule(BackupTask["CheckArguments"]):
    """See plugins/modules/backup_check.py."""

    HALF = ("backup.proofs.integrity_check", "check")
    ARGUMENTS = CHECK
    COPIES = True
    KINDS = ("check", "escrow")

    def expected(self, given: CheckArguments) -> Expected:
        """Expect each repository, and each copy of a key that lies ready."""
        names = repositories_of({name: given["sets"][name] for name in wanted(given["sets"])})
        return self._expected(subjects={"check": names, "escrow": set(names) & set(given["escrow"])})

    def prepare(
        self, arguments: CheckArguments, plan: Plan, host: str, now: datetime
    ) -> tuple[CheckArguments, dict[str, str]]:
        """Read as much as the procedure's step says, and all data used alone, unless it is said; add escrowed keys."""
        filled, secrets = super().prepare(arguments, plan, host, now)
        if not filled["data"]:
            run = self.open_run(plan)
            filled["data"] = options_of(plan, run.procedure if run else "", MODULE)["data"]
        unreadable: dict[str, str] = {}
        for name, file in escrow.files_of(repositories_of(filled["sets"]), plan).items():
            secrets[f"escrow:{name}"], unreadable[name] = _read(file)
        filled["escrow"] = unreadable
        return filled, secrets

    def complete(self, outcome: Outcome, arguments: CheckArguments, plan: Plan, host: str, now: datetime) -> Outcome:
        """Say of the other repositories when the copy of their key was last tested."""
        if outcome["status"] != "ok":
            return outcome
        state, run = StateDir.resolve(plan["egov_ops_state_dir"]), self.open_run(plan)
        names = repositories_of(arguments["sets"] or plan["egov_ops_backup_sets"])
        due = bool(run and options_of(plan, run.procedure, MODULE)["escrow"] == "due")
        with suppress(OpsError):  # what was read of the repositories is not lost with the ledger
            found = escrow.untested(state, host, names, plan, now, due)
            outcome["evidence"] = [*outcome["evidence"], *found]
        return outcome


def _read(file: Path) -> tuple[str, str]:
    """Return the copy of a key and why there is none, one of them empty."""
    try:
        return password.read(file), ""
    except password.PasswordError as error:
        return "", str(error)
