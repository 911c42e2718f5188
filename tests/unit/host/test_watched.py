# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that may take long: one trip where it is short, a line for each trip where not, and one result in the end."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host import watched as module
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError, Host, perform
from ansible_collections.egov.ops.plugins.module_utils.host.progress import Progress, amount, told
from ansible_collections.egov.ops.plugins.module_utils.host.watched import watched
from hypothesis import given
from hypothesis import strategies as st


def host(state: Path, **context: Any) -> Host:
    return Host({"state_dir": str(state), "timeout": 30, **context}, {"repository:local": 'ge"heim'})


def left(state: Path) -> list[str]:
    return sorted(path.name for path in (state / "watched").iterdir())


def busy(arguments: dict[str, Any], this: Host) -> dict[str, Any]:
    """Work for so many seconds, and tell how far it is."""
    this.progress.begin("backup of set pages: sending", lambda: (500, 2000))
    until = time.monotonic() + arguments["seconds"]
    while time.monotonic() < until:
        time.sleep(0.02)
    return {"changed": True, "msg": f"done by {os.getpid()}", "evidence": [], "said": 'ge"heim'}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.5)
    monkeypatch.setattr(module, "TICK_SECONDS", 0.1)


def test_short_work_is_over_in_the_trip_that_starts_it_and_leaves_nothing(tmp_path: Path) -> None:
    result = watched(busy, {"seconds": 0}, host(tmp_path))
    assert result["msg"].startswith("done by ")
    assert left(tmp_path) == []


def broken(arguments: dict[str, Any], _host: Host) -> dict[str, Any]:
    """Break after so many seconds, as a defect of ours would."""
    time.sleep(arguments["seconds"])
    raise KeyError('ge"heim')


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("seconds", [0, 0.8])
def test_work_that_breaks_brings_its_stack_in_a_field_of_its_own(tmp_path: Path, seconds: float) -> None:
    arguments: dict[str, Any] = {"seconds": seconds}
    result = perform(lambda given, this: watched(broken, given, this), arguments, host(tmp_path))
    while result.get("running"):
        result = perform(
            lambda given, this: watched(broken, given, this), {**arguments, **result["again"]}, host(tmp_path)
        )
    assert result["msg"].startswith("The program of egov.ops on the host broke: KeyError in test_watched.py line ")
    assert "in broken" in result["traceback"]
    assert "heim" not in str(result)
    assert left(tmp_path) == []


@pytest.mark.usefixtures("impatient")
def test_long_work_is_told_trip_by_trip_until_its_result_which_is_given_once(tmp_path: Path) -> None:
    result = watched(busy, {"seconds": 1.3}, host(tmp_path))
    lines = []
    while result.get("running"):
        lines.append(result["msg"])
        again = result["again"]
        result = watched(busy, {"seconds": 1.3, **again}, host(tmp_path))
    assert len(lines) >= 2
    assert all(line.startswith("backup of set pages: sending for ") for line in lines)
    assert "500 bytes of 2.0 kB (25 %)" in lines[0]
    assert result["changed"]
    assert left(tmp_path) == []
    with pytest.raises(HalfError, match="was killed"):
        watched(busy, {"seconds": 1.3, **again}, host(tmp_path))


@pytest.mark.usefixtures("impatient")
def test_the_work_goes_on_in_a_session_of_its_own_and_without_the_trip_s_output(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    result = watched(busy, {"seconds": 1}, host(tmp_path))
    os.close(writer)
    assert os.read(reader, 1) == b""  # the child does not hold it: the connection of the trip could end
    os.close(reader)
    worker = module._Place(result["again"]["job"], host(tmp_path)).read("worker")
    assert os.getsid(worker[0]) == worker[0]
    watched(busy, {"seconds": 1, **result["again"]}, host(tmp_path))


@pytest.mark.usefixtures("impatient")
def test_work_that_is_killed_is_one_sentence_with_how_far_it_was(tmp_path: Path) -> None:
    this = host(tmp_path)
    result = watched(busy, {"seconds": 30}, this)
    worker = module._Place(result["again"]["job"], this).read("worker")
    os.kill(worker[0], signal.SIGKILL)
    with pytest.raises(HalfError, match=r"was killed.*it was at: backup of set pages.*run it again") as caught:
        watched(busy, {"seconds": 30, **result["again"]}, this)
    assert caught.value.reason == "interrupted"
    assert left(tmp_path) == []


@pytest.mark.usefixtures("impatient")
def test_work_that_outlives_its_time_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)
    result = watched(busy, {"seconds": 30}, host(tmp_path, timeout=0.6))
    assert result["running"]
    worker = module._Place(result["again"]["job"], host(tmp_path)).read("worker")
    time.sleep(0.5)
    with pytest.raises(HalfError, match="did not end in its time") as caught:
        watched(busy, {"seconds": 30, **result["again"]}, host(tmp_path))
    assert caught.value.reason == "timeout"
    assert os.waitpid(worker[0], 0)[1] == signal.SIGKILL


