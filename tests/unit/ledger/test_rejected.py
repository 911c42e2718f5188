# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a drain cannot take is set aside as it is, once, and stops nothing else."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ansible
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import rejected
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.drain import Drained, drain_spools, running
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.purge import purge
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, stable_id
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.rejected import Actor, forget_untold, sentences, untold
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import flaw_of_line
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import verify_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import Facts
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.build import build_period
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.gather import gather_period
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.model import Choice
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup import Shelf
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.span import Span
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.markdown import render_markdown
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_html import render_period
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_text import render_period_text
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.text import render_text
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.build import build
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.gather import gather
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.ledger_cases import (
    NOW,
    append,
    dead_process,
    end_of,
    in_child,
    kill_here,
    living_process,
    make_header,
    make_record,
    make_state,
    start_child,
)

ME = Actor("20260304T050607Z-ffffffffffff", "daily")


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return make_state(tmp_path)


def dead_spool(state: StateDir, number: int = 0) -> Spool:
    """Return the spool of a dead run with two good records."""
    spool = Spool.find_or_create(state.spool, dead_process(number), make_header(), NOW)
    append(spool, [make_record(identifier=f"good-{number}-{part}") for part in range(2)])
    return spool


def without_file_capabilities() -> None:
    """Make this process obey the modes of files, as root does not; capability numbers are those of capabilities(7)."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    dac_override, dac_read_search = 1 << 1, 1 << 2
    assert libc.capget(header, sets) == 0
    for position in range(3):
        sets[position] &= ~(dac_override | dac_read_search) & 0xFFFFFFFF
    assert libc.capset(header, sets) == 0


def write(spool: Spool, *lines: bytes) -> None:
    """Append lines as somebody with an editor does."""
    with spool.path.open("ab") as stream:
        stream.write(b"".join(line + b"\n" for line in lines))


def drained(state: StateDir) -> Drained:
    with Ledger(state.ledger) as ledger:
        return drain_spools(state, ledger, NOW, actor=ME)


def rows(state: StateDir) -> list[dict[str, Any]]:
    """Return the records, read from the file by SQLite alone; the chain is whole."""
    with Ledger(state.ledger, read_only=True) as ledger:
        assert verify_ledger(ledger, []).ok
    with sqlite3.connect(state.ledger) as database:
        return [json.loads(body) for (body,) in database.execute("SELECT body FROM record ORDER BY seq")]


def aside(state: StateDir) -> bytes:
    """Return what lies in all files that were set aside."""
    return b"".join(path.read_bytes() for path in sorted(state.rejected.glob("*")) if path.is_file())


def line(spool: Spool, **changes: Any) -> bytes:
    """Return the line of a good record with some fields changed."""
    item = {**make_record(run=spool.run), **changes}
    return json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def frame(spool: Spool, kind: str, **changes: Any) -> bytes:
    """Return the line of a record of the run itself."""
    about = {"host": "controller", "domain": "run", "kind": kind, "subject": "daily", "id": f"frame-{kind}"}
    return line(spool, **{**about, **changes})


def deep(depth: int) -> str:
    return "[" * depth + "]" * depth


BAD = {
    "NaN": lambda spool: line(spool, detail={"value": float("nan")}),
    "infinity": lambda spool: line(spool, detail={"value": float("-inf")}),
    "a number that becomes infinity": lambda spool: line(spool).replace(b"12.5", b"1e999"),
    "an integer of 65 bits": lambda spool: line(spool, detail={"value": 2**64}),
    "an integer of 5,000 digits": lambda spool: line(spool).replace(b"12.5", b"9" * 5000),
    "a list as id": lambda spool: line(spool, id=["1"]),
    "no id": lambda spool: line(spool, id=None),
    "depth 33": lambda spool: line(spool).replace(b"12.5", deep(33).encode()),
    "depth 2600": lambda spool: line(spool).replace(b"12.5", deep(2600).encode()),
    "depth 5000": lambda spool: line(spool).replace(b"12.5", deep(5000).encode()),
    "depth 60000": lambda spool: line(spool).replace(b"12.5", deep(60000).encode()),
    "an unknown status": lambda spool: line(spool, status="fine"),
    "a list as status": lambda spool: line(spool, status=["ok"]),
    "an unknown reason": lambda spool: line(spool, reason="because"),
    "a time that is none": lambda spool: line(spool, finished="2026-13-04T05:06:07Z"),
    "a number as time": lambda spool: line(spool, started=5),
    "a number as host": lambda spool: line(spool, host=5),
    "an empty host": lambda spool: line(spool, host=""),
    "a list as kind": lambda spool: line(spool, kind=["step"]),
    "NUL in the subject": lambda spool: line(spool, subject="a\0b"),
    "NUL in the detail": lambda spool: line(spool, detail={"a": ["b\0"]}),
    "half a character": lambda spool: line(spool).replace(b"12.5", b'"\\ud800"'),
    "a raw half character": lambda spool: line(spool, subject="x\udcff"),
    "no detail": lambda spool: canonical(
        {k: v for k, v in make_record(run=spool.run).items() if k != "detail"}
    ).encode(),
    "a detail that is a list": lambda spool: line(spool, detail=[]),
    "a field more": lambda spool: line(spool, extra=1),
    "clauses that are a text": lambda spool: line(spool, clauses="S1"),
    "attempt true": lambda spool: line(spool, attempt=True),
    "a newer schema": lambda spool: line(spool, schema=2),
    "a seal of a host": lambda spool: frame(spool, "seal", host="web1"),
    "a seal that counts with texts": lambda spool: frame(spool, "seal", detail={"hosts": 2, "bad": "none"}),
    "a seal whose statuses are a list": lambda spool: frame(spool, "seal", detail={"statuses": ["ok"]}),
    "a begin whose hosts are a text": lambda spool: frame(spool, "begin", detail={"hosts": "web1"}),
    "a begin whose steps are odd": lambda spool: frame(spool, "begin", detail={"steps": [{"module": 5}]}),
    "a checkpoint of a purge": lambda spool: frame(spool, "checkpoint", detail={"count": 1, "hash": "", "digest": ""}),
    "what only a drain makes": lambda spool: frame(spool, "rejected", detail={"message": "nothing to see"}),
    "a time to come": lambda spool: line(spool, finished="2026-03-06T05:06:08Z"),
    "the last of all times": lambda spool: line(spool, started="9999-12-31T23:59:59Z", finished="9999-12-31T23:59:59Z"),
    "the first of all times": lambda spool: line(spool, started="0001-01-01T00:00:00Z"),
    "a header of the first of all times": lambda spool: b'{"header":{"begun":"0001-01-01T00:00:00Z"}}',
    "a header with mappings as hosts": lambda spool: b'{"header":{"hosts":{"web1":1}}}',
    "a byte order mark": lambda spool: b"\xef\xbb\xbf" + line(spool),
    "the line's end of another system": lambda spool: line(spool) + b"\r",
    "another run": lambda spool: line(spool, run="20260101T000000Z-000000000000"),
    "a second id": lambda spool: line(spool).replace(b'"detail":', b'"id":"evil","detail":'),
    "a second id after the detail": lambda spool: line(spool).replace(b',"domain"', b',"id":"evil","domain"'),
    "the id of another record": lambda spool: line(spool, id="good-0-0", host="db9"),
    "broken UTF-8": lambda spool: line(spool).replace(b"web1", b"web\xff"),
    "no JSON": lambda spool: b"hello",
    "half a line": lambda spool: line(spool)[:60],
    "an empty line": lambda spool: b"",
    "JSON that is a list": lambda spool: b"[1]",
    "JSON that is null": lambda spool: b"null",
    "an empty mapping": lambda spool: b"{}",
    "spaces around it": lambda spool: b" " + line(spool) + b"\r",
    "two records in a line": lambda spool: line(spool) + line(spool),
    "a NUL byte after it": lambda spool: line(spool) + b"\0x",
    "a header that is a list": lambda spool: b'{"header":[]}',
    "a header and more": lambda spool: b'{"header":{},"id":"1"}',
    "a header with a text as longest": lambda spool: b'{"header":{"longest":"long"}}',
    "a header with NaN": lambda spool: b'{"header":{"longest":NaN}}',
    "a header with a huge pid": lambda spool: (
        b'{"header":{"process":{"boot":"b","machine":"","namespace":"n","pid":99999999999999999999,"started":1}}}'
    ),
    "a header with another process": lambda spool: b'{"header":{"process":{"pid":"1"}}}',
    "a header of another run": lambda spool: b'{"header":{"run":"other"}}',
    "a header whose steps are odd": lambda spool: b'{"header":{"steps":[{"module":5}]}}',
    "a header whose hosts are a text": lambda spool: b'{"header":{"hosts":"web1"}}',
    "a header that is deep": lambda spool: b'{"header":{"x":' + deep(5000).encode() + b"}}",
    "a header with a text as schema": lambda spool: b'{"header":{"schema":"1"}}',
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_line_is_set_aside_once_and_no_good_line_is_lost(state: StateDir, kind: str) -> None:
    spool = dead_spool(state)
    bad = BAD[kind](spool)
    write(spool, bad)
    append(spool, [make_record(identifier="good-after")])
    assert Spool(spool.path).header()["procedure"] == "daily"
    assert running(state, "daily", NOW) == []
    spool.steps("web1")
    spool.holding(b'"')
    first = drained(state)
    (told,) = first.rejected
    (path,) = state.rejected.iterdir()
    assert path.read_bytes() == bad + b"\n"
    assert (path.stat().st_mode & 0o777, state.rejected.stat().st_mode & 0o777) == (0o600, 0o700)
    assert f"1 line in the spool of the run {spool.run}" in told and str(path) in told
    assert list(state.spool.iterdir()) == []
    stored = rows(state)
    assert Counter(item["id"] for item in stored)["good-after"] == 1
    assert {"good-0-0", "good-0-1"} < {item["id"] for item in stored}
    assert [item["reason"] for item in stored if item["run"] == spool.run] == [""] * 3 + ["interrupted"] * 5
    (record,) = [item for item in stored if item["kind"] == "rejected"]
    assert (record["host"], record["domain"], record["status"], record["reason"], record["run"]) == (
        *("controller", "run", "failed", "malformed_answer", ME.run),
    )
    assert (record["detail"]["count"], record["detail"]["file"]) == (1, str(path))
    with Ledger(state.ledger) as ledger:
        assert sentences(ledger, ME.run) == [told]
    second = drained(state)
    assert (second.moved, second.rejected, second.unreadable) == (0, [], [])


def test_a_line_of_100_mb_costs_little_and_is_set_aside(state: StateDir) -> None:
    spool = dead_spool(state)
    with spool.path.open("ab") as stream:
        stream.write(b'{"header":' + b"x" * (100 << 20) + b"\n")
    append(spool, [make_record(identifier="good-after")])
    begun = time.process_time()
    assert spool.header()["procedure"] == "daily"
    assert spool.steps("web1") == []
    assert drained(state).rejected
    assert time.process_time() - begun < 10
    (path,) = state.rejected.iterdir()
    assert path.stat().st_size > 100 << 20
    assert "good-after" in {item["id"] for item in rows(state)}


@pytest.mark.parametrize("size", [4 << 30, 1 << 40])
def test_a_spool_with_a_hole_is_kept_whole_with_bounds(state: StateDir, size: int) -> None:
    spool = dead_spool(state)
    os.truncate(spool.path, size)
    append(spool, [make_record(identifier="good-after")])
    number = spool.path.stat().st_ino

    def work() -> None:
        memory = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (memory + (256 << 20),) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
        assert running(state, "weekly", NOW) == []
        assert len(drained(state).rejected) == 1

    assert in_child(work) == 0
    assert list(state.spool.iterdir()) == []
    (path,) = state.rejected.iterdir()
    assert path.stat().st_ino == number, "it is moved, since a copy of its holes could fill the disk"
    assert path.stat().st_size > size
    assert {"good-0-0", "good-0-1", "good-after"} <= {item["id"] for item in rows(state)}
    assert drained(state).rejected == []


def test_bad_lines_beyond_what_memory_holds_keep_the_file_whole(state: StateDir) -> None:
    spool = dead_spool(state)
    for _ in range(7):
        write(spool, b"x" * (10 << 20))
    content = spool.path.read_bytes()
    assert len(drained(state).rejected) == 1
    assert aside(state) == content
    (told,) = [item for item in rows(state) if item["kind"] == "rejected"]
    assert (told["detail"]["count"], told["detail"]["digest"]) == (7, hashlib.sha256(content).hexdigest())


def test_ten_thousand_bad_lines_are_one_file_and_one_record(state: StateDir) -> None:
    spool = dead_spool(state)
    write(spool, *(b"%d" % number for number in range(10_000)))
    (sentence,) = drained(state).rejected
    assert "10000 lines" in sentence
    assert len(list(state.rejected.iterdir())) == 1
    assert sum(item["kind"] == "rejected" for item in rows(state)) == 1


def test_a_line_separator_of_unicode_ends_no_line(state: StateDir) -> None:
    spool = dead_spool(state)
    append(spool, [make_record(identifier="separated", detail={"text": "a\u2028b\u2029c\x85d"})])
    assert drained(state).rejected == []
    assert "separated" in {item["id"] for item in rows(state)}


@pytest.mark.parametrize("drains", [1, 2])
def test_no_line_can_take_the_id_of_the_record_that_tells_of_it(state: StateDir, drains: int) -> None:
    spool, other = dead_spool(state, 1), dead_spool(state, 2)
    name = f"{other.run}-{hashlib.sha256(b'bad' + bytes([10])).hexdigest()[:16]}.jsonl"
    append(spool, [make_record(identifier=stable_id("rejected", name))])
    if drains == 2:
        drained(state)
        other = dead_spool(state, 2)
    write(other, b"bad")
    assert len(drained(state).rejected) == 1
    assert [item["subject"] for item in rows(state) if item["kind"] == "rejected"] == [name]


def test_one_id_in_two_spools_is_stored_once_and_the_other_line_is_kept(state: StateDir) -> None:
    first, second = dead_spool(state, 1), dead_spool(state, 2)
    append(first, [make_record(identifier="twin", subject="one")])
    append(second, [make_record(identifier="twin", subject="two")])
    assert len(drained(state).rejected) == 1
    stored = [item["subject"] for item in rows(state) if item["id"] == "twin"]
    assert sorted([*stored, *(json.loads(item)["subject"] for item in aside(state).splitlines())]) == ["one", "two"]


def test_an_append_goes_into_no_file_that_only_a_link_has_kept(state: StateDir, tmp_path: Path) -> None:
    spool = Spool.find_or_create(state.spool, identity(os.getpid()), make_header(), NOW)
    os.link(spool.path, tmp_path / "copy")
    # Forked before the lock is taken: a fork holds the locks of its parent.
    child = start_child(lambda: (time.sleep(0.3), append(spool, [make_record(subject="late")])))
    with spool.locked() as descriptor:
        assert descriptor is not None
        time.sleep(1)  # by now it has opened the file, and waits for its lock
        spool.path.unlink()
    assert end_of(child) == 0
    assert [item["subject"] for item in spool.read().records] == ["late"]


@pytest.mark.root
def test_a_file_of_another_user_is_no_spool(state: StateDir) -> None:
    spool = dead_spool(state)
    os.chown(spool.path, 12345, 12345)
    assert "no ordinary file of this user" in drained(state).rejected[0]
    assert [item["kind"] for item in rows(state)] == ["rejected"]


def test_what_a_killed_drain_has_stored_is_said_by_a_later_run(state: StateDir) -> None:
    write(dead_spool(state), b"bad")

    def work() -> None:
        Spool.remove = lambda _spool: kill_here()  # type: ignore[method-assign]
        drained(state)

    assert in_child(work) == -signal.SIGKILL
    (stored,) = [item["detail"]["message"] for item in rows(state) if item["kind"] == "rejected"]
    drained(state)
    assert drained(state).rejected == [], "the ledger has it once"
    assert untold(state.untold) == [stored]
    forget_untold(state.untold, "something else")
    assert untold(state.untold) == [stored]
    forget_untold(state.untold, f"This: {stored} And that.")
    assert untold(state.untold) == []


@pytest.mark.parametrize("version", ["3.11", "3.13"])
@pytest.mark.parametrize("depth", [2600, 5000])
def test_no_python_is_wedged_by_a_deep_line(state: StateDir, interpreter: Any, version: str, depth: int) -> None:
    spool = dead_spool(state)
    bad = line(spool).replace(b"12.5", deep(depth).encode())
    write(spool, bad)
    program = (
        "import sys; from pathlib import Path; from datetime import datetime, timezone\n"
        "from ansible_collections.egov.ops.plugins.plugin_utils.ledger.drain import drain_spools\n"
        "from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger\n"
        "from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir\n"
        "state = StateDir(Path(sys.argv[1]))\n"
        "with Ledger(state.ledger) as ledger: print(drain_spools(state, ledger, datetime.now(timezone.utc)).rejected)\n"
    )
    tree = Path(__file__).resolve().parents[3] / ".cache/tree"
    path = f"{tree}:{Path(ansible.__file__).parent.parent}"
    argv = [interpreter(version), "-B", "-c", program, str(state.path)]
    done = subprocess.run(argv, env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "1 line in the spool" in done.stdout
    assert aside(state) == bad + b"\n"
    assert len(rows(state)) == 2 + 4 + 1 + 1


@pytest.mark.parametrize(
    "header", [b"garbage", b"", b"[]", b'{"header":{}}', b'{"header":5}', b'{"header":{"run":"r"', b"\xff\xfe"]
)
def test_a_spool_whose_header_is_broken_gives_its_good_lines(state: StateDir, header: bytes) -> None:
    spool = dead_spool(state)
    begin = make_record(
        host="controller",
        domain="run",
        kind="begin",
        subject="daily",
        detail={"hosts": ["db1"], "not_ours": [], "steps": [{"module": "health_probe", "domain": "health"}]},
    )
    append(spool, [begin])
    _first, _end, rest = spool.path.read_bytes().partition(b"\n")
    spool.path.write_bytes(header + b"\n" + rest)
    assert running(state, "daily", NOW) == []
    found = drained(state)
    assert found.orphans == [spool.run]
    # What follows the header is only proved by it.
    follower = rest.partition(b"\n")[0]
    assert aside(state).splitlines() == ([follower] if header == b'{"header":{}}' else [header, follower])
    steps = [(item["host"], item["kind"], item["reason"]) for item in rows(state) if item["reason"] == "interrupted"]
    assert steps == [("db1", "step", "interrupted"), ("controller", "seal", "interrupted")]
    assert list(state.spool.iterdir()) == []


def test_a_spool_with_a_broken_header_whose_process_lives_is_left_alone(state: StateDir) -> None:
    with living_process() as (process, end):
        spool = Spool.find_or_create(state.spool, process, make_header(), NOW)
        append(spool, [make_record(), make_record(identifier="kept")])
        _first, _end, rest = spool.path.read_bytes().partition(b"\n")
        spool.path.write_bytes(b"x\n" + rest)
        found = drained(state)
        assert (found.moved, len(found.unreadable), spool.path.exists()) == (0, 1, True)
        end()
        assert len(drained(state).rejected) == 1
    assert "kept" in {item["id"] for item in rows(state)}


@pytest.mark.parametrize("kind", ["folder", "link", "pipe", "empty", "foreign", "odd name", "newline in its name"])
def test_what_is_no_spool_is_moved_away_once(state: StateDir, tmp_path: Path, kind: str) -> None:
    path = state.spool / {"odd name": "\udcff'; rm.jsonl", "newline in its name": "a\nb.jsonl"}.get(kind, "x.jsonl")
    target = tmp_path / "precious"
    target.write_text("precious")
    match kind:
        case "folder":
            path.mkdir()
            (path / "inside").write_text("kept")
        case "link":
            path.symlink_to(target)
        case "pipe":
            os.mkfifo(path)
        case "empty":
            path.touch()
        case _:
            path.write_text("notes\n")
    (state.spool / "folder.new").mkdir()
    dead_spool(state)
    assert running(state, "daily", NOW) == []
    first = drained(state)
    assert (len(first.rejected), first.unreadable, len(first.orphans)) == (1, [], 1)
    assert not os.path.lexists(path)
    assert len(list(state.rejected.iterdir())) == 1
    assert target.read_text() == "precious"
    second = drained(state)
    assert (second.moved, second.rejected) == (0, [])
    rows(state)


def test_a_spool_that_the_owner_may_not_read_is_moved_away(state: StateDir) -> None:
    spool = dead_spool(state)
    spool.path.chmod(0)

    def drain_twice() -> None:
        without_file_capabilities()
        assert len(drained(state).rejected) == 1
        assert drained(state).rejected == []

    assert in_child(drain_twice) == 0


def test_bad_lines_of_the_current_run_are_set_aside_at_its_seal(state: StateDir) -> None:
    spool = Spool.find_or_create(state.spool, identity(os.getpid()), make_header(), NOW)
    append(spool, [make_record(identifier="good")])
    write(spool, b"edited", b'{"header":{"hosts":5}}')
    with Ledger(state.ledger) as ledger:
        found = drain_spools(state, ledger, NOW, spool, actor=Actor(spool.run, "daily"))
        assert sentences(ledger, spool.run) == found.rejected
    assert aside(state) == b'edited\n{"header":{"hosts":5}}\n'
    assert rows(state)[0]["id"] == "good"


def test_what_only_the_database_refuses_is_set_aside_too(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = dead_spool(state)
    append(spool, [make_record(subject="unwanted")])
    with Ledger(state.ledger) as ledger:
        ledger._db.execute(
            "CREATE TRIGGER unwanted BEFORE INSERT ON record WHEN json_extract(NEW.body, '$.subject') = 'unwanted' "
            "BEGIN SELECT RAISE(ABORT, 'not here'); END"
        )
        found = drain_spools(state, ledger, NOW, actor=ME)
        ledger._db.execute("DROP TRIGGER unwanted")
    assert "the database refuses it (not here)" in found.rejected[0]
    assert aside(state) == line(spool, subject="unwanted", id=json.loads(aside(state))["id"]) + b"\n"
    assert len(rows(state)) == 2 + 5 + 1


good_lines = st.builds(
    lambda text, number: ("good", {"detail": {"text": text, "number": number}}),
    st.text(st.characters(exclude_characters="\0"), max_size=20),
    st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False),
)
mutated = st.tuples(st.just("mutated"), st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=3)))
noise = st.tuples(st.just("noise"), st.binary(max_size=30))


def is_timely(item: bytes) -> bool:
    """Tell whether a record's times are of this century and no more than a day ahead."""
    found = json.loads(item)
    return "header" in found or all(
        "2000" <= found[name] <= iso(NOW + timedelta(days=1)) for name in ("started", "finished")
    )


