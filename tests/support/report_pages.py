# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A page of the report read as its elements, hostile text, and a run with something of everything in it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from tests.support.report_ledger import STEPS, DailyRun, ListLedger

VOID = {"meta", "br", "input"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> \u202egnp.exe\x1b[31m\x07{{ 7 * 7 }}"


class Page(HTMLParser):
    """The elements, ids and links of a page; it fails where an element is not closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.counts: dict[str, int] = {}
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._open.append(tag)
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.attributes += attrs
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(values["id"] or "")
        if values.get("href"):
            self.links.append(values["href"] or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def eventful_run() -> dict[str, Any]:
    """Return the data of a second run with something of everything in it."""
    ledger = ListLedger()
    steps = (*STEPS, {"module": "package_scan", "domain": "updates"})
    for day in (23, 24):
        run = DailyRun(ledger, ("web1", "web2", "db1", "app2", "主机一"), day, steps, not_ours=["switch1"])
        for host in ("web1", "web2", "db1", "主机一"):
            run.good_host(host)
            run.step(host, 3, "skipped", "not_built")
        run.all_steps("app2", "unreachable", "timeout")
        run.all_steps("switch1", "skipped", "not_ours")
        for host in ("web1", "web2"):
            run.put(host, "health", "swap", "swap", "warning", value=86.5, unit="%", warning="85", critical="95")
        run.put("db1", "health", "zombies", "zombies", "critical" if day == 23 else "ok", message="3 zombies.")
        run.put("db1", "backup", "proof", "data", "failed", "mismatch")
        run.put("db1", "health", "raid", "md0", "unknown", "permission")
        run.seal()
    return run.report(platform="Portal", ledger="var/ledger.sqlite3", witness="var/witness.jsonl")
