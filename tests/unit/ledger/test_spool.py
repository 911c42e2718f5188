# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The spool: what a task appended is there, whatever happens to its writer."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import spool as spool_module
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import spool_lines
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import SpoolError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool, spools
from hypothesis import given
from hypothesis import strategies as st

from tests.support.ledger_cases import (
    NOW,
    append,
    dead_process,
    end_of,
    in_child,
    kill_here,
    make_header,
    make_record,
    start_child,
)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool.find_or_create(tmp_path, identity(os.getpid()), make_header(), NOW)


def ids(spool: Spool) -> list[str]:
    return [record["id"] for record in spool.read().records]


def test_what_was_appended_is_read_in_order(spool: Spool) -> None:
    records = [make_record(subject=name) for name in ("disk:/", "名 称", "x\udce9")]
    append(spool, records[:1])
    append(spool, records[1:])
    assert ids(spool) == [record["id"] for record in records]
    assert spool.read().torn == 0


def test_a_spool_read_again_tells_what_a_fresh_reader_is_told(spool: Spool) -> None:
    def fresh() -> Spool:
        return Spool(spool.path)

    assert spool.read() == fresh().read()
    append(fresh(), [make_record(subject="one")])
    assert spool.read() == fresh().read()
    with spool.path.open("a", encoding="utf-8") as stream:
        stream.write('{"id":"torn')
    assert spool.read() == fresh().read()
    append(
        fresh(),
        [make_record(subject="two"), make_record(host="controller", domain="run", kind="seal", subject="daily")],
    )
    assert spool.read() == fresh().read()
    contents = spool.read()
    assert (len(contents.records), contents.torn, contents.sealed) == (3, 0, True)
    assert [line.content for line in contents.bad] == [b'{"id":"torn']
    fresh().restart({**spool.header(), "waiting": True})
    assert spool.read() == fresh().read()
    assert spool.read().records == []


def test_the_steps_of_a_host_are_found_among_other_records(spool: Spool) -> None:
    step = make_record(kind="step", subject="health_probe", host='主机 "1"')
    torn = make_record(kind="step", subject="backup_run", host='主机 "1"')
    others = [make_record(kind="step", host="web2"), make_record(subject='"kind":"step"', host='主机 "1"')]
    append(spool, [others[0], step, others[1]])
    assert spool.steps('主机 "1"') == [step]
    with spool.path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(torn, ensure_ascii=False, separators=(",", ":"))[:-9])
    assert spool.steps('主机 "1"') == [step]
    assert spool.header()["procedure"] == "daily"
    assert spool.steps("db1") == []


@given(st.data())
def test_whatever_became_of_the_index_each_host_has_its_steps(data: st.DataObject) -> None:
    hosts = ["web1", '主机 "1"', "x\udce9"]
    with TemporaryDirectory() as folder:
        spool = Spool.find_or_create(Path(folder), identity(os.getpid()), make_header(), NOW)
        index = spool.path.with_suffix(".index")
        for number in range(data.draw(st.integers(1, 8))):
            kinds = data.draw(st.lists(st.sampled_from(["disk", "step", "step"]), max_size=3))
            records = [
                make_record(kind=kind, subject=str(number), host=data.draw(st.sampled_from(hosts))) for kind in kinds
            ]
            match data.draw(st.sampled_from(["append"] * 4 + ["announce", "torn", "cut", "lost", "other"])):
                case "append":
                    append(spool, records)
                case "announce":
                    spool.announce(make_header(procedure=f"daily{number}"))
                case "torn":
                    with spool.path.open("a", encoding="utf-8") as stream:
                        stream.write('{"id":"torn')
                case "cut" if index.exists():
                    os.truncate(index, data.draw(st.integers(0, index.stat().st_size)))
                case "lost":
                    index.unlink(missing_ok=True)
                case "other":
                    spool.restart(make_header(procedure=f"weekly{number}"))
        contents = Spool(spool.path).read()
        assert spool.header() == contents.header
        for host in hosts:
            mine = [item for item in contents.records if (item["kind"], item["host"]) == ("step", host)]
            assert spool.steps(host) == mine


