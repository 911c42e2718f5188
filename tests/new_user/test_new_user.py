# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person does first: clone on a fresh machine, `make run`, and again."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .machine import Machine, fresh_machine

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT = "政务 ops"  # a space and characters outside ASCII
HOMES = {"root": "/root", "clerk": "/home/clerk"}

pytestmark = pytest.mark.root


class Newcomer:
    """A user of a fresh machine who has cloned the repository, and what the first `make run` gave."""

    def __init__(self, machine: Machine, user: str) -> None:
        self.machine, self.user = machine, user
        self.checkout = f"{HOMES[user]}/{CHECKOUT}"
        cloned = machine.run(user, f"git clone -q /srv/ops.bundle {shlex.quote(CHECKOUT)}")
        assert cloned.returncode == 0, cloned.stdout
        self.before = machine.files(without=self.checkout)
        self.first = self.make("run")
        self.after = machine.files(without=self.checkout)

    def make(self, goal: str) -> subprocess.CompletedProcess[str]:
        return self.machine.run(self.user, f"cd {shlex.quote(CHECKOUT)} && make {goal}")

    def path(self, name: str) -> Path:
        return self.machine.root / self.checkout.lstrip("/") / name


@pytest.fixture(scope="module", params=list(HOMES))
def newcomer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    with fresh_machine(tmp_path_factory.mktemp("fresh")) as machine:
        bundle = machine.root / "srv/ops.bundle"
        subprocess.run(["git", "-C", str(ROOT), "bundle", "create", "-q", str(bundle), "HEAD"], check=True)
        yield Newcomer(machine, request.param)


def test_the_first_run_ends_well(newcomer: Newcomer) -> None:
    assert newcomer.first.returncode == 0, newcomer.first.stdout


def test_the_first_run_leaves_a_report_and_names_it(newcomer: Newcomer) -> None:
    assert json.loads(newcomer.path("var/reports/latest.json").read_text())
    assert newcomer.path("var/reports/latest.html").stat().st_size
    assert newcomer.path("var/ledger.sqlite3").stat().st_size
    for name in ("var/reports/latest.html", "var/reports/latest.json", "var/ledger.sqlite3"):
        assert f"{newcomer.checkout}/{name}" in newcomer.first.stdout


def test_restic_is_there_to_back_up_with(newcomer: Newcomer) -> None:
    told = newcomer.machine.run(newcomer.user, f"{shlex.quote(CHECKOUT)}/.venv/bin/restic version")
    assert told.stdout.startswith("restic "), told.stdout


def test_an_ordinary_user_writes_nothing_outside_the_checkout(newcomer: Newcomer) -> None:
    if newcomer.user == "root":
        assert newcomer.after != newcomer.before, "root installs packages: if nothing changed, nothing was compared"
    else:
        assert {path: newcomer.after.get(path) for path in newcomer.before} == newcomer.before
        assert newcomer.after.keys() == newcomer.before.keys()


def test_a_second_run_shows_its_first_task_within_three_seconds(newcomer: Newcomer) -> None:
    command = newcomer.machine.command(newcomer.user, f"cd {shlex.quote(CHECKOUT)} && make run")
    start = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as second:
        assert second.stdout
        first_task = next((time.monotonic() - start for line in second.stdout if line.startswith("TASK [")), None)
        rest = second.stdout.read()
    assert second.returncode == 0, rest
    assert first_task is not None
    assert first_task < 3


def test_what_a_shell_needs_for_ones_own_hosts_is_in_activate(newcomer: Newcomer) -> None:
    told = newcomer.machine.run(
        newcomer.user,
        f"cd {shlex.quote(CHECKOUT)} && . .venv/bin/activate && "
        "ANSIBLE_HOME=.cache/ansible ansible-playbook egov.ops.daily -i inventories/local --syntax-check",
    )
    assert told.returncode == 0, told.stdout


def test_what_another_user_left_is_one_sentence(newcomer: Newcomer) -> None:
    other = "root" if newcomer.user == "clerk" else "clerk"
    newcomer.machine.run("root", f"chown -h {other} {shlex.quote(newcomer.checkout)}/.venv")
    told = newcomer.make("run")
    newcomer.machine.run("root", f"chown -h {newcomer.user} {shlex.quote(newcomer.checkout)}/.venv")
    lines = [line for line in told.stdout.splitlines() if not line.startswith("make:")]
    assert told.returncode != 0
    assert len(lines) == 1
    assert f".venv belongs to {other}" in lines[0]


def test_clean_keeps_what_exists_once(newcomer: Newcomer) -> None:
    assert newcomer.make("clean").returncode == 0
    assert newcomer.path("var/reports/latest.json").exists()
    assert not newcomer.path(".venv").exists()


@pytest.mark.long
def test_the_whole_suite_passes_on_a_fresh_machine(newcomer: Newcomer) -> None:
    tested = newcomer.make("test")
    assert tested.returncode == 0, tested.stdout[-10000:]
