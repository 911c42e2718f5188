# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Beside which ledger a check is judged, and what becomes of a fault of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.runs import rehearsal

from tests.support.ledger_cases import fill, make_record, make_state

RECORDS = [make_record(identifier="s", run="check")]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    (tmp_path / "check").mkdir(mode=0o700)
    monkeypatch.setattr(rehearsal, "check_folder", lambda: StateDir(tmp_path / "check"))
    return make_state(tmp_path)


def test_a_ledger_that_is_there_is_compared_with_and_not_written(state: StateDir) -> None:
    with Ledger(state.ledger) as ledger:
        fill(ledger, 2)
    before = state.ledger.read_bytes()
    with rehearsal._ledger(state, RECORDS) as (ledger, fault):
        assert ([row.record["id"] for row in ledger.records()], fault) == (["1", "2", "s"], "")
    assert state.ledger.read_bytes() == before


def test_without_a_ledger_the_check_stands_alone(state: StateDir) -> None:
    with rehearsal._ledger(state, RECORDS) as (ledger, fault):
        assert ([row.record["id"] for row in ledger.records()], fault) == (["s"], "")
    assert not state.ledger.exists()


def test_a_ledger_that_cannot_be_read_is_said_and_the_check_stands_alone(state: StateDir) -> None:
    state.ledger.write_bytes(b"plain text, long enough to be no header" * 100)
    with rehearsal._ledger(state, RECORDS) as (ledger, fault):
        assert [row.record["id"] for row in ledger.records()] == ["s"]
        assert str(state.ledger) in fault


def test_a_fault_while_the_check_is_judged_keeps_its_own_words(state: StateDir) -> None:
    with Ledger(state.ledger) as ledger:
        fill(ledger, 1)
    with pytest.raises(LedgerError, match="The disk is gone"), rehearsal._ledger(state, RECORDS):
        raise LedgerError("The disk is gone.")
