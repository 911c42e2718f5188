# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of the data of a run's report, as docs/report.schema.json has them: for the type checker alone."""

from __future__ import annotations

from typing import TypedDict, final

from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.update_types import UpdateRow
from ansible_collections.egov.ops.plugins.plugin_utils.report.types import (
    Charted,
    Counts,
    DebtRow,
    Fault,
    FrameRow,
    Head,
    KeyFields,
    Late,
    Measured,
    Named,
    Procedure,
    Value,
)


class Compared(TypedDict):
    """The run before."""

    run: str
    started: str


class Run(Procedure):
    """The run; `limit` and `tags` are "" and [] where it was not narrowed, `next` is when it is due again."""

    id: str
    started: str
    finished: str
    platform: str
    zone: str
    limit: str
    tags: list[str]
    interrupted: bool
    next: str | None
    compared_with: Compared | None


class HostCounts(TypedDict):
    """How many hosts there are."""

    total: int
    with_verdict: int
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
    fixed: int
    unseen: int


class RecordCounts(TypedDict):
    """How many records there are."""

    total: int
    status: Counts


class ReportCounts(TypedDict):
    """What the first screen counts."""

    hosts: HostCounts
    findings: FindingCounts
    records: RecordCounts


class StepCounts(TypedDict):
    """How many steps were announced, recorded and carried out."""

    expected: int
    recorded: int
    present: int


class Verdict(TypedDict):
    """The one status of the run; `missing` has the domains or modules that are missing, by reason."""

    status: str
    code: str
    complete: bool
    missing: dict[str, list[str]]
    steps: StepCounts
    sentence: str
    facts: list[str]


class DomainRow(TypedDict):
    """What came of a domain."""

    domain: str
    status: str
    code: str
    hosts: Counts
    records: Counts
    measured: Measured
    without: int


class Domain(DomainRow):
    """A domain with its sentence."""

    sentence: str


class HostRow(Named):
    """What came of a host, with its status in each domain; `findings` is None where nobody could look for any."""

    status: str
    domains: dict[str, str]
    since: str | None
    findings: int | None
    records: int
    has_verdict: bool
    ours: bool


class Host(HostRow):
    """A host with the statuses of its last days, and by domain the digest of its records' hashes."""

    days: list[str]
    digests: dict[str, str]


class Finding(Fault):
    """A finding of a host; `age` is in seconds, `also` are further records that say the same of a dead host."""

    reason: str
    value: float | str | bool | None
    unit: str
    warning: float | str | bool | None
    critical: float | str | bool | None
    since: str
    age: int
    seq: int
    also: list[int]


class Gone(KeyFields):
    """What the run before found and this one no longer does; the record is the earlier one."""

    record: Record
    title: str


@final
class Fixed(Gone):
    """What was seen to be OK, in the record of this run with a number."""

    seq: int


@final
class Unseen(Gone):
    """What was not looked at again since a time."""

    status: str
    since: str


class GoneFindings(TypedDict):
    """What is no longer found."""

    fixed: list[Fixed]
    unseen: list[Unseen]


class Override(TypedDict):
    """Gates that somebody overrode."""

    seq: int
    host: str
    gates: str
    reason: str
    user: str


class Health(TypedDict):
    """Statuses of the probes by layer, and the values that are closest to their limits."""

    layers: dict[str, Counts]
    closest: list[Value]


class _ChangeFacts(TypedDict, total=False):
    author: str
    time: str
    diff: list[str]


class FileChange(_ChangeFacts):
    """A file that differs between two versions, and who changed it when."""

    path: str
    change: str


class _Explained(TypedDict, total=False):
    message: str


class ToldVersion(_Explained):
    """A new version of a configuration, as a host told it: what differs and who changed it, and how much more."""

    changes: list[FileChange]
    more: int


class Version(ToldVersion):
    """A new version, of the record with a number."""

    seq: int


class _Restorable(TypedDict):
    status: str
    seq: int
    finished: str
    repository: str | None
    snapshot: str | None
    files: int | None
    bytes: int | None


class Copy(_Restorable):
    """The newest backup of a set, or the newest proof with what it restored; `bytes` and `files` count it."""

    method: str | None


class Drill(_Restorable):
    """A restore drill of a set: how long it took, how much work would be lost, and what came back; None: not known."""

    rto_seconds: float | None
    rpo_seconds: float | None


class _Versioned(TypedDict, total=False):
    version: Version
    drill: Drill


class BackupRow(_Versioned):
    """A backup set of a host."""

    host: str
    set: str
    backup: Copy | None
    proof: Copy | None


class Step(TypedDict):
    """A module call on a host; `duration` is in seconds."""

    module: str
    domain: str
    host: str
    status: str
    reason: str
    started: str
    duration: float | None
    seq: int


class Quiet(KeyFields):
    """A record that is no finding, in short."""

    seq: int
    status: str
    reason: str
    value: object
    unit: str


class Evidence(TypedDict):
    """How to check all this."""

    first: int
    last: int
    records: int
    steps_expected: int
    steps_present: int
    head: Head
    ledger: str
    witness: str
    verify: str
    frame: list[FrameRow]


class RunReport(GoneFindings, Charted):
    """The report's data."""

    schema: int
    run: Run
    counts: ReportCounts
    verdict: Verdict
    domains: list[Domain]
    hosts: list[Host]
    findings: list[Finding]
    debt: list[DebtRow]
    late: list[Late]
    overrides: list[Override]
    health: Health
    backup: list[BackupRow]
    updates: list[UpdateRow]
    days: list[str]
    steps: list[Step]
    records: list[Quiet]
    evidence: Evidence


class Coverage(TypedDict):
    """How many steps were announced, recorded and carried out, of which domains, and what is missing, by reason."""

    expected: int
    recorded: int
    answered: int
    domains: set[str]
    missing: dict[str, list[str]]


class Strips(TypedDict):
    """The last days, and of each host a status for each."""

    days: list[str]
    hosts: dict[str, list[str]]
