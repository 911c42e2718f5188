# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How old the newest good backup of a set is, against what the plan allows: judged by each run that backs up.

Good is a run that made a snapshot of the set, or found it as its snapshot has it; that nothing was due makes no backup
newer. What the run itself has just done needs no look into the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir, printed_commands
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import clock, iso, open_ledger, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.schedule import objective

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Fact, Observation
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record

CLAUSES = ("S6.2.3-4",)

#: The statuses of a backup that stands.
GOOD = ("ok", "warning")


def of_run(
    state: StateDir,
    host: str,
    sets: Mapping[str, Mapping[str, Any]],
    evidence: Sequence[Mapping[str, Any]],
    now: datetime,
    away: bool = False,
) -> list[Observation]:
    """Return an observation for each set of a host, given what a backup of this moment has observed; LedgerError.

    away tells that the host did not answer: of a set that was never backed up nothing is said then, and nothing either
    while another run makes its first backup.
    """
    backups = [item for item in evidence if item["kind"] == "backup"]
    made = {item["subject"] for item in backups if _holds(item)}
    busy = {item["subject"] for item in backups if (item["status"], item["reason"]) == ("skipped", "busy")}
    found: list[Observation] = []
    for name, entry in sorted(sets.items()):
        if entry.get("state") == "absent":
            continue
        good = iso(now) if name in made else newest(state, host, name, entry, now)
        if good or not (away or name in busy):
            found.append(judge(name, entry, good, now))
    return found


def judge(name: str, entry: Mapping[str, Any], good: str, now: datetime) -> Observation:
    """Judge the age of a set's newest good backup, begun at a time, "" for none, by its objective; pure."""
    objective = rpo_of(entry)
    if not good:
        message = f"The ledger knows no good backup of set {name}."
        return _observe(name, "critical", message, f"Run: {printed_commands.playbook('backup')}", objective=objective)
    age = _age(good, now)
    status = "ok" if age <= objective else "warning" if age <= 2 * objective else "critical"
    message = f"The newest good backup of set {name} is {_hours(age)} old; its objective is {_hours(objective)}."
    act = (
        f"See why its backups fail (egov.ops.ledger_info, kind backup), and run: {printed_commands.playbook('backup')}"
    )
    return _observe(name, status, message, act, age=round(age), objective=objective)


def rpo_of(entry: Mapping[str, Any]) -> float:
    """Return the seconds of a set's recovery point objective: the plan's, or by how often it is backed up."""
    cadence = entry.get("incremental") or entry.get("full")
    return float(entry.get("rpo") or objective(cadence).total_seconds())


def newest(state: StateDir, host: str, name: str, entry: Mapping[str, Any], now: datetime) -> str:
    """Return when the newest good backup of a set was begun, "" for none; raises LedgerError.

    One that is ahead of the clock does not count. The spools, which are long, are read only where the ledger's is too
    old: a run that was killed is still in one.
    """
    found = ""
    ahead = clock.first_time_ahead(now)
    if state.ledger.exists():
        with open_ledger(state, read_only=True) as ledger:
            stored = ledger.records(
                domain="backup", kind="backup", host=host, subject=name, status=GOOD, until=ahead, newest_first=True
            )
            found = next((str(one.record["started"]) for one in stored if _holds(one.record)), "")
    if found and _age(found, now) <= rpo_of(entry):
        return found
    from ansible_collections.egov.ops.plugins.plugin_utils.gates import waiting_of  # a daily run needs none of it

    waiting = (record for record in waiting_of(state, host, "backup", GOOD) if record["subject"] == name)
    return max(found, newest_of(record for record in waiting if record["finished"] < ahead))


def newest_of(records: Iterable[Record]) -> str:
    """Return when the newest good backup among some records was begun, "" for none; pure."""
    return max((str(record["started"]) for record in records if _holds(record)), default="")


def _holds(record: Mapping[str, Any]) -> bool:
    """Tell whether a record says that the set was in a backup when it was made: by a snapshot, or found unchanged."""
    detail = record["detail"]
    return record["status"] in GOOD and ("added_bytes" in detail or bool(detail.get("unchanged")))


def _age(good: str, now: datetime) -> float:
    return max(0.0, (now - read_time(good)).total_seconds())


def _hours(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.1f} days"


def _observe(name: str, status: str, message: str, act: str, **more: Any) -> Observation:
    shown: dict[str, Fact] = {"next": act} if status != "ok" else {}
    return observation("freshness", name, status, "", CLAUSES, message=message, **more, **shown)
