# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Canonical JSON, and the chain over it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import (
    ALGORITHMS,
    GENESIS,
    Break,
    canonical,
    first_break,
    link,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from hypothesis import given
from hypothesis import strategies as st

any_text = st.text(st.characters())  # with half characters
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=20,
)


class Row(NamedTuple):
    seq: int
    body: str
    hash: str
    algorithm: str = "sha256"


def chained(bodies: list[str], algorithm: str = "sha256") -> list[Row]:
    def rows() -> Iterator[Row]:
        previous = GENESIS
        for seq, body in enumerate(bodies, 1):
            previous = link(previous, body, algorithm)
            yield Row(seq, body, previous, algorithm)

    return list(rows())


@given(values)
def test_canonical_text_read_back_gives_the_same_text(value: Any) -> None:
    text = canonical(value)
    assert canonical(json.loads(text)) == text


@given(values)
def test_canonical_text_is_utf8_on_one_line(value: Any) -> None:
    assert b"\n" not in canonical(value).encode("utf-8")


@given(st.dictionaries(any_text, st.integers()))
def test_order_of_keys_makes_no_difference(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


def test_canonical_form_is_written_as_agreed() -> None:
    assert canonical({"b": [1, 2.5, None], "a": "运维"}) == '{"a":"运维","b":[1,2.5,null]}'


def test_bytes_that_are_no_utf8_stay_visible() -> None:
    assert json.loads(canonical(b"caf\xe9".decode("utf-8", "surrogateescape"))) == "caf\\udce9"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_json_has_no_word_for_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"value": value})


def test_link_is_the_hash_over_previous_hash_and_body() -> None:
    assert link("ab", '{"x":1}') == hashlib.sha256(b'ab{"x":1}').hexdigest()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_makes_a_chain_that_holds(algorithm: str) -> None:
    assert first_break(chained(["1", "2", "3"], algorithm)) is None


def test_an_algorithm_that_is_not_offered_is_named() -> None:
    with pytest.raises(LedgerError, match="md5 is not available"):
        link(GENESIS, "1", "md5")


@given(st.lists(st.text(), min_size=1, max_size=8), st.data())
def test_any_single_edit_is_found_at_its_number(bodies: list[str], data: st.DataObject) -> None:
    rows = chained(bodies)
    at = data.draw(st.integers(0, len(rows) - 1))
    edited = data.draw(st.text().filter(lambda text: text != rows[at].body))
    rows[at] = rows[at]._replace(body=edited)
    assert first_break(rows) == Break(at + 1, "edited", rows[at - 1].hash if at else GENESIS)


@given(st.lists(st.text(), min_size=2, max_size=8, unique=True), st.data())
def test_any_deletion_before_the_last_is_found_at_its_number(bodies: list[str], data: st.DataObject) -> None:
    rows = chained(bodies)
    at = data.draw(st.integers(0, len(rows) - 2))
    del rows[at]
    found = first_break(rows)
    assert found and (found.seq, found.kind) == (at + 1, "missing")


def test_a_chain_can_be_walked_from_its_middle() -> None:
    rows = chained(["1", "2", "3"])
    assert first_break(rows[1:], 2, rows[0].hash) is None
