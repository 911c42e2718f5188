# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's sentences: composed from its data, in the reader's language."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import sentence_of
from ansible_collections.egov.ops.plugins.plugin_utils.report import unreachable
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import (
    STEP,
    is_interrupted,
    is_of_controller,
    is_set_aside,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import (
        DomainRow,
        Finding,
        HostRow,
        RunReport,
        Unseen,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Acknowledged, Fault

#: Hosts that are named one by one; more are counted.
NAMED_HOSTS = 4

#: Hosts without a verdict that are named one by one; more are counted, and the list of hosts has them all.
NAMED_WITHOUT = 12

#: Kinds whose sentence does not name its subject: the step, the backup set.
SPEAKS_OF_ITSELF = (STEP, "backup", "proof")

#: Which statuses a verdict counts.
_COUNTED = {"action": ("critical", "failed", "unreachable"), "watch": ("unknown", "warning")}


def faults(data: RunReport) -> Iterator[list[Finding]]:
    """Return the findings as a reader sees them: the same one on several hosts is one."""
    for _finding, rows in itertools.groupby(data["findings"], key=lambda finding: finding["id"]):
        yield list(rows)


def verdict(data: RunReport, language: Language) -> str:
    """Return the one sentence of the run."""
    counts, code = data["counts"], data["verdict"]["code"]
    # OK are those alone that the run has a verdict of.
    judged = [host["name"] for host in data["hosts"] if host["ours"] and (host["has_verdict"] or code != "ok")]
    found = dict(counts["findings"]["status"], unreachable=counts["hosts"]["status"].get("unreachable", 0))
    statuses = [status for status in _COUNTED.get(code, ()) if found.get(status)]
    sentence = language.text(
        f"verdict.{code}",
        n=len(judged),
        host=judged[0] if judged else "",
        counts=language.text("list.comma").join(
            language.text(f"count.{status}", n=found[status]) for status in statuses
        ),
    )
    if is_narrowed(data):
        sentence = language.text("verdict.partial", sentence=sentence)
    if not data["verdict"]["complete"]:
        sentence = language.text("verdict.incomplete", sentence=sentence)
    return sentence


def is_narrowed(data: RunReport) -> bool:
    """Tell whether the run was narrowed to some hosts or tags."""
    return bool(data["run"]["limit"] or data["run"]["tags"])


def facts(data: RunReport, language: Language) -> list[str]:
    """Return what must be known beside the verdict: what is missing, narrowed, late or not comparable."""
    result = []
    overridden: dict[tuple[str, str, str], list[str]] = {}
    for entry in data["overrides"]:
        overridden.setdefault((entry["gates"], entry["user"], entry["reason"]), []).append(entry["host"])
    for (gates, user, why_so), hosts in overridden.items():
        host, told = where(hosts, language), why_so.rstrip(".。")
        result.append(language.text("fact.override", host=host, gates=gates, user=user, reason=told))
    steps = data["verdict"]["steps"]
    for reason, domains in data["verdict"]["missing"].items():
        present = steps["recorded"] if reason == "missing" else steps["present"]
        names = language.names(language.word("domain", domain) for domain in domains)
        result.append(language.text(f"fact.{reason}", domains=names, expected=steps["expected"], present=present))
    if is_narrowed(data):
        options = [f"--limit {data['run']['limit']}"] if data["run"]["limit"] else []
        options += [f"--tags {','.join(data['run']['tags'])}"] if data["run"]["tags"] else []
        result.append(language.text("fact.partial", options=" ".join(options)))
    without = [host["name"] for host in data["hosts"] if host["ours"] and not host["has_verdict"]]
    if without and len(without) < data["counts"]["hosts"]["total"]:
        names = language.names(without) if len(without) <= NAMED_WITHOUT else where(without, language)
        result.append(language.text("fact.without", hosts=names))
    for late in data["late"]:
        age = language.age(late["by"], data["run"]["finished"], "spelt")
        last = language.date(late["last"]) if late["last"] else ""
        key = "fact.late" if last else "fact.late_never"
        result.append(language.text(key, procedure=late["procedure"], age=age, last=last, command=late["command"]))
    for finding in data["findings"]:
        if is_of_controller(finding["record"]):
            acts = title(finding["record"], [], language), next_act(finding["record"], [], language)
            result.append(language.text("fact.rejected", title=acts[0], next=acts[1]))
    if data["verdict"]["code"] == "no_verdict":
        result.append(language.text("fact.no_verdict"))
    if data["run"]["compared_with"] is None:
        result.append(language.text("fact.first"))
    return result


def domain(entry: DomainRow, language: Language) -> str:
    """Return the one sentence of a domain."""
    if entry["code"] != "measured":
        return language.text(f"sentence.{entry['code']}")
    measured = entry["measured"]
    parts = []
    if measured["total"]:
        ok = language.number(measured["ok"])
        parts.append(language.text(f"sentence.{sentence_of(entry['domain'])}", n=measured["total"], ok=ok))
    if entry["without"]:
        parts.append(language.text("sentence.without", n=entry["without"]))
    return language.text("list.sentence").join(parts) or language.text("sentence.nothing")


def of_domain(entries: Sequence[DomainRow], name: str, language: Language) -> str:
    """Return the one sentence of a named domain."""
    return domain(next(entry for entry in entries if entry["domain"] == name), language)


def without(hosts: Sequence[HostRow], looked_at: set[str], language: Language) -> str:
    """Return our hosts of which there is no evidence; "" for none, or where there is evidence of no host at all."""
    names = [host["name"] for host in hosts if host["ours"] and host["name"] not in looked_at]
    return where(names, language) if names and looked_at else ""


def where(hosts: Sequence[str], language: Language) -> str:
    """Return hosts by name, or their number where they are many."""
    return language.names(hosts) if len(hosts) <= NAMED_HOSTS else language.text("title.hosts", n=len(hosts))


def title(record: Record, hosts: Sequence[str], language: Language) -> str:
    """Return what a record found to be wrong on its hosts: the host's own sentence, or one made from the record."""
    detail = record["detail"]
    kind, subject = record["kind"], record["subject"]
    if _is_dead_host(record):
        why_not = unreachable.class_of(record)
        key = f"title.unreachable_{why_not}" if why_not else "title.unreachable"
        return language.text(key, n=len(hosts), hosts=where(hosts, language))
    if is_set_aside(record) and detail.get("lost"):
        return language.text("title.lost_spool", run=detail["spool"])
    if is_set_aside(record):
        return language.text("title.rejected", n=int(detail["count"]), file=record["subject"], run=detail["spool"])
    if is_interrupted(record):
        return language.text("title.interrupted", run=record["run"])
    if detail.get("message"):
        message = str(detail["message"]).rstrip(".")
        names_subject = record["kind"] not in SPEAKS_OF_ITSELF
        return message if names_subject else language.text("title.where", place=record["subject"], title=message)
    if record["kind"] == STEP:
        return language.text("title.step", subject=record["subject"])
    if detail.get("value") is None:
        status = language.text(f"status.{record['status']}")
        return language.text("title.plain", status=status, kind=kind, subject=subject)
    measure = language.measure(detail["value"], str(detail.get("unit") or ""))
    measured = language.text("title.measured", measure=measure, kind=kind, subject=subject)
    limit = detail.get("critical" if record["status"] == "critical" else "warning")
    return language.text("title.limit", title=measured, limit=limit) if limit else measured


def headline(records: Sequence[Record], language: Language, names_host: bool) -> str:
    """Return the title of one fault so that it stands alone: with its hosts, unless there is only one to mean."""
    hosts = [record["host"] for record in records]
    words = title(records[0], hosts, language)
    if not names_host or _is_dead_host(records[0]):
        return words
    return language.text("title.where", place=where(hosts, language), title=words)


def unseen(rows: Sequence[Unseen], language: Language, names_host: bool) -> str:
    """Return the title of one fault that was not looked at again, and since when on the host that waits longest."""
    shown = headline([row["record"] for row in rows], language, names_host)
    return language.text("findings.unseen_since", title=shown, time=language.time(min(row["since"] for row in rows)))


def drills(data: RunReport, language: Language) -> list[str]:
    """Return a sentence for each set that a drill brought back whole: its RTO and RPO, and what came back."""
    return [
        language.text(
            "text.drill",
            place=f"{row['host']}/{row['set']}",
            rto=language.duration(row["drill"]["rto_seconds"]),
            rpo=language.duration(row["drill"]["rpo_seconds"]),
            files=language.measure(row["drill"]["files"]),
            size=language.measure(row["drill"]["bytes"], "bytes"),
            repository=row["drill"]["repository"] or "–",
        )
        for row in data["backup"]
        if "drill" in row and row["drill"]["status"] == "ok"
    ]


def why(record: Record, language: Language) -> str:
    """Return why a finding matters: the host's own sentence, or what its reason means; "" where neither is known."""
    if record["detail"].get("why") or not record["reason"]:
        return str(record["detail"].get("why") or "")
    return language.word("reason", record["reason"])


def next_act(record: Record, hosts: Sequence[str], language: Language) -> str:
    """Return the one act to do: the host's own advice, or a general one for the status."""
    if is_set_aside(record) and record["detail"].get("lost"):
        return language.text("next.lost_spool")
    if is_set_aside(record):
        return language.text("next.rejected", file=record["detail"]["file"])
    if is_interrupted(record):
        return language.text("next.interrupted", procedure=record["procedure"])
    if _is_dead_host(record) and unreachable.class_of(record):
        return language.text(f"next.unreachable_{unreachable.class_of(record)}", host=where(hosts, language))
    if record["detail"].get("next"):
        return str(record["detail"]["next"])
    status = record["status"] if record["status"] in ("unreachable", "failed", "unknown") else "other"
    return language.text(
        f"next.{status}", host=where(hosts, language), subject=record["subject"], procedure=record["procedure"]
    )


def known(rows: Sequence[Fault], language: Language) -> list[str]:
    """Return what people have said of a fault on its hosts, each acknowledgement once, with the hosts it is for."""
    hosts: dict[int, list[str]] = {}
    by_number: dict[int, Acknowledged] = {}
    for row in rows:
        if row["acknowledged"]:
            number = row["acknowledged"]["seq"]
            by_number[number] = row["acknowledged"]
            hosts.setdefault(number, []).append(row["host"])
    lines = []
    for number, entry in by_number.items():
        key = f"{'debt' if entry['sort'] == 'debt' else 'known'}.{'expired' if entry['expired'] else 'until'}"
        until, ticket, reason = language.date(entry["until"]), entry["ticket"] or "–", entry["reason"] or "–"
        line = language.text(key, until=until, ticket=ticket, owner=entry["owner"], name=entry["name"], reason=reason)
        is_part = len(hosts[number]) < len(rows)
        lines.append(
            language.text("title.where", place=where(hosts[number], language), title=line) if is_part else line
        )
    return lines


def _is_dead_host(record: Record) -> bool:
    return bool(record["kind"] == STEP and record["status"] == "unreachable")
