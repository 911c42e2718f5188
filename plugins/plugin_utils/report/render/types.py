# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of what pages show beside the report's data: for the type checker alone.

What a template alone reads is a `Mapping[str, object]`: no checker looks into templates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Step


class ShownFault(TypedDict):
    """A fault with its texts in the reader's language; `whole` are its first records, `others` the rest in short."""

    id: str
    status: str
    state: str
    title: str
    headline: str
    known: list[str]
    domain: str
    owner: str
    began: str
    why: str
    next: str
    hosts: list[str]
    where: str
    clauses: list[str]
    whole: Sequence[Mapping[str, object]]
    others: Sequence[Mapping[str, object]]


class RunFault(ShownFault):
    """A fault of a run: since when, and how long that is."""

    since: str
    age: str


class PeriodFault(ShownFault):
    """A fault of a range: whether it is there at the end, and on which days it was seen."""

    stands: bool
    seen: str
    days: str


class Panel(TypedDict):
    """The records of a host: those of its findings by status, and those that are none."""

    findings: dict[str, list[Mapping[str, object]]]
    ok: list[Mapping[str, object]]
    skipped: list[Mapping[str, object]]


class ModuleRow(Step):
    """The first step of a module with its worst status: on how many hosts it was done, and its most seconds."""

    done: int
    hosts: int
    longest: float | None


class HostRecord(TypedDict):
    """A host, and the number of its record."""

    host: str
    seq: int
