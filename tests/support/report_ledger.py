# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger in a list, and short ways to write the records of a run into it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.report.model import Facts
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.build import build
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.gather import gather

PROCEDURE = "egov.ops.daily"
STEPS = (
    {"module": "health_probe", "domain": "health"},
    {"module": "backup_run", "domain": "backup"},
    {"module": "backup_prove", "domain": "backup"},
)


@dataclass(frozen=True)
class Stored:
    seq: int
    hash: str
    record: dict[str, Any]


@dataclass(frozen=True)
class Head:
    count: int
    hash: str


@dataclass
class ListLedger:
    """What the report asks of the ledger, over a list."""

    stored: list[Stored] = field(default_factory=list)

    def append(self, record: dict[str, Any]) -> None:
        body = self.head().hash + json.dumps(record, sort_keys=True)
        digest = hashlib.sha256(body.encode("utf-8", "backslashreplace")).hexdigest()
        self.stored.append(Stored(len(self.stored) + 1, digest, record))

    def head(self) -> Head:
        return Head(len(self.stored), self.stored[-1].hash if self.stored else "")

    def records(
        self,
        *,
        run: str | None = None,
        host: str | None = None,
        domain: str | None = None,
        kind: str | None = None,
        subject: str | None = None,
        since: str | None = None,
        upto: int | None = None,
        status: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> Iterator[Stored]:
        wanted = {"run": run, "host": host, "domain": domain, "kind": kind, "subject": subject}
        for stored in self.stored[:limit]:
            fits = all(value in (None, stored.record[name]) for name, value in wanted.items())
            fits = fits and (since or "") <= stored.record["finished"] and (upto or stored.seq) >= stored.seq
            if fits and (status is None or stored.record["status"] in status):
                yield stored

    def last_whole_run(self, procedure: str, upto: int) -> Stored | None:
        seals = [entry for entry in self.stored[:upto] if entry.record["kind"] == "seal"]
        return next((entry for entry in reversed(seals) if entry.record["procedure"] == procedure), None)

    def previous_run(self, run: str, procedure: str) -> str | None:
        runs = [stored.record["run"] for stored in self.stored if stored.record["procedure"] == procedure]
        earlier = runs[: runs.index(run)]
        return earlier[-1] if earlier else None

    def streaks(self, run: str, statuses: Sequence[str]) -> dict[int, str]:
        began: dict[tuple[str, ...], tuple[str, str]] = {}
        found = {}
        for seq, stored in enumerate(self.stored, 1):
            record = stored.record
            key = tuple(record[name] for name in ("host", "domain", "kind", "subject"))
            if key not in began or began[key][0] != record["status"]:
                began[key] = (record["status"], record["finished"])
            if record["run"] == run and record["status"] in statuses:
                found[seq] = began[key][1]
        return found


class DailyRun:
    """One run of the daily procedure, at six in the morning of a day in November 2026, written record by record."""

    def __init__(
        self,
        ledger: ListLedger,
        hosts: Sequence[str] = ("local",),
        day: int = 24,
        steps: Sequence[dict[str, str]] = STEPS,
        **announced: Any,
    ) -> None:
        self.ledger = ledger
        self.hosts = hosts
        self.steps = steps
        self.day = f"2026-11-{day:02}"
        self.run = f"202611{day:02}T220000Z-0123456789ab"
        self.put("controller", "run", "begin", PROCEDURE, hosts=list(hosts), steps=list(steps), **announced)

    def put(
        self,
        host: str,
        domain: str,
        kind: str,
        subject: str,
        status: str = "ok",
        reason: str = "",
        clauses: Sequence[str] = (),
        via: str = "stream",
        **detail: Any,
    ) -> None:
        second = len([stored for stored in self.ledger.stored if stored.record["run"] == self.run]) % 3600
        moment = f"{self.day}T22:{second // 60:02}:{second % 60:02}Z"
        record = {
            "schema": 1,
            "id": f"{self.run}-{len(self.ledger.stored)}",
            "run": self.run,
            "procedure": PROCEDURE,
            "host": host,
            "domain": domain,
            "kind": kind,
            "subject": subject,
            "status": status,
            "reason": reason,
            "clauses": list(clauses),
            "started": moment,
            "finished": moment,
            "attempt": 1,
            "via": via,
            "detail": detail,
        }
        self.ledger.append(record)

    def step(self, host: str, number: int, status: str = "ok", reason: str = "", **detail: Any) -> None:
        step = self.steps[number]
        self.put(host, step["domain"], "step", step["module"], status, reason, **detail)

    def all_steps(self, host: str, status: str = "ok", reason: str = "", **detail: Any) -> None:
        for number in range(len(self.steps)):
            self.step(host, number, status, reason, **detail)

    def good_host(self, host: str) -> None:
        """Write what a host without findings leaves."""
        self.step(host, 0, duration=0.2)
        self.disk(host, 41)
        self.put(host, "health", "load", "load", value=0.4, unit="", layer="infrastructure", warning="4", critical="8")
        self.step(host, 1, duration=1.4)
        self.backed_up(host)
        self.step(host, 2, duration=0.9)
        self.proved(host)

    def disk(self, host: str, used: int, **detail: Any) -> None:
        """Write the record of a disk that is used to so many per cent, of limits 80 and 90."""
        status = "critical" if used > 90 else "warning" if used > 80 else "ok"
        words = {"message": f"/var is {used}% full (limit 90%)."} if status != "ok" else {}
        limits = {"value": used, "unit": "%", "warning": "80", "critical": "90", "layer": "infrastructure"}
        self.put(host, "health", "filesystem_space", "/var", status, "", ["S3.3.1-3"], **limits, **words, **detail)

    def backed_up(self, host: str, status: str = "ok", **detail: Any) -> None:
        facts = {"repository": "local", "backup": "full", "snapshot": "9f2c41d7", "files": 1840, "bytes": 5242880}
        self.put(host, "backup", "backup", "config", status, clauses=["S6.1.2-3"], **{**facts, **detail})

    def proved(self, host: str, status: str = "ok", **detail: Any) -> None:
        self.put(host, "backup", "proof", "config", status, clauses=["S6.2.2-2"], files=20, **detail)

    def seal(self, status: str = "ok", reason: str = "") -> None:
        self.put("controller", "run", "seal", PROCEDURE, status, reason)

    def report(self, **facts: Any) -> dict[str, Any]:
        return build(gather(self.ledger, self.run, Facts(**{"zone": "Asia/Shanghai", **facts})))
