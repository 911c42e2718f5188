# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is pending on each host, what is past its deadline, and what has to be restarted: for the JSON and the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report import sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import NOT_MEASURED, Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import LOUD, Stored

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Detail
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import RunReport
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.update_types import (
        RestartFacts,
        Restarts,
        ScanFacts,
        Told,
        Update,
        UpdateRow,
    )

DOMAIN = "updates"

#: Updates and services of a host that the report names, the most urgent first; the record has them all.
NAMED = 5

#: Updates that a row names where there are more hosts than have a line of words each.
NAMED_OF_MANY = 2

#: Rows of the page at most; hosts beyond are counted.
ROWS = 200

#: CVEs that stand with an update.
_CVES = 3

#: Characters of a name or a version.
_LONGEST = 100

#: The record of each part of a row: kind and subject.
_PARTS = {("package_list", "pending"): "scan", ("reboot", "host"): "reboot", ("restarts", "processes"): "restarts"}


def gathered(observed: Iterable[Stored]) -> list[UpdateRow]:
    """Return a row for each host with a record of its updates: `scan`, `reboot` and `restarts`, the newest of each.

    A part is None where there is no record of it. Details come from hosts: what has another shape is left out.
    """
    rows: dict[str, UpdateRow] = {}
    for stored in observed:
        record = stored.record
        part = _PARTS.get((record["kind"], record["subject"])) if record["domain"] == DOMAIN else None
        if part is None:
            continue
        row = rows.setdefault(record["host"], {"host": record["host"], "scan": None, "reboot": None, "restarts": None})
        told: Told = {"status": record["status"], "reason": record["reason"], "seq": stored.seq}
        if part == "scan":
            row["scan"] = {**told, **_scan(record["detail"])}
        elif part == "reboot":
            row["reboot"] = {**told, "reasons": _texts(record["detail"].get("reasons"))[:NAMED]}
        else:
            row["restarts"] = {**told, **_restarts(record["detail"])}
    return list(rows.values())


def _scan(detail: Detail) -> ScanFacts:
    """Return the counts of a scan, None for one that is not known, and its most urgent updates.

    A scan lists the updates that are past their deadline first, so that their number tells which ones are.
    """
    counts = _mapping(detail.get("counts"))
    late = _count(counts.get("late"))
    entries = [entry for entry in _list(detail.get("updates"))[:NAMED] if isinstance(entry, Mapping)]
    return {
        "pending": _count(counts.get("pending")),
        "security": _count(counts.get("security")),
        "late": late,
        "updates": [_update(entry, place < (late or 0)) for place, entry in enumerate(entries)],
    }


def _update(entry: Mapping[str, object], is_late: bool) -> Update:
    cves = _texts(entry.get("cves"))
    age = entry.get("age_days")
    return {
        "name": _text(entry.get("name")),
        "installed": _text(entry.get("installed")),
        "candidate": _text(entry.get("candidate")),
        "hold": _text(entry.get("hold")),
        "security": entry.get("security") is True,
        "late": is_late,
        "severities": _texts(entry.get("severities"))[:NAMED],
        "cves": cves[:_CVES],
        "more_cves": max(0, len(cves) - _CVES),
        "age_days": age if isinstance(age, (int, float)) and not isinstance(age, bool) else None,
    }


def _restarts(detail: Detail) -> RestartFacts:
    processes = _count(_mapping(detail.get("counts")).get("processes"))
    return {"processes": processes, "units": _texts(detail.get("units"))[:NAMED]}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return str(value or "")[:_LONGEST]


def _texts(value: object) -> list[str]:
    return [entry[:_LONGEST] for entry in _list(value) if isinstance(entry, str)]


def chapter(data: RunReport, words: Language, is_compact: bool) -> Mapping[str, object]:
    """Return what the chapter shows: `total`, a sentence; `rows`, late ones first; `lines`, the others counted."""
    scanned = [row for row in data["updates"] if row["scan"]]
    eventful = sorted((row for row in data["updates"] if _has_anything(row)), key=_urgency)
    lines = []
    if len(eventful) > ROWS:
        lines.append(words.text("updates.more", n=len(eventful) - ROWS))
    quiet = [row["host"] for row in scanned if not _has_anything(row)]
    if quiet:
        lines.append(words.text("updates.quiet", hosts=sentences.where(quiet, words)))
    return {
        "total": _total(data["updates"], words) if scanned else "",
        "rows": [_row(row, words, NAMED_OF_MANY if is_compact else NAMED) for row in eventful[:ROWS]],
        "lines": lines,
        "without": sentences.without(data["hosts"], {row["host"] for row in scanned}, words),
        "sentence": sentences.of_domain(data["domains"], DOMAIN, words),
    }


