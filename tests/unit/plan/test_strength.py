# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of what is weaker, held against the host half's own judgement of ranges and expectations."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.hardening.expect import Expectation
from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import parse
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema
from ansible_collections.egov.ops.plugins.plugin_utils.plan.strength import OVERRIDE, RULES, is_weaker
from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import Opaque
from hypothesis import given
from hypothesis import strategies as st

#: For each rule a value, one that protects less, and one that protects no less.
CASES: list[tuple[str, Any, Any, Any]] = [
    ("lower", 730, 365, 1095),
    ("higher", 15, 30, 7),
    ("switched_off", True, False, True),
    ("empty", "/root/key", "", "/root/other"),
    ("changed", "sshd", "sysctl", "sshd"),
    ("rarer", "weekly", "monthly", "daily"),
    ("rarer", "change", "daily", "change"),
    ("rarer", "daily", None, "hourly"),
    ("changed", "a", "b", "a"),
    ("changed", 5, 3, 5),
    ("changed", [1], [2], [1]),
    ("milder", "critical", "warning", None),
    ("milder", None, "warning", "critical"),
    ("fewer", ["/srv/www"], ["/srv/www/site"], ["/srv"]),
    ("fewer", ["/srv/www"], [], ["/opt", "/srv/www"]),
    ("fewer", ["/srv/www"], ["/srv/www2"], ["/"]),
    ("more", ["*.tmp"], ["*.tmp", "*.log"], []),
    ("more", None, ["*.tmp"], []),
    ("more", [], "*", None),
    ("narrower", None, ["deb"], None),
    ("narrower", ["deb"], ["rpm"], None),
    ("wider_list", [22], None, []),
    ("wider_list", [22], [22, 23], [22]),
    ("wider", "80", "90", "70"),
    ("wider", "80", None, "10:20"),
    ("wider", "10:", "5:", "20:"),
    ("wider", "@10:20", "@11:20", "@5:30"),
    ("wider", "~:5", "~:6", "0:5"),
    ("looser", ">=12", ">=8", ">=14"),
    ("looser", "<=12", "<=14", "<=8"),
    ("looser", "<=12", ">=12", "3..12"),
    ("looser", ">=12", "<=12", "12..12"),
    ("looser", "=no", "=no|yes", "=no"),
    ("looser", "=no", "=yes", "=NO"),
    ("looser", "1..90", "1..99", "7..30"),
    ("looser", "mode<=0640", "mode<=0644", "mode<=0600 owner=root"),
    ("looser", "mode<=0640 owner=root", "mode<=0640", "mode<=0600 owner=root"),
    ("looser", "=a", "=a or unset", "=a =b"),
    ("looser", "has:a|b", "has:a", "has:a|b|c"),
    ("looser", "lacks:a|b", "lacks:a", "lacks:a|b|c"),
    ("looser", "only:a|b", "only:a|b|c", "only:a"),
    ("looser", "umask>=027", "umask>=022", "umask>=077"),
    ("later", "2026-03-01 08:00 UTC", "2026-03-01 09:00 UTC", "2026-03-01 08:00 Asia/Shanghai"),
    ("later", "2026-03-01 08:00 UTC", "", "2026-02-01 08:00 UTC"),
    ("later", "2026-03-01 08:00 UTC", "2026-03-01 08:01 UTC", "2026-03-01 16:00 Asia/Shanghai"),
    ("earlier", "2026-03-01 08:00 UTC", "2026-03-01 07:59 UTC", "2026-03-01 16:00 Asia/Shanghai"),
    ("earlier", "2026-03-01 08:00 UTC", "2026-03-01 08:00 Asia/Shanghai", "2026-03-01 09:00 UTC"),
    ("nearer", {"location": "sftp:b:/srv"}, {"location": "/srv"}, {"location": "s3:b/c"}),
    ("signers", {"file": "/s", "signers": ["a"]}, {"file": "/s", "signers": ["a", "b"]}, {"file": "/s", "signers": []}),
    ("signers", {"file": "/s", "signers": ["a"]}, {"file": "", "signers": []}, {"file": "/t", "signers": ["a"]}),
    ("signers", {"file": "/s", "signers": ["a"]}, {"file": "/t", "signers": None}, {"file": "/s", "signers": ["a"]}),
    ("looser", "=no", None, "=no"),
]


