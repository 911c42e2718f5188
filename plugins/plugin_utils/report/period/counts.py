# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a range of days counts, against the range before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import REPORTED
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import ordered, state_of
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.model import (
    STANDING,
    STATES,
    Fold,
    PeriodMaterial,
    faults_of,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.trends import LOOKED

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.types import (
        Figure,
        Finding,
        Host,
        ReportCounts,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Measured


def counts_of(hosts: Sequence[Host], findings: Sequence[Finding], runs: int) -> ReportCounts:
    ours = [row for row in hosts if row["ours"]]
    faults = faults_of(findings)
    states = Counter(state_of(rows, STATES) for rows in faults)
    standing = [rows[0]["status"] for rows in faults if rows[0]["state"] in STANDING]
    return {
        "hosts": {
            "total": len(ours),
            "not_ours": len(hosts) - len(ours),
            "status": ordered(Counter(row["status"] for row in ours)),
        },
        "findings": {
            "total": len(faults),
            "status": ordered(Counter(standing)),
            "open": states["open"],
            "new": states["new"],
            "found": states["found"],
            "acknowledged": states["acknowledged"],
            "debt": states["debt"],
            "unseen": states["unseen"],
            "fixed": states["fixed"],
        },
        "runs": runs,
    }


def comparison(material: PeriodMaterial) -> list[Figure]:
    """Return each figure of the range and of the one before: None where nothing is known."""
    now, before = _figures(material.fold), _figures(material.before)
    return [
        {"name": name, "unit": unit, "now": value, "before": before[name][0]} for name, (value, unit) in now.items()
    ]


def _figures(fold: Fold) -> dict[str, tuple[float | None, str]]:
    measured = {domain: measured_of(fold, domain) for domain in REPORTED}
    shares = {domain: _share(found["ok"], found["total"]) for domain, found in measured.items()}
    pending = [row["security"] for row in fold.updates.values() if row["security"] is not None]
    known, is_looked_at = bool(fold.runs), any(day.is_looked_at() for day in fold.days.values())
    return {
        "runs": (len(fold.runs) if known else None, ""),
        "days": (len(fold.days) if known else None, ""),
        "answered": (_share(sum(fold.answered.values()), sum(fold.asked.values())), "%"),
        "found": (len(fold.findings) if fold.findings or is_looked_at else None, ""),
        "health": (shares["health"], "%"),
        "backup": (shares["backup"], "%"),
        "hardening": (shares["hardening"], "%"),
        "security": (sum(pending) if pending else None, ""),
    }


def measured_of(fold: Fold, domain: str) -> Measured:
    """Return how many observations of a domain are OK, of how many, by the last of each host; 0 of 0 of none judged."""
    pairs = [pair for (_host, name), pair in fold.measured.items() if name == domain]
    good, total = sum(ok for ok, _of in pairs), sum(of for _ok, of in pairs)
    is_judged = good or any(marks.get(domain) in (*LOOKED, "failed") for marks in fold.hosts.values())
    return {"ok": good, "total": total if is_judged else 0}


def _share(some: int, all_of: int) -> float | None:
    """Return a share in per cent with one decimal, None of nothing; only a whole one is 100."""
    if not all_of:
        return None
    return 100 if some == all_of else min(99.9, round(100 * some / all_of, 1))
