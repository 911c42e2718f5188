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
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Detail, Record
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import RunReport
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.update_types import (
        Counted,
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

#: Statuses of a scan that has judged what it counted.
_LOOKED = ("ok", "warning", "critical")

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
            row["scan"] = {**told, **_scan(record)}
        elif part == "reboot":
            row["reboot"] = {**told, "reasons": _texts(record["detail"].get("reasons"))[:NAMED]}
        else:
            row["restarts"] = {**told, **_restarts(record["detail"])}
    return list(rows.values())


def counted(record: Record) -> Counted:
    """Return the counts of a scan, None for one that is not known, as where the package lists are too old."""
    counts = _mapping(record["detail"].get("counts")) if record["status"] in _LOOKED else {}
    return {
        "pending": _count(counts.get("pending")),
        "security": _count(counts.get("security")),
        "late": _count(counts.get("late")),
    }


def _scan(record: Record) -> ScanFacts:
    """Return the counts of a scan and its most urgent updates.

    A scan lists the updates that are past their deadline first, so that their number tells which ones are.
    """
    counts = counted(record)
    late = counts["late"]
    entries = [entry for entry in _list(record["detail"].get("updates"))[:NAMED] if isinstance(entry, Mapping)]
    updates = [_update(entry, late is not None and place < late) for place, entry in enumerate(entries)]
    return {**counts, "updates": updates}


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
    quiet: dict[str, list[str]] = {"updates.quiet": [], "updates.quiet_pending": []}
    for row in scanned:
        if not _has_anything(row):
            quiet["updates.quiet" if row["reboot"] and row["restarts"] else "updates.quiet_pending"].append(row["host"])
    lines += [words.text(key, hosts=sentences.where(hosts, words)) for key, hosts in quiet.items() if hosts]
    return {
        "total": _total(data["updates"], words) if scanned else "",
        "rows": [_row(row, words, NAMED_OF_MANY if is_compact else NAMED) for row in eventful[:ROWS]],
        "lines": lines,
        "without": sentences.without(data["hosts"], {row["host"] for row in scanned}, words),
        "sentence": sentences.of_domain(data["domains"], DOMAIN, words),
    }


def _has_anything(row: UpdateRow) -> bool:
    parts: tuple[Told | None, ...] = (row["scan"], row["reboot"], row["restarts"])
    return bool((row["scan"] and row["scan"]["pending"] != 0) or any(part and part["status"] in LOUD for part in parts))


def _urgency(row: UpdateRow) -> tuple[int, int, bool, int, str]:
    """Return what rows are sorted by: past deadline, security, not known, pending, host."""
    scan = row["scan"]
    if scan is None:
        return 0, 0, True, 0, row["host"]
    is_known = scan["pending"] is not None
    return -(scan["late"] or 0), -(scan["security"] or 0), is_known, -(scan["pending"] or 0), row["host"]


def _total(rows: Iterable[UpdateRow], words: Language) -> str:
    """Return what is pending where it is known, where it is not, and where something is to be restarted."""
    rows = list(rows)
    scans = [row["scan"] for row in rows if row["scan"]]
    return words.text(
        "updates.total",
        pending=words.measure(sum_of(scan["pending"] for scan in scans)),
        security=words.measure(sum_of(scan["security"] for scan in scans)),
        late=words.measure(sum_of(scan["late"] for scan in scans)),
        unknown=words.number(sum(scan["pending"] is None for scan in scans)),
        reboot=words.measure(sum_of(_due(row["reboot"]) for row in rows)),
        restarts=words.measure(sum_of(_due(row["restarts"]) for row in rows)),
    )


def sum_of(values: Iterable[int | None]) -> int | None:
    """Return the sum of those values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _due(part: Told | None) -> int | None:
    """Return 1 where something has to be restarted, 0 where it does not, None where nobody could tell."""
    return int(is_due(part)) if part and part["status"] in (*_LOOKED, "skipped") else None


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
    left_out = scan["pending"] - len(updates[:named]) if scan and scan["pending"] is not None else 0
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
