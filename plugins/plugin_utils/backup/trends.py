# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watching the backups from the ledger's records: sizes, durations, and the room that is left; pure.

A value is judged against the median of those before it and their median deviation, a trend by the median of the slopes
between all pairs (Theil and Sen): one outlier moves neither. Where there are too few values, that is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import median
from typing import Any, NamedTuple

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

CLAUSES = ("S6.2.3-4",)
STORAGE_CLAUSES = ("S6.2.1-1", "S6.2.1-3")

Observation = Mapping[str, Any]
#: A time in days and a value at it.
Point = tuple[float, float]

#: The statuses of a repository's room that was measured.
JUDGED = ("ok", "warning", "critical")

#: Fewest values for a judgement, and most that are looked at.
FEWEST, MOST = 8, 60
#: A value is unusual so many deviations from the median, and by no less than this share of it.
DEVIATIONS, SHARE = 5.0, 0.25
#: The median deviation of a normal distribution is its standard deviation divided by this.
NORMAL = 1.4826
#: Fewest days that a forecast rests upon, and the farthest that it looks, as a multiple of these.
SPAN_DAYS, REACH = 14.0, 10.0
#: Days until a repository is full from which on it is a finding.
SOON, NEAR = 90.0, 14.0


class Trend(NamedTuple):
    """A line through points: its slope a day with the band that holds most slopes, and how many points there were."""

    slope: float
    low: float
    high: float
    points: int
    days: float


def size(name: str, values: Sequence[float]) -> Observation:
    """Judge the newest of a set's sizes, oldest first, by those before it."""
    before, last = list(values[:-1])[-MOST:], values[-1] if values else 0.0
    if len(before) < FEWEST:
        return _too_few("size", name, len(values), FEWEST + 1)
    usual = median(before)
    deviation = max(NORMAL * median(abs(value - usual) for value in before), SHARE * usual / DEVIATIONS)
    unusual = abs(last - usual) > DEVIATIONS * deviation
    message = f"The newest backup of set {name} has {_bytes(last)}, where {_bytes(usual)} are usual."
    act = "See what was added or is missing in the set (the difference: egov.ops.backup_run with --diff)."
    status = "warning" if unusual else "ok"
    return _observe("size", name, status, message, bytes=last, usual=usual, deviation=round(deviation), next=act)


def duration(name: str, points: Sequence[Point]) -> Observation:
    """Judge whether the backups of a set take longer and longer, from days and seconds, oldest first."""
    points = points[-MOST:]
    line = trend(points)
    if line is None:
        return _too_few("duration", name, len(points), FEWEST)
    usual = median(seconds for _day, seconds in points)
    grown = line.slope * line.days
    longer = line.low > 0 and grown > max(60.0, 0.5 * usual)
    message = (
        f"A backup of set {name} takes {usual:.0f} s, and {abs(grown):.0f} s {'more' if grown >= 0 else 'less'} than "
        f"{line.days:.0f} days ago."
    )
    act = "See what has grown, and whether the time for backups still suffices (backup_timeout)."
    return _observe(
        "duration", name, "warning" if longer else "ok", message, usual=round(usual, 1), grown=round(grown, 1), next=act
    )


