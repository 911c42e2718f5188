# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which lines of a spool and of its index are ours, at their bounds."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_contents import Contents
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_index import SpoolIndex
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import (
    HEADER_LIMIT,
    RECORD_LIMIT,
    flaw_of_line,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_load import Load
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.storable import flaw_of, shown

from tests.support.ledger_cases import dead_process, make_header, make_record, make_state

PROCESS = Identity("boot", "pid:[1]", 7, 5, "machine")


def flaw_of_header(**given: Any) -> str:
    header = make_header(run="r1", schema=1, process=asdict(PROCESS), **given)
    return flaw_of_line(canonical({"header": header}).encode(), "r1")


@pytest.mark.parametrize(
    ("changed", "is_good"),
    [
        ({}, True),
        ({"pid": 1}, True),
        ({"pid": 0}, False),
        ({"pid": 2**31 - 1}, True),
        ({"pid": 2**31}, False),
        ({"pid": True}, False),
        ({"pid": "7"}, False),
        ({"started": 0}, True),
        ({"started": -1}, False),
        ({"started": 2**63}, False),
        ({"started": 1.5}, False),
        ({"boot": 5}, False),
        ({"namespace": None}, False),
        ({"machine": ["m"]}, False),
        ({"other": ""}, False),
    ],
)
def test_a_process_of_a_header_has_its_fields_within_their_bounds(changed: dict[str, Any], is_good: bool) -> None:
    header = make_header(run="r1", schema=1, process={**asdict(PROCESS), **changed})
    assert (flaw_of_line(canonical({"header": header}).encode(), "r1") == "") is is_good


@pytest.mark.parametrize(
    ("name", "value", "is_good"),
    [
        ("longest", 0, True),
        ("longest", 1e12, False),
        ("longest", -1, False),
        ("longest", True, False),
        ("observes", True, True),
        ("observes", 1, False),
        ("batch", ["web1"], True),
        ("batch", [""], False),
        ("batch", "web1", False),
        ("steps", [{"module": "m", "domain": "d", "clauses": []}], True),
        ("steps", [{"module": "m", "domain": "d", "clauses": [], "built": False}], True),
        ("steps", [{"module": "m", "domain": "d", "clauses": [], "built": 1}], False),
        ("steps", [{"module": "", "domain": "d", "clauses": []}], False),
        ("steps", [{"module": "m", "domain": "", "clauses": []}], False),
        ("steps", [{"module": "m", "domain": "d"}], False),
        ("steps", [[]], False),
    ],
)
def test_a_header_says_what_was_announced_in_its_types(name: str, value: Any, is_good: bool) -> None:
    assert (flaw_of_header(**{name: value}) == "") is is_good


def test_a_record_and_a_header_have_bounds_of_their_own() -> None:
    record = canonical(make_record()).encode()
    assert flaw_of_line(record + b" " * (RECORD_LIMIT - len(record)), "r1") == "it is JSON, but not one mapping alone"
    assert "bytes, but" in flaw_of_line(record + b" " * (RECORD_LIMIT + 1 - len(record)), "r1")
    hosts = [f"{number:07}" for number in range(RECORD_LIMIT // 8)]
    assert flaw_of_header(hosts=hosts) == ""
    vast = b'{"header":' + b" " * HEADER_LIMIT
    assert "bytes, but" in flaw_of_line(vast, "r1")


def test_of_several_spools_of_a_process_the_newest_is_its_run(tmp_path: Path) -> None:
    state, process = make_state(tmp_path), dead_process()
    first = Spool.find_or_create(state.spool, process, make_header())
    later = first.path.with_name(first.path.name.replace(first.run[:8], "29990101"))
    later.write_bytes(first.path.read_bytes())
    found = Spool.find(state.spool, process)
    assert found is not None
    assert found.path == later


@pytest.mark.parametrize(
    "note",
    [
        {},
        [1, 0, 10],
        [1, 0, 10, {}],
        [1, -1, 10, []],
        [1, 11, 10, []],
        [1, 0.0, 10, []],
        [1, 0, "10", []],
        [1, 0, 10, [5]],
        [1, 0, 10, [[0, 5]]],
        [1, 0, 10, [["0", 5, "web1"]]],
        [1, 0, 10, [[0, 5.0, "web1"]]],
        [1, 2, 10, [[1, 5, "web1"]]],
        [1, 0, 10, [[5, -1, "web1"]]],
        [1, 0, 10, [[5, 6, "web1"]]],
    ],
)
def test_a_line_of_an_index_that_is_none_of_ours_says_nothing(tmp_path: Path, note: Any) -> None:
    spool = tmp_path / "r1.jsonl"
    index = SpoolIndex(spool)
    index.note(1, 0, 10, [])
    (path,) = [file for file in tmp_path.iterdir() if file != spool]
    path.write_text(json.dumps(note) + "\n")
    assert (list(index.covered(1, "web1")), index.end(), index.shows_cut(0)) == ([], 0, False)


@pytest.mark.parametrize("mark", [[0, 10, "web1"], [10, 0, "web1"], [0, 0, "web1"]])
def test_a_mark_lies_within_what_its_line_covers_ends_included(tmp_path: Path, mark: list[Any]) -> None:
    index = SpoolIndex(tmp_path / "r1.jsonl")
    index.note(1, 0, 10, [])
    (path,) = tmp_path.iterdir()
    path.write_text(json.dumps([1, 0, 10, [mark]]) + "\n")
    assert [covered.lines for covered in index.covered(1, "web1")] == [[tuple(mark[:2])]]
    assert index.end() == 10
    assert index.shows_cut(9)
    assert not index.shows_cut(10)


@pytest.mark.parametrize("value", [True, None, 2**63 - 1, -(2**63), 0.5, "text", (1, True, None)])
def test_what_a_ledger_can_hold_has_no_flaw(value: Any) -> None:
    assert flaw_of((value,), "detail") == ""


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, float("inf"), "\0", b"x", {1: 2}, {"a": ("\0",)}])
def test_what_no_ledger_can_hold_has_one(value: Any) -> None:
    assert flaw_of((value,), "detail") != ""


def test_a_value_that_cannot_be_written_is_shown_by_its_type() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep) == "a list"
    assert shown(10**5000) == "a int"
    assert shown("x" * 200) == "'" + "x" * 79


