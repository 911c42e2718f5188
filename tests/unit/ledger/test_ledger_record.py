# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record over what a host observed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import DETAIL_LIMIT, observation
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.record import iso, record, stable_id
from hypothesis import given
from hypothesis import strategies as st
from ledger_cases import TIME, make_record

FIELDS = {
    *("schema", "id", "run", "procedure", "host", "domain", "kind", "subject", "status", "reason", "clauses"),
    *("started", "finished", "attempt", "via", "detail"),
}


def test_a_record_has_the_agreed_fields_and_no_others() -> None:
    assert make_record().keys() == FIELDS


def test_the_duration_of_an_observation_becomes_detail() -> None:
    seen = observation("probe", "load", "ok", duration=0.25, value=1)
    made = record(run="r", procedure="p", host="h", domain="d", observation=seen, started=TIME, finished=TIME)
    assert made["detail"] == {"value": 1, "duration": 0.25}


def test_two_records_of_the_same_thing_have_ids_of_their_own() -> None:
    assert make_record()["id"] != make_record()["id"]


def test_a_stable_id_depends_on_each_part_and_their_bounds() -> None:
    assert stable_id("a", "b") == stable_id("a", "b")
    assert len({stable_id("a", "b"), stable_id("ab", ""), stable_id("a", "c")}) == 3


@pytest.mark.parametrize(
    ("given_instead", "said"),
    [
        ({"status": "fine"}, "holds the status 'fine'"),
        ({"reason": "because"}, "holds the reason 'because'"),
        ({"kind": ""}, "whose kind is ''"),
        ({"subject": None}, "whose subject is None"),
        ({"subject": "x" * 5000}, "whose subject is 'xxx"),
        ({"detail": [1]}, "detail or clauses of the wrong shape"),
        ({"detail": {"value": float("nan")}}, "cannot be written as JSON"),
        ({"detail": {"value": {1}}}, "cannot be written as JSON"),
        ({"finished": "2026-03-04 05:06:07"}, "was given the time"),
        ({"started": "2026-03-04T05:06:07.5Z"}, "was given the time"),
    ],
)
def test_what_is_no_observation_is_refused_with_host_and_value(given_instead: dict[str, Any], said: str) -> None:
    with pytest.raises(LedgerError, match=f"web1.*{said}"):
        make_record(**given_instead)


long_texts = st.builds(lambda letter, times: letter * times, st.characters(), st.integers(0, 9000))
details = st.dictionaries(st.text(max_size=60), st.integers() | long_texts, max_size=30)


@given(details)
def test_a_detail_never_exceeds_its_limit(detail: dict[str, Any]) -> None:
    made = make_record(detail=detail, status="critical")
    assert len(canonical(made["detail"]).encode()) <= DETAIL_LIMIT
    assert made["status"] == "critical"


def test_a_detail_that_was_cut_says_so_and_keeps_its_sentences() -> None:
    made = make_record(detail={"message": "Full.", "files": ["x" * 100] * 1000, "log": "y" * 50000, "value": 99})
    detail = made["detail"]
    assert (detail["message"], detail["value"], len(detail["log"])) == ("Full.", 99, 2000)
    assert "files" not in detail
    assert sorted(detail["cut"]["names"]) == ["files", "log"]


def test_a_detail_within_the_limit_is_kept_as_it_is() -> None:
    detail = {"text": "x" * 10000}
    assert make_record(detail=detail)["detail"] == detail


def test_times_are_written_in_utc_with_z() -> None:
    noon = datetime(2026, 3, 4, 12, 0, 0, 999999, tzinfo=timezone(timedelta(hours=8)))
    assert iso(noon) == "2026-03-04T04:00:00Z"
