# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather from the ledger what the report of one run is built from."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ansible_collections.egov.ops.plugins.plugin_utils.common import OWNERS, place_of
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import REJECTED, Record, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement, unreachable
from ansible_collections.egov.ops.plugins.plugin_utils.schedule import Late, late_procedures

if TYPE_CHECKING:
    from typing import TypeVar

    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Strips
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import (
        Fault,
        Headed,
        KeyFields,
        OfRecord,
        Trends,
    )

    Row = TypeVar("Row", bound=OfRecord)

#: Statuses of a finding: something is wrong or not known. In `ok` nothing is, in `skipped` nothing was to be done.
LOUD = ("critical", "failed", "unreachable", "unknown", "warning")

#: The domain of the records that tell of the run itself, and the kind of those that tell of one module call.
RUN_DOMAIN = "run"
STEP = "step"
#: The kind of the record that ends a run, and the reason where the run was stopped before.
SEAL, INTERRUPTED = "seal", "interrupted"
#: The kind of those that tell that a gate was overridden.
OVERRIDE = "override"


class Key(NamedTuple):
    """What is stable over runs: new, open and fixed are told by it."""

    host: str
    domain: str
    kind: str
    subject: str

    def fields(self) -> KeyFields:
        """Return it as a row of the data has it."""
        return {"host": self.host, "domain": self.domain, "kind": self.kind, "subject": self.subject}


class Stored(Protocol):
    """A record and its place in the chain."""

    @property
    def seq(self) -> int:
        """Its place, counted from 1."""

    @property
    def hash(self) -> str:
        """The hash over it and the record before it."""

    @property
    def record(self) -> Record:
        """What was recorded."""


class Head(Protocol):
    """The end of the chain."""

    @property
    def count(self) -> int:
        """How many records there are."""

    @property
    def hash(self) -> str:
        """The hash of the last record."""


class Ledger(Protocol):
    """The part of the ledger that a report reads."""

    def head(self) -> Head:
        """Return the end of the chain."""

    def records(
        self,
        *,
        run: str | None = None,
        host: str | None = None,
        domain: str | None = None,
        kind: str | None = None,
        subject: str | None = None,
        since: str | None = None,
        upto: int | None = None,
        status: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> Iterable[Stored]:
        """Return the records that match all that is given, in their order."""

    def last_whole_run(self, procedure: str, upto: int) -> Stored | None:
        """Return the newest seal, up to a numbered record, of a run that did what its procedure is due for."""

    def previous_run(self, run: str, procedure: str) -> str | None:
        """Return the id of the run of a procedure before another one."""

    def streaks(self, run: str, statuses: Sequence[str]) -> dict[int, str]:
        """For each record of a run with one of some statuses, by number: when the streak of that status began."""


@dataclass(frozen=True)
class Facts:
    """What the report says and the ledger does not hold: from the plan, and where things lie."""

    platform: str = ""
    zone: str = "UTC"
    ledger: str = ""
    witness: str = ""
    procedures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)

    def command(self, playbook: str) -> str:
        """Return the command that runs a playbook of ours."""
        return self.commands.get(playbook, f"ansible-playbook egov.ops.{playbook}")


@dataclass(frozen=True)
class Previous:
    """The run before: what to compare with."""

    run: str
    started: str
    findings: list[Record]


def _no_trends() -> Trends:
    return {"days": [], "charts": []}


def _no_strips() -> Strips:
    return {"days": [], "hosts": {}}


@dataclass(frozen=True)
class Material:
    """All that `build` is given."""

    records: list[Stored]
    head: Head
    facts: Facts = Facts()
    previous: Previous | None = None
    since: Mapping[Key, str] = field(default_factory=dict)
    late: Sequence[Late] = ()
    acknowledgements: Sequence[acknowledgement.Acknowledgement] = ()
    trends: Trends = field(default_factory=_no_trends)
    strips: Strips = field(default_factory=_no_strips)


def key_of(record: Record) -> Key:
    """Return what a record is about."""
    return Key(record["host"], record["domain"], record["kind"], record["subject"])


