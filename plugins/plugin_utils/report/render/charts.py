# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw courses and the timeline of a run as SVG: axes from zero, a gap where nothing was measured, words for values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import inert
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from markupsafe import Markup

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Run, Step
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Chart

#: Units of the drawing: about as many pixels as it has in its column, so that its text is as large as other labels.
WIDTH, HEIGHT = 360, 140
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 66, 10, 22

#: Stroke of each series: told apart without colour by its dashes.
_DASHES = ("", "5 3", "2 3", "8 3 2 3")

#: Characters of a name in a drawing.
_NAME = 22

_TICKS = (1, 2, 2.5, 5, 10)


def course(chart: Chart, days: Sequence[str], words: Language) -> Markup:
    """Return one chart of the data's `trends` as SVG."""
    known = [point for series in chart["series"] for point in series["points"] if point is not None]
    top = 100.0 if chart["unit"] == "%" else _ceiling(max([*known, chart["limit"] or 0, 1]), chart["unit"])
    parts = [*_grid(top, chart["unit"], words), *_dates(days, words), *_gaps(chart, len(days))]
    ends: list[float] = []
    if chart["limit"] and chart["limit"] <= top:
        y = _y(chart["limit"], top)
        parts.append(Markup('<path class="limit" d="M{} {:.1f}H{}"/>').format(_LEFT, y, WIDTH - _RIGHT))
        parts.append(_text(WIDTH - _RIGHT + 6, _apart(y, ends) + 4, words.measure(chart["limit"], chart["unit"])))
    for number, series in enumerate(chart["series"]):
        dashes = _DASHES[number % len(_DASHES)]
        line = Markup('<path class="line" stroke-dasharray="{}" d="{}"/>')
        parts.extend(line.format(dashes, path) for path in _lines(series["points"], top))
        last = next((point for point in reversed(series["points"]) if point is not None), None)
        if last is not None:
            y = _apart(_y(last, top), ends)
            parts.append(_text(WIDTH - _RIGHT + 6, y + 4, words.measure(last, chart["unit"])))
    return _drawing(parts, HEIGHT)


def timeline(steps: Sequence[Step], run: Run, words: Language) -> Markup:
    """Return when each step of a run was at work, from its first host to its last one."""
    begin = read_time(run["started"])
    spans: dict[str, tuple[float, float]] = {}
    for step in steps:
        start = (read_time(step["started"]) - begin).total_seconds()
        first, last = spans.get(step["module"], (start, start))
        spans[step["module"]] = min(first, start), max(last, start + (step["duration"] or 0))
    length = max([(read_time(run["finished"]) - begin).total_seconds(), *(last for _first, last in spans.values()), 1])
    left, right = 130, WIDTH - 84  # room for a step's name, and for minutes and seconds
    scale, parts = (right - left) / length, []
    for row, (module, (first, last)) in enumerate(spans.items()):
        y = 6 + 20 * row
        parts.append(_text(0, y + 11, module))
        parts.append(
            Markup('<rect class="bar" x="{:.1f}" y="{}" width="{:.1f}" height="12"/>').format(
                left + max(first, 0) * scale, y, max(2.0, (last - max(first, 0)) * scale)
            )
        )
        parts.append(_text(right + 6, y + 11, words.duration(last - first)))
    return _drawing(parts, 12 + 20 * len(spans))


#: Units of a day in a strip: its width, and the height of a full bar.
DAY, BAR = 4, 14

#: How high the bar of each status is; the others are full.
_HEIGHTS = {"ok": 3, "warning": 7, "skipped": 1, "none": 1}


