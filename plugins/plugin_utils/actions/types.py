# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes into an action and comes out of it: for the type checker alone, so no task loads this module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Request
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Detail, Observation

#: The variables of a task. Any: Ansible defines their names and what they hold.
TaskVars = dict[str, Any]


class NoOptions(TypedDict):
    """The options of an action that takes none."""


class SnapshotRow(TypedDict, total=False):
    """What each half that lists snapshots says of one; time is ISO 8601 in UTC."""

    snapshot: str
    set: str
    time: str
    kind: str


class PathRow(TypedDict):
    """A path that a listing found in a snapshot; size is in bytes."""

    path: str
    type: str
    modified: str
    size: int


class Results(TypedDict, total=False):
    """What only some halves return, checked by their `RESULTS`, and what the controller adds to it."""

    diff: Sequence[Mapping[str, str]]
    measured: Mapping[str, Mapping[str, int]]
    operation: Request | str
    path_count: int
    paths: Sequence[PathRow]
    seen: Mapping[str, Sequence[str | bool]]
    snapshot_count: int
    snapshots: Sequence[SnapshotRow]
    without_us: Mapping[str, Sequence[str]]
    cpu: float | None
    python: str
    estimated: str
    failed: bool
    gate: Mapping[str, object]


class Common(Results):
    """What is known of each call of a half, also of one that failed."""

    changed: bool
    status: str
    reason: str
    msg: str
    summary: Mapping[str, int]
    transport: str


class Met(TypedDict, total=False):
    """The marks of the machine that answered, and what is wrong with it, as the step's record has them."""

    machine: Mapping[str, str]
    machine_fault: str


class OfMachine(TypedDict, total=False):
    """What an outcome has of the machine, until it is recorded: the marks that came, and what they mean."""

    machine: Mapping[str, str] | None
    met: Met


class Outcome(Common, OfMachine):
    """What came of a half, or what stands in its place, with all its observations."""

    evidence: list[Observation]


class Brief(TypedDict):
    """An observation as Ansible gets it in a procedure; of its detail only `message` and `next` are left."""

    kind: str
    subject: str
    status: str
    reason: str
    detail: Detail


class HostResult(Common):
    """What Ansible gets of an Outcome: the worst of its observations, and how many there are."""

    evidence: Sequence[Observation | Brief]
    evidence_count: int


class Circumstances(Met, total=False):
    """What an auditor may ask of a step: the machine, Python, CPU and sources of the half, loop item, delegation."""

    python: str
    cpu: float | None
    sources: str
    item: str
    delegated_to: str
