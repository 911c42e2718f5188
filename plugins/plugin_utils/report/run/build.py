# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the report's data, the JSON, from what the ledger holds of one run: pure, and the same for the same ledger."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.common import with_others
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import iso, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report import sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import (
    OVERRIDE,
    RUN_DOMAIN,
    STATES,
    STEP,
    Facts,
    Material,
    Stored,
    heading_of,
    is_finding,
    is_set_aside,
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
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.hosts import host_rows
from ansible_collections.egov.ops.plugins.plugin_utils.schedule import next_start

SCHEMA = 1


def build(material: Material) -> dict[str, Any]:
    """Return the report's data, ready for JSON: what was found, where, since when, what next, and by which records.

    The begin record's detail says what was announced: `hosts`, `steps` (`{module, domain}`), `not_ours`, `inventory`
    (all hosts, where the run was narrowed), `limit`, `tags`. Sentences are English here; the pages make their own
    from the same data.
    """
    frame = {stored.record["kind"]: stored for stored in material.records if stored.record["domain"] == RUN_DOMAIN}
    observed = [stored for stored in material.records if is_observed(stored.record)]
    announced = frame["begin"].record["detail"] if "begin" in frame else {}
    run = _run(material, frame, announced)
    set_aside = [stored for stored in material.records if is_set_aside(stored.record)]
    findings = findings_of([*one_per_dead_host(observed), *((stored, []) for stored in set_aside)], material, run)
    steps = [_step(stored) for stored in observed if stored.record["kind"] == STEP]
    domains = with_others({stored.record["domain"] for stored in observed})
    hosts = host_rows(observed, announced, domains, findings)
    _add_days_and_digests(hosts, observed, material)
    coverage = coverage_of(steps, announced, hosts, "seal" in frame)
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "run": run,
        "counts": {},
        "domains": [_domain(domain, hosts, observed, coverage) for domain in domains],
        "hosts": hosts,
        "findings": findings,
        **gone_findings(observed, material),
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
    data["counts"] = _counts(observed, data, material)
    data["verdict"] = _verdict(data, coverage)
    _add_sentences(data)
    return data


def _run(material: Material, frame: Mapping[str, Stored], announced: Mapping[str, Any]) -> dict[str, Any]:
    first = material.records[0].record
    # What was recorded as interrupted was written later, by the run that found it so.
    written = [stored.record for stored in material.records if stored.record["reason"] != "interrupted"] or [first]
    previous = material.previous
    return {
        "id": first["run"],
        "procedure": first["procedure"],
        **heading_of(str(first["procedure"]), material.facts.procedures),
        "started": min(record["started"] for record in written),
        "finished": max(record["finished"] for record in written),
        "platform": material.facts.platform,
        "zone": material.facts.zone,
        "limit": announced.get("limit") or "",
        "tags": [tag for tag in announced.get("tags") or [] if tag != "all"],
        "interrupted": "seal" in frame and frame["seal"].record["reason"] == "interrupted",
        "next": _next(first, material.facts),
        "compared_with": {"run": previous.run, "started": previous.started} if previous else None,
    }


def _next(begin: Mapping[str, Any], facts: Facts) -> str | None:
    """Return when the procedure's next period begins, in which it is due again; None for one without a cadence."""
    cadence = facts.procedures.get(str(begin["procedure"]).rpartition(".")[2], {}).get("cadence")
    return iso(next_start(cadence, read_time(begin["started"]), facts.zone)) if cadence else None


def _add_days_and_digests(hosts: list[dict[str, Any]], observed: list[Stored], material: Material) -> None:
    """Add to each host its last days, and for each domain the SHA-256 of its records' hashes, a line each."""
    digests: dict[tuple[str, str], Any] = {}
    for stored in observed:
        place = stored.record["host"], stored.record["domain"]
        digests.setdefault(place, hashlib.sha256()).update(f"{stored.hash}\n".encode())
    by_host: dict[str, dict[str, str]] = {}
    for (host, domain), digest in digests.items():
        by_host.setdefault(host, {})[domain] = digest.hexdigest()
    for row in hosts:
        row["days"] = material.strips["hosts"].get(row["name"], [])
        row["digests"] = by_host.get(row["name"], {})


def _step(stored: Stored) -> dict[str, Any]:
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


def _override(stored: Stored) -> dict[str, Any]:
    record, detail = stored.record, stored.record["detail"]
    return {
        "seq": stored.seq,
        "host": record["host"],
        "gates": str(detail.get("gates", "")),
        "reason": str(detail.get("why", "")),
        "user": str(detail.get("user", "")),
    }


def _short(stored: Stored) -> dict[str, Any]:
    record = stored.record
    return {
        "seq": stored.seq,
        **key_of(record)._asdict(),
        "status": record["status"],
        "reason": record["reason"],
        "value": record["detail"].get("value"),
        "unit": record["detail"].get("unit") or "",
    }


def _domain(
    domain: str, hosts: list[dict[str, Any]], observed: list[Stored], coverage: Mapping[str, Any]
) -> dict[str, Any]:
    own = [stored.record for stored in observed if stored.record["domain"] == domain]
    marks = Counter(host["domains"][domain] for host in hosts if host["ours"])
    loud = [mark for mark in marks if mark not in ("skipped", "none")]
    reasons = {record["reason"] for record in own if record["kind"] == STEP and record["status"] != "unreachable"}
    status, code = worst(loud or marks), "measured"
    if domain not in coverage["domains"] and not own:
        status, code = "none", "none"
    elif "not_built" in reasons and reasons <= {"not_built", "not_ours"}:
        status, code = "skipped", "not_built"
    without = sum(host["domains"][domain] in ("unreachable", "none") for host in hosts if host["ours"])
    return {
        "domain": domain,
        "status": status,
        "code": code,
        "hosts": ordered(marks),
        "records": ordered(Counter(record["status"] for record in own if record["kind"] != STEP)),
        "measured": figures.proved(own) if domain == "backup" else figures.passed(own),
        "without": without if code == "measured" else 0,
    }


def _counts(observed: list[Stored], data: Mapping[str, Any], material: Material) -> dict[str, Any]:
    hosts = data["hosts"]
    ours = [host for host in hosts if host["ours"]]
    faults: dict[str, list[dict[str, Any]]] = {}
    for finding in data["findings"]:
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
            **{state: states[state] for state in STATES},
            **{state: len(same_faults(data[state])) for state in ("fixed", "unseen")},
        },
        "records": {
            "total": len(material.records),
            "status": ordered(Counter(stored.record["status"] for stored in observed)),
        },
    }


def _evidence(material: Material, coverage: Mapping[str, Any]) -> dict[str, Any]:
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


def _verdict(data: Mapping[str, Any], coverage: Mapping[str, Any]) -> dict[str, Any]:
    hosts = data["counts"]["hosts"]
    is_complete = not coverage["missing"]
    status = worst(mark for mark in hosts["status"] if mark not in ("skipped", "none"))
    if data["run"]["interrupted"]:
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
    }


def _add_sentences(data: dict[str, Any]) -> None:
    english = Language("en", data["run"]["zone"])
    data["verdict"]["sentence"] = sentences.verdict(data, english)
    data["verdict"]["facts"] = sentences.facts(data, english)
    for domain in data["domains"]:
        domain["sentence"] = sentences.domain(domain, english)
    for finding in data["findings"]:
        record, hosts = finding["record"], [finding["host"]]
        finding["title"] = sentences.title(record, hosts, english)
        finding["why"] = sentences.why(record, english)
        finding["next"] = sentences.next_act(record, hosts, english)
    for gone in (*data["fixed"], *data["unseen"]):
        gone["title"] = sentences.title(gone["record"], [gone["host"]], english)
