# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found on the hosts of a run: each finding once, the worst first, and what is no longer found."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement, sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.members import new_members
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import (
    RUN_DOMAIN,
    STEP,
    Material,
    Stored,
    age_of,
    finding_order,
    is_cut_off,
    is_finding,
    key_of,
    named_alike,
    owner_of,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record
    from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Finding, GoneFindings, Run, Unseen

#: Domains of records that tell of no host: of the run, and of what people know.
_NOT_OBSERVED = (RUN_DOMAIN, acknowledgement.DOMAIN)


def is_observed(record: Record) -> bool:
    """Tell whether a record says something of a host, not of the run or of what people know."""
    return record["domain"] not in _NOT_OBSERVED


def findings_of(
    found: list[tuple[Stored, list[int]]], material: Material, run: Run, english: Language
) -> list[Finding]:
    """Return the findings, worst first; the same one on several hosts has one id and stands together."""
    earlier = {key_of(record): record for record in material.previous.findings} if material.previous else {}
    ranked = sorted(found, key=lambda pair: finding_order(pair[0].record))
    faults = itertools.groupby(ranked, lambda pair: named_alike(pair[0].record))
    findings: list[Finding] = []
    for number, (_fault, pairs) in enumerate(faults, start=1):
        for stored, also in pairs:
            record, detail = stored.record, stored.record["detail"]
            key, hosts = key_of(record), [record["host"]]
            since = material.since.get(key, record["finished"])
            grown = new_members(record, earlier[key]) if key in earlier else ()
            is_open = not grown and (key in earlier or since < run["started"])
            known = acknowledgement.told(record, material.acknowledgements, run["finished"])
            state = "found" if material.previous is None else "open" if is_open else "new"
            findings.append(
                {
                    "id": f"F-{number:02}",
                    "status": record["status"],
                    "reason": record["reason"],
                    "state": acknowledgement.state_with(known, state),
                    "acknowledged": known,
                    "key": "/".join(key),
                    **key.fields(),
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
                    "title": sentences.title(record, hosts, english),
                    "why": sentences.why(record, english),
                    "next": sentences.next_act(record, hosts, english),
                }
            )
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


def gone_findings(observed: list[Stored], material: Material, english: Language) -> GoneFindings:
    """Return what the run before found and this one no longer does.

    Either it was seen to be OK (`fixed`), or it was not looked at again and nothing is known of it (`unseen`).
    """
    gone: GoneFindings = {"fixed": [], "unseen": []}
    if material.previous is None:
        return gone
    now = {key_of(stored.record): stored for stored in observed}
    for record in sorted(material.previous.findings, key=finding_order):
        key = key_of(record)
        stored, title = now.get(key), sentences.title(record, [record["host"]], english)
        if stored is not None and stored.record["status"] == "ok":
            gone["fixed"].append({**key.fields(), "seq": stored.seq, "record": record, "title": title})
        elif stored is None or stored.record["status"] == "skipped" or is_cut_off(stored.record):
            unseen: Unseen = {
                **key.fields(),
                "status": record["status"],
                "since": record["finished"],
                "record": record,
                "title": title,
            }
            gone["unseen"].append(unseen)
    return gone
