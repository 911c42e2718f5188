# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the copy of a repository's key in escrow was last shown to open it; nobody but a person can bring it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir, printed_commands
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import read_time
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan, procedures_with
from ansible_collections.egov.ops.plugins.plugin_utils.schedule import ESCROW_DAYS

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record

CLAUSES = ("S6.2.2-4",)

ACT = "Put its password into escrow, let escrow_file name the copy for a while, and run: "


def files_of(names: Iterable[str], plan: Plan) -> dict[str, Path]:
    """Return the copies of keys that lie ready to be tested, by repository."""
    repositories = plan["egov_ops_backup_repositories"]
    files = {name: repositories.get(name, {}).get("escrow_file") for name in names}
    return {name: Path(file) for name, file in files.items() if file and Path(file).exists()}


def untested(
    state: StateDir, host: str, names: Iterable[str], plan: Plan, now: datetime, due: bool
) -> list[Observation]:
    """Return the observations of the repositories of which no copy lies ready; raises LedgerError."""
    from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence  # no start of a run needs it

    tests = _newest(evidence.records_of(state, host, "escrow", ("ok",)), lambda detail: "tested" not in detail)
    changes = _newest(evidence.records_of(state, host, "key", ("ok",)), lambda detail: detail.get("stage") == "remove")
    ready = files_of(names, plan)
    return [
        judge(name, tests.get(name, ""), changes.get(name, ""), now, due, test_command(plan))
        for name in sorted(names)
        if name not in ready
    ]


def test_command(plan: Plan) -> str:
    """Return the command that tests the copies of keys in escrow: of the shortest procedure that does."""
    procedures = procedures_with(plan, "backup_check", "escrow", "due")
    return (
        printed_commands.playbook(procedures[0])
        if procedures
        else "a procedure whose step backup_check has escrow: due"
    )


def judge(name: str, tested: str, rotated: str, now: datetime, due: bool, test: str) -> Observation:
    """Judge a repository by when its copy was last tested and its key changed, each "" for never; pure.

    due tells whether a test that is missing is a finding now; test is the command that makes one.
    """
    days = (now - read_time(tested)).days if tested else None
    reason = "not_due"
    if days is None:
        reason = "no_history"
        message = f"Nobody has shown that a key in escrow opens repository {name}."
    elif rotated > tested:
        message = f"The key of repository {name} was changed after its copy in escrow was tested."
    elif days > ESCROW_DAYS:
        message = f"The key in escrow of repository {name} was last tested {days} days ago."
    else:
        message = f"The key in escrow opened repository {name} {days} days ago."
        return observation("escrow", name, "ok", "", CLAUSES, message=message, tested=tested)
    told = {"message": message, "tested": tested, "next": ACT + test}
    status, why = ("warning", "") if due else ("skipped", reason)
    return observation("escrow", name, status, why, CLAUSES, None, **told)


def _newest(records: Iterable[Record], counts: Callable[[Mapping[str, Any]], bool]) -> dict[str, str]:
    """Return by repository when the newest record whose detail counts was finished."""
    found: dict[str, str] = {}
    for record in records:
        if counts(record["detail"]):
            found[record["subject"]] = max(found.get(record["subject"], ""), record["finished"])
    return found