def test_the_index_spares_the_search(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    for round_number in range(300):
        append(
            spool,
            [
                *(make_record(subject=str(probe)) for probe in range(20)),
                make_record(kind="step", subject=str(round_number), host="db1"),
            ],
        )
    read: list[int] = []
    real = os.pread

    def counted(descriptor: int, size: int, place: int) -> bytes:
        content = real(descriptor, size, place)
        read.append(len(content))
        return content

    monkeypatch.setattr(os, "pread", counted)
    assert spool.steps("web1") == []
    assert spool.header()["procedure"] == "daily"
    assert sum(read) < 5_000 < spool.path.stat().st_size / 100
    spool.path.with_suffix(".index").unlink()
    assert len(spool.steps("db1")) == 300


def test_one_process_has_one_spool_whenever_it_asks(spool: Spool) -> None:
    again = Spool.find_or_create(spool.path.parent, identity(os.getpid()), make_header(procedure="weekly"))
    assert again.path == spool.path
    assert again.read().header["procedure"] == "daily"


def test_another_process_has_another_spool(spool: Spool) -> None:
    assert Spool.find_or_create(spool.path.parent, dead_process(), make_header(), NOW).path != spool.path


def test_the_header_names_run_process_and_schema(spool: Spool) -> None:
    header = spool.read().header
    assert (header["run"], header["schema"]) == (spool.path.stem, 2)
    assert header["process"]["pid"] == os.getpid()


def test_a_process_whose_run_is_already_sealed_keeps_its_name(tmp_path: Path) -> None:
    assert Spool.find_or_create(tmp_path, dead_process(), make_header(run="r-earlier"), NOW).run == "r-earlier"


def test_an_announcement_replaces_what_was_said_before(tmp_path: Path) -> None:
    spool = Spool.find_or_create(tmp_path, dead_process(), {"procedure": "health_probe", "begun": ""}, NOW)
    spool.announce(make_header())
    header = spool.read().header
    assert (header["procedure"], header["hosts"], header["run"]) == ("daily", ["db1", "web1"], spool.run)


def test_a_seal_counts_until_the_next_announcement(spool: Spool) -> None:
    append(spool, [make_record(host="controller", domain="run", kind="seal", subject="daily")])
    assert spool.read().sealed
    spool.announce(make_header())
    assert not spool.read().sealed


def test_only_the_owner_can_read_a_spool(spool: Spool) -> None:
    append(spool, [make_record()])
    assert [path.stat().st_mode & 0o777 for path in spool.path.parent.iterdir()] == [0o600, 0o600]


@given(st.integers(0, 400))
def test_a_torn_last_line_is_counted_and_spoils_no_other(cut: int) -> None:
    with TemporaryDirectory() as folder:
        spool = Spool.find_or_create(Path(folder), dead_process(), make_header(), NOW)
        first, second, third = (make_record() for _ in range(3))
        append(spool, [first])
        before = spool.path.stat().st_size
        append(spool, [second])
        left = cut % (spool.path.stat().st_size - before - 1)
        os.truncate(spool.path, before + left)
        spool.path.with_suffix(".index").unlink()  # which a writer that dies has not written
        torn = spool.path.read_bytes()[before:]
        contents = Spool(spool.path).read()
        assert (contents.records, contents.torn, contents.bad) == ([first], 1 if left else 0, [])
        append(spool, [third])
        contents = spool.read()
        assert contents.records == [first, third]
        assert (contents.torn, [line.content for line in contents.bad]) == (0, [torn] if left else [])


def test_a_last_line_that_lacks_its_end_alone_is_a_record(spool: Spool) -> None:
    first, second = make_record(), make_record()
    append(spool, [first])
    os.truncate(spool.path, spool.path.stat().st_size - 1)
    spool.path.with_suffix(".index").unlink()
    append(spool, [second])
    assert (ids(spool), spool.read().torn) == ([first["id"], second["id"]], 0)


def test_an_appender_whose_spool_was_sealed_meanwhile_makes_it_again(spool: Spool) -> None:
    spool.path.unlink()
    late = make_record()
    append(spool, [late])
    contents = spool.read()
    assert contents.records == [late]
    assert (contents.header["run"], contents.header["begun"]) == (spool.run, "")


def test_an_appender_that_waited_for_the_seal_does_not_write_into_the_removed_file(spool: Spool) -> None:
    held = os.open(spool.path, os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    late = make_record()
    told, tell = os.pipe()

    def work() -> None:
        os.close(held)  # an inherited lock is held by whoever inherited it
        os.write(tell, b"1")
        append(spool, [late])

    child = start_child(work)
    os.read(told, 1)
    while not has_open(child, spool.path):
        pass
    spool.path.unlink()
    os.close(held)
    assert end_of(child) == 0
    assert ids(spool) == [late["id"]]


def has_open(process: int, path: Path) -> bool:
    """Tell whether a process has a file open."""
    with suppress(OSError):
        return any(link.readlink() == path for link in Path(f"/proc/{process}/fd").iterdir())
    return False


def test_twenty_processes_append_to_one_spool_and_none_is_lost(spool: Spool) -> None:
    def write(worker: int) -> Callable[[], None]:
        def work() -> None:
            mine = Spool.find_or_create(spool.path.parent, identity(os.getppid()), make_header())
            for number in range(10):
                append(mine, [make_record(identifier=f"{worker}-{number}-{part}") for part in range(2)])

        return work

    children = [start_child(write(worker)) for worker in range(20)]
    assert [end_of(child) for child in children] == [0] * 20
    written = ids(spool)
    assert len(written) == len(set(written)) == 400
    assert [path.name for path in spool.path.parent.glob("*.jsonl")] == [spool.path.name]


def test_twenty_processes_that_create_at_once_make_one_spool(tmp_path: Path) -> None:
    process = dead_process()
    children = [
        start_child(lambda: append(Spool.find_or_create(tmp_path, process, make_header()), [make_record()]))
        for _ in range(20)
    ]
    assert [end_of(child) for child in children] == [0] * 20
    (found,) = spools(tmp_path)
    assert len(ids(found)) == 20


def test_a_spool_starts_anew_while_others_look_through_the_folder(spool: Spool) -> None:
    forked = multiprocessing.get_context("fork")
    done = forked.Event()

    def look() -> None:
        while not done.is_set():
            spools(spool.path.parent)

    others = [forked.Process(target=look) for _number in range(2)]
    for other in others:
        other.start()
    try:
        for _round in range(300):
            spool.restart(make_header())
    finally:
        done.set()
        for other in others:
            other.join(30)
    assert spool.header()["procedure"] == "daily"


def test_a_creator_killed_before_the_header_is_whole_leaves_no_spool(tmp_path: Path) -> None:
    def work() -> None:
        os.rename = lambda *_: kill_here()  # type: ignore[assignment]
        Spool.find_or_create(tmp_path, dead_process(), make_header(), NOW)

    assert in_child(work) == -9
    assert [path.suffix for path in tmp_path.iterdir()] == [".new"]
    assert spools(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_takes_back_the_whole_append_and_says_so(spool: Spool) -> None:
    kept = make_record()
    append(spool, [kept])
    limit = spool.path.stat().st_size + 600

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with pytest.raises(SpoolError, match=r"cannot be written .* this evidence is not stored"):
            append(spool, [make_record(), make_record()])

    assert in_child(work) == 0
    assert (ids(spool), spool.read().torn) == ([kept["id"]], 0)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match=r"spool .*absent cannot be created \(No such file"):
        Spool.find_or_create(tmp_path / "absent", dead_process(), make_header(), NOW)


def test_a_spool_that_another_process_keeps_locked_is_named(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "PATIENCE", 0.05)
    with spool.locked(), pytest.raises(SpoolError, match="held by another process"):
        append(spool, [make_record()])


@pytest.mark.parametrize("text", ["", "{}\n", "not json\n", '{"header": {"run": "r"}}\n', "[1]\n"])
def test_a_file_that_is_no_spool_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(text)
    with pytest.raises(SpoolError, match="is no spool of evidence"):
        Spool(path).read()


def test_a_spool_of_a_newer_release_is_refused(spool: Spool) -> None:
    spool.path.write_text(spool.path.read_text().replace('"schema":2', '"schema":3'))
    with pytest.raises(SpoolError, match="written by a newer"):
        spool.read()


def test_a_record_that_is_no_json_is_refused_and_nothing_is_written(spool: Spool) -> None:
    before = spool.path.read_bytes()
    for detail in ({"value": {1}}, {"value": float("nan")}):
        with pytest.raises(SpoolError, match=f"A record of the run {spool.run} cannot be written as JSON: "):
            spool.append([make_record(), {**make_record(), "detail": detail}])
    assert spool.path.read_bytes() == before


def test_an_append_of_nothing_writes_nothing(spool: Spool) -> None:
    before = spool.path.read_bytes()
    spool.append([])
    assert spool.path.read_bytes() == before


def test_a_spool_that_is_gone_is_one_sentence(spool: Spool) -> None:
    other = Spool(spool.path)
    spool.path.unlink()
    for ask in (other.read, other.header, lambda: other.steps("web1"), lambda: other.holding(b"x")):
        with pytest.raises(SpoolError, match=r"cannot be read \(No such file or directory\)"):
            ask()
    with pytest.raises(SpoolError, match="is gone: another process has sealed it; run the procedure again"):
        append(other, [make_record()])


def test_a_spool_that_is_made_again_announces_nothing(spool: Spool) -> None:
    spool.path.unlink()
    append(spool, [make_record(identifier="later")])
    contents = spool.read()
    assert [record["id"] for record in contents.records] == ["later"]
    assert (contents.header["begun"], contents.header["hosts"], contents.header["steps"]) == ("", [], [])
    assert contents.header["run"] == spool.run


def test_a_spool_that_starts_anew_keeps_its_run_and_process(spool: Spool) -> None:
    process = spool.header()["process"]
    append(spool, [make_record()])
    spool.restart(make_header(hosts=["db9"], run="other"))
    contents = spool.read()
    assert contents.records == []
    assert (contents.header["run"], contents.header["process"]) == (spool.run, process)
    assert (contents.header["hosts"], contents.header["schema"]) == (["db9"], 2)


def test_the_records_that_hold_some_bytes_are_found(spool: Spool) -> None:
    append(spool, [make_record(identifier=f"id{number}", subject=f"disk:/{number % 2}") for number in range(6)])
    assert [record["id"] for record in spool.holding(b"disk:/1")] == ["id1", "id3", "id5"]
    assert spool.holding(b"disk:/2") == []
    assert spool.holding(b'"header":') == []


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_lines_are_found_wherever_a_piece_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(spool_lines, "_PIECE", size)
    lines = [b"first x", b"", b"no", b"x", b"yx" * 50, b"last x"]
    path = tmp_path / "file"
    for end in (b"", b"\n"):
        path.write_bytes(b"\n".join(lines) + end)
        whole = path.stat().st_size
        with path.open("rb") as stream:
            found = list(spool_lines.lines_holding(stream.fileno(), b"x", 0, whole))
            assert found == [line for line in lines if b"x" in line]
            assert list(spool_lines.lines_holding(stream.fileno(), b"x", 8, whole)) == found[1:]
            assert list(spool_lines.lines_holding(stream.fileno(), b"x", 0, 7)) == [b"first x"]
            assert list(spool_lines.lines_holding(stream.fileno(), b"x", 5, 5)) == []


def test_a_line_longer_than_any_of_ours_is_left_out_of_a_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_lines, "_PIECE", 10)
    monkeypatch.setattr(spool_lines, "HEADER_LIMIT", 40)
    path = tmp_path / "file"
    path.write_bytes(b"x before\n" + b"x" * 200 + b"\nx after\n" + b"x" * 38 + b"\n")
    with path.open("rb") as stream:
        found = list(spool_lines.lines_holding(stream.fileno(), b"x", 0, path.stat().st_size))
    assert found == [b"x before", b"x after", b"x" * 38]
