# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The grammar of expected values: what it takes, what it refuses, and the judgement."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.hardening.expect import Expectation, shown
from hypothesis import given
from hypothesis import strategies as st

from tests.support.constructed import controls

FILE = {"mode": "0640", "owner": "root", "group": "shadow"}


@pytest.mark.parametrize(
    ("expected", "good", "bad"),
    [
        ("set", ["x", "0"], [None, ""]),
        ("unset", [None, ""], ["x"]),
        ("none", [[]], [["x"], None, "x"]),
        ("some", [["x"]], [[], None]),
        ("=no", ["no", "NO"], ["yes", None, ["no"]]),
        ("=a|b", ["a", "b"], ["c"]),
        ("!=a|b", ["c"], ["a", None]),
        ("<=4", ["4", 3, "-1"], ["5", "four", None]),
        (">=12", ["12", "12.5"], ["8", None]),
        ("1..90", ["1", 90], ["0", "91", None]),
        ("=0 or >=300", ["0", "300"], ["60", None]),
        ("has:a|b", [["a", "b", "c"]], [["a"], None, "ab"]),
        ("lacks:*cbc*|arcfour*", [["aes256-ctr"], []], [["aes128-cbc"], None]),
        ("only:root|/usr/bin/*", [[], ["root", "/usr/bin/su"]], [["root", "toor"]]),
        ("mode<=0640", [FILE, "0600", "0440"], ["0644", "0660", "4640", None]),
        ("umask>=027", ["027", "0077", "77"], ["022", "0", None, "u=rwx"]),
        ("mode<=0640 owner=root", [FILE], [{**FILE, "owner": "li"}, {**FILE, "mode": "0644"}]),
        ("owner=root group=root|shadow", [FILE], [{**FILE, "group": "users"}]),
    ],
)
def test_an_expectation_accepts_what_it_says_and_nothing_else(expected: str, good: list[Any], bad: list[Any]) -> None:
    expectation = Expectation(expected)
    assert [found for found in good if not expectation.accepts(found)] == []
    assert [found for found in bad if expectation.accepts(found)] == []


WRONG = (
    "",
    " ",
    "no",
    "=",
    "==no",
    "<4",
    ">=",
    "<=four",
    "1...9",
    "has:",
    "has:a||b",
    "mode<=0999",
    "set or",
    "a or b",
)


@pytest.mark.parametrize(
    "wrong", [*WRONG, "a or b", "mode>=0600", "umask<=027", "none,", "group<=1", None, 4, True, ["=no"]]
)
def test_what_is_not_of_the_grammar_is_refused_in_half_a_sentence(wrong: Any) -> None:
    with pytest.raises(ValueError, match="is not of the grammar of expected values"):
        Expectation(wrong)


def test_a_range_that_is_upside_down_is_refused() -> None:
    with pytest.raises(ValueError, match="lower end is above its upper end"):
        Expectation("90..1")


@given(st.text(alphabet="=<>|.:0179ahosnetmdu* -", max_size=12))
def test_any_text_is_either_of_the_grammar_or_refused(text: str) -> None:
    try:
        expectation = Expectation(text)
    except ValueError as error:
        assert "grammar" in str(error)
        return
    assert expectation.words()
    for found in (None, "", "x", 7, [], ["x"], FILE):
        assert expectation.accepts(found) in (True, False)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ("=INFO|VERBOSE", "INFO or VERBOSE"),
        ("=0 or >=300", "0 or at least 300"),
        ("1..90", "1 to 90"),
        ("<=4", "at most 4"),
        ("has:enabled|active", "with enabled, active"),
        ("lacks:*cbc*", "without *cbc*"),
        ("mode<=0640 owner=root", "mode 0640 or stricter and owner root"),
        ("umask>=027", "umask 027 or stricter"),
        ("!=yes", "anything but yes"),
        ("none", "none"),
    ],
)
def test_an_expectation_reads_as_a_person_would_say_it(expected: str, words: str) -> None:
    assert Expectation(expected).words() == words


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "not set"),
        ([], "none"),
        (["a", "b"], "a, b"),
        (list("abcdefg"), "a, b, c, d, e and 2 more"),
        (FILE, "mode 0640 of root:shadow"),
        ("yes", "yes"),
    ],
)
def test_what_was_found_reads_as_a_person_would_say_it(found: Any, words: str) -> None:
    assert shown(found) == words


def test_what_the_shipped_controls_expect_is_of_the_grammar() -> None:
    assert all(Expectation(control["expected"]).words() for control in controls().values())
