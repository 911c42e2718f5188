# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests and approvals as documents: what is one, and what a person reads."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import (
    SIZE_LIMIT,
    Approval,
    ApprovalError,
    check_operation,
    read_approval,
    read_request,
    words_of,
)
from ansible_collections.egov.ops.plugins.plugin_utils.operations.restore import PATHS_LIMIT
from hypothesis import given
from hypothesis import strategies as st

from tests.support.gate_cases import SNAPSHOT, operation, request

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_request_is_read_as_it_was_made() -> None:
    assert read_request(request().body.encode()) == request()
    assert len(request().digest) == 64


def test_another_nonce_is_another_request() -> None:
    assert request(nonce="cd" * 16).digest != request().digest


@given(st.binary() | _JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_refused_in_one_sentence(data: bytes) -> None:
    for read in (read_request, read_approval):
        with pytest.raises(ApprovalError, match=r"^The (request|approval) [^\n]*\.$"):
            read(data)


@given(st.sampled_from(sorted(operation())), _JSON)
def test_any_value_in_an_operation_is_taken_or_refused_in_one_sentence(key: str, value: Any) -> None:
    try:
        check_operation("restore", operation(**{key: value}))
    except ApprovalError as error:
        assert str(error).endswith(".")
        assert "\n" not in str(error)


def test_a_huge_or_deep_document_is_refused() -> None:
    with pytest.raises(ApprovalError, match="more than the"):
        read_request(b" " * (SIZE_LIMIT + 1))
    with pytest.raises(ApprovalError, match="no JSON text"):
        read_request(b"[" * 100_000)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("reason", "x", True),
        ("reason", "x" * 1000, True),
        ("reason", "x" * 1001, False),
        ("reason", " ", False),
        ("requester", "x" * 1000, True),
        ("requester", "x" * 1001, False),
        ("nonce", "0" * 31, False),
        ("nonce", "0" * 33, False),
        ("nonce", "0" * 31 + "g", False),
        ("not_after", "2026-03-04T05:06:07Z", False),
        ("not_after", "2026-03-04T05:06:08Z", True),
    ],
)
def test_a_field_is_taken_up_to_its_bound_and_no_further(name: str, value: str, allowed: bool) -> None:
    asked = request(**{name: value})
    assert asked.made == "2026-03-04T05:06:07Z"
    if allowed:
        assert read_request(asked.body.encode()) == asked
    else:
        with pytest.raises(ApprovalError, match=r"^[^\n]*\.$"):
            read_request(asked.body.encode())


@pytest.mark.parametrize("digits", ["a" * 63, "a" * 65, "g" * 64, "A" * 64, ""])
def test_an_approval_names_a_request_by_64_digits(digits: str) -> None:
    good = Approval("a" * 64, "wang", "2026-03-04T05:06:07Z").body
    assert read_approval(good.encode()).request == "a" * 64
    with pytest.raises(ApprovalError):
        read_approval(good.replace("a" * 64, digits).encode())


@pytest.mark.parametrize("schema", [0, 2, -1])
def test_a_document_of_another_schema_is_refused_by_its_number(schema: int) -> None:
    body = request().body.replace('"schema":1', f'"schema":{schema}')
    with pytest.raises(ApprovalError, match=f"has the schema {schema}, and this release"):
        read_request(body.encode())


def test_a_document_of_just_the_most_bytes_is_read() -> None:
    body = request().body.encode()
    assert read_request(body + b" " * (SIZE_LIMIT - len(body))) == request()


def test_more_paths_than_a_person_reads_are_refused() -> None:
    paths = sorted(f"/srv/{number}" for number in range(PATHS_LIMIT + 1))
    with pytest.raises(ApprovalError, match="name the folders that they are in"):
        check_operation("restore", operation(paths=paths))


def told(**given: Any) -> dict[str, str]:
    return {line[:8].strip(): line[9:] for line in words_of(request(operation=operation(**given)))}


def test_the_words_say_what_where_from_which_snapshot_how_big_and_what_is_replaced() -> None:
    words = told()
    assert words["request"] == request().digest
    assert words["asks"] == "li, at 2026-03-04T05:06:07Z: The portal was deleted by mistake"
    assert words["host"] == "web1"
    assert words["from"] == f"snapshot {SNAPSHOT[:8]} of 2026-03-04T01:00:00Z, set portal, repository local"
    assert words["what"] == "/srv/portal"
    assert words["size"] == "120 files, 4 KiB, about 3.5 s"
    assert words["where"].startswith("back into its place; what is there now is replaced, and kept aside until")
    assert words["stops"] == "nginx.service; started again afterwards"


def test_the_words_say_of_a_restore_beside_that_nothing_is_replaced() -> None:
    words = told(mode="beside", destination="/srv/restored", paths=[], stop=[])
    assert words["what"] == "the whole set"
    assert words["where"] == "beside, into /srv/restored, which must not exist; nothing is replaced"
    assert words["stops"] == "nothing"


def test_whose_data_goes_to_another_host_is_told_and_is_part_of_what_is_signed() -> None:
    words = told(of="db1", original="9" * 64)
    assert words["host"] == "web1"
    assert words["of"] == "host db1, whose data goes to another host"
    assert "of" not in told()
    assert request(operation=operation(of="db1")).digest != request().digest


@pytest.mark.parametrize("given", [{"of": ""}, {"of": 5}, {"original": "9" * 63}, {"original": None}, {"off": "db1"}])
def test_what_an_operation_may_lack_is_checked_where_it_is_there(given: dict[str, Any]) -> None:
    with pytest.raises(ApprovalError, match=r"that cannot be|which there is not"):
        check_operation("restore", operation(**given))


def test_each_path_is_shown() -> None:
    paths = sorted(f"/srv/{number}" for number in range(PATHS_LIMIT))
    lines = words_of(request(operation=operation(paths=paths)))
    assert [line[9:] for line in lines if line.startswith("what")] == paths


@given(st.text())
def test_nothing_in_a_request_can_move_the_cursor_or_hide(text: str) -> None:
    asked = request(reason=f"{text}\x1b[2J\u202e\r", operation=operation(paths=[f"/{text}\x1b[1A"]))
    for line in words_of(asked):
        assert {unicodedata.category(character) for character in line}.isdisjoint({"Cc", "Zl", "Zp", "Cs"})
        assert "\u202e" not in line
