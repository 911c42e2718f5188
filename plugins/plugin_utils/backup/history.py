# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the ledger says of a host's backups over time, put before those who judge it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.backup import freshness, trends
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import iso, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan

Records = list[dict[str, Any]]
DAY = 86400.0
#: Days of the ledger that a judgement looks at.
LOOKED_AT = 400


def watch(
    plan: Plan,
    state: StateDir,
    host: str,
    sets: Mapping[str, Mapping[str, Any]],
    measured: Mapping[str, Mapping[str, int]],
    now: datetime,
    fresh: bool = True,
) -> list[Mapping[str, Any]]:
    """Return the observations of a host's sets and repositories; measured is what the host has seen of those on it.

    fresh tells whether freshness is to be judged too, which each backup does by itself.
    """
    since = iso(now - timedelta(days=LOOKED_AT))
    backups = _by_subject(evidence.records_of(state, host, "backup", ("ok", "warning"), since))
    stored = _by_subject(evidence.records_of(state, host, "storage", trends.JUDGED, since))
    found, added = [], {}
    for name, entry in sorted(sets.items()):
        own = backups.get(name, [])
        made = [record for record in own if record["detail"].keys() >= {"added_bytes", "bytes"}]
        added[name] = [(_seconds(record["finished"]) / DAY, float(record["detail"]["added_bytes"])) for record in made]
        if fresh:
            found.append(freshness.judge(name, entry, freshness.newest_of(own), now))
        found.append(trends.size(name, [float(record["detail"]["bytes"]) for record in made]))
        lasting = [record for record in made if record["detail"].get("duration") is not None]
        times = [(_seconds(record["finished"]) / DAY, float(record["detail"]["duration"])) for record in lasting]
        found.append(trends.duration(name, times))
    kept = {name: _kept(plan, entry) for name, entry in sets.items()}
    for name in sorted({place for entry in sets.values() for place in _places(entry)}):
        ours = [one for one, entry in sets.items() if name in _places(entry)]
        values = {one: [size for _day, size in added[one]] for one in ours}
        there = measured.get(name)
        if there:
            known = [(_seconds(record["finished"]) / DAY, record["detail"]["used"]) for record in stored.get(name, [])]
            points = [*known, (_seconds(iso(now)) / DAY, float(there["used"]))]
        else:  # what was sent there, since nobody can say what lies there
            sent = sorted(point for one in ours for point in added[one])
            points = list(zip([day for day, _size in sent], accumulate(size for _day, size in sent), strict=True))
        quota = plan["egov_ops_backup_repositories"].get(name, {}).get("quota", 0)
        found.append(trends.storage(name, there, quota, points, trends.needed_by(values, kept)))
    return found


def _places(entry: Mapping[str, Any]) -> set[str]:
    return {entry["repository"], *(entry.get("copies") or ())}


def _kept(plan: Plan, entry: Mapping[str, Any]) -> int:
    """Return how many snapshots of a set the plan keeps at most."""
    rule = plan["egov_ops_backup_retention"].get(entry.get("class"), {})
    return sum(int(rule.get(unit, 0)) for unit in ("days", "weeks", "months", "years"))


def _by_subject(records: Iterable[dict[str, Any]]) -> dict[str, Records]:
    """Return records by subject, oldest first."""
    found: dict[str, Records] = {}
    for record in sorted(records, key=lambda record: str(record["finished"])):
        found.setdefault(record["subject"], []).append(record)
    return found


def _seconds(moment: str) -> float:
    return read_time(moment).astimezone(timezone.utc).timestamp()
