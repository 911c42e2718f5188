# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the next process does follows from the journal: forward once the new data is whole, back once it was undone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.phases import (
    BACK,
    FORWARD,
    NOTHING,
    PHASES,
    STAGE,
    duty,
    phase,
    stopped,
    unfinished,
)
from ansible_collections.egov.ops.plugins.module_utils.host.journal import current_attempt
from hypothesis import given
from hypothesis import strategies as st

DETAILS = ("begin", "stop", "start", "stuck", "recorded")


def events(*names: str) -> list[dict[str, Any]]:
    return [{"event": name} for name in names]


journals = st.lists(st.sampled_from(PHASES + DETAILS), max_size=12).map(lambda names: events(*names))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], STAGE),
        (["begin"], STAGE),
        (["begin", "staging", "restored"], STAGE),
        (["begin", "staging", "restored", "ready"], FORWARD),
        (["begin", "ready", "stop", "begin"], FORWARD),
        (["begin", "ready", "stop", "undo", "begin"], BACK),
        (["begin", "ready", "undo", "start", "stuck"], BACK),
        (["begin", "ready", "undo", "failed"], STAGE),
        (["begin", "ready", "done"], NOTHING),
        (["begin", "ready", "done", "recorded"], NOTHING),
        (["begin", "ready", "done", "stop", "undo"], BACK),
        (["begin", "ready", "done", "undo", "undone"], NOTHING),
        (["begin", "ready", "done", "accept"], NOTHING),
    ],
)
def test_the_duty_follows_from_the_last_phase(names: list[str], expected: str) -> None:
    assert duty(events(*names)) == expected


@given(journals)
def test_details_change_no_duty(journal: list[dict[str, Any]]) -> None:
    bare = [event for event in journal if event["event"] in PHASES]
    assert (duty(journal), phase(journal), unfinished(journal)) == (duty(bare), phase(bare), unfinished(bare))


@given(journals)
def test_what_is_unfinished_has_something_to_do(journal: list[dict[str, Any]]) -> None:
    assert unfinished(journal) is (
        duty(journal) in (FORWARD, BACK) or phase(journal) in ("staging", "restored", "accept")
    )


@given(journals)
def test_an_attempt_holds_no_failure(journal: list[dict[str, Any]]) -> None:
    newest = current_attempt(journal)
    assert journal[len(journal) - len(newest) :] == newest
    assert all(event["event"] != "failed" for event in newest)


def test_units_are_stopped_until_they_are_started() -> None:
    stop, start = {"event": "stop", "units": ["a.service"]}, {"event": "start"}
    assert stopped([]) is None
    assert stopped([stop]) == ["a.service"]
    assert stopped([stop, start]) is None
    assert stopped([stop, start, {"event": "stop", "units": []}]) == []
