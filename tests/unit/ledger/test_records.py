# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record over what a host observed."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import DETAIL_LIMIT, observation
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import (
    flaw_of_record,
    iso,
    record,
    record_or_failure,
    stable_id,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.storable import flaw_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ledger_cases import TIME, make_record


class Text(str):
    """A text like Ansible's own, which say where they come from."""


def nested(depth: int) -> list[Any]:
    """Return lists inside each other, `depth` of them."""
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


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
        ({"detail": {"value": float("nan")}}, "detail.value is nan, but only finite numbers are allowed"),
        ({"detail": {"values": [1, float("-inf")]}}, r"detail.values\[1\] is -inf"),
        ({"detail": {"value": {1}}}, "detail.value is a set, which cannot be written as JSON"),
        ({"detail": {"value": 2**63}}, "detail.value is an integer of 64 bits"),
        ({"detail": {"value": -(2**63) - 1}}, "detail.value is an integer of 64 bits"),
        ({"detail": {"value": 10**5000}}, "detail.value is an integer of 16610 bits"),
        ({"detail": {"text": "a\0b"}}, "detail.text holds a NUL character"),
        ({"detail": {"a\0b": 1}}, "detail has a key with a NUL character"),
        ({"detail": {"of": {1: 2}}}, "detail.of has the key 1, but only texts are allowed"),
        ({"detail": {"of": {None: 2, "x": 1}}}, "detail.of has the key None"),
        ({"detail": {"many": [0] * 100_001}}, "detail.many has 100001 entries, but 100000 are allowed"),
        ({"subject": "a\0b"}, "subject holds a NUL character"),
        ({"kind": ["probe"]}, r"whose kind is \['probe'\]"),
        ({"run": 7}, "run is 7, but a text of 1 to 2000 characters is allowed"),
        ({"procedure": ""}, "procedure is ''"),
        ({"domain": None}, "domain is None"),
        ({"via": ["stream"]}, "via is"),
        ({"identifier": "a b"}, "id is 'a b', but 1 to 64 letters"),
        ({"identifier": ["1"]}, r"id is \['1'\]"),
        ({"attempt": 0}, "attempt is 0, but 1 to 1000000 are allowed"),
        ({"attempt": True}, "attempt is True"),
        ({"finished": "2026-13-04T05:06:07Z"}, "not a time like"),
        ({"finished": None}, "is None, not a time"),
        ({"finished": "2026-03-04 05:06:07"}, "not a time like"),
        ({"started": "2026-03-04T05:06:07.5Z"}, "not a time like"),
    ],
)
def test_what_is_no_observation_is_refused_with_host_and_value(given_instead: dict[str, Any], said: str) -> None:
    with pytest.raises(LedgerError, match=f"web1.*{said}"):
        make_record(**given_instead)


@pytest.mark.parametrize("depth", [33, 2_600, 5_000, 100_000])
def test_a_detail_that_is_nested_too_deep_is_refused_with_its_place(depth: int) -> None:
    with pytest.raises(LedgerError, match=r"web1 cannot be stored: detail\.deep\[0\]\[0\].* deeper than the 32 levels"):
        make_record(detail={"deep": nested(depth - 1)})


def test_a_detail_of_the_greatest_depth_is_stored() -> None:
    made = make_record(detail={"deep": nested(31)})
    with sqlite3.connect(":memory:") as database:
        assert database.execute("SELECT json_valid(?)", [canonical(made)]).fetchone() == (1,)


@pytest.mark.parametrize("host", [None, "", 7, ["web1"]])
def test_a_host_that_is_no_text_is_refused(host: Any) -> None:
    with pytest.raises(LedgerError, match="a host is named by a text"):
        make_record(host=host)


def test_more_clauses_than_any_control_has_are_refused() -> None:
    seen = {**observation("probe", "load", "ok"), "clauses": ["S1"] * 101}
    with pytest.raises(LedgerError, match=r"clauses is .* a list of at most 100 is allowed"):
        record(run="r", procedure="p", host="web1", domain="d", observation=seen, started=TIME, finished=TIME)
    seen["clauses"] = [5]
    with pytest.raises(LedgerError, match="a clause is 5, but a text"):
        record(run="r", procedure="p", host="web1", domain="d", observation=seen, started=TIME, finished=TIME)


@pytest.mark.parametrize("schema", [0, 2, True, 1.0, "1"])
def test_a_record_of_another_schema_is_none(schema: Any) -> None:
    assert "schema is" in flaw_of_record({**make_record(), "schema": schema})


def test_a_text_of_ansible_is_a_text() -> None:
    made = make_record(detail={Text("name"): [Text("value")]}, host=Text("web1"))
    assert json.loads(canonical(made))["detail"] == {"name": ["value"]}


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        ({"kind": "probe", "subject": "load", "status": "ok", "detail": {"x": float("nan")}}, ("probe", "load")),
        ({"kind": "a\0", "subject": "load", "status": "ok"}, ("observation", "load")),
        ({"subject": 5, "status": "fine"}, ("observation", "malformed")),
        ([1], ("observation", "malformed")),
    ],
)
def test_a_bad_observation_becomes_a_failure_that_says_why(seen: Any, names: tuple[str, str]) -> None:
    given = {"run": "r", "procedure": "p", "host": "web1", "domain": "d", "started": TIME, "finished": TIME}
    made = record_or_failure(observation=seen, **given)
    assert (made["kind"], made["subject"]) == names
    assert (made["status"], made["reason"]) == ("failed", "malformed_answer")
    assert made["detail"]["message"].startswith("The evidence of web1")
    good = observation("probe", "load", "ok", value=1)
    assert record_or_failure(observation=good, **given)["detail"] == {"value": 1}
    with pytest.raises(LedgerError):
        record_or_failure(observation=good, **{**given, "finished": "today"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=30,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(), json_values))