@pytest.mark.parametrize("rule, before, less, no_less", CASES)
def test_a_rule_tells_a_value_that_protects_less_from_one_that_does_not(
    rule: str, before: Any, less: Any, no_less: Any
) -> None:
    assert is_weaker(rule, before, less)
    assert not is_weaker(rule, before, no_less)
    assert not is_weaker(rule, before, before)


def test_each_rule_has_a_case_and_is_used() -> None:
    schema = load_schema()
    keys = [key for variable in schema.variables.values() for key in (variable, *variable.entry.values())]
    others = {rule for variable in schema.variables.values() for rule in variable.others.values()}
    assert {case[0] for case in CASES} == set(RULES) == ({key.weaker for key in keys} | others) - {"", OVERRIDE}


def test_without_a_rule_nothing_is_weaker() -> None:
    assert not is_weaker("", "a", "b")


def test_an_encrypted_value_that_is_another_one_counts_as_weaker() -> None:
    assert is_weaker("lower", Opaque("a"), Opaque("b"))
    assert not is_weaker("lower", Opaque("a"), Opaque("a"))


numbers = st.integers(-5, 12)
ranges = st.one_of(
    numbers.filter(lambda top: top >= 0).map(str),
    numbers.map(lambda low: f"{low}:"),
    numbers.map(lambda high: f"~:{high}"),
    st.tuples(numbers, numbers).map(lambda pair: f"{min(pair)}:{max(pair)}"),
).flatmap(lambda text: st.sampled_from([text, f"@{text}"]))
values = st.one_of(numbers, st.floats(-6, 13))


@given(ranges, ranges, st.lists(values, min_size=1))
def test_a_range_that_is_not_wider_alerts_wherever_the_earlier_one_did(
    before: str, after: str, seen: list[float]
) -> None:
    if not is_weaker("wider", before, after):
        assert [value for value in seen if parse(before).alerts(value) and not parse(after).alerts(value)] == []


@given(ranges, ranges)
def test_a_range_that_is_wider_is_silent_somewhere_where_the_earlier_one_was_not(before: str, after: str) -> None:
    everywhere = [number / 4 for number in range(-80, 120)] + [-1e9, 1e9]
    silent = [value for value in everywhere if parse(before).alerts(value) and not parse(after).alerts(value)]
    assert is_weaker("wider", before, after) == bool(silent)


modes = st.integers(0, 0o777).map(lambda bits: f"{bits:o}")
words = st.sampled_from(["a", "b", "c", "A", "1", "7", "12"])
listed = st.lists(words, min_size=1, max_size=3, unique=True).map("|".join)
terms = st.one_of(
    st.tuples(st.sampled_from(["has:", "lacks:", "only:", "=", "!="]), listed).map("".join),
    st.tuples(st.sampled_from([">=", "<="]), st.integers(0, 12).map(str)).map("".join),
    st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda pair: f"{min(pair)}..{max(pair)}"),
    st.tuples(st.sampled_from(["mode<=", "umask>="]), modes).map("".join),
    st.sampled_from(["set", "unset", "none", "some"]),
)
expectations = st.lists(st.lists(terms, min_size=1, max_size=2).map(" ".join), min_size=1, max_size=2).map(" or ".join)
found = st.one_of(st.none(), words, st.integers(0, 13), st.lists(words, max_size=3), modes)


@given(expectations, expectations, st.lists(found, min_size=1))
def test_an_expectation_that_is_not_looser_accepts_nothing_that_the_earlier_one_did_not(
    before: str, after: str, seen: list[Any]
) -> None:
    if not is_weaker("looser", before, after):
        earlier, later = Expectation(before), Expectation(after)
        assert [value for value in seen if later.accepts(value) and not earlier.accepts(value)] == []


@pytest.mark.parametrize(("rule", "stricter"), [("looser", "=no"), ("wider", "80")])
def test_what_nothing_was_expected_of_is_never_weaker(rule: str, stricter: str) -> None:
    assert not is_weaker(rule, None, stricter)


@pytest.mark.parametrize(("before", "after"), [(["a"], "a"), ("a", ["a"])])
def test_what_is_no_list_cannot_be_compared_with_one_and_counts_as_weaker(before: Any, after: Any) -> None:
    assert is_weaker("fewer", before, after)
    assert is_weaker("more", before, after)
