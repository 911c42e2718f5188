# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a run: a row for each, with a mark for each domain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report.model import STEP, Stored, worst

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Detail
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Finding, HostRow

#: What a record must say for its host to have a verdict.
_KNOWN = ("ok", "warning", "critical")


def host_rows(
    observed: list[Stored], announced: Detail, domains: list[str], findings: Sequence[Finding]
) -> list[HostRow]:
    """Return a row for each host of the inventory and of the records, in the inventory's order."""
    names = [name for group in ("inventory", "hosts", "not_ours") for name in announced.get(group) or []]
    not_ours = set(announced.get("not_ours") or [])
    statuses: dict[str, dict[str, set[str]]] = {name: {} for name in names}
    known, dead = set(), set()
    records: Counter[str] = Counter()
    for stored in observed:
        record = stored.record
        host, status, is_step = record["host"], record["status"], record["kind"] == STEP
        records[host] += 1
        # A performed step says nothing of the host; what it observed does.
        shown = statuses.setdefault(host, {}).setdefault(record["domain"], set())
        if not (is_step and status == "ok"):
            shown.add(status)
        if status in _KNOWN or (status == "failed" and not is_step):
            known.add(host)
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
                "findings": count[name],
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