def test_only_a_record_of_the_run_itself_seals_it(tmp_path: Path) -> None:
    state = make_state(tmp_path)
    spool = Spool.find_or_create(state.spool, dead_process(), make_header())
    spool.append([make_record(run=spool.run, domain="backup", kind="seal")])
    assert not spool.read().sealed
    spool.append([make_record(run=spool.run, host="controller", domain="run", kind="seal")])
    assert spool.read().sealed
    spool.announce(make_header())
    assert not spool.read().sealed


def test_a_record_is_written_as_egov_ops_writes_it_or_it_is_none() -> None:
    line = canonical(make_record(detail={"text": "value", "number": 1}))
    assert flaw_of_line(line.encode(), "r1") == ""
    for other in (
        line.replace('"value"', '"\\u0076alue"'),
        line.replace('"number":1', '"number":1.0e0'),
        line.replace('"number":1', '"number": 1'),
        line.replace('"number":1', '"number":1,"number":2'),
        line.replace('"status":"ok"', '"status":"ok","status":"ok"'),
    ):
        assert flaw_of_line(other.encode(), "r1")


def test_without_running_hashes_and_its_header_only_the_records_of_the_run_itself_are_kept(tmp_path: Path) -> None:
    items = [
        make_record(identifier=domain, domain=domain, kind="begin", host="controller", detail={})
        for domain in ("backup", "run", "updates")
    ]
    lines = [(item, canonical(item)) for item in items]
    contents = Contents({}, items, 0, False, [body for _item, body in lines], [], False, "a" * 64, False)
    for noted, kept, bad in (
        (["b" * 64], ["run"], 3),
        (["a" * 64, "b" * 64], ["run"], 3),
        (["b" * 64, "a" * 64], ["backup", "run", "updates"], 0),
        ([], ["backup", "run", "updates"], 0),
    ):
        load = Load(Spool(tmp_path / "r1.jsonl"), make_header(run="r1"), list(lines), [], [], False)
        load.compare(contents, noted, with_log=False)
        assert [item["id"] for item, _body in load.lines] == kept
        assert len(load.bad) == bad
