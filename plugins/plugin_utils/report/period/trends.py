# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The course of values over a range of days: from its roll-ups, and of single values from their records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report.model import Key
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.span import Span
from ansible_collections.egov.ops.plugins.plugin_utils.report.run import trends

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.model import Day, Fold, History, PeriodMaterial
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Chart, Series, Trends, Value

Course = Sequence[tuple[str, float | None]]


def courses(ledger: History, fold: Fold, span: Span) -> dict[str, Course]:
    """Return by its name the course of each value and backup set that a chart is drawn of, from their records."""
    found: dict[str, Course] = {}
    for value in _values(fold):
        key = Key(value["host"], "health", value["kind"], value["subject"])
        found[_name(value)] = _course(ledger, key, "value", span, fold.last)
    for host, name in _sets(fold):
        key = Key(host, "backup", "backup", name)
        for field in ("bytes", "duration"):
            found[f"{field} {host} {name}"] = _course(ledger, key, field, span, fold.last)
    return found


def charts(material: PeriodMaterial) -> Trends:
    """Return `days` and `charts` of a range, of the form that `trends.courses` gives."""
    fold, days = material.fold, material.span.days()
    place = trends.zone_of(material.span.zone)
    drawn = [_findings(fold, days)]
    for value in _values(fold):
        limit = value["value"] / value["share"] if value["share"] else None
        points = trends.points_of(days, place, material.courses[_name(value)])
        line: Series = {"label": _name(value), "points": points}
        drawn.append(trends.chart_of("health", value["unit"], round(limit, 2) if limit else None, [line]))
    for chart, unit, field in (("backup_size", "bytes", "bytes"), ("backup_time", "s", "duration")):
        series: list[Series] = [
            {
                "label": f"{host} {name}",
                "points": trends.points_of(days, place, material.courses[f"{field} {host} {name}"]),
            }
            for host, name in _sets(fold)
        ]
        drawn.append(trends.chart_of(chart, unit, None, series))
    drawn.append(_updates(fold, days))
    enough = [chart for chart in drawn if any(trends.known_points(row) >= trends.ENOUGH for row in chart["series"])]
    return {"days": [day.isoformat() for day in days], "charts": enough}


def _course(ledger: History, key: Key, field: str, span: Span, upto: int) -> Course:
    host, domain, kind, subject = key
    found = ledger.records(
        host=host, domain=domain, kind=kind, subject=subject, since=span.since, until=span.until, upto=upto
    )
    return [trends.value_of(stored.record, field) for stored in found]


def _values(fold: Fold) -> list[Value]:
    values = sorted(fold.values.values(), key=lambda value: (-value["share"], value["seq"]))
    return values[: trends.VALUES]


def _name(value: Value) -> str:
    label = value["kind"] if value["kind"] == value["subject"] else f"{value['kind']} {value['subject']}"
    return f"{value['host']} {label}"


def _sets(fold: Fold) -> list[tuple[str, str]]:
    known = [(-row["bytes"], *place) for place, row in fold.sets.items() if row["bytes"] is not None]
    return [(host, name) for _size, host, name in sorted(known)[: trends.SETS]]


def _findings(fold: Fold, days: Sequence[date]) -> Chart:
    series: list[Series] = []
    for label, statuses in (("bad", trends.BAD), ("watched", trends.WATCHED)):
        points = [_counted(fold.days[day], statuses) if day in fold.days else None for day in days]
        series.append({"label": label, "points": points})
    return trends.chart_of("findings", "", None, series)


def _counted(day: Day, statuses: Sequence[str]) -> int | None:
    """Return how many findings of a day have some statuses; None for none where nothing was judged."""
    number = sum(status in statuses for status in day.findings.values())
    return number if number or day.is_looked_at() else None


def _updates(fold: Fold, days: Sequence[date]) -> Chart:
    points = [
        sum(fold.days[day].security.values()) if day in fold.days and fold.days[day].security else None for day in days
    ]
    return trends.chart_of("updates", "", None, [{"label": "", "points": points}])
