# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secrets of repositories on the controller: a copy's trouble stops no backup, what is known is not made anew."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.backup.passwords import passwords_of, passwords_of_copies
from ansible_collections.egov.ops.plugins.plugin_utils.backup.sets import sets_of
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import Plan, merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema

NOW = datetime(2026, 5, 20, tzinfo=timezone.utc)


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    found = StateDir(tmp_path / "state")
    found.prepare()
    return found


def plan_with(**second: Any) -> Plan:
    repositories = {"second": {"location": "/srv/second", **second}}
    variables = {
        "egov_ops_backup_sets": {"config": {"copies": ["second"]}},
        "egov_ops_backup_repositories": repositories,
    }
    return merge(variables, load_schema())


def test_a_copy_without_a_password_is_told_and_leaves_the_set_its_own(state: StateDir) -> None:
    plan = plan_with()
    sets = sets_of(plan, {}, state, "web1", NOW)
    found, troubles = passwords_of_copies(sets, plan, state, False)
    assert found == {}
    assert troubles["second"].endswith("passwords/second does not exist on the controller.")
    assert list(passwords_of(sets, plan, state, False)) == ["repository:local"]


def test_a_lost_password_of_a_copy_that_the_ledger_knows_is_not_made_anew(state: StateDir) -> None:
    plan = plan_with(create=True)
    assert passwords_of_copies(sets_of(plan, {}, state, "web1", NOW), plan, state, True)[1] == {}
    seen = observation("copy", "config to second", "ok", copy="second")
    when = "2026-05-20T01:00:00Z"
    about = {"run": "r", "procedure": "standalone", "host": "web1", "domain": "backup", "started": when}
    with Ledger(state.ledger) as ledger, ledger.transaction():
        ledger.append([record(observation=seen, finished=when, **about)])
    sets = sets_of(plan, {}, state, "web1", NOW)
    assert sets["config"]["known_copies"] == ["second"]
    assert "is gone" in passwords_of_copies(sets, plan, state, False)[1]["second"]


def test_credentials_come_from_a_file_of_the_owner_alone(state: StateDir, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("# of the bucket\nAWS_ACCESS_KEY_ID=key\nAWS_SECRET_ACCESS_KEY=a=b\n")
    file.chmod(0o600)
    plan = plan_with(create=True, credentials_file=str(file))
    sets = sets_of(plan, {}, state, "web1", NOW)
    found, _troubles = passwords_of_copies(sets, plan, state, False)
    assert found["credentials:second:AWS_ACCESS_KEY_ID"] == "key"
    assert found["credentials:second:AWS_SECRET_ACCESS_KEY"] == "a=b"
    file.chmod(0o644)
    assert "open to others" in passwords_of_copies(sets, plan, state, False)[1]["second"]


@pytest.mark.parametrize("line", ["LD_PRELOAD=/evil.so", "AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID="])
def test_a_line_that_is_no_credential_is_refused_without_its_value(state: StateDir, tmp_path: Path, line: str) -> None:
    file = tmp_path / "credentials"
    file.write_text(f"{line}\n")
    file.chmod(0o600)
    plan = plan_with(create=True, credentials_file=str(file))
    _found, troubles = passwords_of_copies(sets_of(plan, {}, state, "web1", NOW), plan, state, False)
    assert troubles["second"].startswith(f"Line 1 of the credentials file {file} is none of NAME=value")
    assert "evil" not in troubles["second"]