@settings(deadline=None, max_examples=60)
@example([("mutated", (80, b"0"))])  # a year 26
@given(st.lists(good_lines | mutated | noise, max_size=8))
def test_each_line_is_in_the_ledger_once_or_in_the_file_as_it_was(lines: list[tuple[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        state = make_state(Path(folder))
        spool = Spool.find_or_create(state.spool, dead_process(), {"procedure": "daily", "begun": ""}, NOW)
        # Without hashes, as an earlier release has made it: all lines are judged by what stands in them.
        spool.path.write_text(spool.path.read_text(encoding="utf-8").replace('"schema":2', '"schema":1'))
        written = []
        for kind, what in lines:
            if kind == "noise":
                written.append(what.replace(b"\n", b" "))
            else:
                whole = canonical(make_record(run=spool.run, **(what if kind == "good" else {}))).encode()
                if kind == "mutated":
                    place, instead = what
                    whole = whole[:place] + instead.replace(b"\n", b"") + whole[place + 1 :]
                written.append(whole)
        write(spool, *written)
        good, bad = [], []
        for item in written:
            (good if not flaw_of_line(item, spool.run) and is_timely(item) else bad).append(item)
        assert len(good) >= sum(kind == "good" for kind, _ in lines)
        drained(state)
        with sqlite3.connect(state.ledger) as database:
            stored = [row for (row,) in database.execute("SELECT body FROM record WHERE kind <> 'rejected'")]
            assert database.execute("SELECT COUNT(*) FROM record WHERE NOT json_valid(body)").fetchone() == (0,)
        assert sorted(stored) == sorted(item.decode() for item in good if not item.startswith(b'{"header"'))
        assert aside(state) == b"".join(item + b"\n" for item in bad)


def test_a_drain_killed_at_any_moment_sets_aside_once(tmp_path: Path) -> None:
    moments = random.Random(os.environ.get("EGOV_OPS_SEED", "1"))
    for number in range(5):
        state = make_state(tmp_path / str(number))
        spools = [dead_spool(state, run) for run in range(3)]
        for spool in spools:
            write(spool, b"bad of " + spool.run.encode(), b"\xff")
        begun = time.monotonic()
        pause = moments.random() * 0.06
        child = start_child(lambda state=state: drained(state))  # type: ignore[misc]
        while time.monotonic() - begun < pause:
            time.sleep(0.0005)
        os.kill(child, signal.SIGKILL)
        end_of(child)
        drained(state)
        ids = Counter(item["id"] for item in rows(state))
        assert set(ids.values()) == {1}
        assert len(ids) == 3 * (2 + 4 + 1 + 1)
        assert sorted(path.read_bytes() for path in state.rejected.glob("*.jsonl")) == sorted(
            b"bad of " + spool.run.encode() + b"\n\xff\n" for spool in spools
        )
        assert list(state.spool.iterdir()) == []


def test_two_processes_that_drain_at_once_set_aside_once(state: StateDir) -> None:
    for number in range(5):
        write(dead_spool(state, number), b"bad %d" % number)
    assert [end_of(child) for child in [start_child(lambda: drained(state)) for _ in range(2)]] == [0, 0]
    assert len(rows(state)) == 5 * (2 + 4 + 1 + 1)
    assert Counter(aside(state).split(b"\n")[:-1]) == Counter(b"bad %d" % number for number in range(5))


@pytest.mark.parametrize("instead", ["link", "file"])
def test_something_else_in_the_place_of_the_folder_keeps_all_evidence(
    state: StateDir, tmp_path: Path, instead: str
) -> None:
    spool = dead_spool(state)
    write(spool, b"bad")
    before = spool.path.read_bytes()
    if instead == "link":
        (tmp_path / "elsewhere").mkdir()
        state.rejected.symlink_to(tmp_path / "elsewhere")
    else:
        state.rejected.write_text("")
    with pytest.raises(LedgerError, match=r"rejected is not a folder of this user.* the evidence is kept in the spool"):
        drained(state)
    assert spool.path.read_bytes() == before
    assert rows(state) == []
    state.rejected.unlink()
    assert len(drained(state).rejected) == 1


def test_a_full_disk_keeps_all_evidence_in_the_spool(state: StateDir) -> None:
    spool = dead_spool(state)
    write(spool, b"x" * (2 << 20))
    before = spool.path.read_bytes()

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        with pytest.raises(LedgerError, match=r"cannot be set aside in .*rejected.*; free space .* kept in the spool"):
            drained(state)

    assert in_child(work) == 0
    assert spool.path.read_bytes() == before
    assert rows(state) == []
    assert list(state.rejected.iterdir()) == []
    assert len(drained(state).rejected) == 1
    assert len(aside(state)) == (2 << 20) + 1


def test_what_cannot_be_moved_away_is_said_and_stops_nothing(state: StateDir) -> None:
    (state.spool / "x.jsonl").mkdir()
    dead_spool(state)
    state.rejected.write_text("in the way")
    first = drained(state)
    assert (len(first.rejected), len(first.orphans)) == (1, 1)
    assert "cannot be moved" in first.unreadable[0]
    second = drained(state)
    assert (second.moved, second.rejected, len(second.unreadable)) == (0, [], 1), "its record is there once"
    state.rejected.unlink()
    assert drained(state).unreadable == []
    assert not (state.spool / "x.jsonl").exists()


def test_a_purge_takes_the_record_of_what_was_set_aside_like_others(state: StateDir) -> None:
    write(dead_spool(state), b"bad")
    drained(state)
    count = len(rows(state))
    later = NOW.replace(year=NOW.year + 1)
    with Ledger(state.ledger) as ledger:
        checkpoint = purge(state, ledger, 190, later, "r")
    assert checkpoint is not None and checkpoint["detail"]["count"] == count
    (export,) = state.exports.iterdir()
    assert '\\"kind\\":\\"rejected\\"' in export.read_text()
    assert aside(state) == b"bad\n"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\n",
        b"[]\n5\nnull\n{}\n",
        b'[1,2,3]\n["a",0,9,[]]\n',
        b'[%d,0,9000000000000000000,[[0,9000000000000000000,""]]]\n',
        b'[%d,0,400,[[-5,10,""]]]\n[%d,0,400,[[3,10,""],[0,9,"web1"]]]\n',
        b"[" * 5000 + b"]" * 5000 + b"\n",
        b'[%d,"0",true,[["x",{},[]]]]\n',
    ],
)
def test_a_damaged_index_hides_nothing(state: StateDir, content: bytes) -> None:
    spool = dead_spool(state)
    step = make_record(kind="step", host="web1")
    append(spool, [step])
    inode = b"%d" % spool.path.stat().st_ino
    spool.path.with_suffix(".index").write_bytes(content.replace(b"%d", inode))
    assert spool.header()["procedure"] == "daily"
    assert spool.steps("web1") == [step]


@pytest.mark.parametrize("count", [1, 3])
def test_the_report_shows_what_was_set_aside_as_a_finding_of_the_controller(state: StateDir, count: int) -> None:
    run = Spool.find_or_create(state.spool, identity(os.getpid()), make_header(), NOW)
    write(dead_spool(state), *[b"bad"] * count)
    append(
        run,
        [
            make_record(host="controller", domain="run", kind="begin", subject="daily", detail={"hosts": ["web1"]}),
            make_record(kind="step", subject="health_probe"),
            make_record(host="controller", domain="run", kind="seal", subject="daily"),
        ],
    )
    with Ledger(state.ledger) as ledger:
        drain_spools(state, ledger, NOW, run, actor=Actor(run.run, "daily"))
        data = build(gather(ledger, run.run, Facts()))
        days = Span("range", date(2026, 3, 1), date(2026, 3, 31), "UTC")
        month = build_period(gather_period(ledger, Shelf(ledger, None), days, Choice(), Facts()))
    (seen,) = month["findings"]
    assert (seen["host"], seen["kind"]) == ("controller", "rejected")
    assert render_period(month, "en").count(f"{count} line") and render_period_text(month, "zh")
    assert [row["name"] for row in month["hosts"]] == ["web1"]
    (finding,) = data["findings"]
    (path,) = state.rejected.iterdir()
    assert (finding["host"], finding["kind"], finding["status"]) == ("controller", "rejected", "failed")
    assert finding["title"].startswith(f"{count} line{'s' if count > 1 else ''} in the spool of the run ")
    assert str(path) in finding["next"]
    assert [row["name"] for row in data["hosts"]] == ["web1"]
    assert path.name in render_html(data, "en") and path.name in render_html(data, "zh")
    assert path.name in render_markdown(data, "en")
    assert f"{count} line" in " ".join(render_text(data, "en").split())
    assert f"{count} 行不符合格式" in render_text(data, "zh").replace("\n", "")


def test_a_name_in_a_file_name_is_plain_and_short() -> None:
    assert rejected.plain("run-1.a_B") == "run-1.a_B"
    assert "/" not in rejected.plain("../x y\n")
    assert len(rejected.plain("r" * 80)) == 80
    assert len(rejected.plain("r" * 81)) == 80


def test_sentences_that_no_run_has_ended_with_are_kept_until_one_has(tmp_path: Path) -> None:
    folder = tmp_path / "untold"
    assert rejected.untold(folder) == []
    items = [make_record(subject=name, detail={"message": f"{name} was set aside."}) for name in ("b", "a")]
    rejected.note_untold(folder, items)
    assert rejected.untold(folder) == ["a was set aside.", "b was set aside."]
    rejected.forget_untold(folder, "Before. b was set aside. After.")
    assert rejected.untold(folder) == ["a was set aside."]
    rejected.forget_untold(folder, "nothing of it")
    assert rejected.untold(folder) == ["a was set aside."]


def test_a_note_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "untold").write_text("no folder")
    rejected.note_untold(tmp_path / "untold", [make_record(detail={"message": "x"})])
    rejected.forget_untold(tmp_path / "untold", "x")
    assert rejected.untold(tmp_path / "untold") == []
