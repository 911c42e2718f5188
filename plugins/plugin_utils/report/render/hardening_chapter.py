# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which controls fail, on which hosts and on what basis: the chapter of the hardening audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report import sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import NOT_MEASURED, Language

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.render.types import HostRecord
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Finding, Quiet, RunReport
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import KeyFields

DOMAIN = "hardening"
CONTROL = "control"

#: Hosts that a control names; where there are more hosts than have a line of words each, fewer.
NAMED = 20
NAMED_OF_MANY = 5

#: Controls of each table at most; those beyond are counted.
ROWS = 200

#: Clauses of a control at most, and characters of a value or a title.
_CLAUSES = 12
_LONGEST = 160


def chapter(data: RunReport, words: Language, is_compact: bool) -> Mapping[str, object]:
    """Return what the chapter shows: `total`, a sentence; `failing` and `unknown`, a row for each control, worst first.

    All of it stands in the findings and in the short records of what is OK.
    """
    found = [finding for finding in data["findings"] if _is_control(finding)]
    quiet = [record for record in data["records"] if _is_control(record)]
    looked_at = {finding["host"] for finding in found} | {record["host"] for record in quiet}
    named = NAMED_OF_MANY if is_compact else NAMED
    parts = {
        "failing": [finding for finding in found if finding["status"] != "unknown"],
        "unknown": [finding for finding in found if finding["status"] == "unknown"],
    }
    grouped = {name: _by_control(findings) for name, findings in parts.items()}
    rows = {name: [_row(group, words, named) for group in groups[:ROWS]] for name, groups in grouped.items()}
    more = sum(max(0, len(groups) - ROWS) for groups in grouped.values())
    return {
        **rows,
        "total": _total(found, quiet, words) if looked_at else "",
        "more": words.text("hardening.more", n=more) if more else "",
        "without": sentences.without(data["hosts"], looked_at, words),
        "sentence": sentences.of_domain(data["domains"], DOMAIN, words),
    }


def _is_control(row: KeyFields) -> bool:
    return row["domain"] == DOMAIN and row["kind"] == CONTROL


def _by_control(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return the findings, which stand worst first, of each control together."""
    controls: dict[str, list[Finding]] = {}
    for finding in findings:
        controls.setdefault(finding["subject"], []).append(finding)
    return list(controls.values())


def _total(found: Sequence[Finding], quiet: Sequence[Quiet], words: Language) -> str:
    failing = [finding for finding in found if finding["status"] != "unknown"]
    ok = [record for record in quiet if record["status"] == "ok"]
    return words.text(
        "hardening.total",
        controls=words.number(len({finding["subject"] for finding in found} | {record["subject"] for record in ok})),
        failing=words.number(len({finding["subject"] for finding in failing})),
        hosts=words.number(len({finding["host"] for finding in failing})),
        unknown=words.number(len({finding["subject"] for finding in found if finding["status"] == "unknown"})),
        ok=words.number(len(ok)),
        checks=words.number(len(found) + len(ok)),
    )


def _row(findings: Sequence[Finding], words: Language, named: int) -> Mapping[str, object]:
    """Return a control with the first of its hosts, those with the same value together, and how many more it has."""
    first = findings[0]
    detail = first["record"]["detail"]
    hosts: dict[str, list[HostRecord]] = {}
    for finding in findings[:named]:
        told = _value(finding["record"]["detail"].get("found"), words)
        hosts.setdefault(told, []).append({"host": finding["host"], "seq": finding["seq"]})
    return {
        "id": first["subject"],
        "title": _title(detail.get("title"), words),
        "status": first["status"],
        "severity": words.word("status", _cut(str(detail.get("severity") or NOT_MEASURED))),
        "clauses": list(dict.fromkeys(clause for finding in findings for clause in finding["clauses"]))[:_CLAUSES],
        "expected": _value(detail.get("expected"), words),
        "reason": words.word("reason", first["reason"]) if first["reason"] else NOT_MEASURED,
        "hosts": [{"found": told, "hosts": same} for told, same in hosts.items()],
        "left_out": max(0, len(findings) - named),
        "finding": first["id"],
    }


def _title(title: object, words: Language) -> str:
    """Return a control's title in the report's language as the record has it; "" where it has none."""
    if isinstance(title, Mapping):
        title = title.get(words.code) or title.get("en")
    return _cut(title) if isinstance(title, str) else ""


def _value(value: object, words: Language) -> str:
    """Return what is wanted or was found: a text, or things with their values."""
    if isinstance(value, Mapping):
        things = [f"{thing}: {_plain(told, words)}" if thing else _plain(told, words) for thing, told in value.items()]
        return _cut("; ".join(things)) or NOT_MEASURED
    return _cut(_plain(value, words))


def _plain(value: object, words: Language) -> str:
    if isinstance(value, list):
        return words.names(str(entry) for entry in value) or NOT_MEASURED
    return NOT_MEASURED if value is None or value == "" else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
