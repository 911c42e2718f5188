# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that CONTRIBUTING and docs/development.md name: each is run, or it is said here what else runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import environment
import pytest
import yaml

ROOT = environment.ROOT
PAGES = ("CONTRIBUTING.md", "docs/development.md")
#: How a command begins in the pages, in a code block behind its prompt or as code in a line or a table.
WORDS = r"(?:\w+=\S+ )?(?:make|python|pytest|git|pre-commit|antsibull-changelog|\. \.cache)[ /]"
COMMAND = re.compile(rf"^\$ ({WORDS}.*)$|(?<!`)`({WORDS}[^`]*)`(?!`)", re.MULTILINE)

#: Run here from the checkout, in an activated environment, with what is put in place of words that stand for a value.
RUN = {
    ". .cache/dev/bin/activate": {},
    "pytest tests/unit/ledger -k chain": {},
    "make build": {},
    "make dev": {},
    "make generate": {"generate": "generate ARGS=--check"},
    "make unit ROOM=backup": {"backup": "report ARGS='--collect-only -q'"},
    "git apply docs/examples/probe.patch": {"apply": "apply --check"},
    "python tools/ledgers.py many FOLDER --hosts 200 --days 90": {"200": "60", "90": "2"},
    "pre-commit install": {"install": "--version"},
}
#: Too long, or of consequence: what runs each of them, or makes the same calls.
ELSEWHERE = {
    "make check": "the suite of which this is a part",
    "make test": "the suite of which this is a part",
    "make test-long": "the suite of which this is a part",
    "make bench": "measures, and its figures mean nothing beside other tests",
    "make molecule": "the suite's part molecule",
    "make screenshots": "tests/browser/test_pages.py takes them",
    "make run": "tests/new_user",
    "python tests/mutation/run.py --rooms schedule --minutes 5": "the suite's part mutants, for all rooms",
    "make lock": "needs an index, and writes the lock files",
    "EGOV_OPS_TEST_COMPLETE=1 make test-long": "the suite of which this is a part",
    "antsibull-changelog release": "the suite's part documentation lints what it reads",
}


def documented() -> set[str]:
    """Return the commands that the pages name."""
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    return {" ".join("".join(groups).split()) for text in texts for groups in COMMAND.findall(text)}


def test_each_documented_command_is_run_by_a_test() -> None:
    assert documented() == {*RUN, *ELSEWHERE}


@pytest.fixture(scope="module")
def python() -> environment.Python:
    """Give the interpreter of the development environment; skipped where `make dev` would make that anew."""
    found = environment.find_python()
    if not environment.is_current(environment.CACHE / "dev", ROOT / "requirements/dev.txt", found):
        pytest.skip("needs the environment of make dev")
    return found


@pytest.mark.slow
@pytest.mark.programs("make", "git")
@pytest.mark.parametrize("command", RUN)
def test_a_documented_command_succeeds(command: str, python: environment.Python, tmp_path: Path) -> None:
    for word, value in {**RUN[command], "FOLDER": str(tmp_path / "new")}.items():
        command = command.replace(word, value)
    script = f". .cache/dev/bin/activate && {command.replace('make ', f'make PYTHON={sys.executable} ')}"
    around = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=ROOT,
        env=around,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.programs("make")
@pytest.mark.parametrize("command", sorted(command for command in documented() if "make " in command))
def test_a_documented_goal_of_make_exists(command: str) -> None:
    goal = command.partition("make ")[2].split()
    done = subprocess.run(["make", "--dry-run", *goal], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    scripts = re.findall(r"\S+\.py", done.stdout)
    assert scripts
    assert [script for script in scripts if not (ROOT / script).is_file()] == []


def test_an_editor_finds_the_collection_and_the_tools(python: environment.Python) -> None:
    tomllib = pytest.importorskip("tomllib")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pyright"]
    environment.link_collection(environment.CACHE / "tree")
    assert (ROOT / settings["venvPath"] / settings["venv"] / "bin/python").exists()
    for module in ("ansible_collections/egov/ops/plugins/plugin_utils/ledger", "environment.py", "suite.py"):
        assert [path for path in settings["extraPaths"] if (ROOT / path / module).exists()], module


@pytest.mark.slow
@pytest.mark.programs("git")
def test_the_hooks_of_pre_commit_pass_and_fetch_nothing(python: environment.Python, tmp_path: Path) -> None:
    for name in environment.checkout_files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache/dev").symlink_to(environment.CACHE / "dev")
    repositories = yaml.safe_load((tmp_path / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert {repository["repo"] for repository in repositories} == {"local"}
    hooks = [str(environment.CACHE / "dev/bin/pre-commit"), "run", "--all-files"]
    env = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home"), "PYTHONPATH": ""}
    for command in (["git", "init", "-q"], ["git", "add", "--all"]):
        subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run(hooks, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    (tmp_path / "tools/lock.py").write_text("import os\n")
    done = subprocess.run(hooks, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "F401" in done.stdout
