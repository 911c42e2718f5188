# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roll-ups: derived from the records, made again where they are missing, damaged or of other records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import ledgers
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup import Shelf, is_whole, roll_up

from tests.support.report_ledger import DailyRun, ListLedger

STORY = ledgers.Story(("web1", "db1", "gate1"), days=3, dead=("gate1",), not_ours=("switch1",))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ledgers.Made:
    return ledgers.make(STORY, tmp_path_factory.mktemp("rollup") / "state")


def truth(ledger: Ledger, run: str) -> dict[str, object]:
    return roll_up(list(ledger.records(run=run)))


def written(content: dict[str, object]) -> bytes:
    body = json.dumps(content).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def other_frame(path: Path) -> bytes:
    content = json.loads(path.read_bytes().partition(b"\n")[2])
    content["frame"][-1]["hash"] = "0" * 64
    content["findings"] = []
    return written(content)


def other_version(path: Path) -> bytes:
    return written({**json.loads(path.read_bytes().partition(b"\n")[2]), "version": 0, "findings": []})


def edited(path: Path) -> bytes:
    return path.read_bytes().replace(b'"unreachable"', b'"ok"')


def cut(path: Path) -> bytes:
    return path.read_bytes()[:-100]


def of_another_run(path: Path) -> bytes:
    return next(other for other in path.parent.iterdir() if other != path).read_bytes()


def a_list(path: Path) -> bytes:
    return hashed(b"[]")


def deep(path: Path) -> bytes:
    return hashed(b"[" * 100_000)


def hashed(body: bytes) -> bytes:
    return b"%s\n%s" % (hashlib.sha256(body).hexdigest().encode(), body)


@pytest.mark.parametrize(
    "spoil",
    [a_list, deep, cut, edited, other_frame, other_version, of_another_run, lambda path: b"", lambda path: b"\xff\n[]"],
)
def test_a_roll_up_that_is_not_of_the_records_is_made_again(
    spoil: Callable[[Path], bytes], made: ledgers.Made, tmp_path: Path
) -> None:
    with Ledger(made.state.ledger, read_only=True) as ledger:
        for run in ledger.runs():
            Shelf(ledger, tmp_path).get(run.run)
        path = tmp_path / f"{made.run}.json"
        good = path.read_bytes()
        path.write_bytes(spoil(path))
        assert Shelf(ledger, tmp_path).get(made.run) == truth(ledger, made.run)
        assert path.read_bytes() == good


def test_a_roll_up_that_is_kept_is_not_made_again(made: ledgers.Made, tmp_path: Path) -> None:
    with Ledger(made.state.ledger, read_only=True) as ledger:
        first = Shelf(ledger, tmp_path).get(made.run)
        stamp = (tmp_path / f"{made.run}.json").stat().st_mtime_ns
        kept = Shelf(ledger, tmp_path).get(made.run)
        assert json.dumps(kept) == json.dumps(first)  # in the same order too
        assert (tmp_path / f"{made.run}.json").stat().st_mtime_ns == stamp


def test_where_nothing_can_be_kept_the_roll_up_is_there_all_the_same(made: ledgers.Made, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with Ledger(made.state.ledger, read_only=True) as ledger:
        for folder in (None, tmp_path / "file"):
            assert Shelf(ledger, folder).get(made.run) == truth(ledger, made.run)


def test_of_a_run_that_the_ledger_no_longer_has_nothing_is_kept(made: ledgers.Made, tmp_path: Path) -> None:
    with Ledger(made.state.ledger, read_only=True) as ledger:
        shelf = Shelf(ledger, tmp_path)
        shelf.get(made.run)
        (tmp_path / "20200101T000000Z-000000000000.json").write_text("old")
        shelf.forget()
    assert [path.name for path in tmp_path.iterdir()] == [f"{made.run}.json"]


def test_a_run_that_is_not_over_is_not_kept(tmp_path: Path) -> None:
    ledger = ListLedger()
    run = DailyRun(ledger, ("web1", "web2"))
    run.good_host("web1")
    shelf = Shelf(ledger, tmp_path)
    assert shelf.get(run.run)["waiting"] == 1
    run.seal()
    assert shelf.get(run.run)["waiting"] == 1  # of its first batch
    assert list(tmp_path.iterdir()) == []
    run.good_host("web2")
    run.seal()
    assert set(shelf.get(run.run)["hosts"]) == {"web1", "web2"}
    assert [path.name for path in tmp_path.iterdir()] == [f"{run.run}.json"]


def test_a_name_that_leads_out_of_the_folder_is_not_written(tmp_path: Path) -> None:
    ledger = ListLedger()
    run = DailyRun(ledger)
    run.good_host("local")
    run.seal()
    for stored in ledger.stored:
        stored.record["run"] = "../outside"
    Shelf(ledger, tmp_path / "rollups").get("../outside")
    assert list(tmp_path.rglob("*")) == []


def test_it_says_of_each_host_what_the_records_say(made: ledgers.Made) -> None:
    with Ledger(made.state.ledger, read_only=True) as ledger:
        entry = truth(ledger, made.run)
        data = ledgers.report(made)
    for host in data["hosts"]:
        kept = entry["hosts"][host["name"]]
        assert kept["domains"] == {domain: mark for domain, mark in host["domains"].items() if mark != "none"}
        assert (kept["verdict"], kept["ours"]) == (host["has_verdict"], host["ours"])
    assert [row[5] for row in entry["findings"]] == sorted(found["seq"] for found in data["findings"])
    proved = sum(host["measured"]["backup"][0] for host in entry["hosts"].values() if "backup" in host["measured"])
    backup = next(domain for domain in data["domains"] if domain["domain"] == "backup")
    assert proved == backup["measured"]["ok"]


@pytest.mark.parametrize(
    ("change", "whole"),
    [({}, True), ({"reason": "interrupted"}, False), ({"bad": 2, "hosts": 2}, False), ({"kind": "begin"}, False)],
)
def test_a_run_is_whole_where_it_did_what_its_procedure_is_due_for(change: dict[str, object], whole: bool) -> None:
    seal = {"kind": "seal", "reason": "", "bad": 1, "hosts": 2, **change}
    assert is_whole({"frame": [seal], "narrowed": False}) is whole
    assert not is_whole({"frame": [seal], "narrowed": True})
