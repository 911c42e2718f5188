# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Pylint 4 does not know the call that makes a TypedDict. pylint: disable=inherit-non-class

"""The types of the data of a range's report, as docs/period.schema.json has them: for the type checker alone."""

from __future__ import annotations

from typing import TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.report.types import (
    Charted,
    Counts,
    Fault,
    FrameRow,
    Head,
    KeyFields,
    Late,
    Measured,
    Named,
    Procedure,
)


class Before(TypedDict):
    """The days of the range before."""

    first: str
    last: str
    has_evidence: bool


class Range(TypedDict):
    """The range; `covered` is the last day of which it tells, `with_evidence` the number of days with a run."""

    period: str
    first: str
    last: str
    covered: str
    days: int
    with_evidence: int
    platform: str
    zone: str
    group: str
    team: str
    procedure: str
    before: Before


class Verdict(TypedDict):
    """The one status at the end of the range; `covered` tells whether each day and host has evidence."""

    status: str
    code: str
    covered: bool
    sentence: str
    facts: list[str]


class HostCounts(TypedDict):
    """How many hosts there are."""

    total: int
    not_ours: int
    status: Counts


class FindingCounts(TypedDict):
    """How many faults there are, in which state."""

    total: int
    status: Counts
    open: int
    new: int
    found: int
    acknowledged: int
    debt: int
    unseen: int
    fixed: int


class ReportCounts(TypedDict):
    """What the first screen counts."""

    hosts: HostCounts
    findings: FindingCounts
    runs: int


class Figure(TypedDict):
    """A figure of the range, and of the one before."""

    name: str
    unit: str
    now: float | None
    before: float | None


class Day(TypedDict):
    """A day with its runs; `findings` is None where there was none."""

    day: str
    status: str
    runs: list[str]
    hosts: Counts
    findings: Counts | None


class DomainRow(TypedDict):
    """What came of a domain."""

    domain: str
    status: str
    hosts: Counts
    measured: Measured


class Domain(DomainRow):
    """A domain with its sentence."""

    sentence: str


class Host(Named):
    """A host: its last status in each domain and on each day, and of how many runs it has a verdict."""

    status: str
    domains: dict[str, str]
    days: list[str]
    seen: str | None
    asked: int
    answered: int
    findings: int | None
    ours: bool


class Seen(TypedDict):
    """A record of a finding, and its day."""

    seq: int
    day: str


class End(TypedDict):
    """The last record of a finding's key in the range."""

    seq: int
    status: str


class Finding(Fault):
    """A finding of a host; `days` is on how many of them it was seen."""

    first: Seen
    last: Seen
    end: End
    days: int


#: Written as a call: `from` is a word of Python.
_Since = TypedDict("_Since", {"from": str})


class Incident(KeyFields, _Since):
    """From when to when a finding was bad, with the first and last of its records."""

    status: str
    finding: str
    owner: str
    until: str | None
    seconds: int
    before: bool
    runs: int
    first: int
    last: int


class Change(TypedDict):
    """What a gate decided, what went past it, or what was carried out."""

    seq: int
    hash: str
    finished: str
    host: str
    kind: str
    subject: str
    status: str
    message: str


class Planned(TypedDict):
    """In how many of its periods a procedure was due and done, and the last run that was whole."""

    procedure: str
    cadence: str
    due: int
    done: int
    run: str | None


class Outcome(TypedDict):
    """What came of a backup or a proof."""

    status: str
    seq: int
    finished: str


class BackupRow(TypedDict):
    """A backup set of a host."""

    host: str
    set: str
    backups: Measured
    proofs: Measured
    last_backup: Outcome | None
    last_proof: Outcome | None
    bytes: int | None


class Run(Procedure):
    """A run of the range; "none" is the status of one that is not sealed."""

    run: str
    day: str
    started: str
    finished: str | None
    status: str
    reason: str
    narrowed: bool
    records: int
    frame: list[FrameRow]


class Evidence(TypedDict):
    """How to check all this."""

    first: int
    last: int
    records: int
    head: Head
    ledger: str
    witness: str
    verify: str


class PeriodReport(Charted):
    """The report's data."""

    schema: int
    range: Range
    verdict: Verdict
    counts: ReportCounts
    comparison: list[Figure]
    days: list[Day]
    domains: list[Domain]
    hosts: list[Host]
    findings: list[Finding]
    incidents: list[Incident]
    changes: list[Change]
    plan: list[Planned]
    late: list[Late]
    backup: list[BackupRow]
    runs: list[Run]
    evidence: Evidence
