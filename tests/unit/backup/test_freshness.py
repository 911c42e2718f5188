# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How old a set's newest good backup is: told by the run itself, else by a real ledger and its spools."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.backup import freshness
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity, identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 5, 20, 1, 0, tzinfo=timezone.utc)
DAILY = {"full": "weekly", "incremental": "daily"}
SETS = {"pages": DAILY}


def before(hours: float) -> str:
    return iso(NOW - timedelta(hours=hours))


@pytest.mark.parametrize(
    ("hours", "status"), [(0, "ok"), (29, "ok"), (31, "warning"), (59, "warning"), (61, "critical")]
)
def test_a_backup_ages_by_the_objective_that_its_cadence_gives(hours: float, status: str) -> None:
    assert freshness.judge("pages", DAILY, before(hours), NOW)["status"] == status


def test_the_plans_objective_goes_before_the_cadence() -> None:
    found = freshness.judge("pages", {**DAILY, "rpo": 7200}, before(3), NOW)
    assert found["status"] == "warning"
    assert found["detail"]["message"] == ("The newest good backup of set pages is 3.0 h old; its objective is 2.0 h.")
    assert "egov.ops.backup" in found["detail"]["next"]


def test_a_set_that_was_never_backed_up_is_critical() -> None:
    assert freshness.judge("pages", DAILY, "", NOW)["status"] == "critical"


def test_a_clock_that_was_set_back_makes_nothing_older() -> None:
    assert freshness.judge("pages", DAILY, before(-1), NOW)["status"] == "ok"


def backup(hours: float, status: str = "ok", subject: str = "pages", **detail: Any) -> dict[str, Any]:
    """Return the record of a backup that was begun so many hours ago."""
    found = observation("backup", subject, status, **(detail or {"added_bytes": 7}))
    times = {"started": before(hours), "finished": before(hours)}
    return record(run=f"r{hours}", procedure="daily", host="web1", domain="backup", observation=found, **times)


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    found = StateDir(tmp_path / "state")
    found.prepare()
    return found


def stored(state: StateDir, *records: dict[str, Any]) -> StateDir:
    with Ledger(state.ledger) as ledger:
        ledger.append(sorted(records, key=lambda entry: str(entry["finished"])))
    return state


def judged(state: StateDir, *evidence: dict[str, Any], away: bool = False) -> dict[str, str]:
    """Return the status of each set after a backup that has observed this."""
    found = freshness.of_run(state, "web1", SETS, evidence, NOW, away)
    assert {item["kind"] for item in found} <= {"freshness"}
    return {item["subject"]: item["status"] for item in found}


FAILED = observation("backup", "pages", "failed", "error", message="restic could not.")
NOT_DUE = observation("backup", "pages", "ok", "not_due", unchanged=False)


def test_what_the_run_itself_has_made_or_found_unchanged_is_fresh_without_a_ledger(tmp_path: Path) -> None:
    for detail in ({"added_bytes": 0}, {"unchanged": True}):
        nowhere = StateDir(tmp_path / "nowhere")
        assert judged(nowhere, observation("backup", "pages", "warning", **detail)) == {"pages": "ok"}


@pytest.mark.parametrize("evidence", [(), (FAILED,), (NOT_DUE,)])
def test_a_backup_that_fails_for_days_is_a_warning_and_then_critical(
    state: StateDir, evidence: tuple[dict[str, Any], ...]
) -> None:
    stored(state, backup(61))
    assert judged(state, *evidence) == {"pages": "critical"}
    # neither a run that had nothing to do nor one that failed makes a backup newer
    stored(state, backup(40), backup(20, unchanged=False), backup(10, "failed", message="no"))
    assert judged(state, *evidence) == {"pages": "warning"}
    stored(state, backup(25, unchanged=True))
    assert judged(state, *evidence) == {"pages": "ok"}


def test_another_sets_and_another_hosts_backups_say_nothing(state: StateDir) -> None:
    stored(state, backup(1, subject="other"), {**backup(2), "host": "web2"})
    assert judged(state, FAILED) == {"pages": "critical"}


def test_what_a_killed_run_has_made_is_known_from_its_spool(state: StateDir) -> None:
    stored(state, backup(100))
    mine = identity(os.getpid())
    killed = Identity(mine.boot, mine.namespace, mine.pid, 0)
    spool = Spool.find_or_create(state.spool, killed, {"procedure": "daily", "begun": "", "hosts": ["web1"]}, NOW)
    assert judged(state, NOT_DUE) == {"pages": "critical"}
    spool.append([{**backup(20), "run": spool.run}])
    assert judged(state, NOT_DUE) == {"pages": "ok"}


def test_a_host_that_is_away_is_judged_by_what_it_once_had(state: StateDir) -> None:
    assert judged(state, away=True) == {}, "that it does not answer is told already"
    stored(state, backup(61))
    assert judged(state, away=True) == {"pages": "critical"}


def test_while_another_run_makes_the_first_backup_nothing_is_said(state: StateDir) -> None:
    busy = observation("backup", "pages", "skipped", "busy", message="Another run has been backing up the set.")
    assert judged(state, busy) == {}
    held = observation("backup", "pages", "failed", "busy", message="Its lock is held by sleep (pid 71).")
    assert judged(state, held) == {"pages": "critical"}
    stored(state, backup(61))
    assert judged(state, busy) == {"pages": "critical"}


def test_a_set_that_is_absent_is_not_judged(state: StateDir) -> None:
    assert freshness.of_run(state, "web1", {"pages": {"state": "absent"}}, [], NOW) == []


STATUSES = st.sampled_from(["ok", "warning", "failed"])


@given(st.lists(st.tuples(st.integers(0, 200), STATUSES, st.booleans()), max_size=8))
def test_the_newest_of_any_records_is_the_newest_that_holds(kinds: list[tuple[int, str, bool]]) -> None:
    records = [backup(hours, status, unchanged=holds) for hours, status, holds in kinds]
    holding = [hours for hours, status, holds in kinds if holds and status != "failed"]
    assert freshness.newest_of(records) == (before(min(holding)) if holding else "")
