# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.plan.layers import layer_names, merge_layers
from hypothesis import given
from hypothesis import strategies as st

Entry = dict[str, Any]

keys = st.dictionaries(st.sampled_from(["paths", "full", "class"]), st.integers() | st.lists(st.integers()), max_size=3)
entries = st.one_of(keys, st.just({"state": "absent"}), keys.map(lambda entry: {**entry, "state": "present"}))
layers = st.dictionaries(st.sampled_from(["config", "www", "db"]), entries, max_size=3)
stacks = st.lists(layers, max_size=5).map(lambda found: [(f"x__{number}", layer) for number, layer in enumerate(found)])


def test_a_layer_that_adds_an_entry_keeps_the_default_ones() -> None:
    merged, _ = merge_layers([("default", {"config": {"full": "monthly"}}), ("x", {"www": {"full": "daily"}})])
    assert merged == {"config": {"full": "monthly"}, "www": {"full": "daily"}}


def test_a_layer_that_changes_one_key_keeps_the_others() -> None:
    merged, _ = merge_layers(
        [("default", {"config": {"full": "monthly", "class": "config"}}), ("x", {"config": {"full": "weekly"}})]
    )
    assert merged == {"config": {"full": "weekly", "class": "config"}}


def test_a_list_replaces_the_list_below() -> None:
    merged, _ = merge_layers([("default", {"config": {"paths": ["/etc"]}}), ("x", {"config": {"paths": ["/opt"]}})])
    assert merged == {"config": {"paths": ["/opt"]}}


def test_absent_removes_an_entry() -> None:
    assert merge_layers([("default", {"config": {"full": 1}}), ("x", {"config": {"state": "absent"}})]) == ({}, {})


def test_an_entry_that_comes_back_after_absent_begins_anew() -> None:
    merged, origins = merge_layers(
        [("a", {"s": {"full": 1}}), ("b", {"s": {"state": "absent"}}), ("c", {"s": {"class": 2}})]
    )
    assert (merged, origins) == ({"s": {"class": 2}}, {"s": ("c",)})


def test_a_state_is_no_key_of_the_merged_entry() -> None:
    assert merge_layers([("x", {"config": {"state": "present", "full": 1}})])[0] == {"config": {"full": 1}}


def test_layers_are_named_by_the_variable_and_sorted() -> None:
    names = ["x__90_host", "x", "xy", "x_1", "x__10_site", "other__x"]
    assert layer_names("x", names) == ["x", "x__10_site", "x__90_host"]


@given(stacks)
def test_merging_changes_no_layer(stack: list[tuple[str, dict[str, Entry]]]) -> None:
    before = copy.deepcopy(stack)
    merge_layers(stack)
    assert stack == before


@given(stacks, st.data())
def test_lower_layers_can_be_merged_first(stack: list[tuple[str, dict[str, Entry]]], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(stack)))
    below, _ = merge_layers(stack[:cut])
    assert merge_layers([("below", below), *stack[cut:]])[0] == merge_layers(stack)[0]


@given(stacks, layers)
def test_no_entry_is_lost_unless_a_layer_removes_it(
    stack: list[tuple[str, dict[str, Entry]]], top: dict[str, Entry]
) -> None:
    below, _ = merge_layers(stack)
    above, _ = merge_layers([*stack, ("top", top)])
    removed = {name for name, entry in top.items() if entry.get("state") == "absent"}
    assert set(above) == (set(below) | set(top)) - removed


@given(stacks)
def test_the_highest_layer_that_names_a_key_decides_it(stack: list[tuple[str, dict[str, Entry]]]) -> None:
    merged, origins = merge_layers(stack)
    for entry, found in merged.items():
        by_name = dict(stack)
        for key, value in found.items():
            assert value == [by_name[name][entry][key] for name in origins[entry] if key in by_name[name][entry]][-1]


@given(stacks)
def test_origins_name_just_the_layers_that_say_something_of_an_entry(stack: list[tuple[str, dict[str, Entry]]]) -> None:
    merged, origins = merge_layers(stack)
    assert set(origins) == set(merged)
    for entry, names in origins.items():
        since = [name for name, layer in stack if entry in layer]
        assert list(names) == since[len(since) - len(names) :]
