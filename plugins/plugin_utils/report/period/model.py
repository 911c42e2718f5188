# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the report of a range of days is made of: the roll-ups of its runs, folded, and single records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import Facts, Head, Key, Ledger, Stored, worst
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.incidents import Incidents
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup import is_whole
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.span import Span
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.trends import LOOKED, day_of
from ansible_collections.egov.ops.plugins.plugin_utils.schedule import Late

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup_types import (
        FoldedRun,
        FoldedSet,
        RolledHost,
        RolledSet,
        RolledUpdates,
        RollUp,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.types import Finding, Outcome
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Value

#: Groups of the inventory that a refusal names.
NAMED_GROUPS = 12


class History(Ledger, Protocol):
    """The part of the ledger that a report of a range reads."""

    def records(
        self,
        *,
        run: str | None = None,
        procedure: str | None = None,
        host: str | None = None,
        domain: str | None = None,
        kind: str | None = None,
        subject: str | None = None,
        status: Sequence[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        upto: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterable[Stored]:
        """Return the records that match all that is given, in their order."""


@dataclass(frozen=True)
class Choice:
    """What of the ledger a report is of: a group's hosts (None: all), a team's findings, the runs of a procedure."""

    hosts: frozenset[str] | None = None
    group: str = ""
    team: str = ""
    procedure: str = ""

    def takes(self, host: str) -> bool:
        """Tell whether a host is of it."""
        return self.hosts is None or host in self.hosts


class Found(NamedTuple):
    """When a finding was seen in a range: the first and last record, on which days, and the last status."""

    first: int
    last: int
    days: frozenset[date]
    status: str


@dataclass
class Day:
    """What the runs of one day say."""

    runs: list[str] = field(default_factory=list)
    marks: dict[str, dict[str, str]] = field(default_factory=dict)
    findings: dict[Key, str] = field(default_factory=dict)
    security: dict[str, int] = field(default_factory=dict)

    def status_of(self, host: str) -> str:
        """Return the one status of a host on this day; "none" where nothing was recorded of it."""
        marks = self.marks.get(host, {})
        return worst([mark for mark in marks.values() if mark != "skipped"] or marks.values())

    def is_looked_at(self) -> bool:
        """Tell whether something was judged on any host, so that what was not found is a zero and not unknown."""
        return any(mark in LOOKED for marks in self.marks.values() for mark in marks.values())


class Fold:
    """The roll-ups of a range, one added after the other in the order in which their runs began."""

    def __init__(self, choice: Choice, place: tzinfo) -> None:
        """Take what is chosen, and the zone in which days are counted."""
        self._choice = choice
        self._place = place
        self.days: dict[date, Day] = {}
        self.runs: list[FoldedRun] = []
        self.hosts: dict[str, dict[str, str]] = {}
        self.ours: dict[str, bool] = {}
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.measured: dict[tuple[str, str], list[int]] = {}
        self.findings: dict[Key, Found] = {}
        self.incidents = Incidents()
        self.values: dict[tuple[str, str, str], Value] = {}
        self.sets: dict[tuple[str, str], FoldedSet] = {}
        self.updates: dict[str, RolledUpdates] = {}
        self.last = 0

    def add(self, entry: RollUp) -> None:
        """Add the roll-up of one run."""
        hosts = {name: row for name, row in entry["hosts"].items() if self._choice.takes(name)}
        if not any(row["domains"] for row in hosts.values()):
            return  # it says nothing of what is chosen
        day = day_of(entry["started"], self._place)
        today = self.days.setdefault(day, Day())
        today.runs.append(entry["run"])
        self.runs.append(
            {
                "run": entry["run"],
                "procedure": entry["procedure"],
                "started": entry["started"],
                "narrowed": entry["narrowed"],
                "frame": entry["frame"],
                "first": entry["first"],
                "last": entry["last"],
                "records": entry["records"],
                "day": day,
                "whole": is_whole(entry),
            }
        )
        self.last = max(self.last, entry["last"])
        for name, row in hosts.items():
            self._add_host(name, row, today)
        for host, domain, kind, subject, status, seq in entry["findings"]:
            if self._choice.takes(host):
                self._add_finding(Key(host, domain, kind, subject), status, seq, day)
        self.incidents.add(entry, hosts)
        for value in entry["values"]:
            if self._choice.takes(value["host"]):
                self.values[value["host"], value["kind"], value["subject"]] = value
        for copied in entry["backups"]:
            if self._choice.takes(copied["host"]):
                self._add_set(copied)
        for counted in entry["updates"]:
            if self._choice.takes(counted["host"]):
                self.updates[counted["host"]] = counted
                if counted["security"] is not None:
                    today.security[counted["host"]] = counted["security"]

    def _add_host(self, name: str, row: RolledHost, today: Day) -> None:
        marks = self.hosts.setdefault(name, {})
        self.ours[name] = row["ours"]
        if not row["domains"]:
            return
        shown = today.marks.setdefault(name, {})
        for domain, mark in row["domains"].items():
            if mark != "skipped" or domain not in marks:
                marks[domain] = mark
            shown[domain] = worst({shown.get(domain, mark), mark})
        for domain, counts in row["measured"].items():
            self.measured[name, domain] = counts
        if row["ours"]:
            self.asked[name] += 1
            self.answered[name] += row["verdict"]

    def _add_finding(self, key: Key, status: str, seq: int, day: date) -> None:
        self.days[day].findings[key] = status
        seen = self.findings.get(key)
        days = (seen.days if seen else frozenset()) | {day}
        self.findings[key] = Found(seen.first if seen else seq, seq, days, status)

    def _add_set(self, copied: RolledSet) -> None:
        empty: FoldedSet = {"backup": [0, 0], "proof": [0, 0], "last": {}, "bytes": None}
        row = self.sets.setdefault((copied["host"], copied["set"]), empty)
        if copied["backup"] and _add_outcome(row["backup"], copied["backup"]):
            row["last"]["backup"] = copied["backup"]
        if copied["proof"] and _add_outcome(row["proof"], copied["proof"]):
            row["last"]["proof"] = copied["proof"]
        row["bytes"] = copied["bytes"] or row["bytes"]


def _add_outcome(counts: list[int], outcome: Outcome) -> bool:
    """Count an outcome in `[good, all]`, unless nothing was to be done, and tell whether it is good."""
    if outcome["status"] == "skipped":
        return False
    is_good = outcome["status"] in ("ok", "warning")
    counts[0] += is_good
    counts[1] += 1
    return is_good


@dataclass(frozen=True)
class PeriodMaterial:
    """All that `build_period` is given. `ends` has of each finding the last record of its key up to the range's end."""

    span: Span
    wanted: Span
    choice: Choice
    facts: Facts
    fold: Fold
    before: Fold
    head: Head
    ends: Mapping[Key, Stored]
    lasts: Mapping[int, Stored]
    changes: Sequence[Stored]
    acknowledgements: Sequence[acknowledgement.Acknowledgement]
    courses: Mapping[str, Sequence[tuple[str, float | None]]]
    first: datetime
    late: Sequence[Late] = ()


#: The states of a finding at the end of a range, in the order in which they stand for several: found where there is
#: nothing to compare with.
STATES = ("open", "new", "found", "acknowledged", "debt", "unseen", "fixed")

#: Those that are still there.
STANDING = ("open", "new", "found", "acknowledged", "debt")


def faults_of(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return findings as a reader sees them: the same one on several hosts is one."""
    faults: dict[str, list[Finding]] = {}
    for row in findings:
        faults.setdefault(row["id"], []).append(row)
    return list(faults.values())
