# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the report's data as one HTML file that asks nothing of any network."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import REPORTED
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import CONTROLLER
from ansible_collections.egov.ops.plugins.plugin_utils.report import debt, sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import (
    KNOWN,
    MARK_ORDER,
    is_of_controller,
    same_faults,
    state_of,
    worst,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report.render import charts, hardening_chapter, page
from ansible_collections.egov.ops.plugins.plugin_utils.report.run import updates
from markupsafe import Markup

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.render.types import (
        ModuleRow,
        Panel,
        RunFault,
        ShownFault,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Finding, Fixed, RunReport
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Charted, KeyFields

#: Faults on the first screen.
ACT_FIRST = 5

#: Hosts for which a domain shows one mark each; more are counted.
MARKED_HOSTS = 20

#: Quiet records that are listed one by one, about 400 kB; of more only the numbers are said.
LISTED_RECORDS = 5000

#: Records of one fault that are shown whole; of those on further hosts, number and value.
WHOLE_RECORDS = 5

#: Hosts that have a line of words each; more stand in a matrix of several columns.
LISTED_HOSTS = 40


def render_html(data: RunReport, language: str) -> str:
    """Return the report as one HTML document in a language; the same data give the same bytes.

    Raises ValueError for a language that the report does not have.
    """
    words = Language(language, data["run"]["zone"])
    anchors = page.anchors_of(data["hosts"])
    links = {CONTROLLER: Markup.escape(CONTROLLER), **page.links_of(anchors)}
    anchored = _anchored(data)

    # Functions and no macros, which would be most of the cost of a page of a hundred hosts.
    def record(seq: int) -> Markup:
        number = words.number(seq)
        return Markup(f'<a class="seq" href="#r-{seq}">#{number}</a>' if seq in anchored else f"#{number}")

    def figure(value: int | None, seq: int) -> Markup | str:
        shown = words.measure(value)
        return Markup(f'<a href="#r-{seq}">{shown}</a>') if seq in anchored else shown

    faults = [_fault(rows, data, words) for rows in sentences.faults(data)]
    is_compact = len(data["hosts"]) > LISTED_HOSTS
    above = f"{title(data, words)}, {words.date(data['run']['finished'])}"
    head = f"{data['run']['id']} #{data['evidence']['head']['count']} {data['evidence']['head']['hash'][:8]}"
    return page.template("report.html.j2").render(
        **page.dressed(above, head, words),
        data=data,
        words=words,
        t=words.text,
        title=title(data, words),
        sentence=sentences.verdict(data, words),
        facts=sentences.facts(data, words),
        domains=[{**entry, "sentence": sentences.domain(entry, words)} for entry in data["domains"]],
        faults=faults,
        acts=[fault for fault in faults if fault["state"] not in KNOWN],
        act_first=ACT_FIRST,
        debt=debt.chapter(data, words),
        debt_sentence=debt.sentence(data, words),
        marked_hosts=MARKED_HOSTS,
        gone={
            "fixed": _gone(data["fixed"], words, len(data["hosts"]) > 1),
            "unseen": [
                {"status": rows[0]["status"], "title": sentences.unseen(rows, words, len(data["hosts"]) > 1)}
                for rows in same_faults(data["unseen"])
            ],
        },
        choices=choices_of(faults, words),
        compact=is_compact,
        host_statuses=_host_choices(data, words),
        anchors=anchors,
        panels=_panels(data),
        anchored=anchored,
        record=record,
        figure=figure,
        host=links.__getitem__,
        chapters=_chapters(data),
        updates=updates.chapter(data, words, is_compact),
        hardening=hardening_chapter.chapter(data, words, is_compact),
        trends=trends_of(data, words),
        strips=_strips(data, words),
        timeline=charts.timeline(data["steps"], data["run"], words),
        module_rows=_module_rows(data),
        uncovered=_uncovered(data, words),
        thing=_thing,
        statuses=MARK_ORDER,
    )


def title(data: RunReport, words: Language) -> str:
    """Return the report's title: procedure and platform."""
    procedure = words.heading(data["run"])
    platform = data["run"]["platform"] or words.text("page.platform")
    return words.text("page.title", procedure=procedure, platform=platform)


def _fault(rows: Sequence[Finding], data: RunReport, words: Language) -> RunFault:
    """Return what the page shows of one fault and its records."""
    first, hosts = rows[0], [row["host"] for row in rows]
    records = [row["record"] for row in rows]
    since = min(row["since"] for row in rows)
    is_of_this_run = since >= data["run"]["started"]
    return {
        "id": first["id"],
        "status": first["status"],
        "state": state_of(rows),
        "title": sentences.title(records[0], hosts, words),
        "known": sentences.known(rows, words),
        "domain": first["domain"],
        "owner": first["owner"],
        "began": since,
        "headline": sentences.headline(records, words, len(data["hosts"]) > 1),
        "why": sentences.why(records[0], words),
        "next": sentences.next_act(records[0], hosts, words),
        "hosts": hosts,
        "where": sentences.where(hosts, words),
        "clauses": sorted({clause for row in rows for clause in row["clauses"]}),
        "since": words.time(since),
        "age": words.text("findings.this_run") if is_of_this_run else words.age(since, data["run"]["finished"]),
        "whole": [_record(row, words) for row in rows[:WHOLE_RECORDS]],
        "others": [
            {
                "seq": row["seq"],
                "host": row["host"],
                "measured": words.measure(row["value"], row["unit"]),
                "also": row["also"],
            }
            for row in rows[WHOLE_RECORDS:]
        ],
    }


def _gone(rows: Sequence[Fixed], words: Language, names_host: bool) -> list[Mapping[str, object]]:
    """Return what is fixed, the same fault on several hosts once, with the numbers of their records."""
    return [
        {
            "status": group[0]["record"]["status"],
            "title": sentences.headline([row["record"] for row in group], words, names_host),
            "seqs": [row["seq"] for row in group],
        }
        for group in same_faults(rows)
    ]


def choices_of(faults: Sequence[ShownFault], words: Language) -> dict[str, list[tuple[str, str, int]]]:
    """Return what the findings can be filtered by: for each filter its values, with their words and counts."""
    values = {
        "status": ("status", [fault["status"] for fault in faults]),
        "state": ("state", [fault["state"] for fault in faults]),
        "domain": ("domain", [fault["domain"] for fault in faults]),
        "owner": ("team", [fault["owner"] for fault in faults]),
    }
    choices = {}
    for name, (family, taken) in values.items():
        counts = Counter(filter(None, taken))
        choices[name] = [(value, words.word(family, value), count) for value, count in counts.items()]
    return choices


def _host_choices(data: RunReport, words: Language) -> list[tuple[str, str, int]]:
    counts = Counter(host["status"] for host in data["hosts"])
    return [(name, words.text(f"status.{name}"), counts[name]) for name in MARK_ORDER if counts[name]]


def trends_of(data: Charted, words: Language) -> list[Mapping[str, object]]:
    """Return each chart with its caption, and its values by day for those who do not see it."""
    days = data["trends"]["days"]
    shown: list[Mapping[str, object]] = []
    for chart in data["trends"]["charts"]:
        labels = [
            words.text(f"trend.{series['label'] or 'all'}")
            if chart["name"] == "findings" or not series["label"]
            else series["label"]
            for series in chart["series"]
        ]
        rows = [
            [words.day(day), *(words.measure(series["points"][index], chart["unit"]) for series in chart["series"])]
            for index, day in enumerate(days)
        ]
        shown.append(
            {
                "title": words.text(f"trend.{chart['name']}"),
                "labels": labels,
                "drawing": charts.course(chart, days, words),
                "rows": rows,
            }
        )
    return shown


def _strips(data: RunReport, words: Language) -> dict[str, Markup]:
    """Return the strip of the last days of each host that has one."""
    shown = {}
    for host in data["hosts"]:
        days, name = host["days"], host["name"]
        if days:
            label = words.text("strip.label", n=len(days), host=name, ok=words.number(days.count("ok")))
            shown[name] = charts.strip(days, label)
    return shown


def _record(finding: Finding, words: Language) -> Mapping[str, object]:
    limits = [words.measure(finding["warning"]), words.measure(finding["critical"])]
    return {
        "seq": finding["seq"],
        "host": finding["host"],
        "what": _thing(finding),
        "measured": words.measure(finding["value"], finding["unit"]),
        "limits": words.text("list.comma").join(limits),
        "taken": finding["record"]["finished"],
        "hash": finding["hash"],
        "also": finding["also"],
        "key": finding["key"],
        "detail": json.dumps(finding["record"]["detail"], ensure_ascii=False, sort_keys=True),
    }


def _thing(row: KeyFields) -> str:
    """Return what a record is about, said once where kind and subject are the same word."""
    return row["kind"] if row["kind"] == row["subject"] else f"{row['kind']} {row['subject']}"


def _panels(data: RunReport) -> dict[str, Panel]:
    """Return the records of each host: its findings by status, worst first, and the quiet ones by status."""
    panels: dict[str, Panel] = {host["name"]: {"findings": {}, "ok": [], "skipped": []} for host in data["hosts"]}
    for finding in data["findings"]:
        if is_of_controller(finding["record"]):  # it stands with the records of the run
            continue
        panels[finding["host"]]["findings"].setdefault(finding["status"], []).append(finding)
    for record in data["records"]:
        panel = panels[record["host"]]
        (panel["ok"] if record["status"] == "ok" else panel["skipped"]).append(record)
    return panels


def _anchored(data: RunReport) -> set[int]:
    """Return the numbers of the records that have a place of their own on the page."""
    numbers = {row["seq"] for row in data["evidence"]["frame"]}
    for finding in data["findings"]:
        numbers.update((finding["seq"], *finding["also"]))
    if len(data["records"]) <= LISTED_RECORDS:
        numbers.update(record["seq"] for record in data["records"])
    return numbers


def _chapters(data: RunReport) -> list[str]:
    """Return the chapters in the report's fixed order; health, backup and trends only where they have something."""
    something: Mapping[str, object] = {
        "health": data["health"]["layers"],
        "backup": data["backup"],
        "trends": data["trends"]["charts"],
    }
    parts = [name for name in (*REPORTED, "trends") if something.get(name, True)]
    return ["hosts", "findings", *(["debt"] if data["debt"] else []), *parts, "run", "evidence", "records"]


def _module_rows(data: RunReport) -> list[ModuleRow]:
    """Return a row for each step: on how many hosts it was done and how long it took at most."""
    rows: dict[str, ModuleRow] = {}
    for step in data["steps"]:
        row = rows.setdefault(step["module"], {**step, "done": 0, "hosts": 0, "longest": None})
        row["hosts"] += 1
        row["done"] += step["status"] == "ok"
        row["status"] = worst((row["status"], step["status"]))
        row["started"] = min(row["started"], step["started"])
        if step["duration"] is not None:
            row["longest"] = max(row["longest"] or 0, step["duration"])
    return list(rows.values())


def _uncovered(data: RunReport, words: Language) -> list[str]:
    """Return what was not looked at: hosts without a verdict, domains without a measurement."""
    without: dict[str, list[str]] = {}
    for host in data["hosts"]:
        if not host["has_verdict"]:
            without.setdefault(host["status"], []).append(host["name"])
    lines = []
    for status, hosts in without.items():
        shown = words.text(f"status.{status}")
        if len(hosts) > sentences.NAMED_HOSTS:
            lines.append(words.text("limits.hosts", n=len(hosts), status=shown))
        else:
            lines.append(words.text("limits.host", host=words.names(hosts), status=shown))
    for entry in data["domains"]:
        if entry["code"] != "measured":
            sentence = sentences.domain(entry, words)
            lines.append(words.text("limits.domain", domain=words.word("domain", entry["domain"]), sentence=sentence))
    return lines
