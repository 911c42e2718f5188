# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of a validation as data, as its JSON has them: for the type checker alone."""

from __future__ import annotations

from typing import TypedDict


class ProblemData(TypedDict):
    """A mistake: `severity` is error or warning, `line` is 0 where the file as a whole is meant."""

    severity: str
    rule: str
    file: str
    line: int
    variable: str
    path: list[str]
    value: str
    allowed: str
    message: str
    hosts: list[str]


class AcceptedData(TypedDict, total=False):
    """Who accepts a change and why; empty for one that nobody does."""

    reason: str
    person: str


class ChangeData(TypedDict):
    """An effect of a change; `before` and `after` are values of the plan."""

    effect: str
    weakens: bool
    digest: str
    file: str
    line: int
    variable: str
    path: list[str]
    before: object
    after: object
    message: str
    hosts: list[str]
    accepted: AcceptedData


class _SetKeys(TypedDict, total=False):
    keys: list[str]
    removes: bool


class LayerData(_SetKeys):
    """A layer of the plan with its place; of an entry the keys that it sets, and whether it removes the entry."""

    layer: str
    file: str
    line: int


class _Origin(TypedDict, total=False):
    value: object
    kept: bool


class EntryData(_Origin):
    """The layers of a variable, with its value, or of an entry of one, with whether the plan keeps it."""

    variable: str
    entry: str
    layers: list[LayerData]


class Explanation(TypedDict, total=False):
    """Where the plan of a host comes from; empty where nobody asked, or it cannot be followed."""

    host: str
    groups: list[str]
    entries: list[EntryData]


class Validation(TypedDict):
    """All that is wrong with an inventory, and what a change of it means."""

    schema: int
    inventory: str
    base: str
    loaded: bool
    hosts: int
    files: list[str]
    not_checked: list[str]
    unknown: dict[str, int]  # how many values of each variable nobody could judge
    changes: list[ChangeData]
    explain: Explanation
    problems: list[ProblemData]
