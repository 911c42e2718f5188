# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the report's data as the summary that a person reads in ten seconds at the end of a run."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import inert
from ansible_collections.egov.ops.plugins.plugin_utils.report import debt, sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import KNOWN, is_of_controller, state_of

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Finding, RunReport

MAX_LINES = 25

#: What stands before the words of a line: blanks, or a domain and its status.
_BEFORE = re.compile(r"\s+(?:[a-z]+\s{2,})?|\S+(?: \S+)*\s{2,}(?:[A-Z]+\s{2,})?")

#: Faults that a domain shows at most.
PER_DOMAIN = 3


def render_text(data: RunReport, language: str, checks: bool = False, width: int = 0) -> str:
    """Return the summary in a language: verdict, each domain with its worst faults and what to do, evidence.

    That of a run that only checks says so first, and has no evidence. At most MAX_LINES lines, each whole; with a width
    those that are wider go on below. Raises ValueError for a language that the report does not have.
    """
    words = Language(language, data["run"]["zone"])
    names_host = len(data["hosts"]) > 1
    # What concerns the controller stands among the facts.
    faults = [rows for rows in sentences.faults(data) if not is_of_controller(rows[0]["record"])]
    top = [words.text("text.check")] if checks else []
    top += [sentences.verdict(data, words), *sentences.facts(data, words)]
    dead = [host["name"] for host in data["hosts"] if host["status"] == "unreachable"]
    if dead:
        top.append(words.text("fact.unreachable", hosts=words.names(dead)))
    # What is fixed: one line for each domain, two blank ones, what is left out, evidence.
    room = (MAX_LINES - len(top) - len(data["domains"]) - 4 - bool(data["debt"])) // 2
    shown = _chosen(faults, room)
    lines = [*top, ""]
    for entry in data["domains"]:
        if entry["code"] == "none":
            continue
        own = [rows for rows in faults if rows[0]["domain"] == entry["domain"]]
        sentence = sentences.domain(entry, words)
        if checks and entry["domain"] == "backup":
            sentence = words.text("text.check_backup", sentence=sentence)
        if own:
            sentence = words.text("text.findings", n=len(own), sentence=sentence)
        name = padded(words.word("domain", entry["domain"]), 11)
        status = padded(words.text(f"status.{entry['status']}").upper(), 12)
        lines.append(f"{name} {status} {sentence}")
        if entry["domain"] == "backup":
            lines += [f"  {' ' * 11} {drill}" for drill in sentences.drills(data, words)[:PER_DOMAIN]]
        for rows in own:
            if rows[0]["id"] in shown:
                lines += _fault(rows, data, words, names_host)
    left_out = sum(rows[0]["id"] not in shown and state_of(rows) != "debt" for rows in faults)
    if left_out:
        lines.append(words.text("text.check_more" if checks else "text.more", n=left_out))
    if data["debt"]:
        lines.append(debt.sentence(data, words))
    if checks:
        return folded(lines, width)
    head = data["evidence"]["head"]
    evidence = words.text(
        "text.evidence",
        n=data["evidence"]["records"],
        run=data["run"]["id"],
        count=words.number(head["count"]),
        hash=head["hash"][:16],
    )
    return folded([*lines, "", evidence], width)


def _chosen(faults: Sequence[Sequence[Finding]], room: int) -> set[str]:
    """Return the ids of the faults that there is room for: first each domain's worst, then each one's second.

    What is acknowledged is counted among those that are left out; debt has a line of its own.
    """
    ranked: list[tuple[int, str]] = []
    of_domain: Counter[str] = Counter()
    for rows in faults:
        if state_of(rows) in KNOWN:
            continue
        domain = rows[0]["domain"]
        of_domain[domain] += 1
        ranked.append((of_domain[domain], rows[0]["id"]))
    ranked.sort(key=lambda item: item[0])
    return {identifier for rank, identifier in ranked[: max(room, 0)] if rank <= PER_DOMAIN}


def _fault(rows: Sequence[Finding], data: RunReport, words: Language, names_host: bool) -> list[str]:
    status = padded(words.text(f"status.{rows[0]['status']}").lower(), 11)
    records = [row["record"] for row in rows]
    title = sentences.headline(records, words, names_host)
    since = min(row["since"] for row in rows)
    if since < data["run"]["started"]:
        title = words.text("text.since", title=title, since=words.time(since))
    next_act = sentences.next_act(records[0], [row["host"] for row in rows], words)
    return [f"  {status} {title}", f"  {' ' * 11} {words.text('text.next', next=next_act)}"]


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def padded(text: str, columns: int) -> str:
    """Return text with blanks up to some columns."""
    return text + " " * (columns - _columns(text))


def folded(lines: Sequence[str], width: int) -> str:
    """Return lines as text, harmless and whole; with a width those that are wider go on below their own words."""
    harmless = (inert(line).rstrip() for line in lines)
    return "".join(f"{part}\n" for line in harmless for part in (_folded(line, width) if width else [line]))


def _folded(line: str, width: int) -> list[str]:
    """Return the lines of a width that a wider one makes, folded at blanks, or where there is none anywhere."""
    if _columns(line) <= width:
        return [line]
    before = _BEFORE.match(line)
    indent = _columns(before[0]) if before else 0
    indent = indent if indent <= width // 2 else 0
    parts, rest = [], line
    while _columns(rest) > width:
        columns = itertools.accumulate(map(_columns, rest))
        fitting = max(1, sum(1 for column in itertools.takewhile(lambda column: column <= width, columns)))
        blank = rest.rfind(" ", indent + 1, fitting + 1)
        at = blank if blank > indent and rest[:blank].strip() else fitting
        parts.append(rest[:at].rstrip())
        rest = " " * indent + rest[at:].lstrip()
    return [*parts, rest]
