# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of the roll-up of a run, and of what several of them are folded into: for the type checker alone."""

from __future__ import annotations

from datetime import date
from typing import TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.report.period.types import Outcome
from ansible_collections.egov.ops.plugins.plugin_utils.report.types import FrameRow, Value


class RolledFrame(FrameRow):
    """A record of the run itself; of a seal, how many hosts there are and how many are bad."""

    status: str
    reason: str
    finished: str
    hosts: int
    bad: int


class RolledHost(TypedDict):
    """What a run says of a host; of each domain `[ok, of]` is how many observations are good, of how many."""

    domains: dict[str, str]
    measured: dict[str, list[int]]
    verdict: bool
    ours: bool


class RolledSet(TypedDict):
    """What came of a backup set of a host."""

    host: str
    set: str
    bytes: int | None
    backup: Outcome | None
    proof: Outcome | None


class RolledUpdates(TypedDict):
    """How many updates of a host are pending; None where it is not known."""

    host: str
    seq: int
    pending: int | None
    security: int | None
    late: int | None


class RolledRun(TypedDict):
    """Of a run what its row of the report is made of; first and last are numbers of records."""

    run: str
    procedure: str
    started: str
    narrowed: bool
    frame: list[RolledFrame]
    first: int
    last: int
    records: int


#: A finding: host, domain, kind, subject, status, number of its record.
RolledFinding = tuple[str, str, str, str, str, int]


class RollUp(RolledRun):
    """What one run says of its hosts; `waiting` is the number of those of which nothing is written yet."""

    version: int
    waiting: int
    hosts: dict[str, RolledHost]
    findings: list[RolledFinding]
    values: list[Value]
    backups: list[RolledSet]
    updates: list[RolledUpdates]


class FoldedRun(RolledRun):
    """A run of a fold: its day, and whether it did what its procedure is due for."""

    day: date
    whole: bool


class LastOutcomes(TypedDict, total=False):
    """The last backup and the last proof of a set that are good."""

    backup: Outcome
    proof: Outcome


class FoldedSet(TypedDict):
    """Of a backup set `[good, all]` of its backups and proofs, the last good ones, and its size."""

    backup: list[int]
    proof: list[int]
    last: LastOutcomes
    bytes: int | None
