# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather what the report of a range of days is built from: the roll-ups of its runs, folded, and single records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple, Protocol

from ansible_collections.egov.ops.plugins.plugin_utils.domains import GATE
from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.record import read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement
from ansible_collections.egov.ops.plugins.plugin_utils.report.build import worst
from ansible_collections.egov.ops.plugins.plugin_utils.report.incidents import Incidents
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import catalogue
from ansible_collections.egov.ops.plugins.plugin_utils.report.rollup import Shelf, is_whole
from ansible_collections.egov.ops.plugins.plugin_utils.report.source import Facts, Head, Key, Ledger, Stored, late_at
from ansible_collections.egov.ops.plugins.plugin_utils.report.span import Span
from ansible_collections.egov.ops.plugins.plugin_utils.report.trends import day_of, zone_of
from ansible_collections.egov.ops.plugins.plugin_utils.schedule.due import Late

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


def choice_of(group: str, team: str, procedure: str, groups: Mapping[str, Iterable[str]]) -> Choice:
    """Return what is chosen; raises OpsError for a group that the inventory or a team that the plan does not have."""
    teams = [key.partition(".")[2] for key in catalogue() if key.startswith("team.")]
    if team and team not in teams:
        raise OpsError(f"team is {team[:40]!r}; use one of {', '.join(teams)}.")
    if group and group not in groups:
        known = sorted(groups)
        named = ", ".join(known[:NAMED_GROUPS]) + (", ..." if len(known) > NAMED_GROUPS else "")
        raise OpsError(f"group is {group[:60]!r}, which the inventory does not have; use one of {named}.")
    hosts = frozenset(groups[group]) if group else None
    return Choice(hosts, group, team, procedure)


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


class Fold:
    """The roll-ups of a range, one added after the other in the order in which their runs began."""

    def __init__(self, choice: Choice, place: tzinfo) -> None:
        """Take what is chosen, and the zone in which days are counted."""
        self._choice = choice
        self._place = place
        self.days: dict[date, Day] = {}
        self.runs: list[dict[str, Any]] = []
        self.hosts: dict[str, dict[str, str]] = {}
        self.ours: dict[str, bool] = {}
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.measured: dict[tuple[str, str], list[int]] = {}
        self.findings: dict[Key, Found] = {}
        self.incidents = Incidents()
        self.values: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.sets: dict[tuple[str, str], dict[str, Any]] = {}
        self.updates: dict[str, dict[str, Any]] = {}
        self.last = 0

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add the roll-up of one run."""
        hosts = {name: row for name, row in entry["hosts"].items() if self._choice.takes(name)}
        if not any(row["domains"] for row in hosts.values()):
            return  # it says nothing of what is chosen
        day = day_of(entry["started"], self._place)
        today = self.days.setdefault(day, Day())
        today.runs.append(entry["run"])
        self.runs.append({**{name: entry[name] for name in _RUN}, "day": day, "whole": is_whole(entry)})
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

    def _add_host(self, name: str, row: Mapping[str, Any], today: Day) -> None:
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

    def _add_set(self, copied: Mapping[str, Any]) -> None:
        empty: dict[str, Any] = {"backup": [0, 0], "proof": [0, 0], "last": {}, "bytes": None}
        row = self.sets.setdefault((copied["host"], copied["set"]), empty)
        for part in ("backup", "proof"):
            if copied[part] and copied[part]["status"] != "skipped":
                row[part][0] += copied[part]["status"] in ("ok", "warning")
                row[part][1] += 1
                if copied[part]["status"] in ("ok", "warning"):
                    row["last"][part] = copied[part]
        row["bytes"] = copied["bytes"] or row["bytes"]


_RUN = ("run", "procedure", "started", "narrowed", "frame", "first", "last", "records")


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


def gather_period(ledger: History, shelf: Shelf, wanted: Span, choice: Choice, facts: Facts) -> PeriodMaterial:
    """Return what the report of a range is built from; raises OpsError where no run of it tells of the choice."""
    place = zone_of(wanted.zone)
    begins = list(ledger.records(domain="run", kind="begin", procedure=choice.procedure or None))
    if not begins:
        of = f" of {choice.procedure}" if choice.procedure else ""
        raise OpsError(f"The ledger{facts.ledger and ' '}{facts.ledger} holds no run{of}; run a procedure first.")
    newest = next(iter(ledger.records(newest_first=True, limit=1))).record["finished"]
    span = wanted.upto(max(day_of(newest, place), wanted.first))
    fold = _folded(shelf, begins, span, choice, place)
    if not fold.runs:
        days = [day_of(stored.record["started"], place) for stored in begins]
        of = f" that tells of the group {choice.group}" if choice.group else ""
        raise OpsError(
            f"The ledger holds no run{of} from {wanted.first} to {wanted.last}; its runs are from {min(days)} to "
            f"{max(days)}: choose a range among these."
        )
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period_trends import courses

    first = next(iter(ledger.records(limit=1)))
    return PeriodMaterial(
        span=span,
        wanted=wanted,
        choice=choice,
        facts=facts,
        fold=fold,
        before=_folded(shelf, begins, wanted.before(), choice, place),
        head=ledger.head(),
        ends={key: _end(ledger, key, fold.last) for key in fold.findings},
        lasts={found.last: _numbered(ledger, found.last) for found in fold.findings.values()},
        changes=_changes(ledger, span, choice),
        acknowledgements=acknowledgement.read(
            ledger.records(domain=acknowledgement.DOMAIN, kind=acknowledgement.KIND, upto=fold.last)
        ),
        courses=courses(ledger, fold, span),
        first=read_time(first.record["finished"]),
        late=late_at(ledger, _numbered(ledger, fold.last), facts),
    )


def _folded(shelf: Shelf, begins: Iterable[Stored], span: Span, choice: Choice, place: tzinfo) -> Fold:
    fold = Fold(choice, place)
    for stored in begins:
        if span.since <= stored.record["started"] < span.until:
            fold.add(shelf.get(stored.record["run"]))
    return fold


def _end(ledger: History, key: Key, upto: int) -> Stored:
    return next(iter(ledger.records(**key._asdict(), upto=upto, newest_first=True, limit=1)))


def _numbered(ledger: History, seq: int) -> Stored:
    return next(iter(ledger.records(upto=seq, newest_first=True, limit=1)))


def _changes(ledger: History, span: Span, choice: Choice) -> list[Stored]:
    """Return what gates decided, what went past them, and what was carried out."""
    found = ledger.records(domain=GATE, since=span.since, until=span.until)
    return [stored for stored in found if choice.takes(stored.record["host"])]
