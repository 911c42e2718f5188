# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the data of the report of a range of days, the JSON: pure, and the same for the same ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import with_others
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import iso, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement, sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import (
    Facts,
    Key,
    finding_order,
    heading_of,
    is_interrupted,
    is_there,
    named_alike,
    ordered,
    owner_of,
    worst,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report.period import incidents, trends
from ansible_collections.egov.ops.plugins.plugin_utils.report.period import sentences as period_sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.counts import comparison, counts_of, measured_of
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.model import (
    STANDING,
    STATES,
    Fold,
    Found,
    PeriodMaterial,
)
from ansible_collections.egov.ops.plugins.plugin_utils.schedule import ended_periods, period_start

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.model import Stored
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup_types import FoldedRun
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.types import (
        BackupRow,
        Change,
        Day,
        Domain,
        DomainRow,
        Finding,
        Host,
        PeriodReport,
        Planned,
        Range,
        ReportCounts,
        Run,
        Verdict,
    )

SCHEMA = 1


def build_period(material: PeriodMaterial) -> PeriodReport:
    """Return the report's data, ready for JSON; what nothing is known of is None or "none", never 0 or "ok".

    Sentences are English here; the pages make their own from the same data.
    """
    fold, english = material.fold, Language("en", material.wanted.zone)
    findings = _findings(material, english)
    hosts = _hosts(material, findings)
    domains = with_others({name for marks in fold.hosts.values() for name in marks})
    days = [_day(fold, day) for day in material.span.days()]
    span, counts = _range(material, days), counts_of(hosts, findings, len(fold.runs))
    data: PeriodReport = {
        "schema": SCHEMA,
        "range": span,
        "counts": counts,
        "comparison": comparison(material),
        "verdict": _verdict(span, counts, days, hosts),
        "days": days,
        "domains": [_domain(domain, hosts, fold, english) for domain in domains],
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
        "trends": trends.charts(material),
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
    data["verdict"]["sentence"] = period_sentences.verdict(data, english)
    data["verdict"]["facts"] = period_sentences.facts(data, english)
    return data


def _range(material: PeriodMaterial, days: Sequence[Day]) -> Range:
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


def _day(fold: Fold, day: date) -> Day:
    today = fold.days.get(day)
    marks = Counter(today.status_of(host) for host in fold.hosts if fold.ours[host]) if today else Counter()
    seen = Counter(today.findings.values()) if today and (today.findings or today.is_looked_at()) else None
    return {
        "day": day.isoformat(),
        "status": worst(mark for mark in marks if mark not in ("skipped", "none")),
        "runs": list(today.runs) if today else [],
        "hosts": ordered(marks),
        "findings": ordered(seen) if seen is not None else None,
    }


def _hosts(material: PeriodMaterial, findings: Sequence[Finding]) -> list[Host]:
    fold = material.fold
    standing = Counter(row["host"] for row in findings if row["state"] in STANDING)
    days = material.span.days()
    rows: list[Host] = []
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
                "findings": standing[name] if standing[name] or fold.answered[name] else None,
                "ours": fold.ours[name],
            }
        )
    return rows


def _findings(material: PeriodMaterial, english: Language) -> list[Finding]:
    """Return the findings of the range, those that stand at its end first; the same one on several hosts has one id."""
    procedures, team = material.facts.procedures, material.choice.team
    rows: list[Finding] = []
    for key, found in material.fold.findings.items():
        stored = material.lasts[found.last]
        owner = owner_of(stored.record, procedures)
        if not team or owner == team:
            rows.append(_finding(key, found, material, owner, english))
    rows.sort(key=lambda row: (STATES.index(row["state"]) >= len(STANDING), finding_order(row["record"])))
    numbers: dict[tuple[object, ...], str] = {}
    for row in rows:
        fault = (row["state"] in STANDING, *named_alike(row["record"]))
        row["id"] = numbers.setdefault(fault, f"F-{len(numbers) + 1:02}")
    return rows


def _finding(key: Key, found: Found, material: PeriodMaterial, owner: str, english: Language) -> Finding:
    """Return a finding; its id is given where all are known."""
    stored, end = material.lasts[found.last], material.ends[key]
    hosts = [key.host]
    record, known = stored.record, None
    last_runs = [run["run"] for run in material.fold.runs if run["procedure"] == end.record["procedure"]]
    # What a later run of the procedure has no record of was not looked at again.
    if is_there(end.record) and end.record["run"] in last_runs[-1:]:
        moment = iso(read_time(end.record["finished"]))
        known = acknowledgement.told(record, material.acknowledgements, moment)
        state = "open" if key in material.before.findings else "new" if material.before.runs else "found"
        state = acknowledgement.state_with(known, state)
    else:
        state = "fixed" if end.record["status"] == "ok" or is_interrupted(record) else "unseen"
    return {
        "id": "",
        "status": found.status,
        "state": state,
        "acknowledged": known,
        "key": "/".join(key),
        **key.fields(),
        "owner": owner,
        "clauses": record["clauses"],
        "first": {"seq": found.first, "day": min(found.days).isoformat()},
        "last": {"seq": found.last, "day": max(found.days).isoformat()},
        "end": {"seq": end.seq, "status": end.record["status"]},
        "days": len(found.days),
        "hash": stored.hash,
        "record": record,
        "title": sentences.title(record, hosts, english),
        "why": sentences.why(record, english),
        "next": sentences.next_act(record, hosts, english),
    }


def _domain(domain: str, hosts: Sequence[Host], fold: Fold, english: Language) -> Domain:
    marks = Counter(row["domains"].get(domain, "none") for row in hosts if row["ours"])
    row: DomainRow = {
        "domain": domain,
        "status": worst([mark for mark in marks if mark not in ("skipped", "none")] or marks),
        "hosts": ordered(marks),
        "measured": measured_of(fold, domain),
    }
    return {**row, "sentence": period_sentences.domain(row, english)}


def _change(stored: Stored) -> Change:
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


def _plan(material: PeriodMaterial) -> list[Planned]:
    """Return for each procedure with a cadence in how many of its periods that ended in the range it was done whole."""
    rows: list[Planned] = []
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


def _backup(fold: Fold) -> list[BackupRow]:
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


def _run(run: FoldedRun, facts: Facts) -> Run:
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
        "frame": [{"kind": row["kind"], "seq": row["seq"], "hash": row["hash"]} for row in run["frame"]],
    }


def _verdict(span: Range, counts: ReportCounts, days: Sequence[Day], hosts: Sequence[Host]) -> Verdict:
    """Return the verdict; its sentences, which tell of the whole report, come after the rest."""
    statuses, found = counts["hosts"]["status"], counts["findings"]["status"]
    status = worst(mark for mark in (*statuses, *found) if mark not in ("skipped", "none"))
    last = max(day["day"] for day in days if day["runs"])
    is_seen = all(row["seen"] == last for row in hosts if row["ours"])
    is_covered = span["with_evidence"] == span["days"] and is_seen
    if status == "none":
        code = "empty"
    elif status == "ok":
        code, status = ("ok", "ok") if is_covered else ("partly", "unknown")
    else:
        code = "watch" if status in ("unknown", "warning") else "action"
    return {"status": status, "code": code, "covered": is_covered, "sentence": "", "facts": []}
