# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The known debt of a report: what was accepted, whose it is, how old it is and until when it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report import sentences
from ansible_collections.egov.ops.plugins.plugin_utils.report.acknowledgement import DEBT
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.members import seen_in

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Finding, RunReport
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import DebtRow


def rows_of(findings: Sequence[Finding]) -> list[DebtRow]:
    """Return a row for each finding that stands as debt, the oldest first; since is when the finding began (UTC)."""
    rows: list[DebtRow] = [
        {
            "id": finding["id"],
            "key": finding["key"],
            "host": finding["host"],
            "status": finding["status"],
            "title": finding["title"],
            "members": list(seen_in(finding["record"]).members or ()),
            "owner": finding["acknowledged"]["owner"],
            "reason": finding["acknowledged"]["reason"],
            "accepted": finding["acknowledged"]["made"],
            "until": finding["acknowledged"]["until"],
            "since": finding["since"],
            "age": finding["age"],
            "seq": finding["seq"],
        }
        for finding in findings
        if finding["state"] == DEBT and finding["acknowledged"]
    ]
    return sorted(rows, key=lambda row: (row["since"], row["key"]))


def sentence(data: RunReport, words: Language) -> str:
    """Return the debt in one sentence: how much, how old, and which ends first; "" for none."""
    rows = data["debt"]
    if not rows:
        return ""
    first = min(rows, key=lambda row: row["until"])
    age = words.age(rows[0]["since"], data["run"]["finished"], "spelt")
    return words.text("debt.sentence", n=len(rows), age=age, until=words.date(first["until"]), owner=first["owner"])


def chapter(data: RunReport, words: Language) -> list[Mapping[str, object]]:
    """Return the rows of the chapter as the page shows them."""
    records = {finding["key"]: finding["record"] for finding in data["findings"]}
    return [
        {
            **row,
            "title": sentences.title(records[row["key"]], [row["host"]], words),
            "accepted": words.date(row["accepted"]),
            "until": words.date(row["until"]),
            "age": words.age(row["since"], data["run"]["finished"]),
        }
        for row in data["debt"]
    ]