def test_what_is_accepted_reads_back_from_sqlite_as_it_was(detail: dict[str, Any]) -> None:
    try:
        made = make_record(detail=detail)
    except LedgerError:
        return
    body = canonical(made)
    with sqlite3.connect(":memory:") as database:
        (stored, host) = database.execute("SELECT json(?1), json_extract(?1, '$.host')", [body]).fetchone()
    assert host == "web1"
    assert json.loads(stored) == json.loads(body)


long_texts = st.builds(
    lambda letter, times: letter * times, st.characters(exclude_characters="\0"), st.integers(0, 9000)
)
details = st.dictionaries(
    st.text(st.characters(exclude_characters="\0"), max_size=60),
    st.integers(-(2**63), 2**63 - 1) | long_texts,
    max_size=30,
)


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


def test_a_stable_id_is_32_digits_of_its_parts() -> None:
    assert len(stable_id("a", "b")) == 32
    assert stable_id("a", "b") == stable_id("a", "b") != stable_id("ab", "")


@pytest.mark.parametrize(
    ("changed", "flaw"),
    [
        *(({name: "x" * 2000}, "") for name in ("run", "procedure", "host", "domain", "kind", "subject", "via")),
        *(({name: "x" * 2001}, f"{name} is 'xxx") for name in ("run", "procedure", "host", "domain", "kind", "via")),
        *(({name: ""}, f"{name} is ''") for name in ("run", "procedure", "host", "domain", "kind", "subject", "via")),
        *(({name: "a\0b"}, f"{name} holds a NUL character") for name in ("run", "host", "subject", "via")),
        ({"run": Text("r1")}, ""),
        ({"run": 5}, "run is 5"),
        ({"id": "x" * 64}, ""),
        ({"id": "x" * 65}, "id is 'xxx"),
        ({"id": ""}, "id is ''"),
        ({"id": "a b"}, "id is 'a b'"),
        ({"id": 7}, "id is 7"),
        ({"status": "fine"}, "status is 'fine', not one of ok,"),
        ({"reason": "because"}, "reason is 'because'"),
        ({"reason": "Zzz"}, "reason is 'Zzz'"),
        ({"reason": None}, "reason is None"),
        ({"started": "2026-03-04"}, "started is '2026-03-04', not a time"),
        ({"started": "2026-13-04T05:06:07Z"}, "started is '2026-13-04T05:06:07Z'"),
        ({"finished": 5}, "finished is 5"),
        ({"finished": "2026-03-04T05:06:07Z "}, "finished is "),
        ({"attempt": 1}, ""),
        ({"attempt": 0}, "attempt is 0, but 1 to 1000000"),
        ({"attempt": 1_000_000}, ""),
        ({"attempt": 1_000_001}, "attempt is 1000001"),
        ({"attempt": True}, "attempt is True"),
        ({"clauses": ["S1"] * 100}, ""),
        ({"clauses": ["S1"] * 101}, "clauses is ["),
        ({"clauses": ("S1",)}, "clauses is ("),
        ({"clauses": [""]}, "a clause is ''"),
        ({"clauses": ["x" * 2000]}, ""),
        ({"clauses": ["x" * 2001]}, "a clause is 'xxx"),
        ({"clauses": ["a\0b"]}, "a clause holds a NUL character"),
        ({"clauses": [Text("S1"), "S2", ""]}, "a clause is ''"),
        ({"detail": []}, "detail is [], but a mapping"),
        ({"detail": {"a": float("inf")}}, "detail.a is inf"),
    ],
)
def test_each_field_of_a_record_has_its_bounds(changed: dict[str, Any], flaw: str) -> None:
    found = flaw_of_record({**make_record(), **changed})
    assert found.startswith(flaw) if flaw else found == ""


def test_a_record_without_a_field_or_with_another_one_names_it() -> None:
    less = make_record()
    del less["via"]
    assert flaw_of_record(less).endswith("and this differs in ['via']")
    assert flaw_of_record({**make_record(), "b": 1, "a": 1}).endswith("and this differs in ['a', 'b']")


@pytest.mark.parametrize("value", [5, 1.5, None, True, "text", Text("text"), [], (1, 2), {"a": [{}]}])
def test_a_value_that_a_ledger_can_hold_has_no_flaw_whatever_its_type(value: Any) -> None:
    assert flaw_of(value, "x") == ""


def test_the_place_of_a_flaw_is_named_up_to_80_characters() -> None:
    assert flaw_of({"a": [1, {"b": {2}}]}, "detail") == "detail.a[1].b is a set, which cannot be written as JSON"
    place = f".{'k' * 200}"
    assert flaw_of({"k" * 200: {2}}, "detail") == f"detail{place[:80]} is a set, which cannot be written as JSON"


def test_a_detail_of_just_the_limit_is_kept_and_one_more_is_cut() -> None:
    empty = len(canonical({"a": "", "b": 1}))
    whole = make_record(detail={"a": "x" * (DETAIL_LIMIT - empty), "b": 1})["detail"]
    assert "cut" not in whole
    more = make_record(detail={"a": "x" * (DETAIL_LIMIT - empty + 1), "b": 1})["detail"]
    assert more["cut"]["names"] == ["a"]
    assert (len(more["a"]), more["b"]) == (2000, 1)
