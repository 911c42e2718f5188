# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bootstrap on this machine: what it picks, what it refuses, and the sentence it says."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import environment
import programs
import pytest
import run
from environment import SetupError


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder that the tools take for the checkout."""
    for name, folder in (("ROOT", "."), ("VENV", ".venv"), ("CACHE", ".cache"), ("STATE", "var")):
        monkeypatch.setattr(run, name, tmp_path / folder)
    return tmp_path


def executable(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_an_interpreter_that_serves_is_taken_even_from_within_an_environment(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
    inner = environment.describe(str(tmp_path / "env/bin/python"))
    assert inner
    assert inner.path == environment.find_python(((sys.version_info[0], sys.version_info[1]),)).path
    assert not inner.path.startswith(str(tmp_path))


def test_another_interpreter_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "python3.99", f"{shlex.quote(sys.executable)} \"$@\" | sed '1s/.*/3 99/'")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert environment.find_python(((3, 99),)).version == (3, 99)


def test_a_command_without_a_version_behind_it_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "python3.98", "exit 127")
    executable(tmp_path / "python3.97", f"{shlex.quote(sys.executable)} \"$@\" | sed '1s/.*/3 97/'")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert environment.find_python(((3, 97), (3, 98))).version == (3, 97)


def test_a_machine_without_a_suitable_python_is_one_sentence() -> None:
    with pytest.raises(SetupError, match=r"^Python 3\.99 is needed and this machine has 3\.[^\n]*$"):
        environment.find_python(((3, 99),))


@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_make_run_on_another_python_gives_no_traceback(version: str) -> None:
    name = environment.describe(f"python{version}")
    if not name:
        pytest.skip(f"needs Python {version}")
    script = "import sys; sys.path.insert(0, 'tools'); import environment, programs, run; environment.find_python()"
    done = subprocess.run([name.path, "-c", script], cwd=environment.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "SetupError: Python 3.11 or 3.12 or 3.13 is needed" in done.stderr


def test_an_environment_is_current_until_its_lock_file_changes(tmp_path: Path) -> None:
    python = environment.find_python()
    lock = tmp_path / "lock.txt"
    lock.write_text("")
    environment.create(tmp_path / "made here", lock, python)
    assert environment.is_current(tmp_path / "made here", lock, python)
    lock.write_text("# changed\n")
    assert not environment.is_current(tmp_path / "made here", lock, python)


def test_an_environment_that_was_moved_is_made_again(tmp_path: Path) -> None:
    python = environment.find_python()
    lock = tmp_path / "lock.txt"
    lock.write_text("")
    environment.create(tmp_path / "before", lock, python)
    (tmp_path / "before").rename(tmp_path / "after")
    assert not environment.is_current(tmp_path / "after", lock, python)


def test_a_half_made_environment_is_made_again(tmp_path: Path) -> None:
    python = environment.find_python()
    lock = environment.ROOT / "requirements/core-2.19.txt"
    (tmp_path / "broken/bin").mkdir(parents=True)
    assert not environment.is_current(tmp_path / "broken", lock, python)


def test_pips_own_words_reach_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGOV_OPS_WHEELS", str(tmp_path))
    lock = environment.ROOT / "requirements/core-2.19.txt"
    with pytest.raises(SetupError) as caught:
        environment.create(tmp_path / "env", lock, environment.find_python())
    lines = str(caught.value).splitlines()
    assert any("No matching distribution found" in line for line in lines[:-1])
    assert "EGOV_OPS_WHEELS" in lines[-1]


def test_a_moved_checkout_gets_its_link_again(tmp_path: Path) -> None:
    link = tmp_path / "ansible_collections/egov/ops"
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "where it was")
    environment.link_collection(tmp_path)
    assert link.resolve() == environment.ROOT


def test_programs_are_chosen_by_kind_of_system_and_purpose() -> None:
    assert programs.wanted("platform:dpkg") == ["restic", "python3-venv"]
    assert programs.wanted("platform:rpm") == ["restic"]
    assert "mmdebstrap" in programs.wanted("platform:dpkg", "test")
    assert "mmdebstrap" not in programs.wanted("platform:rpm", "test")


@pytest.mark.root
@pytest.mark.parametrize("name", [".venv", ".cache", "var"])
def test_what_another_user_left_is_one_sentence(checkout: Path, name: str) -> None:
    (checkout / name).mkdir()
    os.chown(checkout / name, 65534, 65534)
    with pytest.raises(SetupError, match=rf"^[^\n]*/{name} belongs to nobody and you are root: [^\n]*$"):
        run.check_folders()


def test_a_fresh_checkout_is_accepted(checkout: Path) -> None:
    run.check_folders()


def test_a_path_that_search_paths_cannot_hold_is_refused(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ROOT", checkout / "a:b")
    with pytest.raises(SetupError, match="has a colon"):
        run.check_folders()