def owner_of(record: Record, procedures: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the team that owns a finding; a host that does not answer is the system team's. "" where none is known."""
    if record["kind"] == STEP and record["status"] == "unreachable":
        return "SYS"
    name = str(record["procedure"]).rpartition(".")[2]
    return OWNERS.get(record["domain"]) or str(procedures.get(name, {}).get("team") or "")


def heading_of(procedure: str, procedures: Mapping[str, Mapping[str, Any]]) -> Headed:
    """Return as `heading` how a procedure is called in titles, in each language; {} where the catalogue is silent."""
    heading = procedures.get(procedure.rpartition(".")[2], {}).get("heading")
    return {"heading": heading} if heading else {}


def is_there(record: Record) -> bool:
    """Tell whether a record says that something is wrong or not known, of a host or of the controller."""
    return is_finding(record) or is_of_controller(record)


def age_of(since: str, until: str) -> int:
    """Return the whole seconds between two moments, 0 where the first is the later one."""
    return max(0, int((read_time(until) - read_time(since)).total_seconds()))


def is_finding(record: Record) -> bool:
    """Tell whether a record says that something of a host is wrong or not known."""
    return record["status"] in LOUD and record["domain"] != RUN_DOMAIN and not is_cut_off(record)


def is_cut_off(record: Record) -> bool:
    """Tell whether a step has no result because the run was stopped, which says nothing of its host."""
    return (record["kind"], record["reason"]) == (STEP, INTERRUPTED)


def is_interrupted(record: Record) -> bool:
    """Tell whether a record is the seal of a run that was stopped, which concerns the controller."""
    return (record["domain"], record["kind"], record["reason"]) == (RUN_DOMAIN, SEAL, INTERRUPTED)


def is_set_aside(record: Record) -> bool:
    """Tell whether a record says that evidence of some run could not be taken, which concerns the controller."""
    return (record["domain"], record["kind"]) == (RUN_DOMAIN, REJECTED)


def is_of_controller(record: Record) -> bool:
    """Tell whether a record of a run is a finding about the controller."""
    return is_set_aside(record) or is_interrupted(record)


def late_at(ledger: Ledger, last: Stored, facts: Facts) -> list[Late]:
    """Return the procedures that were late when a run wrote its last record."""
    done: dict[str, datetime | None] = {}
    for name in facts.procedures:
        seal = ledger.last_whole_run(name, last.seq)
        done[name] = read_time(seal.record["finished"]) if seal else None
    first = next(iter(ledger.records(limit=1)))
    times = read_time(first.record["finished"]), read_time(last.record["finished"])
    return late_procedures(facts.procedures, done, *times, facts.zone)


#: The states of a finding, in the order in which they stand for several: found where there is no earlier run.
STATES = ("open", "new", "found", "acknowledged", "debt")

#: Those of findings that people know.
KNOWN = ("acknowledged", "debt")

#: Which status a host or domain with several shows: what is known to be bad, then what is not known.
MARK_ORDER = ("critical", "failed", "unreachable", "unknown", "warning", "ok", "skipped", "none")


def worst(statuses: Iterable[str]) -> str:
    """Return the one status that several are shown as; "none" for none."""
    return min(statuses, key=MARK_ORDER.index, default="none")


def named_alike(record: Record) -> tuple[str, ...]:
    """Return what the records of one fault on several hosts have in common."""
    detail = record["detail"]
    names = (record["status"], record["domain"], record["kind"], record["subject"], record["reason"])
    if record["kind"] == STEP and record["status"] == "unreachable":  # its message names the host
        return *names, unreachable.class_of(record)
    return names + tuple(str(detail.get(name) or "") for name in ("message", "why", "next"))


def finding_order(record: Record) -> tuple[int, int, tuple[str, ...], str]:
    """Return what the records of findings are sorted by: the worst first, then by domain, the same fault together."""
    return MARK_ORDER.index(record["status"]), place_of(record["domain"]), named_alike(record), record["host"]


def same_faults(rows: Iterable[Row]) -> list[list[Row]]:
    """Return rows that stand in order as a reader sees them: the same fault on several hosts together."""
    return [list(group) for _fault, group in itertools.groupby(rows, lambda row: named_alike(row["record"]))]


def ordered(counter: Mapping[str, int]) -> dict[str, int]:
    """Return how often each status is there, the worst first."""
    return {status: counter[status] for status in MARK_ORDER if counter.get(status)}


def state_of(rows: Iterable[Fault], order: Sequence[str] = STATES) -> str:
    """Return the state of one fault on several hosts: the first of some states that it has on any of them."""
    states = {row["state"] for row in rows}
    return next(state for state in order if state in states)
