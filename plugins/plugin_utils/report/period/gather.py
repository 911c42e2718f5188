# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather what the report of a range of days is built from: the roll-ups of its runs, folded, and single records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo

from ansible_collections.egov.ops.plugins.plugin_utils.common import GATE, OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import catalogue
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import Facts, Key, Stored, late_at
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.model import (
    NAMED_GROUPS,
    Choice,
    Fold,
    History,
    PeriodMaterial,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup import Shelf
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.span import Span
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.trends import day_of, zone_of


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
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.trends import courses

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
