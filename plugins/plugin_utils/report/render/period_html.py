# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the data of a range of days as one HTML file that asks nothing of any network."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report import sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import KNOWN, MARK_ORDER, state_of
from ansible_collections.egov.ops.plugins.plugin_utils.report.period import incidents
from ansible_collections.egov.ops.plugins.plugin_utils.report.period import sentences as period_sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.model import STANDING, STATES, faults_of
from ansible_collections.egov.ops.plugins.plugin_utils.report.render import charts, page
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import ACT_FIRST, choices_of, trends_of
from markupsafe import Markup

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.types import (
        Figure,
        Finding,
        Host,
        PeriodReport,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.report.render.types import PeriodFault

#: Faults of which the page has a row; more are counted, and the JSON has them.
LISTED_FAULTS = 400

#: Records of one fault that are shown whole; of those on further hosts the number, up to so many.
WHOLE_RECORDS, LISTED_RECORDS = 3, 100

#: Changes that have a row; more are counted.
LISTED_CHANGES = 500

#: Runs that a day names; more are counted.
NAMED_RUNS = 4

#: The chapter that each figure of the comparison counts.
_PLACES = {"runs": "evidence", "days": "days", "answered": "hosts", "found": "findings", "backup": "backup"}


def render_period(data: PeriodReport, language: str) -> str:
    """Return the report of a range as one HTML document in a language; the same data give the same bytes.

    Raises ValueError for a language that the report does not have.
    """
    words = Language(language, data["range"]["zone"])
    anchors = page.anchors_of(data["hosts"])
    links = page.links_of(anchors)
    all_faults = [_fault(rows, data, words) for rows in faults_of(data["findings"])]
    faults = all_faults[:LISTED_FAULTS]
    title, dates = period_sentences.title(data, words), period_sentences.dates(data["range"], words)
    head = f"#{data['evidence']['head']['count']} {data['evidence']['head']['hash'][:16]}"
    chapters = _chapters(data)
    return page.template("period.html.j2").render(
        **page.dressed(f"{title}{words.text('list.comma')}{dates}", head, words),
        data=data,
        words=words,
        t=words.text,
        title=title,
        dates=dates,
        before=period_sentences.dates(data["range"]["before"], words),
        sentence=period_sentences.verdict(data, words),
        facts=period_sentences.facts(data, words),
        states=_states(data),
        faults=faults,
        left_out=len(all_faults) - len(faults),
        acts=[fault for fault in faults if fault["stands"] and fault["state"] not in KNOWN],
        act_first=ACT_FIRST,
        comparison=[_figure(row, chapters, words) for row in data["comparison"]],
        domains=[{**entry, "sentence": period_sentences.domain(entry, words)} for entry in data["domains"]],
        hosts=[_host(row, anchors[row["name"]], words) for row in data["hosts"]],
        host=lambda name: links.get(name, name),  # the controller, whose spools may be spoilt, is no host of the page
        host_statuses=[
            (name, words.text(f"status.{name}"), count)
            for name, count in Counter(row["status"] for row in data["hosts"]).items()
        ],
        choices=choices_of(faults, words),
        chapters=chapters,
        incidents=incidents.chapter(data, {fault["id"] for fault in faults}, words),
        trends=trends_of(data, words),
        names={run["run"]: words.heading(run) for run in data["runs"]},
        statuses=MARK_ORDER,
        listed=LISTED_RECORDS,
        changes_listed=LISTED_CHANGES,
        runs_named=NAMED_RUNS,
    )


def _chapters(data: PeriodReport) -> list[str]:
    """Return the chapters in their fixed order; plan, backup and trends only where there is something to show."""
    optional: Mapping[str, Sequence[object]] = {
        "plan": data["plan"],
        "backup": data["backup"],
        "trends": data["trends"]["charts"],
    }
    shown = [name for name, content in optional.items() if content]
    return ["hosts", "findings", "days", "incidents", "changes", *shown, "evidence"]


def _states(data: PeriodReport) -> list[str]:
    """Return the states of findings that the first screen counts."""
    counts = data["counts"]["findings"]
    basic = ("new", "open", "fixed") if data["range"]["before"]["has_evidence"] else ("found", "fixed")
    numbers = {
        "found": counts["found"],
        "new": counts["new"],
        "open": counts["open"],
        "acknowledged": counts["acknowledged"],
        "debt": counts["debt"],
        "fixed": counts["fixed"],
        "unseen": counts["unseen"],
    }
    return [name for name, number in numbers.items() if name in basic or number]


def _fault(rows: Sequence[Finding], data: PeriodReport, words: Language) -> PeriodFault:
    """Return what the page shows of one fault and its records."""
    first, hosts = rows[0], [row["host"] for row in rows]
    state = state_of(rows, STATES)
    return {
        "id": first["id"],
        "status": first["status"],
        "state": state,
        "stands": state in STANDING,
        "title": sentences.title(first["record"], hosts, words),
        "headline": period_sentences.headline(rows, words, len(data["hosts"]) > 1),
        "known": sentences.known(rows, words),
        "domain": first["domain"],
        "owner": first["owner"],
        "began": min(row["first"]["day"] for row in rows),
        "why": sentences.why(first["record"], words),
        "next": sentences.next_act(first["record"], hosts, words),
        "hosts": hosts,
        "where": sentences.where(hosts, words),
        "clauses": sorted({clause for row in rows for clause in row["clauses"]}),
        "seen": period_sentences.seen(rows, words),
        "days": words.text("findings.days", n=max(row["days"] for row in rows)),
        "whole": [
            {**row, "stored": json.dumps(row["record"]["detail"], ensure_ascii=False, sort_keys=True)}
            for row in rows[:WHOLE_RECORDS]
        ],
        "others": rows[WHOLE_RECORDS:],
    }


def _figure(row: Figure, chapters: list[str], words: Language) -> dict[str, str]:
    place = _PLACES.get(row["name"], "hosts")
    return {
        "title": words.text(f"figure.{row['name']}"),
        "now": words.measure(row["now"], row["unit"]),
        "before": words.measure(row["before"], row["unit"]),
        "change": period_sentences.change(row, words),
        "place": place if place in chapters else "evidence",
    }


def _host(row: Host, anchor: str, words: Language) -> Mapping[str, object]:
    days = row["days"]
    label = words.text("strip.label", n=len(days), host=row["name"], ok=words.number(days.count("ok")))
    verdicts = words.text("page.of_plain", some=words.number(row["answered"]), all=words.number(row["asked"]))
    link = Markup('<a href="#findings" data-filter="text={}">{}</a>')
    return {
        **row,
        "anchor": anchor,
        "strip": charts.strip(days, label),
        "verdicts": verdicts if row["asked"] else None,
        "findings": link.format(page.quoted_address(row["name"]), words.measure(row["findings"])),
        "seen": words.day(row["seen"]) if row["seen"] else None,
    }
