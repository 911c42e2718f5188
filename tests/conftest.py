# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all tests share: the checkout as a collection, other interpreters and cores, and what "complete" means."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import environment  # noqa: E402
from environment import CACHE, SetupError  # noqa: E402

TREE = environment.link_collection(CACHE / "tree")
sys.path.insert(0, str(TREE))
# A suite started in the background has its interrupts ignored, and would hand that on to what tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# For the tools and interpreters that tests start.
os.environ.update(ANSIBLE_COLLECTIONS_PATH=str(TREE), PYTHONPATH=str(TREE))
os.environ["PATH"] = f"{environment.link_interpreters()}:{os.environ['PATH']}"

# Whatever is chosen at random: the suite chooses one for all its parts.
SEED = os.environ.setdefault("EGOV_OPS_SEED", str(secrets.randbits(32)))

# Its deadlines are by the wall clock, and would judge what else the machine does.
hypothesis.settings.register_profile("shared", deadline=None)
# A mutant is to be noticed, not explained: no smaller example is sought, and each run tries the same ones.
hypothesis.settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
hypothesis.settings.load_profile("shared")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="leave out the tests marked slow")
    parser.addoption("--long", action="store_true", help="run the tests marked long too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    unwanted = {"long"} if not config.getoption("--long") else set()
    unwanted |= {"slow", "long"} if config.getoption("--fast") else set()
    chosen = [item for item in items if not unwanted & {mark.name for mark in item.iter_markers()}]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
    items[:] = chosen
    for item in items:
        programs = {name for mark in item.iter_markers("programs") for name in mark.args}
        missing = sorted(name for name in programs if not shutil.which(name))
        if item.get_closest_marker("root") and os.geteuid() != 0:
            missing.insert(0, "root")
        if missing:
            item.add_marker(pytest.mark.skip(reason=f"needs {' and '.join(missing)}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say with which seed the same would be chosen again."""
    terminalreporter.write_line(f"EGOV_OPS_SEED={SEED}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where the suite must be complete, what could not run counts as failed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("EGOV_OPS_TEST_COMPLETE") == "1" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def interpreter() -> Callable[[str], str]:
    """Give the path of the interpreter of a version ("3.6"); the test is skipped where it is not installed."""

    def find(version: str) -> str:
        found = environment.describe(f"python{version}")
        if not found:
            pytest.skip(f"needs Python {version}")
        return found.path

    return find


@pytest.fixture(scope="session")
def ansible_core() -> Callable[[str], Path]:
    """Give the folder of commands of an ansible-core ("2.16"), installed on first use; skipped without its Python."""

    def install(version: str) -> Path:
        try:
            environment.find_python(environment.CORES[version])
        except SetupError:
            pytest.skip(f"needs a Python that runs ansible-core {version}")
        return environment.create_core(version) / "bin"

    return install
