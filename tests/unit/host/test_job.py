# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job of its own on the host: its journal, its lock, its start and its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError, Host
from ansible_collections.egov.ops.plugins.module_utils.host.job import (
    Operation,
    kill_users,
    myself,
    seconds_since,
    start_ticks,
)
from ansible_collections.egov.ops.plugins.plugin_utils.transport import stream

FIRST, SECOND = "a" * 64, "b" * 64


def host(state: Path, program: dict[str, object] | None = None) -> Host:
    return Host({"state_dir": str(state), "timeout": 30, "program": program or stream.program("backup.restores.job")})


TAKE = """
import fcntl, json, os, sys, time
e = json.load(sys.stdin)
lock = open(e["context"]["state_dir"] + "/operations/lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("a" * 64, end="", file=lock, flush=True)
"""


def program_of(body: str, before: str = "") -> dict[str, object]:
    """Return a program that takes the lock of the first operation, then runs some statements, the envelope in `e`."""
    return {"boot": f"{before}\n{TAKE}\n{body}", "envelope": {"sources": "x" * 300_000}}


def run(operation: Operation) -> object:
    return operation.start(("backup.restores.job", "work"), {"answer": 42}, 60.0)


def never(_events: list[dict[str, object]]) -> None:
    return None


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    operation = Operation(FIRST, host(tmp_path))
    operation.prepare()
    operation.note("begin", path="\udcff", number=1)
    operation.note("done")
    assert [event["event"] for event in operation.events()] == ["begin", "done"]
    assert operation.events()[0]["path"] == "\udcff"


def test_a_journal_keeps_paths_whatever_the_secrets_are_and_no_secret_that_a_tool_told(tmp_path: Path) -> None:
    by_secrets = Host({"state_dir": str(tmp_path), "timeout": 30}, {"repository:local": "portal"})
    operation = Operation(FIRST, by_secrets)
    operation.prepare()
    request = {"set": "portal", "paths": ["/srv/portal"]}
    operation.note("begin", request=request, swaps=[{"kept": "/srv/portal"}], units=["portal.service"])
    operation.note("failed", message="restic said portal", why="portal", observation={"detail": {"message": "portal"}})
    begin, failed = operation.events()
    assert (begin["request"], begin["swaps"], begin["units"]) == (
        request,
        [{"kept": "/srv/portal"}],
        ["portal.service"],
    )
    assert "portal" not in str(failed)


@pytest.mark.parametrize("kept", [1, 10, -1])
def test_a_line_that_a_crash_has_torn_is_none_and_is_cut_off_by_the_next(tmp_path: Path, kept: int) -> None:
    operation = Operation(FIRST, host(tmp_path))
    operation.prepare()
    operation.note("begin")
    path = tmp_path / "operations" / FIRST / "journal.jsonl"
    whole = path.read_bytes()
    operation.note("ready")
    path.write_bytes(whole + path.read_bytes()[len(whole) :][:kept])
    assert [event["event"] for event in operation.events()] == ["begin"]
    operation.note("failed")
    assert [event["event"] for event in operation.events()] == ["begin", "failed"]


def test_one_operation_at_a_time_works_on_a_host(tmp_path: Path) -> None:
    first, second = Operation(FIRST, host(tmp_path)), Operation(SECOND, host(tmp_path))
    first.take()
    assert first.running()
    with pytest.raises(HalfError, match="Operation aaaaaaaa is at work on this host"):
        second.take(0.2)
    with pytest.raises(HalfError, match="Operation aaaaaaaa is at work on this host"):
        second.running()
    first.release()
    second.take(0.2)
    assert second.running()
    second.release()
    assert not first.running()


def test_a_lock_just_taken_is_known_before_its_holder_has_said_what_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = Operation(FIRST, host(tmp_path))
    operation.take()
    path = tmp_path / "operations/lock"
    path.write_bytes(b"")
    monkeypatch.setattr(time, "sleep", lambda _seconds: path.write_text(FIRST))
    assert operation.running()


def test_the_lock_is_free_as_soon_as_its_process_is_killed(tmp_path: Path) -> None:
    operation = Operation(FIRST, host(tmp_path))
    child = os.fork()
    if child == 0:
        operation.take()
        time.sleep(60)
    until = time.monotonic() + 10
    while not operation.running():
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not operation.running()


def test_program_arguments_and_secrets_come_by_standard_input_alone(tmp_path: Path) -> None:
    look = "open(os.environ['HOME']+'/seen','w').write(json.dumps([e['arguments'],e['secrets'],sys.argv]))"
    this = host(tmp_path / "state", program_of(look))
    this.secrets = {"repository:local": "geheim"}
    operation = Operation(FIRST, this)
    before = os.environ["HOME"]
    os.environ["HOME"] = str(tmp_path)
    try:
        run(operation).wait(10)  # type: ignore[attr-defined]
    finally:
        os.environ["HOME"] = before
    assert (tmp_path / "seen").read_text() == '[{"answer": 42}, {"repository:local": "geheim"}, ["-c"]]'
    found = subprocess.run(["grep", "-rl", "geheim", str(tmp_path / "state")], capture_output=True, check=False)
    assert found.stdout == b""