def storage(
    name: str, measured: Mapping[str, int] | None, quota: int, points: Sequence[Point], needed: float
) -> Observation:
    """Judge the room of a repository: what is free, when it will be full, and whether what is kept fits into it.

    measured is what the host has seen, None for a repository elsewhere; points are its sizes by day; needed are the
    bytes that it will hold once all is there that the plan keeps, 0 where that is not known.
    """
    used = float(measured["used"]) if measured else points[-1][1] if points else 0.0
    rooms = [float(measured["free"])] if measured else []
    rooms += [max(0.0, quota - used)] if quota else []
    if not rooms:
        message = f"What room repository {name} has is not known: it is elsewhere, and the plan gives it no quota."
        return _observe("storage", name, "skipped", message, STORAGE_CLAUSES, "no_history", used=used)
    room, line = min(rooms), trend(points)
    # Judged as it is shown: 14.0 days that are really 13.97 would be critical for no reason that anybody sees.
    days = (math.inf,) * 3
    if line is not None:
        days = (
            round(_until(room, line.high), 1),
            round(_until(room, line.slope), 1),
            round(_until(room, line.low), 1),
        )
    told, method = _forecast(line, days, len(points))
    message = f"Repository {name} uses {_bytes(used)} and has room for {_bytes(room)}; {told}."
    status, act = "ok", ""
    if line is not None and days[1] < SOON:
        status = "critical" if days[1] < NEAR else "warning"
        act = "Give it more room, or keep less (egov_ops_backup_retention)."
    if needed > used + room:
        status = "critical"
        message += f" What the plan keeps will take about {_bytes(needed)} and does not fit."
        act = "Give it more room before it is full, or keep less (egov_ops_backup_retention)."
    return _observe(
        "storage",
        name,
        status,
        message,
        STORAGE_CLAUSES,
        used=used,
        room=room,
        needed=round(needed),
        method=method,
        days_until_full=[None if math.isinf(value) else value for value in days],
        next=act,
    )


def trend(points: Sequence[Point]) -> Trend | None:
    """Return the line through points, None where they bear none: too few, or in too few days."""
    points = points[-MOST:]
    days = points[-1][0] - points[0][0] if points else 0.0
    if len(points) < FEWEST or days < SPAN_DAYS:
        return None
    slopes = sorted(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for earlier, later in combinations(points, 2)
        if later[0] > earlier[0]
    )
    if not slopes:
        return None
    tenth = len(slopes) // 10
    return Trend(median(slopes), slopes[tenth], slopes[-1 - tenth], len(points), days)


def needed_by(added: Mapping[str, Sequence[float]], kept: Mapping[str, int]) -> float:
    """Return the bytes that some sets will take once as many snapshots of each are there as the plan keeps.

    added are by set the bytes that each backup added, oldest first: the largest is the whole, the others what changes.
    A set of which too few are known counts for nothing.
    """
    total = 0.0
    for name, values in added.items():
        if len(values) > FEWEST and name in kept:
            whole = max(values)
            rest = list(values)
            rest.remove(whole)
            total += whole + (kept[name] - 1) * median(rest)
    return total


def _until(room: float, slope: float) -> float:
    return room / slope if slope > 0 else math.inf


def _forecast(line: Trend | None, days: tuple[float, ...], points: int) -> tuple[str, str]:
    """Return when a repository will be full, in words, and by which method."""
    if line is None:
        return f"no forecast, since {points} measurements bear none ({FEWEST} over {SPAN_DAYS:.0f} days do)", ""
    method = f"Theil-Sen line through {line.points} measurements of {line.days:.0f} days, band of 80 % of the slopes"
    if line.high <= 0:
        return "it does not grow", method
    if days[1] > REACH * line.days:
        return f"it will not be full within {REACH * line.days:.0f} days, which is as far as this looks", method
    last = "open" if math.isinf(days[2]) else f"{days[2]:.0f}"
    return f"it will be full in about {days[1]:.0f} days (band {days[0]:.0f} to {last})", method


def _too_few(kind: str, name: str, there: int, wanted: int) -> Observation:
    message = f"Set {name} has too few backups to judge its {kind}: {there} of {wanted}."
    return _observe(kind, name, "skipped", message, CLAUSES, "no_history")


def _observe(
    kind: str,
    subject: str,
    status: str,
    message: str,
    clauses: tuple[str, ...] = CLAUSES,
    reason: str = "",
    **more: Any,
) -> Observation:
    act = more.pop("next", "")
    shown = {"next": act} if act and status not in ("ok", "skipped") else {}
    found: Observation = observation(kind, subject, status, reason, clauses, message=message, **more, **shown)
    return found


def _bytes(value: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.4g} TB"
