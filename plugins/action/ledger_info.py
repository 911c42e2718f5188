# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show the runs and records of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, TypedDict, cast

from ansible_collections.egov.ops.plugins.module_utils.host.record import SEVERITY, STATUSES
from ansible_collections.egov.ops.plugins.plugin_utils.actions import Task
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import open_ledger

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

    class Filters(TypedDict, total=False):
        """What chooses records."""

        run: str | None
        procedure: str | None
        host: str | None
        domain: str | None
        kind: str | None
        subject: str | None
        status: list[str] | None
        since: str | None
        until: str | None

    class Options(Filters):
        """What the task takes."""

        limit: int


#: Options that choose records, by the names that the ledger gives them.
FILTERS = ("run", "procedure", "host", "domain", "kind", "subject", "status", "since", "until")


class ActionModule(Task["Options"]):
    """See plugins/modules/ledger_info.py."""

    ARGUMENTS = {
        **{name: {"type": "str"} for name in FILTERS},
        "status": {"type": "list", "elements": "str", "choices": list(STATUSES)},
        "limit": {"type": "int", "default": 20},
    }

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Read head, runs and records; print the head and the runs, one a line."""
        plan = self.plan_of(task_vars["inventory_hostname"])
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        given = {name: value for name, value in arguments.items() if name in FILTERS and value is not None}
        asked = cast("Filters", given)
        limit = arguments["limit"]
        with open_ledger(state, read_only=True) as ledger:
            head = ledger.head()
            runs = [(run, ledger.statuses(run.run)) for run in ledger.runs(arguments["procedure"], limit=limit)]
            found = list(ledger.records(**asked, newest_first=True, limit=limit)) if asked else []
        self.say(f"{state.ledger}: {head.count} records, head {head.hash}")
        for run, statuses in runs:
            end = run.reason or ("" if run.finished else "not sealed")
            counted = ", ".join(f"{statuses[status]} {status}" for status in SEVERITY if status in statuses)
            outcome = ", ".join(filter(None, [_worst(run.status, statuses), end]))
            self.say(f"{run.run}  {run.procedure:<14} {run.started}  {outcome}" + (f" ({counted})" if counted else ""))
        for stored in found:
            entry = stored.record
            message = entry["detail"].get("message") or entry["reason"]
            where = f"{entry['host']} {entry['domain']}/{entry['kind']} {entry['subject']}"
            self.say(f"#{stored.seq} {entry['finished']} {entry['status']:<11} {where}: {message}")
        return {
            "changed": False,
            "msg": f"The ledger holds {head.count} records.",
            "ledger": str(state.ledger),
            "head": asdict(head),
            "runs": [
                {**asdict(run), "worst": _worst(run.status, statuses), "statuses": statuses} for run, statuses in runs
            ],
            "records": [{**stored.record, "seq": stored.seq, "hash": stored.hash} for stored in found],
        }


def _worst(seal: str, statuses: Iterable[str]) -> str:
    """Return the worst of the statuses of a run's seal and of its records, "" where there is neither."""
    return min(filter(None, [seal, *statuses]), key=SEVERITY.index, default="")