def test_of_calls_at_once_one_starts_the_job_and_all_see_it(tmp_path: Path) -> None:
    started = tmp_path / "started"
    late = f"import time\nprint(file=open({str(started)!r}, 'a'))\ntime.sleep(0.5)"
    program = program_of("time.sleep(60)", before=late)
    operations = [Operation(FIRST, host(tmp_path, program)) for _call in range(3)]
    with ThreadPoolExecutor() as pool:
        processes = [process for process in pool.map(run, operations) if process]
    try:
        assert all(operation.running() for operation in operations)
        assert started.read_text() == "\n"
    finally:
        for process in processes:
            process.kill()  # type: ignore[attr-defined]
    assert len(processes) == 1


def test_a_job_lives_in_a_session_of_its_own(tmp_path: Path) -> None:
    operation = Operation(FIRST, host(tmp_path, program_of("time.sleep(60)")))
    process = run(operation)
    try:
        assert os.getsid(process.pid) == process.pid  # type: ignore[attr-defined]
    finally:
        process.kill()  # type: ignore[attr-defined]


def test_a_job_that_breaks_is_told_with_its_last_words(tmp_path: Path) -> None:
    operation = Operation(FIRST, host(tmp_path, program_of("raise SystemExit('the disk is on fire')")))
    process = run(operation)
    with pytest.raises(HalfError, match="was killed or died: the disk is on fire") as caught:
        operation.wait(never, 10, process)
    assert caught.value.reason == "interrupted"


def test_the_stack_of_a_job_that_breaks_comes_with_its_sentence_and_not_in_it(tmp_path: Path) -> None:
    program = stream.program("host.record")  # worst takes one argument: it breaks as a defect of ours would
    operation = Operation(FIRST, host(tmp_path, program))
    process = operation.start(("host.record", "worst"), {}, 60.0)
    with pytest.raises(HalfError, match=r"failed: The program of egov.ops on the host broke: TypeError in ") as caught:
        operation.wait(never, 10, process)
    assert "Traceback" not in str(caught.value)
    assert "{" not in str(caught.value)
    assert "in _perform" in caught.value.stack
    assert caught.value.reason == "interrupted"


def test_the_stack_of_a_job_that_breaks_before_its_half_comes_too(tmp_path: Path) -> None:
    operation = Operation(FIRST, host(tmp_path, program_of("def early():\n    raise KeyError('x')\nearly()")))
    process = run(operation)
    with pytest.raises(HalfError, match=r"was killed or died: .*KeyError: 'x'") as caught:
        operation.wait(never, 10, process)
    assert "Traceback" not in str(caught.value)
    assert "in early" in caught.value.stack


def test_waiting_ends_with_the_time_while_the_job_goes_on(tmp_path: Path) -> None:
    operation = Operation(FIRST, host(tmp_path, program_of("time.sleep(60)")))
    process = run(operation)
    assert operation.wait(never, 0.3, process) is None
    assert process.poll() is None  # type: ignore[attr-defined]
    process.kill()  # type: ignore[attr-defined]


def test_a_job_is_killed_by_its_pid_and_start(tmp_path: Path) -> None:
    operation = Operation(FIRST, host(tmp_path))
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        operation.take()
        operation.note("begin", **myself())
        time.sleep(60)
    until = time.monotonic() + 10
    while not operation.events():
        assert time.monotonic() < until
        time.sleep(0.02)
    reaped: Callable[[], object] = lambda: os.waitpid(child, 0)  # noqa: E731
    operation.kill()
    reaped()
    assert not operation.running()


def test_a_process_of_the_same_number_that_is_another_is_not_killed(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    operation = Operation(FIRST, host(tmp_path))
    operation.prepare()
    operation.note("begin", pid=bystander.pid, ticks=start_ticks(bystander.pid) + 1)
    operation.kill()
    assert bystander.poll() is None
    bystander.kill()


def test_a_tool_left_alone_is_killed_by_its_argument(tmp_path: Path) -> None:
    word = str(tmp_path / "\udcff tree")
    tool = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", os.fsencode(word)])
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", os.fsencode(word) + b"2"])
    kill_users(word)
    assert tool.wait(10) == -signal.SIGKILL
    assert other.poll() is None
    other.kill()


@pytest.mark.parametrize("identity", ["", "A" * 64, "../" * 21 + "x", "a" * 63])
def test_what_is_no_id_is_refused(tmp_path: Path, identity: str) -> None:
    with pytest.raises(HalfError, match="is not the id of an operation"):
        Operation(identity, host(tmp_path))


def test_an_end_counts_only_when_its_process_is_gone(tmp_path: Path) -> None:
    """Else the next call would meet the lock of a job that has ended."""
    operation = Operation(FIRST, host(tmp_path, program_of("time.sleep(1)")))
    process = run(operation)
    operation.note("done")
    assert operation.wait(lambda events: events[-1], 0.2, process) is None
    assert operation.wait(lambda events: events[-1], 20, process) is not None
    assert process.poll() == 0  # type: ignore[attr-defined]


def test_seconds_are_told_whatever_the_wall_clock_does() -> None:
    begun = {**myself(), "clock": time.time() + 100_000}
    assert 0 <= seconds_since(begun) < 10


def test_after_a_boot_the_wall_clock_is_all_there_is() -> None:
    begun = {**myself(), "boot": "another", "clock": time.time() - 50}
    assert 50 <= seconds_since(begun) < 60
