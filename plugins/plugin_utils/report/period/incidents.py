# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Incidents: from which run to which a finding of a host was critical, failed or unreachable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import MARK_ORDER, STEP, Key, age_of

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period import types
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup_types import RolledHost, RollUp
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.types import Finding, PeriodReport, Run

#: The statuses of an incident.
BAD = ("critical", "failed", "unreachable")

#: Incidents of which the page has a row; more are counted, and the JSON has them.
LISTED = 100

#: Marks of a domain in which nothing was looked at.
_NOT_LOOKED_AT = ("none", "skipped", "unreachable")


@dataclass
class Incident:
    """One streak of runs in which a finding was bad: `until` is when the first run began that no longer had it."""

    key: Key
    procedure: str
    began: str
    first: int
    last: int
    status: str
    runs: int = 1
    until: str | None = None


class Incidents:
    """The incidents of a range, from the roll-ups of its runs in the order in which these began."""

    def __init__(self) -> None:
        """Start with none."""
        self.all: list[Incident] = []
        self.open: dict[Key, Incident] = {}

    def add(self, entry: RollUp, hosts: Mapping[str, RolledHost]) -> None:
        """Add a run's roll-up, of which `hosts` are chosen.

        Only a run of the same procedure that looked at the host's domain ends an incident: one that could not be done,
        or does other work, says nothing of it.
        """
        bad: set[Key] = set()
        undone: set[tuple[str, str]] = set()
        for host, domain, kind, subject, status, seq in entry["findings"]:
            if host not in hosts:
                continue
            if kind == STEP:
                undone.add((host, domain))
            if status in BAD:
                key = Key(host, domain, kind, subject)
                bad.add(key)
                self._seen(key, status, seq, entry)
        for key, incident in list(self.open.items()):
            mark = hosts[key.host]["domains"].get(key.domain, "none") if key.host in hosts else "none"
            is_looked_at = mark not in _NOT_LOOKED_AT and (key.host, key.domain) not in undone
            if key not in bad and is_looked_at and incident.procedure == entry["procedure"]:
                incident.until = entry["started"]
                del self.open[key]

    def _seen(self, key: Key, status: str, seq: int, entry: RollUp) -> None:
        incident = self.open.get(key)
        if incident is None:
            incident = Incident(key, entry["procedure"], entry["started"], seq, seq, status)
            self.open[key] = incident
            self.all.append(incident)
            return
        incident.last, incident.runs = seq, incident.runs + 1
        incident.status = min(incident.status, status, key=MARK_ORDER.index)


def rows(found: Incidents, before: Iterable[Key], findings: Iterable[Finding], until: str) -> list[types.Incident]:
    """Return the incidents of findings, the worst first, then the longest; an open one lasts until a moment.

    before: the keys of incidents that the range before left open.
    """
    told = {Key(row["host"], row["domain"], row["kind"], row["subject"]): row for row in findings}
    earlier, seen = set(before), set()
    made: list[types.Incident] = []
    for incident in found.all:
        finding = told.get(incident.key)
        if finding is None:
            continue
        made.append(
            {
                **incident.key.fields(),
                "status": incident.status,
                "finding": finding["id"],
                "owner": finding["owner"],
                "from": incident.began,
                "until": incident.until,
                "seconds": age_of(incident.began, incident.until or until),
                "before": incident.key in earlier and incident.key not in seen,
                "runs": incident.runs,
                "first": incident.first,
                "last": incident.last,
            }
        )
        seen.add(incident.key)
    made.sort(key=lambda row: (MARK_ORDER.index(row["status"]), -row["seconds"], row["host"], row["first"]))
    return made


def chapter(data: PeriodReport, listed: set[str], words: Language) -> Mapping[str, object]:
    """Return what the chapter shows: `rows`, and how many are left out; listed: the findings that have a row."""
    shown = []
    for row in data["incidents"][:LISTED]:
        thing = row["kind"] if row["kind"] == row["subject"] else f"{row['kind']} {row['subject']}"
        lasted = words.duration(row["seconds"]) if row["seconds"] < 60 else _lasted(row["seconds"], words)
        began = words.time(row["from"])
        shown.append(
            {
                **row,
                "thing": thing,
                "began": words.text("incidents.before", time=began) if row["before"] else began,
                "ended": words.time(row["until"]) if row["until"] else words.text("incidents.open"),
                "lasted": words.text("incidents.at_least", time=lasted)
                if row["before"] or not row["until"]
                else lasted,
                "is_listed": row["finding"] in listed,
                "first_page": _page(row["first"], data["runs"]),
                "last_page": _page(row["last"], data["runs"]),
            }
        )
    return {"rows": shown, "left_out": max(0, len(data["incidents"]) - LISTED)}


def _page(number: int, runs: Iterable[Run]) -> str:
    """Return where the report of a run shows a record, "" where it is not between begin and seal of one run alone."""
    frames = [(run["run"], [row["seq"] for row in run["frame"]]) for run in runs if run["frame"]]
    found = [run for run, numbers in frames if min(numbers) <= number <= max(numbers)]
    return f"{found[0]}.html#r-{number}" if len(found) == 1 else ""


def _lasted(seconds: int, words: Language) -> str:
    """Return a duration in its largest two units."""
    days, rest = divmod(seconds, 86400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    parts = [("days", days), ("hours", hours)] if days else [("hours", hours), ("minutes", minutes)]
    return " ".join(words.text(f"time.{unit}", n=number) for unit, number in parts if number)
