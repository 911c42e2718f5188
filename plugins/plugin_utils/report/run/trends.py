# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The course of single values over the last days, read from the ledger by their keys; no value makes a gap."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Protocol

from ansible_collections.egov.ops.plugins.plugin_utils.ledger import iso, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report.run import figures

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record
    from ansible_collections.egov.ops.plugins.plugin_utils.report.model import Stored
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Chart, Series, Trends

    #: Makes a line of a chart, given the fields that select its records, the label, and the field of their details.
    Course = Callable[[Mapping[str, str], str, str], Series]

#: Days that a chart shows.
DAYS = 30

#: Values closest to their limits, backup sets and hosts with pending security updates of which the course is told.
VALUES, SETS, HOSTS = 3, 2, 4

#: Points from which on there is a course to see.
ENOUGH = 3

BAD = ("critical", "failed", "unreachable")
WATCHED = ("unknown", "warning")

#: What is recorded where something was looked at and judged.
LOOKED = ("ok", "warning", "critical")


class History(Protocol):
    """The part of the ledger that a course is read from."""

    def records(
        self,
        *,
        host: str | None = None,
        domain: str | None = None,
        kind: str | None = None,
        subject: str | None = None,
        since: str | None = None,
        upto: int | None = None,
    ) -> Iterable[Stored]:
        """Return the records that match all that is given, in their order."""


def courses(ledger: History, records: Sequence[Stored], zone: str) -> Trends:
    """Return `days` and `charts`, each `{name, unit, limit, series}`, up to the last record of a run.

    A series has a `label` and one of `points` for each day: the last value of the day, None where there is none.
    """
    last = records[-1]
    place = zone_of(zone)
    until = read_time(last.record["finished"])
    since = iso(until - timedelta(days=DAYS - 1))
    procedure = last.record["procedure"]
    seals = [
        stored.record
        for stored in ledger.records(domain="run", kind="seal", subject=procedure, since=since, upto=last.seq)
    ]
    seen = [day_of(record["finished"], place) for record in seals]
    end = until.astimezone(place).date()
    days = [end - timedelta(days=back) for back in range((end - min(seen, default=end)).days, -1, -1)]
    if len(days) < ENOUGH:
        return {"days": [day.isoformat() for day in days], "charts": []}

    def course(key: Mapping[str, str], label: str, field: str) -> Series:
        found = ledger.records(**key, since=since, upto=last.seq)
        return {"label": label, "points": points_of(days, place, (value_of(stored.record, field) for stored in found))}

    charts = [_findings(days, place, seals), *_health(records, course), *_backups(records, course)]
    charts.append(_updates(records, course))
    enough = [chart for chart in charts if any(known_points(series) >= ENOUGH for series in chart["series"])]
    return {"days": [day.isoformat() for day in days], "charts": enough}


def _findings(days: list[date], place: tzinfo, seals: list[Record]) -> Chart:
    series: list[Series] = []
    for label, statuses in (("bad", BAD), ("watched", WATCHED)):
        values = (_counted(record, statuses) for record in seals)
        series.append({"label": label, "points": points_of(days, place, values)})
    return chart_of("findings", "", None, series)


def _counted(record: Record, statuses: Sequence[str]) -> tuple[str, float | None]:
    """Return how many records of some statuses a run left; None for none where nothing was judged.

    A run that was cut off has not counted them.
    """
    counts = record["detail"].get("statuses")
    if not isinstance(counts, dict):
        return record["finished"], None
    total = sum(counts.get(status, 0) for status in statuses)
    return record["finished"], total if total or any(counts.get(status) for status in LOOKED) else None


def _health(records: Sequence[Stored], course: Course) -> list[Chart]:
    charts = []
    for row in figures.health(records)["closest"][:VALUES]:
        key = {"domain": "health", "host": row["host"], "kind": row["kind"], "subject": row["subject"]}
        label = row["kind"] if row["kind"] == row["subject"] else f"{row['kind']} {row['subject']}"
        limit = row["value"] / row["share"] if row["share"] else None
        series = [course(key, f"{row['host']} {label}", "value")]
        charts.append(chart_of("health", row["unit"], round(limit, 2) if limit else None, series))
    return charts


def _backups(records: Sequence[Stored], course: Course) -> list[Chart]:
    rows = [
        (-row["backup"]["bytes"], row["host"], row["set"])
        for row in figures.backup(records)
        if row["backup"] and isinstance(row["backup"]["bytes"], int)
    ]
    rows.sort()
    charts = []
    for name, unit, field in (("backup_size", "bytes", "bytes"), ("backup_time", "s", "duration")):
        series = []
        for _size, host, name_of_set in rows[:SETS]:
            key = {"domain": "backup", "kind": "backup", "host": host, "subject": name_of_set}
            series.append(course(key, f"{host} {name_of_set}", field))
        charts.append(chart_of(name, unit, None, series))
    return charts


def _updates(records: Sequence[Stored], course: Course) -> Chart:
    pending = []
    for stored in records:
        record = stored.record
        if (record["kind"], record["subject"]) == ("package_list", "pending"):
            number = value_of(record, "security")[1]
            if number:
                pending.append((number, record["host"]))
    most = sorted(pending, key=lambda entry: (-entry[0], entry[1]))
    key = {"domain": "updates", "kind": "package_list", "subject": "pending"}
    series = [course({**key, "host": host}, host, "security") for _number, host in most[:HOSTS]]
    return chart_of("updates", "", None, series)


def chart_of(name: str, unit: str, limit: float | None, series: list[Series]) -> Chart:
    """Return a chart of the data's `trends`."""
    return {"name": name, "unit": unit, "limit": limit, "series": series}


def value_of(record: Record, field: str) -> tuple[str, float | None]:
    """Return when a value was taken, and the value; None where the record holds no number or could not be judged."""
    detail = record["detail"]
    counts = detail.get("counts")
    value = counts.get(field) if field == "security" and isinstance(counts, dict) else detail.get(field)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return record["finished"], value if is_number and record["status"] != "unknown" else None


def points_of(days: list[date], place: tzinfo, values: Iterable[tuple[str, float | None]]) -> list[float | None]:
    """Return for each day the last value that was taken on it, None where there is none."""
    found = {day_of(moment, place): value for moment, value in values}
    return [found.get(day) for day in days]


def known_points(series: Series) -> int:
    """Return of how many days a series knows a value."""
    return sum(point is not None for point in series["points"])


def day_of(moment: str, place: tzinfo) -> date:
    """Return the day of a moment in a zone."""
    return read_time(moment).astimezone(place).date()


def zone_of(name: str) -> tzinfo:
    """Return a zone by its name; UTC where this machine does not know it."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # no such zone, or no zone data on this machine
        return timezone.utc
