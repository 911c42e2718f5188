# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The suite's own verdict: nothing that failed, or did not run, may look like a success."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import suite
from tests.suite import Outcome, Part

PYTEST = Part("unit", [["python", "-m", "pytest"]])


def counted(text: str, code: int, part: Part = PYTEST) -> tuple[int, int, int]:
    outcome = Outcome(part)
    suite.count(outcome, text, code)
    return outcome.passed, outcome.failed, len(outcome.not_run)


def test_what_pytest_counts_is_counted() -> None:
    text = "..F\nSKIPPED [1] tests/x.py:3: needs root\n2 failed, 7 passed, 1 skipped in 0.05s\n"
    assert counted(text, 1) == (7, 2, 1)


def test_an_error_of_a_fixture_is_a_failure() -> None:
    assert counted("3 passed, 2 errors in 1.00s\n", 1) == (3, 2, 0)


@pytest.mark.parametrize(
    "text", ["", "no tests ran in 0.01s\n", "ERROR: file or directory not found\n", "3 passed in 1s\n"]
)
def test_a_bad_exit_code_is_a_failure_whatever_was_printed(text: str) -> None:
    assert counted(text, 4)[1] == 1


def test_a_linter_counts_as_one() -> None:
    linter = Part("style", [["ruff", "check"]])
    assert counted("All checks passed!\n", 0, linter) == (1, 0, 0)
    assert counted("Found 1 error.\n", 1, linter) == (0, 1, 0)


def test_a_version_that_ansible_test_skipped_is_not_run() -> None:
    text = 'WARNING: Skipping sanity test "compile" on Python 3.8 because it could not be found.\n'
    assert counted(text, 0, Part("sanity", [["python", "tests/sanity/run.py"]])) == (1, 0, 1)


def test_a_part_whose_program_is_missing_is_not_run_and_says_why(tmp_path: Path) -> None:
    outcome = suite.perform(Part("x", [[sys.executable, "-c", ""]], programs=["no-such-program"]))
    assert (outcome.passed, outcome.failed, outcome.not_run) == (0, 0, ["needs no-such-program"])


def test_all_commands_of_a_part_run_though_the_first_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "LOGS", tmp_path)
    outcome = suite.perform(Part("x", [[sys.executable, "-c", "exit(3)"], [sys.executable, "-c", "print('second')"]]))
    assert (outcome.passed, outcome.failed) == (1, 1)
    assert "second" in (tmp_path / "x.log").read_text()


def test_every_part_runs_once_and_the_lab_beside_nothing() -> None:
    named = [[[part.name for part in lane] for lane in stage] for stage in suite.stages("test")]
    parts = [name for stage in named for lane in stage for name in lane]
    assert sorted(parts) == sorted({*parts})
    assert {"unit", "integration", "sanity", "documentation", "browser", "new user", "molecule"} < {*parts}
    assert {"sanity of other cores", "galaxy-importer"} < {*parts}
    assert named[-1] == [["lab"]]
    last = [[[part.name for part in lane] for lane in stage] for stage in suite.stages("long")[-2:]]
    assert last == [[["lab"]], [["mutants"]]]
    quick = {part.name for stage in suite.stages("check") for lane in stage for part in lane}
    assert quick == {"style", "types", "ansible-lint", "unit", "integration"}


def test_what_is_running_is_said_at_once_and_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert suite.INTERVAL <= 60
    monkeypatch.setattr(suite, "INTERVAL", 0.05)
    running = suite.Running()
    with running.said(), running.doing("unit"):
        assert capsys.readouterr().out == "Started: unit\n"
        deadline = time.monotonic() + 30
        again = ""
        while again.count("Running: unit (") < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
            again += capsys.readouterr().out
    assert again.count("Running: unit (") >= 2
    with running.said():
        assert "unit" not in capsys.readouterr().out


def test_the_suite_says_what_it_does_before_it_does_anything(tmp_path: Path) -> None:
    checkout = tmp_path / "with:colon"  # refused, so that nothing more is done
    for name in ("tests/suite.py", *(f"tools/{tool}.py" for tool in ("environment", "programs", "run"))):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_bytes((suite.ROOT / name).read_bytes())
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(checkout / "tests/suite.py"), "test"], capture_output=True, text=True, check=False
    )
    assert time.monotonic() - start < 5
    assert (done.returncode, done.stdout) == (1, "Started: environment\n")


def test_a_room_is_tested_by_its_name_and_an_unknown_one_is_one_sentence() -> None:
    assert suite.unit("ledger", "-k", "chain")[-3:] == ["tests/unit/ledger", "-k", "chain"]
    assert suite.unit()[-1] == "tests/unit"
    with pytest.raises(suite.SetupError, match=r"^No unit tests are in the room cellar: say ROOM= and one of .*ledger"):
        suite.unit("cellar")


@pytest.mark.root
@pytest.mark.programs("unshare")
def test_a_part_that_is_apart_mounts_for_itself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not suite.own_mounts():
        pytest.skip("this machine lets nobody mount")
    monkeypatch.setattr(suite, "LOGS", tmp_path)
    mount = [["mount", "-t", "tmpfs", "none", str(tmp_path)], ["mountpoint", str(tmp_path)]]
    together = [["sh", "-c", " && ".join(" ".join(words) for words in mount)]]
    outcome = suite.perform(Part("x", together, apart=True))
    assert (outcome.passed, outcome.failed) == (1, 0), outcome.output
    assert not tmp_path.is_mount()


def test_the_closing_line_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.summarise([Outcome(PYTEST, passed=3), Outcome(PYTEST, passed=2)], complete=True) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "5 passed, 0 failed, 0 skipped"


@pytest.mark.parametrize(("complete", "code"), [(True, 1), (False, 0)])
def test_what_was_not_run_fails_where_the_suite_must_be_complete(complete: bool, code: int) -> None:
    assert suite.summarise([Outcome(PYTEST, passed=3), Outcome(PYTEST, not_run=["needs root"])], complete) == code


def test_a_suite_that_ran_nothing_fails() -> None:
    assert suite.summarise([Outcome(PYTEST, not_run=["needs root"])], complete=False) == 1
