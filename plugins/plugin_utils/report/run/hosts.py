# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a run: a row for each, with a mark for each domain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report.model import STEP, Stored, is_cut_off, worst

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Detail
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Finding, HostRow

#: What an observation must say for its host to have a verdict.
_JUDGED = ("ok", "warning", "critical", "failed")

#: How a record travelled that the controller made of a host which it did not reach, and one that it decided by itself.
_NOT_SENT, _CONTROLLER = "none", "controller"


def verdicts(observed: Iterable[Stored]) -> set[tuple[str, str]]:
    """Return the hosts and domains with a verdict: a step was done, or an observation judges what was looked at.

    What the controller knows of a host that did not answer, as the age of its backups, is no verdict of the run.
    """
    judged: set[tuple[str, str]] = set()
    decided: set[tuple[str, str]] = set()
    dead: set[str] = set()
    for stored in observed:
        record = stored.record
        place, status, via = (record["host"], record["domain"]), record["status"], record["via"]
        if record["kind"] == STEP:
            if status == "ok":
                judged.add(place)
            elif status == "unreachable":
                dead.add(record["host"])
        elif status in _JUDGED and via != _NOT_SENT:
            (decided if via == _CONTROLLER else judged).add(place)
    return judged | {place for place in decided if place[0] not in dead}


def host_rows(
    observed: list[Stored], announced: Detail, domains: list[str], findings: Sequence[Finding]
) -> list[HostRow]:
    """Return a row for each host of the inventory and of the records, in the inventory's order."""
    names = [name for group in ("inventory", "hosts", "not_ours") for name in announced.get(group) or []]
    not_ours = set(announced.get("not_ours") or [])
    statuses: dict[str, dict[str, set[str]]] = {name: {} for name in names}
    known, dead = {host for host, _domain in verdicts(observed)}, set()
    records: Counter[str] = Counter()
    for stored in observed:
        record = stored.record
        host, status, is_step = record["host"], record["status"], record["kind"] == STEP
        records[host] += 1
        if is_cut_off(record):
            continue
        # A performed step says nothing of the host; what it observed does.
        shown = statuses.setdefault(host, {}).setdefault(record["domain"], set())
        if not (is_step and status == "ok"):
            shown.add(status)
        if is_step and status == "unreachable":
            dead.add(host)
    since: dict[tuple[str, str], str] = {}
    count: Counter[str] = Counter()
    for finding in findings:
        place = finding["host"], finding["status"]
        since[place] = min(since.get(place, finding["since"]), finding["since"])
        count[finding["host"]] += 1
    rows: list[HostRow] = []
    for name, found in statuses.items():
        marks = {domain: _mark(found.get(domain), name in dead) for domain in domains}
        loud = [mark for mark in marks.values() if mark not in ("skipped", "none")]
        status = worst(loud or marks.values())
        rows.append(
            {
                "name": name,
                "status": status,
                "domains": marks,
                "since": since.get((name, status)),
                "findings": count[name] if count[name] or name in known else None,
                "records": records[name],
                "has_verdict": name in known,
                "ours": name not in not_ours,
            }
        )
    return rows


def _mark(statuses: set[str] | None, is_dead: bool) -> str:
    """Return a host's status in one domain; what was to be looked at on a dead host is unreachable too."""
    mark = "none" if statuses is None else worst(statuses or {"skipped"})
    return "unreachable" if is_dead and mark == "skipped" else mark
