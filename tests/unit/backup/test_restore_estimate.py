# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a restore may take: by what the set's restores took, else its proofs, else an assumption that is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.backup.restore_estimate import (
    ASSUMED_RATE,
    FIXED_SECONDS,
    estimate,
)
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

SIZE = 50_000_000


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    found = StateDir(tmp_path / "state")
    found.prepare()
    return found


def remember(state: StateDir, kind: str, status: str = "ok", host: str = "web1", **detail: Any) -> None:
    """Put the record of a restore or proof into the ledger."""
    seen = observation(kind, "pages", status, **detail)
    when = "2026-05-20T01:00:00Z"
    about = {"run": "r", "procedure": "standalone", "host": host, "domain": "restore", "started": when}
    with Ledger(state.ledger) as ledger, ledger.transaction():
        ledger.append([record(observation=seen, finished=when, **about)])


def test_without_a_ledger_a_slow_disk_is_assumed(state: StateDir) -> None:
    seconds, by = estimate(state, "web1", "pages", SIZE)
    assert seconds == FIXED_SECONDS + SIZE / ASSUMED_RATE
    assert by.startswith("assumed (20 MB/s)")


def test_proofs_tell_what_there_is_no_restore_for(state: StateDir) -> None:
    remember(state, "proof", bytes=10_000_000, restore_seconds=2.0)
    assert estimate(state, "web1", "pages", SIZE) == (FIXED_SECONDS + 10.0, "by 1 proofs of the set (5.0 MB/s)")


def test_restores_tell_more_than_proofs(state: StateDir) -> None:
    remember(state, "proof", bytes=10_000_000, restore_seconds=2.0)
    remember(state, "restore", bytes=10_000_000, seconds=1.0)
    remember(state, "restore", bytes=30_000_000, seconds=1.0)
    assert estimate(state, "web1", "pages", SIZE) == (FIXED_SECONDS + 2.5, "by 2 restores of the set (20.0 MB/s)")


@pytest.mark.parametrize(
    ("status", "host", "detail"),
    [
        ("failed", "web1", {"bytes": 10, "seconds": 1.0}),
        ("ok", "web2", {"bytes": 10, "seconds": 1.0}),
        ("ok", "web1", {"bytes": 0, "seconds": 1.0}),
        ("ok", "web1", {"bytes": 10, "seconds": 0}),
        ("ok", "web1", {}),
    ],
)
def test_what_tells_nothing_is_left_out(state: StateDir, status: str, host: str, detail: dict[str, Any]) -> None:
    remember(state, "restore", status, host, **detail)
    assert estimate(state, "web1", "pages", SIZE)[1].startswith("assumed")
