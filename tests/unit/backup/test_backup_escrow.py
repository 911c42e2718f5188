# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a key in escrow was last tested, by a real ledger: what counts as a test, and when it is a finding."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils import escrow
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.record import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.plan import load_schema, merge
from ansible_collections.egov.ops.plugins.plugin_utils.state_dir import StateDir

NOW = datetime(2026, 5, 20, 1, 0, tzinfo=timezone.utc)


def before(days: float) -> str:
    return iso(NOW - timedelta(days=days))


@pytest.mark.parametrize(
    ("tested", "rotated", "due", "status", "words"),
    [
        ("", "", True, "warning", "Nobody has shown that a key in escrow opens repository local."),
        ("", "", False, "skipped", "Nobody has shown"),
        (before(99), "", True, "ok", "opened repository local 99 days ago"),
        (before(101), "", True, "warning", "was last tested 101 days ago"),
        (before(101), "", False, "skipped", "was last tested 101 days ago"),
        (before(9), before(10), True, "ok", "9 days ago"),
        (before(9), before(8), True, "warning", "was changed after its copy in escrow was tested"),
    ],
)
def test_a_test_holds_for_a_quarter_and_until_the_key_changes(
    tested: str, rotated: str, due: bool, status: str, words: str
) -> None:
    found = escrow.judge("local", tested, rotated, NOW, due, "TEST")
    assert found["status"] == status
    assert words in found["detail"]["message"]
    assert ("next" in found["detail"]) == (status != "ok")


def stored(state: StateDir, *entries: tuple[float, str, str, dict[str, Any]]) -> None:
    """Let the ledger hold records of local: days ago, kind, status and detail, oldest first."""
    with Ledger(state.ledger) as ledger:
        for days, kind, status, detail in entries:
            about = {"run": f"r{days}", "procedure": "weekly", "host": "web1", "domain": "backup"}
            seen = observation(kind, "local", status, **detail)
            ledger.append([record(observation=seen, started=before(days), finished=before(days), **about)])


def test_only_a_test_that_was_made_counts_and_a_copy_that_lies_ready_is_tested_itself(tmp_path: Path) -> None:
    state, copy = StateDir(tmp_path / "state"), tmp_path / "copy"
    state.prepare()
    plan = merge({"egov_ops_backup_repositories": {"local": {"escrow_file": str(copy)}}}, load_schema())

    def status() -> list[str]:
        return [found["status"] for found in escrow.untested(state, "web1", ["local"], plan, NOW, True)]

    assert status() == ["warning"]
    stored(state, (150, "escrow", "ok", {"message": "opens"}))
    # what a run said of an earlier test, and a test that failed, are no tests
    stored(state, (60, "escrow", "ok", {"tested": before(150)}), (50, "escrow", "critical", {"message": "no"}))
    assert status() == ["warning"]
    stored(state, (40, "escrow", "ok", {"message": "opens"}))
    stored(state, (30, "key", "ok", {"stage": "add"}), (20, "key", "failed", {"stage": "remove"}))
    assert status() == ["ok"]
    stored(state, (10, "key", "ok", {"stage": "remove"}))
    assert status() == ["warning"]
    copy.write_text("secret\n")
    assert status() == []
    assert escrow.files_of(["local", "other"], plan) == {"local": copy}
