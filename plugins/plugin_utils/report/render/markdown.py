# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the report's data as Markdown, for a merge request or a chat, and as one line for each host, for a shell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import inert
from ansible_collections.egov.ops.plugins.plugin_utils.report import debt, sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import NOT_MEASURED, Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import same_faults, state_of

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Finding, RunReport

#: Faults that are listed; a chat takes some thousand characters. More are counted.
LISTED = 20

#: Characters of one text: a cell holds a sentence, not a document.
CELL_LIMIT = 300

#: Marks anywhere; a scheme or `www.`, of which a forge makes a link; what at the beginning makes a list or a heading.
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~&$^]|:(?=//)|(?<=www)\.|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)])", re.IGNORECASE)

#: What makes a forge tell a person or link to a ticket even where the character is escaped.
_MENTION = re.compile(r"[@#](?=\w)")
_WIDE = {"@": "\uff20", "#": "\uff03"}


def plain(text: object) -> str:
    """Return text as Markdown that shows it and does nothing else: no link, no markup, no mention, no new line."""
    shown = inert(str(text))
    if len(shown) > CELL_LIMIT:
        shown = f"{shown[:CELL_LIMIT]}…"
    return _MARKS.sub(r"\\\1", _MENTION.sub(lambda match: _WIDE[match.group()], shown))


def render_markdown(data: RunReport, language: str) -> str:
    """Return the report in short: verdict, domains, the worst findings and what to do, what is fixed, the evidence.

    Raises ValueError for a language that the report does not have.
    """
    words = Language(language, data["run"]["zone"])
    t, names_host = words.text, len(data["hosts"]) > 1
    faults = [rows for rows in sentences.faults(data) if state_of(rows) != "debt"]
    counts = data["counts"]["findings"]
    counted = [("found", counts["found"])]
    if data["run"]["compared_with"]:
        counted = [("new", counts["new"]), ("open", counts["open"])]
        counted += [("acknowledged", counts["acknowledged"]), ("debt", counts["debt"]), ("fixed", counts["fixed"])]
    lines = [
        f"**{plain(t('status.' + data['verdict']['status']))}: {plain(sentences.verdict(data, words))}**",
        "",
        *(f"{plain(fact)}  " for fact in sentences.facts(data, words)),
        plain(
            t("list.comma").join(f"{t('page.' + state)} {words.number(number)}" for state, number in counted)
            + f" ({words.weekday(data['run']['finished'])})"
        ),
        "",
        *table([t("column.domain"), t("column.status"), t("column.measured")], _domains(data, words)),
    ]
    if data["debt"]:
        lines += ["", plain(debt.sentence(data, words))]
    if faults:
        heads = ["status", "finding_short", "host_since", "team", "next"]
        rows = [_fault(group, words, names_host) for group in faults[:LISTED]]
        lines += ["", *table([t(f"column.{head}") for head in heads], rows)]
    if len(faults) > LISTED:
        lines += ["", plain(t("text.more", n=len(faults) - LISTED))]
    fixed = [
        sentences.headline([row["record"] for row in group], words, names_host) for group in same_faults(data["fixed"])
    ]
    unseen = [sentences.unseen(group, words, names_host) for group in same_faults(data["unseen"])]
    for titles, heading in ((fixed, t("page.fixed")), (unseen, t("findings.unseen"))):
        if titles:
            lines += ["", f"{plain(heading)}:", "", *(f"- {plain(line)}" for line in titles[:LISTED])]
        if len(titles) > LISTED:
            lines.append(f"- +{len(titles) - LISTED}")
    head, run = data["evidence"]["head"], data["run"]["id"]
    return "\n".join([*lines, "", f"`{code(run)}` `#{head['count']}` `{code(head['hash'][:16])}`", ""])


def render_lines(data: RunReport) -> str:
    """Return a line for each host, its fields parted by tabs, the same words in each language.

    Host, status, a status for each domain (`health=ok,backup=failed`), number of findings, since when it has this
    status (UTC), title of its worst finding; `-` where there is nothing.
    """
    worst: dict[str, str] = {}
    for finding in data["findings"]:
        worst.setdefault(finding["host"], finding["title"])
    lines = []
    for host in data["hosts"]:
        domains = ",".join(f"{name}={status}" for name, status in host["domains"].items())
        title = worst.get(host["name"], "-")
        fields = [host["name"], host["status"], domains, _known(host["findings"]), host["since"] or "-", title]
        lines.append("\t".join(inert(text) for text in fields))
    return "".join(f"{line}\n" for line in lines)


def _known(number: int | None) -> str:
    return "-" if number is None else str(number)


def _domains(data: RunReport, words: Language) -> Iterable[list[str]]:
    for entry in data["domains"]:
        name, status = words.word("domain", entry["domain"]), words.text(f"status.{entry['status']}")
        yield [name, status, sentences.domain(entry, words)]


def _fault(rows: Sequence[Finding], words: Language, names_host: bool) -> list[str]:
    records = [row["record"] for row in rows]
    since = min(row["since"] for row in rows)
    owner = rows[0]["owner"]
    return [
        f"{words.text('status.' + rows[0]['status'])} ({words.text('state.' + state_of(rows))})",
        sentences.headline(records, words, names_host),
        words.time(since),
        words.word("team", owner) if owner else NOT_MEASURED,
        sentences.next_act(records[0], [row["host"] for row in rows], words),
    ]


def table(heads: list[str], rows: Iterable[list[str]]) -> list[str]:
    """Return the lines of a table."""
    shown = [heads, *rows]
    lines = [f"| {' | '.join(plain(cell) for cell in row)} |" for row in shown]
    return [lines[0], f"|{'---|' * len(heads)}", *lines[1:]]


def code(text: str) -> str:
    """Return text that can stand between backticks."""
    return inert(text).replace("`", "'")
