# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the data of a range of days as Markdown, as a summary for the terminal, and as one line for each host."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import inert
from ansible_collections.egov.ops.plugins.plugin_utils.report import sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import NOT_MEASURED, Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import state_of
from ansible_collections.egov.ops.plugins.plugin_utils.report.period import sentences as period_sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.model import STANDING, STATES, faults_of
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.markdown import LISTED, code, plain, table
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.text import folded, padded

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.types import Finding, PeriodReport

#: Faults that the summary shows.
SHOWN = 5


def render_period_markdown(data: PeriodReport, language: str) -> str:
    """Return the report in short: verdict, the figures against the range before, the findings, the evidence.

    Raises ValueError for a language that the report does not have.
    """
    words = Language(language, data["range"]["zone"])
    t, faults = words.text, faults_of(data["findings"])
    heading = t("list.comma").join((period_sentences.title(data, words), period_sentences.dates(data["range"], words)))
    lines = [
        f"**{plain(heading)}**",
        "",
        f"**{plain(t('status.' + data['verdict']['status']))}: {plain(period_sentences.verdict(data, words))}**",
        "",
        *(f"{plain(fact)}  " for fact in period_sentences.facts(data, words)),
        "",
        *table([t(f"column.{name}") for name in ("figure", "now", "before", "change")], _figures(data, words)),
    ]
    if faults:
        heads = ["status", "finding_short", "seen", "team", "next"]
        rows = [_fault(rows, data, words) for rows in faults[:LISTED]]
        lines += ["", *table([t(f"column.{head}") for head in heads], rows)]
    if len(faults) > LISTED:
        lines += ["", plain(t("text.more", n=len(faults) - LISTED))]
    head = data["evidence"]["head"]
    return "\n".join([*lines, "", f"`#{head['count']}` `{code(head['hash'][:16])}`", ""])


def render_period_text(data: PeriodReport, language: str, width: int = 0) -> str:
    """Return the summary that a person reads in ten seconds, folded where it is wider than a given width.

    Raises ValueError for a language that there is not.
    """
    words = Language(language, data["range"]["zone"])
    heading = (period_sentences.title(data, words), period_sentences.dates(data["range"], words))
    lines = [words.text("list.comma").join(heading), period_sentences.verdict(data, words)]
    lines += [*period_sentences.facts(data, words), ""]
    for figure, now, before, change in _figures(data, words):
        lines.append(f"{padded(figure, 34)} {padded(now, 12)} {padded(before, 12)} {change}")
    standing = [rows for rows in faults_of(data["findings"]) if rows[0]["state"] in STANDING]
    lines.append("")
    for rows in standing[:SHOWN]:
        status = padded(words.text(f"status.{rows[0]['status']}").lower(), 11)
        headline = period_sentences.headline(rows, words, len(data["hosts"]) > 1)
        lines.append(f"  {status} {headline} ({period_sentences.seen(rows, words)})")
    if len(standing) > SHOWN:
        lines.append(words.text("text.more", n=len(standing) - SHOWN))
    return folded(lines, width)


def render_period_lines(data: PeriodReport) -> str:
    """Return a line for each host, its fields parted by tabs, the same words in each language.

    Host, last status, a status for each domain, runs with a verdict of runs, findings that stand, the last day on
    which it was seen; `-` where there is nothing.
    """
    lines = []
    for host in data["hosts"]:
        domains = ",".join(f"{name}={status}" for name, status in host["domains"].items()) or "-"
        answered = f"{host['answered']}/{host['asked']}" if host["asked"] else "-"
        fields = [
            host["name"],
            host["status"],
            domains,
            answered,
            "-" if host["findings"] is None else str(host["findings"]),
        ]
        fields.append(host["seen"] or "-")
        lines.append("\t".join(inert(text) for text in fields))
    return "".join(f"{line}\n" for line in lines)


def _figures(data: PeriodReport, words: Language) -> Iterable[list[str]]:
    for row in data["comparison"]:
        measures = [words.measure(value, row["unit"]) for value in (row["now"], row["before"])]
        yield [words.text(f"figure.{row['name']}"), *measures, period_sentences.change(row, words)]


def _fault(rows: Sequence[Finding], data: PeriodReport, words: Language) -> list[str]:
    first = rows[0]
    return [
        f"{words.text('status.' + first['status'])} ({words.text('state.' + state_of(rows, STATES))})",
        period_sentences.headline(rows, words, len(data["hosts"]) > 1),
        period_sentences.seen(rows, words),
        words.word("team", first["owner"]) if first["owner"] else NOT_MEASURED,
        sentences.next_act(first["record"], [row["host"] for row in rows], words),
    ]
