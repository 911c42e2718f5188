# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which record is ahead of the clock, and until which one a person has accepted that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import clock
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.ledger_cases import NOW, make_record


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite3") as opened:
        yield opened


def at(seconds: int, **given: Any) -> dict[str, Any]:
    when = iso(NOW + timedelta(seconds=seconds))
    return make_record(started=when, finished=when, **given)


@pytest.mark.parametrize(("seconds", "is_ahead"), [(-600, False), (0, False), (300, False), (301, True), (10**8, True)])
def test_a_record_is_ahead_beyond_five_minutes(ledger: Ledger, seconds: int, is_ahead: bool) -> None:
    ledger.append([at(0), at(seconds)])
    found = clock.record_ahead(ledger, NOW + timedelta(microseconds=999_999))
    assert (found.seq if found else None) == (2 if is_ahead else None)
    assert clock.first_time_ahead(NOW) == iso(NOW + timedelta(seconds=301))


@pytest.mark.parametrize(
    ("changed", "is_accepted"),
    [
        ({}, True),
        ({"detail": {"upto": 3}}, True),
        ({"detail": {"upto": 1}}, False),
        ({"detail": {"upto": "2"}}, False),
        ({"detail": {}}, False),
        ({"status": "failed"}, False),
        ({"host": "web1"}, False),
        ({"domain": "health"}, False),
        ({"kind": "other"}, False),
        ({"subject": "other"}, False),
    ],
)
def test_an_acceptance_counts_up_to_the_record_that_it_names(
    ledger: Ledger, changed: dict[str, Any], is_accepted: bool
) -> None:
    given = {"host": "controller", "domain": "gate", "kind": "clock", "subject": "ledger", "detail": {"upto": 2}}
    ledger.append([at(0), at(3600), at(0, **{**given, **changed})])
    assert (clock.record_ahead(ledger, NOW) is None) == is_accepted
    sentence = clock.fault(ledger, NOW)
    assert (
        sentence == "" if is_accepted else sentence.startswith(f"The controller's clock says {iso(NOW)}, and record #2")
    )


def test_an_acceptance_says_who_accepts_what_and_why(ledger: Ledger) -> None:
    ledger.append([at(3600)])
    ahead = clock.record_ahead(ledger, NOW)
    assert ahead is not None
    seen = clock.acceptance(ahead, "it was set back", "root", NOW)
    later = iso(NOW + timedelta(hours=1))
    assert (seen["kind"], seen["subject"], seen["status"]) == ("clock", "ledger", "ok")
    assert seen["detail"] == {
        "message": f"root accepts the clock at {iso(NOW)} although record #1 was made at {later}: it was set back",
        "upto": 1,
        "ahead": later,
        "why": "it was set back",
        "user": "root",
    }
