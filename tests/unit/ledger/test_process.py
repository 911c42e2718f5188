# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who a controller process is, and whether it still lives."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import process
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import (
    INITIAL_NAMESPACE,
    Identity,
    alive,
    controller,
    identity,
    remember_controller,
    run_id,
)

from tests.support.ledger_cases import NOW, living_process


def test_a_living_process_is_alive_and_a_killed_one_is_not() -> None:
    with living_process() as (process, end):
        assert alive(process)
        end()
        assert not alive(process)


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen(["sleep", "600"])
    process = identity(child.pid)
    child.kill()
    deadline = time.monotonic() + 10
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert Path(f"/proc/{child.pid}/stat").exists()
    assert not alive(process)
    child.wait()


def test_another_process_under_the_same_number_is_not_the_same() -> None:
    mine = identity(os.getpid())
    assert not alive(replace(mine, started=mine.started - 1))


def test_a_name_with_spaces_and_parentheses_is_read(tmp_path: Path) -> None:
    program = tmp_path / "a) Z (b 1"
    shutil.copy(shutil.which("sleep") or "", program)
    child = subprocess.Popen([str(program), "600"])
    try:
        deadline = time.monotonic() + 10
        while b"a) Z (b" not in Path(f"/proc/{child.pid}/stat").read_bytes() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert identity(child.pid).started >= identity(os.getpid()).started
    finally:
        child.kill()
        child.wait()


def test_all_workers_of_one_process_see_the_same_controller() -> None:
    code = (
        "import os\n"
        "from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import controller\n"
        "print(controller().hash)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    seen = {subprocess.check_output([sys.executable, "-c", code], env=environment, text=True) for _ in range(2)}
    assert seen == {identity(os.getpid()).hash + "\n"}


def test_what_a_controller_remembers_for_its_workers_is_its_own_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    forked = multiprocessing.get_context("fork")
    reading, writing = forked.Pipe(duplex=False)
    monkeypatch.setattr(f"{Identity.__module__}._remembered", [])
    remember_controller()
    worker = forked.Process(target=lambda: writing.send(controller()))
    worker.start()
    assert reading.poll(30)
    assert reading.recv() == identity(os.getpid())
    worker.join()


@pytest.mark.parametrize("remembers", [False, True])
def test_a_worker_whose_controller_was_killed_takes_no_other_process_for_it(remembers: bool) -> None:
    forked = multiprocessing.get_context("fork")
    reading, writing = forked.Pipe(duplex=False)
    gone = forked.Event()

    def worker() -> None:
        gone.wait(30)
        try:
            writing.send(controller().pid)
        except LedgerError as error:
            writing.send(str(error))

    def be_killed() -> None:
        if remembers:
            remember_controller()
        forked.Process(target=worker).start()
        os.kill(os.getpid(), signal.SIGKILL)

    killed = forked.Process(target=be_killed)
    killed.start()
    killed.join()  # with a limit it would wait for the pipe that the worker has inherited
    gone.set()
    assert reading.poll(30)
    assert f"process {killed.pid} cannot be seen" in str(reading.recv())


def test_a_process_that_is_gone_cannot_be_identified() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    with pytest.raises(LedgerError, match=f"process {child.pid} cannot be seen"):
        identity(child.pid)


def test_each_part_of_an_identity_makes_another_hash() -> None:
    one = Identity("boot", "pid:[1]", 10, 20)
    others = [replace(one, boot="x"), replace(one, namespace="x"), replace(one, pid=11), replace(one, started=21)]
    assert len({one.hash, *(other.hash for other in others)}) == 5


def test_a_run_is_named_by_its_start_and_its_process() -> None:
    name = run_id(controller(), NOW)
    assert re.fullmatch(r"20260304T050607Z-[0-9a-f]{12}", name)
    assert name.endswith(controller().hash)


def test_a_process_of_an_earlier_boot_of_the_same_machine_is_known_to_have_ended():
    before = Identity("boot-1", INITIAL_NAMESPACE, 7, 100, "machine-a")
    assert before.ended_with_an_earlier_boot(Identity("boot-2", INITIAL_NAMESPACE, 9, 5, "machine-a"))


@pytest.mark.parametrize(
    "other",
    [
        Identity("boot-1", INITIAL_NAMESPACE, 9, 5, "machine-a"),
        Identity("boot-2", INITIAL_NAMESPACE, 9, 5, "machine-b"),
        Identity("boot-2", "pid:[4026532000]", 9, 5, "machine-a"),
        Identity("boot-2", INITIAL_NAMESPACE, 9, 5, ""),
    ],
)
def test_of_another_machine_or_container_nothing_is_known(other):
    assert not Identity("boot-1", INITIAL_NAMESPACE, 7, 100, "machine-a").ended_with_an_earlier_boot(other)


def test_of_several_identities_the_first_that_was_remembered_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = process.identity(os.getppid())
    monkeypatch.setattr(process, "_remembered", [parent, process.identity(os.getpid())])
    assert process.controller() is parent
