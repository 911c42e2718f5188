# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of a plan that there are not, each with where it stands and what may stand there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import Reading
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import Schema
from ansible_collections.egov.ops.plugins.plugin_utils.plan.vocabulary import Misnomer, load_vocabulary, misnomers

PROBES, CONTROLS, PROCEDURES = "egov_ops_probes", "egov_ops_controls", "egov_ops_procedures"
PROBE: Mapping[str, Any] = {"kind": "http", "layer": "application", "url": "http://127.0.0.1/"}
CONTROL: Mapping[str, Any] = {"primitive": "sysctl", "keys": ["kernel.dmesg_restrict"], "expected": "=1", "clauses": []}
STEP: Mapping[str, Any] = {"module": "health_probe", "domain": "health", "clauses": ["S6.1.2-1"]}


def found_in(
    schema: Schema, variable: str, entry: Mapping[str, Any], sound: dict[int, Any] | None = None
) -> list[Misnomer]:
    plan = {name: {} for name in (PROBES, CONTROLS, PROCEDURES)}
    memory = {} if sound is None else sound
    return list(misnomers({**plan, variable: {"mine": entry}}, schema, load_vocabulary(), memory))


def test_what_is_shipped_has_no_such_word(schema: Schema) -> None:
    assert list(misnomers(Reading({}, schema, {}).values, schema, load_vocabulary(), {})) == []


@pytest.mark.parametrize(
    ("variable", "entry", "path", "words"),
    [
        (PROBES, {**PROBE, "kind": "htp"}, ("mine", "kind"), "did you mean http?"),
        (PROBES, {**PROBE, "ulr": "x"}, ("mine", "ulr"), "did you mean url?"),
        (PROBES, {"kind": "http", "layer": "application"}, ("mine",), "lacks url, which http needs"),
        (PROBES, {"kind": "load", "layer": "system"}, ("mine",), "lacks warning and critical, and load only measures"),
        (CONTROLS, {**CONTROL, "primitive": "sysctls"}, ("mine", "primitive"), "did you mean sysctl?"),
        (CONTROLS, {**CONTROL, "expected": "=1 or"}, ("mine", "expected"), "must be of the grammar"),
        (CONTROLS, {**CONTROL, "expected": ""}, ("mine", "expected"), "must be of the grammar"),
        (CONTROLS, {**CONTROL, "deb": {"expected": "about 1"}}, ("mine", "deb", "expected"), "must be of the grammar"),
        (CONTROLS, {**CONTROL, "clauses": ["S99-1"]}, ("mine", "clauses"), "is no clause of the plan"),
        (PROCEDURES, {"steps": [{**STEP, "module": "health_probes"}]}, ("mine", "steps"), "did you mean health_probe?"),
        (PROCEDURES, {"steps": [{**STEP, "domain": "backup"}]}, ("mine", "steps"), "but it belongs to health."),
        (PROCEDURES, {"steps": [{**STEP, "clauses": ["S0"]}]}, ("mine", "steps"), "is no clause of the plan"),
        (PROCEDURES, {"clauses": ["S0"]}, ("mine", "clauses"), "is no clause of the plan"),
    ],
)
def test_a_word_that_there_is_not_is_named_with_its_place_each_time(
    schema: Schema, variable: str, entry: Mapping[str, Any], path: tuple[str, ...], words: str
) -> None:
    sound: dict[int, Any] = {}
    (first,) = found_in(schema, variable, entry, sound)
    assert (first.variable, first.path) == (variable, path)
    assert words in first.sentence
    assert found_in(schema, variable, entry, sound) == [first]
    assert sound == {}


def test_a_word_that_is_near_to_none_is_told_all_there_are_where_they_are_few(schema: Schema) -> None:
    (few,) = found_in(schema, PROBES, {"kind": "load", "layer": "system", "warning": "5", "zzzzzz": 1})
    assert few.sentence.endswith(f"known are {few.allowed.removeprefix('one of ')}.")
    (many,) = found_in(schema, CONTROLS, {**CONTROL, "clauses": ["zzzzzz"]})
    assert many.sentence.endswith("see docs/plan-variables.md.")


@pytest.mark.parametrize(
    ("variable", "entry"),
    [
        (PROBES, PROBE),
        (PROBES, {"kind": "load", "layer": "system", "warning": "5"}),
        (PROBES, {"kind": 5}),
        (CONTROLS, CONTROL),
        (CONTROLS, {"primitive": "sysctl", "expected": "=1", "deb": {"keys": ["a.b"]}}),
        (CONTROLS, {**CONTROL, "clauses": "S99"}),
        (PROCEDURES, {"steps": [STEP]}),
        (PROCEDURES, {"steps": [5, {}]}),
        (PROCEDURES, {}),
    ],
)
def test_a_sound_entry_is_looked_at_once_and_what_is_wrong_otherwise_is_passed_over(
    schema: Schema, variable: str, entry: Mapping[str, Any]
) -> None:
    sound: dict[int, Any] = {}
    assert found_in(schema, variable, entry, sound) == []
    assert list(sound.values()) == [entry]