def _has_anything(row: UpdateRow) -> bool:
    parts: tuple[Told | None, ...] = (row["scan"], row["reboot"], row["restarts"])
    return bool((row["scan"] and row["scan"]["pending"]) or any(part and part["status"] in LOUD for part in parts))


def _urgency(row: UpdateRow) -> tuple[int, int, bool, int, str]:
    """Return what rows are sorted by: past deadline, security, not known, pending, host."""
    scan = row["scan"]
    if scan is None:
        return 0, 0, True, 0, row["host"]
    is_known = scan["status"] != "unknown"
    return -(scan["late"] or 0), -(scan["security"] or 0), is_known, -(scan["pending"] or 0), row["host"]


def _total(rows: Iterable[UpdateRow], words: Language) -> str:
    """Return what is pending where it is known, where it is not, and where something is to be restarted."""
    pending = security = late = unknown = reboot = restarts = 0
    for row in rows:
        scan = row["scan"]
        if scan and scan["status"] != "unknown":
            pending += scan["pending"] or 0
            security += scan["security"] or 0
            late += scan["late"] or 0
        unknown += bool(scan and scan["status"] == "unknown")
        reboot += is_due(row["reboot"])
        restarts += is_due(row["restarts"])
    return words.text(
        "updates.total",
        pending=words.number(pending),
        security=words.number(security),
        late=words.number(late),
        reboot=words.number(reboot),
        restarts=words.number(restarts),
        unknown=words.number(unknown),
    )


def is_due(part: Told | None) -> bool:
    """Tell whether a record says that something has to be restarted."""
    return bool(part and part["status"] in ("warning", "critical"))


def _row(row: UpdateRow, words: Language, named: int) -> Mapping[str, object]:
    scan, reboot, restarts = row["scan"], row["reboot"], row["restarts"]
    parts: tuple[Told | None, ...] = (reboot, restarts)
    due: list[tuple[str, Told]] = []
    if reboot and is_due(reboot):
        due.append((words.text("updates.reboot"), reboot))
    if restarts and is_due(restarts):
        due.append((_services(restarts, words), restarts))
    updates = scan["updates"] if scan else []
    left_out = (scan["pending"] or 0) - len(updates[:named]) if scan else 0
    return {
        **row,
        "updates": [_shown(entry, words) for entry in updates[:named]],
        "left_out": words.text("updates.left_out", n=left_out) if updates and left_out > 0 else "",
        "said": words.word("reason", scan["reason"]) if scan and scan["reason"] else "",
        "restart": due,
        "unseen": [part for part in parts if part and part["status"] == "unknown"],
    }


def _services(part: Restarts, words: Language) -> str:
    processes = words.measure(part["processes"])
    named = f" ({words.names(part['units'])})" if part["units"] else ""
    return words.text("updates.restarts", processes=processes) + named


def _shown(entry: Update, words: Language) -> dict[str, str]:
    """Return an update as a reader sees it: from which version to which, and what is known of it."""
    facts = [words.text("updates.late")] if entry["late"] else []
    facts += [words.word("severity", severity) for severity in entry["severities"]]
    if entry["security"] and not entry["severities"]:
        facts.append(words.text("updates.security"))
    facts += entry["cves"]
    if entry["more_cves"]:
        facts.append(f"+{words.number(entry['more_cves'])}")
    if entry["age_days"] is not None:
        facts.append(words.text("time.days", n=max(0, int(entry["age_days"]))))
    if entry["hold"]:
        facts.append(words.text("updates.hold", hold=entry["hold"]))
    return {
        "name": entry["name"] or NOT_MEASURED,
        "versions": f"{entry['installed'] or NOT_MEASURED} → {entry['candidate'] or NOT_MEASURED}",
        "facts": words.text("list.comma").join(facts),
    }