def strip(statuses: Sequence[str], label: str) -> Markup:
    """Return a host's days as one bar each, high where something is wrong, one path for each status.

    What is not known is an outline, and a day without a record a dot: it reads without colour.
    """
    paths: dict[str, str] = {}
    for status, (start, length) in _stretches(statuses):
        height = _HEIGHTS.get(status, BAR)
        left, width = start * DAY, length * DAY - 1
        paths[status] = paths.get(status, "") + f"M{left} {BAR}h{width}v-{height}h-{width}z"
    parts = [Markup('<path class="b-{}" d="{}"/>').format(status, path) for status, path in sorted(paths.items())]
    frame = Markup('<svg class="strip" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>')
    width = len(statuses) * DAY
    return frame.format(width, BAR + 1, width, BAR + 1, inert(label), Markup("").join(parts))


def _stretches(statuses: Sequence[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield each status with its first day and its number of days in a row; what is not known day by day."""
    start = 0
    for status, group in itertools.groupby(statuses):
        length = len(list(group))
        if status == "ok":
            yield status, (start, length)
        else:
            yield from ((status, (start + number, 1)) for number in range(length))
        start += length


def _drawing(parts: Sequence[Markup], height: int) -> Markup:
    frame = Markup('<svg class="chart" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>')
    return frame.format(WIDTH, height, Markup("").join(parts))


def _text(x: float, y: float, text: str, anchor: str = "start") -> Markup:
    shown = inert(text)
    shown = shown if len(shown) <= _NAME else f"{shown[: _NAME - 1]}…"
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, shown)


def _ceiling(value: float, unit: str) -> float:
    """Return the next round number, the top of an axis; of bytes one that is round in the unit in which it is shown."""
    scale = 1024.0 ** min(int(math.log(value, 1024)), 5) if unit == "bytes" else 1.0
    power = 10.0 ** math.floor(math.log10(value / scale))
    return scale * next(tick * power for tick in _TICKS if tick * power * scale >= value)


def _x(index: int, count: int) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * index / max(1, count - 1)


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * min(max(value, 0), top) / top


def _apart(wanted: float, taken: list[float]) -> float:
    """Return a place for a label that is 11 units from those before it."""
    while any(abs(wanted - other) < 11 for other in taken):
        wanted += 11
    taken.append(wanted)
    return wanted


def _grid(top: float, unit: str, words: Language) -> Iterator[Markup]:
    for share in (0, 0.5, 1):
        y = _y(top * share, top)
        kind = "zero" if share == 0 else "hair"
        yield Markup('<path class="{}" d="M{} {:.1f}H{}"/>').format(kind, _LEFT, y, WIDTH - _RIGHT)
        value = top * share
        shown = words.measure(int(value) if value == int(value) else value, unit).replace(".0 ", " ")
        yield _text(_LEFT - 6, y + 4, shown, "end")


def _dates(days: Sequence[str], words: Language) -> Iterator[Markup]:
    """Yield up to four dates, the first and the last among them."""
    count = min(4, len(days))
    for number in range(count):
        index = round(number * (len(days) - 1) / max(1, count - 1))
        yield _text(_x(index, len(days)), HEIGHT - 6, words.day(days[index]), "middle")


def _gaps(chart: Chart, count: int) -> Iterator[Markup]:
    """Yield a band for each day of which no series knows anything."""
    step = (WIDTH - _LEFT - _RIGHT) / max(1, count - 1)
    for index in range(count):
        if all(series["points"][index] is None for series in chart["series"]):
            left = max(_LEFT, _x(index, count) - step / 2)
            right = min(WIDTH - _RIGHT, _x(index, count) + step / 2)
            yield Markup('<rect class="gap" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(
                left, _TOP, right - left, HEIGHT - _TOP - _BOTTOM
            )


def _lines(points: Sequence[float | None], top: float) -> Iterator[str]:
    """Yield a path for each unbroken run of points; one that stands alone is a short dash."""
    path: list[str] = []
    for index, point in enumerate([*points, None]):
        if point is not None:
            path.append(f"{_x(index, len(points)):.1f} {_y(point, top):.1f}")
        elif path:
            yield f"M{path[0]}h3" if len(path) == 1 else "M" + "L".join(path)
            path = []
