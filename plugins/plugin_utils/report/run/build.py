# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the report's data, the JSON, from what the ledger holds of one run: pure, and the same for the same ledger."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import with_others
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import iso, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report import debt, sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import (
    INTERRUPTED,
    OVERRIDE,
    RUN_DOMAIN,
    STEP,
    Facts,
    Material,
    Stored,
    heading_of,
    is_finding,
    is_interrupted,
    is_of_controller,
    key_of,
    ordered,
    same_faults,
    state_of,
    worst,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report.run import figures, updates
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.coverage import coverage_of
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.findings import (
    findings_of,
    gone_findings,
    is_observed,
    one_per_dead_host,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.hosts import host_rows, verdicts
from ansible_collections.egov.ops.plugins.plugin_utils.schedule import next_start

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Detail, Record
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import (
        Coverage,
        Domain,
        DomainRow,
        Evidence,
        Finding,
        GoneFindings,
        Host,
        HostRow,
        Override,
        Quiet,
        ReportCounts,
        Run,
        RunReport,
        Step,
        Verdict,
    )

SCHEMA = 1


def build(material: Material) -> RunReport:
    """Return the report's data, ready for JSON: what was found, where, since when, what next, and by which records.

    The begin record's detail says what was announced: `hosts`, `steps` (`{module, domain}`), `not_ours`, `inventory`
    (all hosts, where the run was narrowed), `limit`, `tags`. Sentences are English here; the pages make their own
    from the same data.
    """
    frame = {stored.record["kind"]: stored for stored in material.records if stored.record["domain"] == RUN_DOMAIN}
    observed = [stored for stored in material.records if is_observed(stored.record)]
    announced = frame["begin"].record["detail"] if "begin" in frame else {}
    run = _run(material, frame, announced)
    english = Language("en", run["zone"])
    of_controller = [stored for stored in material.records if is_of_controller(stored.record)]
    found = [*one_per_dead_host(observed), *((stored, []) for stored in of_controller)]
    findings = findings_of(found, material, run, english)
    gone = gone_findings(observed, material, english)
    steps = [_step(stored) for stored in observed if stored.record["kind"] == STEP]
    domains = with_others({stored.record["domain"] for stored in observed})
    hosts = _hosts(host_rows(observed, announced, domains, findings), observed, material)
    coverage = coverage_of(steps, announced, hosts, "seal" in frame)
    counts = _counts(observed, hosts, findings, gone, material)
    data: RunReport = {
        "schema": SCHEMA,
        "run": run,
        "counts": counts,
        "verdict": _verdict(run, counts, coverage),
        "domains": [_domain(domain, hosts, observed, coverage, english) for domain in domains],
        "hosts": hosts,
        "findings": findings,
        "debt": debt.rows_of(findings),
        **gone,
        "late": [
            {
                "procedure": late.procedure,
                "by": iso(late.by),
                "last": iso(late.last) if late.last else None,
                "command": material.facts.command(late.procedure),
            }
            for late in material.late
        ],
        "overrides": [_override(stored) for stored in observed if stored.record["kind"] == OVERRIDE],
        "health": figures.health(observed),
        "backup": figures.backup(observed),
        "updates": updates.gathered(observed),
        "trends": material.trends,
        "days": material.strips["days"],
        "steps": steps,
        "records": [_short(stored) for stored in observed if not is_finding(stored.record)],
        "evidence": _evidence(material, coverage),
    }
    data["verdict"]["sentence"] = sentences.verdict(data, english)
    data["verdict"]["facts"] = sentences.facts(data, english)
    return data


def _run(material: Material, frame: dict[str, Stored], announced: Detail) -> Run:
    first = material.records[0].record
    # What was recorded as interrupted was written later, by the run that found it so.
    written = [stored.record for stored in material.records if stored.record["reason"] != INTERRUPTED] or [first]
    previous = material.previous
    return {
        "id": first["run"],
        "procedure": first["procedure"],
        **heading_of(first["procedure"], material.facts.procedures),
        "started": min(record["started"] for record in written),
        "finished": max(record["finished"] for record in written),
        "platform": material.facts.platform,
        "zone": material.facts.zone,
        "limit": announced.get("limit") or "",
        "tags": [tag for tag in announced.get("tags") or [] if tag != "all"],
        "interrupted": "seal" in frame and is_interrupted(frame["seal"].record),
        "next": _next(first, material.facts),
        "compared_with": {"run": previous.run, "started": previous.started} if previous else None,
    }


def _next(begin: Record, facts: Facts) -> str | None:
    """Return when the procedure's next period begins, in which it is due again; None for one without a cadence."""
    cadence = facts.procedures.get(begin["procedure"].rpartition(".")[2], {}).get("cadence")
    return iso(next_start(cadence, read_time(begin["started"]), facts.zone)) if cadence else None


def _hosts(rows: Sequence[HostRow], observed: list[Stored], material: Material) -> list[Host]:
    """Return each host with its last days, and for each domain the SHA-256 of its records' hashes, a line each."""
    hashes: dict[tuple[str, str], list[str]] = {}
    for stored in observed:
        place = stored.record["host"], stored.record["domain"]
        hashes.setdefault(place, []).append(f"{stored.hash}\n")
    by_host: dict[str, dict[str, str]] = {}
    for (host, domain), lines in hashes.items():
        by_host.setdefault(host, {})[domain] = hashlib.sha256("".join(lines).encode()).hexdigest()
    days = material.strips["hosts"]
    return [{**row, "days": days.get(row["name"], []), "digests": by_host.get(row["name"], {})} for row in rows]


def _step(stored: Stored) -> Step:
    record = stored.record
    return {
        "module": record["subject"],
        "domain": record["domain"],
        "host": record["host"],
        "status": record["status"],
        "reason": record["reason"],
        "started": record["started"],
        "duration": record["detail"].get("duration"),
        "seq": stored.seq,
    }


def _override(stored: Stored) -> Override:
    record, detail = stored.record, stored.record["detail"]
    return {
        "seq": stored.seq,
        "host": record["host"],
        "gates": str(detail.get("gates", "")),
        "reason": str(detail.get("why", "")),
        "user": str(detail.get("user", "")),
    }


def _short(stored: Stored) -> Quiet:
    record = stored.record
    return {
        "seq": stored.seq,
        **key_of(record).fields(),
        "status": record["status"],
        "reason": record["reason"],
        "value": record["detail"].get("value"),
        "unit": record["detail"].get("unit") or "",
    }


def _domain(domain: str, hosts: list[Host], observed: list[Stored], coverage: Coverage, english: Language) -> Domain:
    own = [stored.record for stored in observed if stored.record["domain"] == domain]
    marks = Counter(host["domains"][domain] for host in hosts if host["ours"])
    loud = [mark for mark in marks if mark not in ("skipped", "none")]
    reasons = {record["reason"] for record in own if record["kind"] == STEP and record["status"] != "unreachable"}
    status, code = worst(loud or marks), "measured"
    if domain not in coverage["domains"] and not own:
        status, code = "none", "none"
    elif "not_built" in reasons and reasons <= {"not_built", "not_ours"}:
        status, code = "skipped", "not_built"
    judged = {host for host, _domain in verdicts(stored for stored in observed if stored.record["domain"] == domain)}
    without = sum(
        host["ours"] and host["name"] not in judged and host["domains"][domain] != "skipped" for host in hosts
    )
    row: DomainRow = {
        "domain": domain,
        "status": status,
        "code": code,
        "hosts": ordered(marks),
        "records": ordered(Counter(record["status"] for record in own if record["kind"] != STEP)),
        "measured": figures.proved(own) if domain == "backup" else figures.passed(own),
        "without": without if code == "measured" else 0,
    }
    return {**row, "sentence": sentences.domain(row, english)}


def _counts(
    observed: list[Stored], hosts: list[Host], findings: list[Finding], gone: GoneFindings, material: Material
) -> ReportCounts:
    ours = [host for host in hosts if host["ours"]]
    faults: dict[str, list[Finding]] = {}
    for finding in findings:
        faults.setdefault(finding["id"], []).append(finding)
    states = Counter(state_of(rows) for rows in faults.values())
    return {
        "hosts": {
            "total": len(ours),
            "with_verdict": sum(host["has_verdict"] for host in ours),
            "not_ours": len(hosts) - len(ours),
            "status": ordered(Counter(host["status"] for host in ours)),
        },
        "findings": {
            "total": len(faults),
            "status": ordered(Counter(rows[0]["status"] for rows in faults.values())),
            "open": states["open"],
            "new": states["new"],
            "found": states["found"],
            "acknowledged": states["acknowledged"],
            "debt": states["debt"],
            "fixed": len(same_faults(gone["fixed"])),
            "unseen": len(same_faults(gone["unseen"])),
        },
        "records": {
            "total": len(material.records),
            "status": ordered(Counter(stored.record["status"] for stored in observed)),
        },
    }


def _evidence(material: Material, coverage: Coverage) -> Evidence:
    numbers = [stored.seq for stored in material.records]
    return {
        "first": min(numbers),
        "last": max(numbers),
        "records": len(numbers),
        "steps_expected": coverage["expected"],
        "steps_present": coverage["answered"],
        "head": {"count": material.head.count, "hash": material.head.hash},
        "ledger": material.facts.ledger,
        "witness": material.facts.witness,
        "verify": material.facts.command("ledger_verify"),
        "frame": [
            {"kind": stored.record["kind"], "seq": stored.seq, "hash": stored.hash}
            for stored in material.records
            if stored.record["domain"] == RUN_DOMAIN
        ],
    }


def _verdict(run: Run, counts: ReportCounts, coverage: Coverage) -> Verdict:
    """Return the verdict; its sentences, which tell of the whole report, come after the rest."""
    hosts = counts["hosts"]
    is_complete = not coverage["missing"]
    status = worst(mark for mark in hosts["status"] if mark not in ("skipped", "none"))
    if run["interrupted"]:
        code, status = "interrupted", "failed"
    elif hosts["total"] and not hosts["with_verdict"]:
        code, status = "no_verdict", "failed"
    elif status == "none":
        code = "empty"
    elif status == "ok":
        code = "partly" if coverage["missing"].keys() - {"not_built"} else "ok"
        status = "ok" if is_complete else "unknown"
    else:
        code = "watch" if status in ("unknown", "warning") else "action"
    return {
        "status": status,
        "code": code,
        "complete": is_complete,
        "missing": coverage["missing"],
        "steps": {"expected": coverage["expected"], "recorded": coverage["recorded"], "present": coverage["answered"]},
        "sentence": "",
        "facts": [],
    }
