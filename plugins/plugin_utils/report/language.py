# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's languages: words from one catalogue, numbers, durations, and times in the plan's zone."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from zoneinfo import ZoneInfo

from ansible_collections.egov.ops.plugins.plugin_utils.common import DOMAINS
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import read_time

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Procedure

LANGUAGES = ("en", "zh")

#: What stands where nothing was measured; zero is "0".
NOT_MEASURED = "–"

#: Seconds from which a duration is told in hours.
_LONG = 7200

#: Made by tools/generate.py of messages.yml, which takes each run twenty times as long to read.
_CATALOGUE = Path(__file__).with_name("messages.json")
_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


@functools.cache
def catalogue() -> Mapping[str, Mapping[str, str | list[str]]]:
    """Return each message's texts by language; a list of two is singular and plural."""
    words: dict[str, Mapping[str, str | list[str]]] = json.loads(_CATALOGUE.read_bytes())
    return {**words, **{f"domain.{name}": domain.title for name, domain in DOMAINS.items()}}


class DateParts(TypedDict):
    """The parts of a moment, as messages name them."""

    year: int
    number: int
    month: str
    day: int
    clock: str


class Language:
    """Words and figures of one language and one zone."""

    def __init__(self, code: str, zone: str = "UTC") -> None:
        """Take a language code and an IANA zone; a zone that this machine does not know is UTC and labelled so.

        Raises ValueError for a language that the report does not have.
        """
        if code not in LANGUAGES:
            raise ValueError(f"The report has no language {code!r}; use one of {', '.join(LANGUAGES)}.")
        self.code = code
        self._messages = {key: texts[code] for key, texts in catalogue().items()}
        self._zone = _zone(zone)

    def text(self, key: str, n: int | None = None, **values: object) -> str:
        """Return a message with its values; `n` chooses singular or plural and is a value too."""
        pattern = self._messages[key]
        if isinstance(pattern, list):
            pattern = pattern[0] if n == 1 else pattern[1]
        if n is not None:
            values["n"] = self.number(n)
        return pattern.format(**values) if values else pattern

    def word(self, family: str, name: str) -> str:
        """Return the word for a name of an open set (a domain, a procedure); the name itself where there is none."""
        pattern = self._messages.get(f"{family}.{name}", name)
        return pattern if isinstance(pattern, str) else name

    def heading(self, run: Procedure) -> str:
        """Return how a run's procedure is called in a title: as the catalogue says, or by its name."""
        heading = run.get("heading") or {}
        return heading.get(self.code) or run["procedure"].rpartition(".")[2]

    def names(self, items: Iterable[str]) -> str:
        """Return names as a list in words."""
        return self.text("list.names").join(items)

    def number(self, value: float) -> str:
        """Return a number with its thousands marked."""
        return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"

    def measure(self, value: object, unit: str = "") -> str:
        """Return a measured value with its unit; bytes in the unit that suits their size."""
        if value is None or value == "":
            return NOT_MEASURED
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"{value} {unit}".strip()
        if unit in ("B", "byte", "bytes"):
            return _bytes(value)
        return f"{self.number(value)}%" if unit == "%" else f"{self.number(value)} {unit}".strip()

    def duration(self, seconds: float | None) -> str:
        """Return a duration, rounded to what a reader can use."""
        if seconds is None:
            return NOT_MEASURED
        if seconds >= _LONG:
            hours, minutes = divmod(round(seconds / 60), 60)
            return f"{self.text('time.hours', n=hours)} {self.text('time.minutes', n=minutes)}"
        if seconds < 60:
            shown = f"{seconds:.2f}" if seconds < 10 else f"{seconds:.0f}"
            return self.text("time.seconds").replace("{n}", shown)
        minutes, rest = divmod(round(seconds), 60)
        return f"{self.text('time.minutes', n=minutes)} {self.text('time.seconds', n=rest)}"

    def age(self, since: str, until: str, family: str = "time") -> str:
        """Return the time between two moments in its largest unit; of the family "spelt" as a word."""
        seconds = (read_time(until) - read_time(since)).total_seconds()
        for unit, length in (("days", 86400), ("hours", 3600)):
            if seconds >= length:
                return self.text(f"{family}.{unit}", n=int(seconds // length))
        return self.text(f"{family}.minutes", n=max(0, int(seconds // 60)))

    def date(self, moment: str) -> str:
        """Return the day of a moment."""
        return self.text("time.date", **self._parts(moment))

    def weekday(self, moment: str) -> str:
        """Return the day of a moment with its name."""
        weekdays = self.text("time.weekdays").split()
        return self.text("time.weekday", weekday=weekdays[self._local(moment).weekday()], date=self.date(moment))

    def time(self, moment: str) -> str:
        """Return day and time of a moment, without year; NOT_MEASURED for none."""
        return self.text("time.short", **self._parts(moment)) if moment else NOT_MEASURED

    def day(self, day: str) -> str:
        """Return a day, given as `2026-11-24`, without its year."""
        _year, month, number = day.split("-")
        name = self.text("time.months").split()[int(month) - 1]
        return self.text("time.day", day=int(number), month=name, number=int(month))

    def whole_day(self, day: str) -> str:
        """Return a day, given as `2026-11-24`, with its year."""
        year, month, number = (int(part) for part in day.split("-"))
        name = self.text("time.months").split()[month - 1]
        return self.text("time.date", day=number, month=name, number=month, year=year)

    def clock(self, moment: str) -> str:
        """Return the time of day of a moment, with seconds."""
        return f"{self._local(moment):%H:%M:%S}"

    def period(self, start: str, end: str) -> str:
        """Return the times of day of two moments with the zone, the only place where the report names it."""
        times = [f"{self._local(moment):%H:%M}" for moment in (start, end)]
        return self.text("time.range", start=times[0], end=times[1], zone=self._offset(end))

    def _local(self, moment: str) -> datetime:
        return read_time(moment).astimezone(self._zone)

    def _parts(self, moment: str) -> DateParts:
        local = self._local(moment)
        return {
            "year": local.year,
            "number": local.month,
            "month": self.text("time.months").split()[local.month - 1],
            "day": local.day,
            "clock": f"{local:%H:%M}",
        }

    def _offset(self, moment: str) -> str:
        offset = self._local(moment).utcoffset() or timedelta()
        minutes = int(offset.total_seconds() // 60)
        if not minutes:
            return "UTC"
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02}' if rest else ''}"


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # no such zone, or no zone data on this machine
        return timezone.utc


def _bytes(value: float) -> str:
    size, unit = float(value), 0
    while size >= 1024 and unit < len(_BYTE_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_BYTE_UNITS[unit]}" if unit else f"{size:.0f} B"
