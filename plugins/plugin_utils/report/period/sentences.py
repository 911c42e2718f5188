# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sentences of the report of a range of days, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import sentence_of
from ansible_collections.egov.ops.plugins.plugin_utils.report import sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import NOT_MEASURED, Language

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.types import (
        Before,
        DomainRow,
        Figure,
        Finding,
        PeriodReport,
        Range,
    )

#: Days without evidence that are named one by one; more are counted.
NAMED_DAYS = 7

#: Which of the statuses of findings a verdict counts.
_COUNTED = {"action": ("critical", "failed", "unreachable"), "watch": ("unknown", "warning")}


def title(data: PeriodReport, words: Language) -> str:
    """Return the report's title: the kind of range, and the platform or the group."""
    span = data["range"]
    platform = span["platform"] or words.text("page.platform")
    if span["group"]:
        platform = words.text("period.group", platform=platform, group=span["group"])
    kind = words.text(f"period.{span['period']}")
    return words.text("page.title", procedure=kind, platform=platform)


def dates(span: Range | Before, words: Language) -> str:
    """Return the days of a range."""
    first, last = words.whole_day(span["first"]), words.whole_day(span["last"])
    return first if first == last else words.text("period.dates", first=first, last=last)


def verdict(data: PeriodReport, words: Language) -> str:
    """Return the one sentence of the range: what stands at its end."""
    counts, code = data["counts"], data["verdict"]["code"]
    found = dict(counts["findings"]["status"])
    if not data["range"]["team"]:
        found["unreachable"] = counts["hosts"]["status"].get("unreachable", 0)
    listed = [status for status in _COUNTED.get(code, ()) if found.get(status)]
    told = words.text("list.comma").join(words.text(f"count.{status}", n=found[status]) for status in listed)
    if code in _COUNTED and not told:
        return words.text(f"verdict.period_{code}_hosts", n=counts["hosts"]["total"])
    return words.text(f"verdict.period_{code}", n=counts["hosts"]["total"], counts=told)


def facts(data: PeriodReport, words: Language) -> list[str]:
    """Return what must be known beside the verdict: what is missing, narrowed, late or not comparable."""
    span, told = data["range"], []
    gaps = [day["day"] for day in data["days"] if not day["runs"]]
    if gaps:
        key = "period.gaps_named" if len(gaps) <= NAMED_DAYS else "period.gaps"
        told.append(words.text(key, n=len(gaps), all=span["days"], days=words.names(words.day(day) for day in gaps)))
    if span["covered"] < span["last"]:
        told.append(words.text("period.covered", covered=words.day(span["covered"]), last=words.day(span["last"])))
    narrowed = sum(run["narrowed"] for run in data["runs"])
    if narrowed:
        told.append(words.text("period.narrowed", n=narrowed, all=len(data["runs"])))
    if span["team"]:
        told.append(words.text("period.only_team", team=words.word("team", span["team"])))
    if span["procedure"]:
        told.append(words.text("period.only_procedure", procedure=span["procedure"]))
    for late in data["late"]:
        end = _end(data)
        age = words.age(late["by"], end, "spelt")
        last = words.date(late["last"]) if late["last"] else ""
        key = "fact.late" if last else "fact.late_never"
        told.append(words.text(key, procedure=late["procedure"], age=age, last=last, command=late["command"]))
    if not span["before"]["has_evidence"]:
        told.append(words.text("period.nothing_before", dates=dates(span["before"], words)))
    return told


def domain(entry: DomainRow, words: Language) -> str:
    """Return the one sentence of a domain: what was measured last of each host."""
    measured = entry["measured"]
    if not measured["total"]:
        return words.text("period.no_evidence")
    return words.text(f"sentence.{sentence_of(entry['domain'])}", n=measured["total"], ok=words.number(measured["ok"]))


def change(row: Figure, words: Language) -> str:
    """Return the difference of a figure to the range before, with its sign; NOT_MEASURED where one is not known."""
    if row["now"] is None or row["before"] is None:
        return NOT_MEASURED
    difference = round(row["now"] - row["before"], 1)
    shown = words.number(int(difference) if difference == int(difference) else difference)
    return f"+{shown}" if difference > 0 else shown.replace("-", "\u2212")


def headline(rows: Sequence[Finding], words: Language, names_host: bool) -> str:
    """Return the title of one fault so that it stands alone."""
    return sentences.headline([row["record"] for row in rows], words, names_host)


def seen(rows: Sequence[Finding], words: Language) -> str:
    """Return the days from the first to the last on which a fault was seen."""
    first, last = min(row["first"]["day"] for row in rows), max(row["last"]["day"] for row in rows)
    return (
        words.day(first) if first == last else words.text("period.seen", first=words.day(first), last=words.day(last))
    )


def _end(data: PeriodReport) -> str:
    finished = [run["finished"] or run["started"] for run in data["runs"]]
    return max(finished)
