# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the report's data, the JSON, from what the ledger holds of one run: pure, and the same for the same ledger."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.domains import place_of, with_others
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.record import iso, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement, figures, sentences, updates
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.source import (
    OVERRIDE,
    RUN_DOMAIN,
    STEP,
    Facts,
    Material,
    Stored,
    age_of,
    heading_of,
    is_finding,
    is_set_aside,
    key_of,
    owner_of,
)
from ansible_collections.egov.ops.plugins.plugin_utils.schedule.calendar import next_start

SCHEMA = 1

#: The states of a finding, in the order in which they stand for several: found where there is no earlier run.
STATES = ("open", "new", "found", "acknowledged")

#: Which status a host or domain with several shows: what is known to be bad, then what is not known.
MARK_ORDER = ("critical", "failed", "unreachable", "unknown", "warning", "ok", "skipped", "none")

#: Reasons of a step that leave the run incomplete: the plan wanted it, and nothing was looked at.
INCOMPLETE_REASONS = ("not_built", "not_reached", "not_started", "interrupted", "busy")

#: Reasons of a step that was announced and cut off.
_CUT_OFF = ("not_reached", "not_started", "interrupted")

#: Domains of records that tell of no host: of the run, and of what people know.
_NOT_OBSERVED = (RUN_DOMAIN, acknowledgement.DOMAIN)

#: What a record must say for its host to have a verdict.
_KNOWN = ("ok", "warning", "critical")


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
    findings = _findings([*one_per_dead_host(observed), *((stored, []) for stored in set_aside)], material, run)
    steps = [_step(stored) for stored in observed if stored.record["kind"] == STEP]
    domains = with_others({stored.record["domain"] for stored in observed})
    hosts = host_rows(observed, announced, domains, findings)
    _add_days_and_digests(hosts, observed, material)
    coverage = _coverage(steps, announced, hosts, "seal" in frame)
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "run": run,
        "counts": {},
        "domains": [_domain(domain, hosts, observed, coverage) for domain in domains],
        "hosts": hosts,
        "findings": findings,
        **_gone(observed, material),
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


def is_observed(record: Mapping[str, Any]) -> bool:
    """Tell whether a record says something of a host, not of the run or of what people know."""
    return record["domain"] not in _NOT_OBSERVED


def worst(statuses: Iterable[str]) -> str:
    """Return the one status that several are shown as; "none" for none."""
    return min(statuses, key=MARK_ORDER.index, default="none")


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


