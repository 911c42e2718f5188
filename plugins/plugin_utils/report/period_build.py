# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the data of the report of a range of days, the JSON: pure, and the same for the same ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.domains import REPORTED, with_others
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.record import iso, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report import (
    acknowledgement,
    incidents,
    period_sentences,
    period_trends,
    sentences,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report.build import (
    finding_order,
    named_alike,
    ordered,
    state_of,
    worst,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.period import Fold, Found, PeriodMaterial
from ansible_collections.egov.ops.plugins.plugin_utils.report.source import LOUD, Facts, Key, heading_of, owner_of
from ansible_collections.egov.ops.plugins.plugin_utils.schedule.calendar import ended_periods, period_start

SCHEMA = 1

#: The states of a finding at the end of a range, in the order in which they stand for several: found where there is
#: nothing to compare with.
STATES = ("open", "new", "found", "acknowledged", "unseen", "fixed")

#: Those that are still there.
STANDING = ("open", "new", "found", "acknowledged")


def build_period(material: PeriodMaterial) -> dict[str, Any]:
    """Return the report's data, ready for JSON; what nothing is known of is None or "none", never 0 or "ok".

    Sentences are English here; the pages make their own from the same data.
    """
    fold = material.fold
    findings = _findings(material)
    hosts = _hosts(material, findings)
    domains = with_others({name for marks in fold.hosts.values() for name in marks})
    days = [_day(fold, day) for day in material.span.days()]
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "range": _range(material, days),
        "days": days,
        "domains": [_domain(domain, hosts, fold) for domain in domains],
        "hosts": hosts,
        "findings": findings,
        "incidents": incidents.rows(fold.incidents, material.before.incidents.open, findings, iso(_latest(material))),
        "changes": [_change(stored) for stored in material.changes],
        "plan": _plan(material),
        "late": [
            {
                "procedure": late.procedure,
                "by": iso(late.by),
                "last": iso(late.last) if late.last else None,
                "command": material.facts.command(late.procedure),
            }
            for late in material.late
        ],
        "backup": _backup(fold),
        "trends": period_trends.charts(material),
        "runs": [_run(run, material.facts) for run in fold.runs],
        "evidence": {
            "first": min(run["first"] for run in fold.runs),
            "last": fold.last,
            "records": sum(run["records"] for run in fold.runs),
            "head": {"count": material.head.count, "hash": material.head.hash},
            "ledger": material.facts.ledger,
            "witness": material.facts.witness,
            "verify": material.facts.command("ledger_verify"),
        },
    }
    data["counts"] = _counts(data)
    data["comparison"] = _comparison(material, data)
    data["verdict"] = _verdict(data)
    _add_sentences(data)
    return data


def _range(material: PeriodMaterial, days: list[dict[str, Any]]) -> dict[str, Any]:
    span, wanted, choice = material.span, material.wanted, material.choice
    before = wanted.before()
    return {
        "period": wanted.period,
        "first": wanted.first.isoformat(),
        "last": wanted.last.isoformat(),
        "covered": span.last.isoformat(),
        "days": len(days),
        "with_evidence": sum(bool(day["runs"]) for day in days),
        "platform": material.facts.platform,
        "zone": wanted.zone,
        "group": choice.group,
        "team": choice.team,
        "procedure": choice.procedure,
        "before": {
            "first": before.first.isoformat(),
            "last": before.last.isoformat(),
            "has_evidence": bool(material.before.runs),
        },
    }


def _day(fold: Fold, day: Any) -> dict[str, Any]:
    today = fold.days.get(day)
    marks = Counter(today.status_of(host) for host in fold.hosts if fold.ours[host]) if today else Counter()
    seen = Counter(today.findings.values()) if today else None
    return {
        "day": day.isoformat(),
        "status": worst(mark for mark in marks if mark not in ("skipped", "none")),
        "runs": list(today.runs) if today else [],
        "hosts": ordered(marks),
        "findings": ordered(seen) if seen is not None else None,
    }


def _hosts(material: PeriodMaterial, findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    fold = material.fold
    standing = Counter(row["host"] for row in findings if row["state"] in STANDING)
    rows, days = [], material.span.days()
    for name, marks in fold.hosts.items():
        seen = [day for day in days if day in fold.days and name in fold.days[day].marks]
        rows.append(
            {
                "name": name,
                "status": worst([mark for mark in marks.values() if mark != "skipped"] or marks.values()),
                "domains": marks,
                "days": [
                    fold.days[day].status_of(name) if day in fold.days else "none" for day in material.span.days()
                ],
                "seen": max(seen).isoformat() if seen else None,
                "asked": fold.asked[name],
                "answered": fold.answered[name],
                "findings": standing[name],
                "ours": fold.ours[name],
            }
        )
    return rows


def _findings(material: PeriodMaterial) -> list[dict[str, Any]]:
    """Return the findings of the range, those that stand at its end first; the same one on several hosts has one id."""
    procedures, team = material.facts.procedures, material.choice.team
    rows = []
    for key, found in material.fold.findings.items():
        stored = material.lasts[found.last]
        owner = owner_of(stored.record, procedures)
        if not team or owner == team:
            rows.append(_finding(key, found, material, owner))
    rows.sort(key=lambda row: (STATES.index(row["state"]) >= len(STANDING), finding_order(row)))
    numbers: dict[tuple[object, ...], str] = {}
    for row in rows:
        fault = (row["state"] in STANDING, *named_alike(row))
        row["id"] = numbers.setdefault(fault, f"F-{len(numbers) + 1:02}")
    return rows


def _finding(key: Key, found: Found, material: PeriodMaterial, owner: str) -> dict[str, Any]:
    stored, end = material.lasts[found.last], material.ends[key]
    record, known = stored.record, None
    if end.record["status"] in LOUD:
        moment = iso(read_time(end.record["finished"]))
        known = acknowledgement.told(record, material.acknowledgements, moment)
        state = "open" if key in material.before.findings else "new" if material.before.runs else "found"
        state = "acknowledged" if known and not known["expired"] else state
    else:
        state = "fixed" if end.record["status"] == "ok" else "unseen"
    return {
        "status": found.status,
        "state": state,
        "acknowledged": known,
        "key": "/".join(key),
        **key._asdict(),
        "owner": owner,
        "clauses": record["clauses"],
        "first": {"seq": found.first, "day": min(found.days).isoformat()},
        "last": {"seq": found.last, "day": max(found.days).isoformat()},
        "end": {"seq": end.seq, "status": end.record["status"]},
        "days": len(found.days),
        "hash": stored.hash,
        "record": record,
    }


def _domain(domain: str, hosts: list[dict[str, Any]], fold: Fold) -> dict[str, Any]:
    marks = Counter(row["domains"].get(domain, "none") for row in hosts if row["ours"])
    counts = [pair for (_host, name), pair in fold.measured.items() if name == domain]
    return {
        "domain": domain,
        "status": worst([mark for mark in marks if mark not in ("skipped", "none")] or marks),
        "hosts": ordered(marks),
        "measured": {"ok": sum(ok for ok, _of in counts), "total": sum(of for _ok, of in counts)},
    }


def _change(stored: Any) -> dict[str, Any]:
    record = stored.record
    return {
        "seq": stored.seq,
        "hash": stored.hash,
        "finished": record["finished"],
        "host": record["host"],
        "kind": record["kind"],
        "subject": record["subject"],
        "status": record["status"],
        "message": str(record["detail"].get("message") or record["reason"]),
    }


def _plan(material: PeriodMaterial) -> list[dict[str, Any]]:
    """Return for each procedure with a cadence in how many of its periods that ended in the range it was done whole."""
    rows = []
    end = min(read_time(material.span.until), _latest(material))
    for name, entry in material.facts.procedures.items():
        cadence = entry.get("cadence")
        if not cadence:
            continue
        zone = material.span.zone
        whole = [run for run in material.fold.runs if run["whole"] and _is_of(run["procedure"], name)]
        done = {period_start(cadence, read_time(run["started"]), zone) for run in whole}
        first = max(read_time(material.span.since), material.first)
        due = done | set(ended_periods(cadence, first, end, zone))
        rows.append(
            {
                "procedure": name,
                "cadence": cadence,
                "due": len(due),
                "done": len(done),
                "run": whole[-1]["run"] if whole else None,
            }
        )
    return rows


def _is_of(procedure: str, name: str) -> bool:
    return procedure.rpartition(".")[2] == name


def _latest(material: PeriodMaterial) -> datetime:
    """Return the moment up to which the range is told: its last record, or its own end."""
    finished = [read_time(row["finished"]) for run in material.fold.runs for row in run["frame"]]
    return max(finished, default=read_time(material.span.until))


def _backup(fold: Fold) -> list[dict[str, Any]]:
    return [
        {
            "host": host,
            "set": name,
            "backups": {"ok": row["backup"][0], "total": row["backup"][1]},
            "proofs": {"ok": row["proof"][0], "total": row["proof"][1]},
            "last_backup": row["last"].get("backup"),
            "last_proof": row["last"].get("proof"),
            "bytes": row["bytes"],
        }
        for (host, name), row in fold.sets.items()
    ]


def _run(run: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    seals = [row for row in run["frame"] if row["kind"] == "seal"]
    last = seals[-1] if seals else None
    return {
        "run": run["run"],
        "procedure": run["procedure"],
        **heading_of(run["procedure"], facts.procedures),
        "day": run["day"].isoformat(),
        "started": run["started"],
        "finished": last["finished"] if last else None,
        "status": last["status"] if last else "none",
        "reason": last["reason"] if last else "",
        "narrowed": run["narrowed"],
        "records": run["records"],
        "frame": [{name: row[name] for name in ("kind", "seq", "hash")} for row in run["frame"]],
    }


def _counts(data: Mapping[str, Any]) -> dict[str, Any]:
    ours = [row for row in data["hosts"] if row["ours"]]
    faults = faults_of(data["findings"])
    states = Counter(state_of(rows, STATES) for rows in faults)
    standing = [rows[0]["status"] for rows in faults if rows[0]["state"] in STANDING]
    return {
        "hosts": {
            "total": len(ours),
            "not_ours": len(data["hosts"]) - len(ours),
            "status": ordered(Counter(row["status"] for row in ours)),
        },
        "findings": {
            "total": len(faults),
            "status": ordered(Counter(standing)),
            **{state: states[state] for state in STATES},
        },
        "runs": len(data["runs"]),
    }


def faults_of(findings: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return findings as a reader sees them: the same one on several hosts is one."""
    faults: dict[str, list[dict[str, Any]]] = {}
    for row in findings:
        faults.setdefault(row["id"], []).append(row)
    return list(faults.values())


def _comparison(material: PeriodMaterial, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each figure of the range and of the one before: None where nothing is known."""
    now, before = _figures(material.fold), _figures(material.before)
    return [
        {"name": name, "unit": unit, "now": value, "before": before[name][0]} for name, (value, unit) in now.items()
    ]


def _figures(fold: Fold) -> dict[str, tuple[float | None, str]]:
    measured = {
        domain: [pair for (_host, name), pair in fold.measured.items() if name == domain] for domain in REPORTED
    }
    shares = {
        domain: _share(sum(ok for ok, _of in pairs), sum(of for _ok, of in pairs)) for domain, pairs in measured.items()
    }
    pending = [row["security"] for row in fold.updates.values() if row["security"] is not None]
    known = bool(fold.runs)
    return {
        "runs": (len(fold.runs) if known else None, ""),
        "days": (len(fold.days) if known else None, ""),
        "answered": (_share(sum(fold.answered.values()), sum(fold.asked.values())), "%"),
        "found": (len(fold.findings) if known else None, ""),
        "health": (shares["health"], "%"),
        "backup": (shares["backup"], "%"),
        "hardening": (shares["hardening"], "%"),
        "security": (sum(pending) if pending else None, ""),
    }


def _share(some: int, all_of: int) -> float | None:
    """Return a share in per cent with one decimal, None of nothing; only a whole one is 100."""
    if not all_of:
        return None
    return 100 if some == all_of else min(99.9, round(100 * some / all_of, 1))


def _verdict(data: Mapping[str, Any]) -> dict[str, Any]:
    statuses = data["counts"]["hosts"]["status"]
    found = data["counts"]["findings"]["status"]
    status = worst(mark for mark in (*statuses, *found) if mark not in ("skipped", "none"))
    last = max(day["day"] for day in data["days"] if day["runs"])
    is_seen = all(row["seen"] == last for row in data["hosts"] if row["ours"])
    is_covered = data["range"]["with_evidence"] == data["range"]["days"] and is_seen
    if status == "none":
        code = "empty"
    elif status == "ok":
        code, status = ("ok", "ok") if is_covered else ("partly", "unknown")
    else:
        code = "watch" if status in ("unknown", "warning") else "action"
    return {"status": status, "code": code, "covered": is_covered}


def _add_sentences(data: dict[str, Any]) -> None:
    english = Language("en", data["range"]["zone"])
    data["verdict"]["sentence"] = period_sentences.verdict(data, english)
    data["verdict"]["facts"] = period_sentences.facts(data, english)
    for entry in data["domains"]:
        entry["sentence"] = period_sentences.domain(entry, english)
    for row in data["findings"]:
        row["title"] = sentences.title(row["record"], [row["host"]], english)
        row["why"] = sentences.why(row["record"], english)
        row["next"] = sentences.next_act(row["record"], [row["host"]], english)
