# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The range syntax: what each form alerts on, and rules that hold for every range."""

from __future__ import annotations

import pytest
from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import judge, number, parse, quantity
from hypothesis import given
from hypothesis import strategies as st

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize(
    ("text", "quiet", "alerting"),
    [
        ("80", (0, 80), (-1, 80.1)),
        ("10:", (10, 1e9), (9.9, -5)),
        ("~:5", (-1e9, 5), (5.1,)),
        ("10:20", (10, 20), (9, 21)),
        ("@10:20", (9, 21), (10, 15, 20)),
        ("@~:0", (0.1,), (0, -3)),
        ("0", (0,), (1, -1)),
    ],
)
def test_a_range_alerts_as_the_monitoring_plugins_define_it(
    text: str, quiet: tuple[float, ...], alerting: tuple[float, ...]
) -> None:
    limit = parse(text)
    assert [limit.alerts(value) for value in quiet] == [False] * len(quiet)
    assert [limit.alerts(value) for value in alerting] == [True] * len(alerting)


@pytest.mark.parametrize("text", ["", "high", "20:10", "1:2:3", "@@1:2", "nan", "inf", "1:nan", "~", True, None])
def test_what_is_no_range_is_refused_with_a_sentence(text: object) -> None:
    with pytest.raises(ValueError, match="is not a limit"):
        parse(text)


@given(st.one_of(st.integers(-(10**9), 10**9), finite))
def test_a_bare_number_means_the_same_as_its_text(limit: float) -> None:
    if limit >= 0:
        assert parse(limit).alerts(limit) is parse(str(limit)).alerts(limit) is False


@given(finite, finite, finite)
def test_inside_and_outside_are_opposites(low: float, high: float, value: float) -> None:
    low, high = sorted((low, high))
    assert parse(f"{low!r}:{high!r}").alerts(value) is not parse(f"@{low!r}:{high!r}").alerts(value)


@given(finite, finite)
def test_the_ends_belong_to_the_range(low: float, high: float) -> None:
    low, high = sorted((low, high))
    limit = parse(f"{low!r}:{high!r}")
    assert not limit.alerts(low)
    assert not limit.alerts(high)


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 1000))
def test_a_higher_value_is_never_judged_better(warning: float, critical: float, value: float, more: float) -> None:
    order = ["ok", "warning", "critical"]
    limits = parse(repr(warning)), parse(repr(max(warning, critical)))
    assert order.index(judge(value, *limits)) <= order.index(judge(value + more, *limits))


@given(finite)
def test_without_limits_every_value_is_ok(value: float) -> None:
    assert judge(value, None, None) == "ok"


def test_critical_goes_before_warning() -> None:
    assert judge(99, parse("80"), parse("90")) == "critical"


@given(st.text(max_size=12))
def test_any_text_gives_a_range_or_a_sentence(text: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        assert "is not a limit" in str(error)


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("80", "%", "80%"),
        ("30:", "days", "at least 30 days"),
        ("~:5", "s", "5 s"),
        ("10:20", "degrees", "10 to 20 degrees"),
        ("@1:2", "", "not 1 to 2"),
    ],
)
def test_a_limit_is_worded_for_people(text: str, unit: str, words: str) -> None:
    assert parse(text).words(unit) == words


@pytest.mark.parametrize(
    ("value", "text"), [(91.0, "91"), (91.26, "91.3"), (0.0123456, "0.0123"), (3e-05, "0"), (-3, "-3")]
)
def test_numbers_are_rounded_for_people(value: float, text: str) -> None:
    assert number(value) == text


def test_only_the_percent_sign_sticks_to_its_number() -> None:
    assert (quantity(5, "%"), quantity(5, "days"), quantity(5, "")) == ("5%", "5 days", "5")
