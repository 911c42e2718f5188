# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types that the data of both reports share: for the type checker alone, so that no run loads this module.

A moment is a text as `iso` writes it, in UTC; a day one like `2026-11-24`, in the plan's zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record

#: How many things there are of each status.
Counts = dict[str, int]


class KeyFields(TypedDict):
    """What is stable over runs, as `model.Key` has it."""

    host: str
    domain: str
    kind: str
    subject: str


class Headed(TypedDict, total=False):
    """How a run's procedure is called in titles, by language; nothing where the catalogue is silent."""

    heading: Mapping[str, str]


class Procedure(Headed):
    """A run of a procedure."""

    procedure: str


class Acknowledged(TypedDict):
    """What a person has said of a finding; `made` is when, `seq` in which record, `sort` acknowledged or debt."""

    until: str
    ticket: str
    name: str
    reason: str
    made: str
    seq: int
    signed: bool
    sort: str
    owner: str
    user: str
    expired: bool


class DebtRow(TypedDict):
    """A finding that stands as debt; `since` is when it began, `age` in seconds, `accepted` when it was accepted."""

    id: str
    key: str
    host: str
    status: str
    title: str
    members: list[str]
    owner: str
    reason: str
    accepted: str
    until: str
    since: str
    age: int
    seq: int


class OfRecord(TypedDict):
    """A row that is made of a record of the ledger."""

    record: Record


class Fault(KeyFields, OfRecord):
    """What a finding of either report has; the same one on several hosts has one `id`."""

    id: str
    status: str
    state: str
    acknowledged: Acknowledged | None
    key: str
    owner: str
    clauses: list[str]
    hash: str
    title: str
    why: str
    next: str


class Named(TypedDict):
    """A row of a host."""

    name: str


class Late(TypedDict):
    """A procedure that is late: since when, when it was done last, and the command that runs it."""

    procedure: str
    by: str
    last: str | None
    command: str


class Measured(TypedDict):
    """How many things are good, of how many."""

    ok: int
    total: int


class Value(TypedDict):
    """A value that has a limit with one end; `share` tells how much of it is used, 1.0 at the limit."""

    host: str
    kind: str
    subject: str
    status: str
    value: float
    unit: str
    limit: str
    share: float
    seq: int


class Series(TypedDict):
    """A line of a chart: a point for each day, None where nothing is known."""

    label: str
    points: Sequence[float | None]


class Chart(TypedDict):
    """The course of values of one unit."""

    name: str
    unit: str
    limit: float | None
    series: list[Series]


class Trends(TypedDict):
    """The charts over some days."""

    days: list[str]
    charts: list[Chart]


class Head(TypedDict):
    """The end of the chain."""

    count: int
    hash: str


class FrameRow(TypedDict):
    """A record of the run itself: its begin, its seal."""

    kind: str
    seq: int
    hash: str


class Charted(TypedDict):
    """A report with charts."""

    trends: Trends