def test_an_error_of_the_work_is_the_result(tmp_path: Path) -> None:
    def broken(_arguments: dict[str, Any], _host: Host) -> dict[str, Any]:
        raise HalfError("The disk is on fire.", "refused")

    result = watched(broken, {}, host(tmp_path))
    assert (result["failed"], result["msg"], result["reason"]) == (True, "The disk is on fire.", "refused")


@pytest.mark.usefixtures("impatient")
def test_no_secret_lies_on_the_disk_meanwhile(tmp_path: Path) -> None:
    result = watched(busy, {"seconds": 0.8}, host(tmp_path))
    (folder,) = (tmp_path / "watched").iterdir()
    deadline = time.monotonic() + 10
    while not (folder / "result").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    kept = (folder / "result").read_text()
    assert "heim" not in kept
    assert (folder / "result").stat().st_mode & 0o077 == 0
    assert watched(busy, result["again"], host(tmp_path))["said"] == "********"


def test_check_mode_starts_nothing_beside_the_trip(tmp_path: Path) -> None:
    result = watched(busy, {"seconds": 0}, host(tmp_path, check_mode=True))
    assert result["msg"] == f"done by {os.getpid()}"
    assert not (tmp_path / "watched").exists()


def test_without_a_place_for_notes_the_work_is_done_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert watched(busy, {"seconds": 0}, host(tmp_path / "file"))["msg"] == f"done by {os.getpid()}"


def test_what_nobody_asked_for_is_removed_after_a_week(tmp_path: Path) -> None:
    for name, age in (("a" * 32, 8), ("b" * 32, 6)):
        (tmp_path / "watched" / name).mkdir(parents=True)
        os.utime(tmp_path / "watched" / name, (0, time.time() - age * 86400))
    watched(busy, {"seconds": 0}, host(tmp_path))
    assert left(tmp_path) == ["b" * 32]


@pytest.mark.parametrize("identity", ["x", "A" * 32, "../" * 10 + "aa"])
def test_what_is_no_id_is_refused(tmp_path: Path, identity: str) -> None:
    with pytest.raises(HalfError, match="is not the id of a job"):
        watched(busy, {"job": identity}, host(tmp_path))


def test_a_line_tells_done_total_rate_and_time_left() -> None:
    assert told("backup of set pages", 10.0, 1e9, 4e9) == (
        "backup of set pages for 10 s, 1.0 GB of 4.0 GB (25 %), 100.0 MB/s, about 30 s left"
    )
    assert told("copy", 4.0, 2, 8, "packs") == "copy for 4 s, 2 packs of 8 packs (25 %), 0.5 packs/s, about 12 s left"


@pytest.mark.parametrize(
    ("done", "total", "line"),
    [
        (None, None, "x for 3 s"),
        (None, 9, "x for 3 s"),
        (0, 9, "x for 3 s, 0 bytes of 9 bytes (0 %)"),
        (3, None, "x for 3 s, 3 bytes, 1 bytes/s"),
        (9, 3, "x for 3 s, 9 bytes of 3 bytes (100 %), 3 bytes/s"),
    ],
)
def test_what_is_not_known_is_not_told(done: int | None, total: int | None, line: str) -> None:
    assert told("x", 3.0, done, total) == line


@given(seconds=st.floats(0, 1e7), done=st.integers(0, 2**60), total=st.integers(0, 2**60))
def test_each_line_is_one_line_and_its_share_at_most_all(seconds: float, done: int, total: int) -> None:
    line = told("x", seconds, done, total)
    assert "\n" not in line
    assert all(0 <= int(share) <= 100 for share in re.findall(r"\((\d+) %\)", line))


def test_amounts_of_bytes_have_decimal_units() -> None:
    assert [amount(count, "bytes") for count in (0, 999, 1000, 2_500_000, 3e12)] == [
        *("0 bytes", "999 bytes", "1.0 kB", "2.5 MB", "3.0 TB")
    ]


def test_nothing_is_told_before_anything_was_said() -> None:
    assert Progress().line() == ""