def _findings(
    found: list[tuple[Stored, list[int]]], material: Material, run: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the findings, worst first; the same one on several hosts has one id and stands together."""
    earlier = {key_of(record) for record in material.previous.findings} if material.previous else set()
    findings: list[dict[str, Any]] = []
    for stored, also in found:
        record = stored.record
        detail = record["detail"]
        since = material.since.get(key_of(record), record["finished"])
        is_open = key_of(record) in earlier or since < run["started"]
        known = acknowledgement.told(record, material.acknowledgements, run["finished"])
        state = "found" if material.previous is None else "open" if is_open else "new"
        findings.append(
            {
                "status": record["status"],
                "reason": record["reason"],
                "state": "acknowledged" if known and not known["expired"] else state,
                "acknowledged": known,
                "key": "/".join(key_of(record)),
                **key_of(record)._asdict(),
                "value": detail.get("value"),
                "unit": str(detail.get("unit") or ""),
                "warning": detail.get("warning"),
                "critical": detail.get("critical"),
                "since": since,
                "age": age_of(since, run["finished"]),
                "owner": owner_of(record, material.facts.procedures),
                "clauses": record["clauses"],
                "seq": stored.seq,
                "hash": stored.hash,
                "also": also,
                "record": record,
            }
        )
    findings.sort(key=finding_order)
    for number, (_fault, rows) in enumerate(itertools.groupby(findings, named_alike), start=1):
        for row in rows:
            row["id"] = f"F-{number:02}"
    return findings


def one_per_dead_host(observed: list[Stored]) -> list[tuple[Stored, list[int]]]:
    """Return the findings' records; of a host that does not answer the first step alone, with the others' numbers."""
    kept: list[tuple[Stored, list[int]]] = []
    dead: dict[str, list[int]] = {}
    for stored in observed:
        record = stored.record
        also: list[int] = []
        if record["kind"] == STEP and record["status"] == "unreachable":
            if record["host"] in dead:
                dead[record["host"]].append(stored.seq)
                continue
            dead[record["host"]] = also
        if is_finding(record):
            kept.append((stored, also))
    return kept


def named_alike(finding: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is the same of one fault on several hosts."""
    record, detail = finding["record"], finding["record"]["detail"]
    names = tuple(record[name] for name in ("status", "domain", "kind", "subject", "reason"))
    return names + tuple(str(detail.get(name) or "") for name in ("message", "why", "next"))


def finding_order(finding: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what findings are sorted by: the worst first, then by domain, the same fault together."""
    return MARK_ORDER.index(finding["status"]), place_of(finding["domain"]), named_alike(finding), finding["host"]


def _gone(observed: list[Stored], material: Material) -> dict[str, list[dict[str, Any]]]:
    """Return what the run before found and this one no longer does.

    Either it was seen to be OK (`fixed`), or it was not looked at again and nothing is known of it (`unseen`).
    """
    gone: dict[str, list[dict[str, Any]]] = {"fixed": [], "unseen": []}
    if material.previous is None:
        return gone
    now = {key_of(stored.record): stored for stored in observed}
    for record in sorted(material.previous.findings, key=_gone_order):
        stored = now.get(key_of(record))
        if stored is not None and stored.record["status"] == "ok":
            gone["fixed"].append({**key_of(record)._asdict(), "seq": stored.seq, "record": record})
        elif stored is None or stored.record["status"] == "skipped":
            gone["unseen"].append({**key_of(record)._asdict(), "status": record["status"], "record": record})
    return gone


def _gone_order(record: Mapping[str, Any]) -> tuple[Any, ...]:
    return finding_order({"status": record["status"], "domain": record["domain"], "record": record, **record})


def same_faults(rows: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return rows that stand in order as a reader sees them: the same fault on several hosts together."""
    return [list(group) for _fault, group in itertools.groupby(rows, named_alike)]


def host_rows(
    observed: list[Stored], announced: Mapping[str, Any], domains: list[str], findings: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return a row for each host of the inventory and of the records, in the inventory's order."""
    names = [name for group in ("inventory", "hosts", "not_ours") for name in announced.get(group) or []]
    not_ours = set(announced.get("not_ours") or [])
    statuses: dict[str, dict[str, set[str]]] = {name: {} for name in names}
    known, dead = set(), set()
    records: Counter[str] = Counter()
    for stored in observed:
        record = stored.record
        host, status, is_step = record["host"], record["status"], record["kind"] == STEP
        records[host] += 1
        # A performed step says nothing of the host; what it observed does.
        shown = statuses.setdefault(host, {}).setdefault(record["domain"], set())
        if not (is_step and status == "ok"):
            shown.add(status)
        if status in _KNOWN or (status == "failed" and not is_step):
            known.add(host)
        if is_step and status == "unreachable":
            dead.add(host)
    since: dict[tuple[str, str], str] = {}
    count: Counter[str] = Counter()
    for finding in findings:
        place = finding["host"], finding["status"]
        since[place] = min(since.get(place, finding["since"]), finding["since"])
        count[finding["host"]] += 1
    rows = []
    for name, found in statuses.items():
        marks = {domain: _mark(found.get(domain), name in dead) for domain in domains}
        loud = [mark for mark in marks.values() if mark not in ("skipped", "none")]
        status = worst(loud or marks.values())
        rows.append(
            {
                "name": name,
                "status": status,
                "domains": marks,
                "since": since.get((name, status)),
                "findings": count[name],
                "records": records[name],
                "has_verdict": name in known,
                "ours": name not in not_ours,
            }
        )
    return rows


def _mark(statuses: set[str] | None, is_dead: bool) -> str:
    """Return a host's status in one domain; what was to be looked at on a dead host is unreachable too."""
    mark = "none" if statuses is None else worst(statuses or {"skipped"})
    return "unreachable" if is_dead and mark == "skipped" else mark


def _coverage(
    steps: list[dict[str, Any]], announced: Mapping[str, Any], hosts: list[dict[str, Any]], is_sealed: bool
) -> dict[str, Any]:
    """Return the steps expected, recorded and answered, and what is missing: `{reason: [domains]}`.

    Of a domain that stands, a step that is not built is named by its module.
    """
    domain_of = {step["module"]: step["domain"] for step in announced.get("steps") or []}
    wanted = {(host, module) for host in announced.get("hosts") or [] for module in domain_of}
    ours = {host["name"] for host in hosts if host["ours"]}
    dead = {step["host"] for step in steps if step["status"] == "unreachable"}
    standing = {step["domain"] for step in steps if step["reason"] not in ("not_built", "not_ours")}
    recorded, answered = set(), set()
    missing: dict[str, set[str]] = {}
    for step in steps:
        place = step["host"], step["module"]
        recorded.add(place)
        if step["reason"] not in _CUT_OFF:
            answered.add(place)
        follows_from_dead_host = step["host"] in dead and step["reason"] == "not_reached"
        if step["reason"] in INCOMPLETE_REASONS and step["host"] in ours and not follows_from_dead_host:
            is_part = step["reason"] == "not_built" and step["domain"] in standing
            missing.setdefault(step["reason"], set()).add(step["module" if is_part else "domain"])
    for _host, module in wanted - recorded:
        missing.setdefault("missing", set()).add(domain_of[module])
    if not is_sealed:
        missing["unsealed"] = set()
    return {
        "expected": len(wanted or recorded),
        "recorded": len(recorded),
        "answered": len(answered),
        "domains": set(domain_of.values()) | {step["domain"] for step in steps},
        "missing": {reason: sorted(missing[reason], key=_domain_order) for reason in sorted(missing)},
    }


def _domain_order(domain: str) -> tuple[int, str]:
    return place_of(domain), domain


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


def ordered(counter: Mapping[str, int]) -> dict[str, int]:
    """Return how often each status is there, the worst first."""
    return {status: counter[status] for status in MARK_ORDER if counter.get(status)}


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


def state_of(rows: list[dict[str, Any]], order: Sequence[str] = STATES) -> str:
    """Return the state of one fault on several hosts: the first of some states that it has on any of them."""
    states = {row["state"] for row in rows}
    return next(state for state in order if state in states)


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
