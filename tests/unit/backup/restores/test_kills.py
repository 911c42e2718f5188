# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kill -9 of a restore: old or new data whole, never a mixture, and the next run continues or undoes."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.job import work
from ansible_collections.egov.ops.plugins.module_utils.host.files import Files

from tests.support.backup_site import Site
from tests.support.restore_site import (
    call,
    carry_out,
    journal,
    leftovers,
    now,
    request,
    settle,
    spoil,
    tree,
    with_units,
)

SEED = os.environ["EGOV_OPS_SEED"]


class DyingFiles(Files):
    """The files of a host whose process is killed before so many-th change."""

    def __init__(self, changes: int) -> None:
        super().__init__(check_mode=False)
        self._left = changes

    def _may_write(self, path: str) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


def work_and_die(site: Site, arguments: dict[str, Any], changes: int, **context: Any) -> bool:
    """Be the job in a process that dies before so many-th change, and tell whether it did."""
    child = os.fork()
    if child == 0:
        host = site.host(now(), **context)
        host.files = DyingFiles(changes)
        work(arguments, host)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def unit_of(site: Site) -> tuple[str, Callable[[], bool]]:
    """Return the body of a systemctl of one service that runs, and a function that tells whether it does."""
    stopped = site.base / "stopped"
    body = f"""case "$2" in
      stop) touch {stopped};;
      start) rm -f {stopped};;
      is-active) test ! -e {stopped} || exit 3;;
    esac"""
    return body, lambda: not stopped.exists()


@pytest.mark.parametrize(
    ("paths", "then"),
    [
        pytest.param(["."], "continue", marks=pytest.mark.slow),
        pytest.param(["a", "b"], "undo", marks=pytest.mark.slow),
        pytest.param(["."], "undo", marks=pytest.mark.long),
        pytest.param(["a", "b"], "continue", marks=pytest.mark.long),
    ],
    ids=["folder-continue", "files-undo", "folder-undo", "files-continue"],
)
def test_a_job_killed_before_any_change_leaves_old_or_new(saved: Site, paths: list[str], then: str) -> None:
    new = tree(saved.source)
    old = spoil(saved)
    body, runs = unit_of(saved)
    asked = [str((saved.source / name).resolve()) for name in paths]
    for changes in range(100):
        arguments, _log, context = with_units(saved, body, nonce=str(changes), paths=asked)
        died = work_and_die(saved, arguments, changes, **context)
        seen = tree(saved.source)
        if paths == ["."]:
            assert seen in (old, new), changes
        for name in paths:
            assert seen.get(name) in (old.get(name), new.get(name)), changes
        if then == "continue":
            result = carry_out(saved, arguments, **context)
            assert not result.get("failed"), (changes, result)
            assert runs()
            seen = tree(saved.source)
            assert all(seen[name] == new[name] for name in (new if paths == ["."] else paths)), changes
            assert not settle(saved, "undo", arguments, **context).get("failed")
        elif (saved.state / "operations" / arguments["operation_id"] / "journal.jsonl").exists():
            result = settle(saved, "undo", arguments, **context)
            assert not result.get("failed"), (changes, result)
        assert runs()
        assert {**tree(saved.source), ".": None} == {**old, ".": None}, changes
        assert leftovers(saved) == [], changes
        if not died:
            assert changes > 10
            return
    pytest.fail("the restore never came to its end")


def arguments_of(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def processes(word: bytes) -> list[int]:
    """Return the processes that have a word among their arguments."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if word in arguments_of(path)]


def engines(site: Site, arguments: dict[str, Any]) -> list[int]:
    return processes(f".egov-ops-{arguments['operation_id'][:16]}".encode())


def jobs(site: Site, arguments: dict[str, Any]) -> list[int]:
    path = site.state / "operations" / arguments["operation_id"] / "journal.jsonl"
    if not path.exists():
        return []
    return [event["pid"] for event in journal(site, arguments) if event["event"] == "begin"][-1:]


VICTIMS: dict[str, Callable[[Site, dict[str, Any]], list[int]]] = {
    "engine": engines,
    "job": jobs,
    "host": lambda site, arguments: [*jobs(site, arguments), *engines(site, arguments)],
}


def kill(pids: list[int]) -> None:
    """Kill processes and wait until they are gone: one that still dies holds its lock, and a run attaches to it."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while not all(map(gone, pids)):
        time.sleep(0.005)


def gone(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return True
    return status.rpartition(b")")[2].split()[0] in (b"Z", b"X")


@pytest.fixture
def heavy(ready: Site) -> Site:
    """Give a site that was backed up with enough data for a restore to take a while."""
    for number in range(40):
        (ready.source / f"large{number}").write_bytes(os.urandom(250_000))
    ready.back_up()
    return ready


def rounds_of(site: Site, victim: str, rounds: int) -> None:
    """Restore, kill the victim at some moment, and let the next run continue or undo; what is there is always whole."""
    rng = random.Random(f"{SEED} {victim}")
    new = tree(site.source)
    for _round in range(rounds):
        killed_once(site, victim, new, rng)


def killed_once(site: Site, victim: str, new: dict[str, Any], rng: random.Random) -> None:
    old = spoil(site)
    arguments = request(site, nonce=str(rng.random()))
    child = os.fork()
    if child == 0:  # the controller, which hears of nothing
        call(site, arguments)
        os._exit(0)
    moment = time.monotonic() + rng.uniform(0.0, 2.0)
    while time.monotonic() < moment:
        time.sleep(0.005)
    kill(VICTIMS[victim](site, arguments))
    if victim == "host":
        kill([child])
    os.waitpid(child, 0)
    assert tree(site.source) in (old, new)
    if rng.random() < 0.5 or not jobs(site, arguments):
        result = carry_out(site, arguments)
        assert not result.get("failed"), result
        assert tree(site.source) == new
        settle(site, "accept", arguments)
    else:
        result = settle(site, "undo", arguments)
        assert not result.get("failed") or "nothing to undo" in result["msg"], result
        assert tree(site.source) == old
    assert leftovers(site) == []
    assert engines(site, arguments) == []


@pytest.mark.slow
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_restore_killed_at_five_moments_is_whole(heavy: Site, victim: str) -> None:
    rounds_of(heavy, victim, 5)


@pytest.mark.long
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_restore_killed_at_fifty_moments_is_whole(heavy: Site, victim: str) -> None:
    rounds_of(heavy, victim, 50)
