# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CONTRIBUTING's worked examples, each applied to a copy of the checkout and run there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import environment
import pytest

pytestmark = pytest.mark.slow

EXAMPLES = sorted((environment.ROOT / "docs/examples").glob("*.patch"))

#: What must hold of the collection once an example is part of it, beside the example's own tests.
CONVENTIONS = {
    "action": ["tests/unit/gate/test_gate_actions.py", "tests/unit/gate/test_gate_page.py"],
    "control": ["tests/unit/hardening/test_hardening_catalogue.py"],
    "engine": ["tests/unit/plan/test_check.py", "tests/unit/backup/test_engine_contract.py"],
    "probe": ["tests/unit/health/test_kinds.py"],
}

#: Suites that run each engine: of these only the example, the others have their turn in the checkout itself.
OF_EACH = {
    "engine": ["-k", "tar", "tests/unit/backup/test_engine_conformance.py", "tests/integration/test_engines.py"],
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout, importable as the collection."""
    folder = tmp_path / "ansible_collections/egov/ops"
    for name in environment.checkout_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(environment.ROOT / name, folder / name)
    return folder


def run(checkout: Path, *command: str) -> None:
    tree = str(checkout.parents[2])
    ours = {"PYTHONPATH": f"{tree}:{checkout / 'tools'}", "ANSIBLE_COLLECTIONS_PATH": tree}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=checkout,
        env={**os.environ, **ours},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.programs("git")
def test_an_example_applies_and_its_tests_pass(example: Path, checkout: Path) -> None:
    subprocess.run(["git", "apply", str(example)], cwd=checkout, check=True)
    touched = re.findall(r"^\+\+\+ b/(tests/unit/\w+/test_\w+\.py)$", example.read_text(encoding="utf-8"), re.MULTILINE)
    assert touched, "an example brings its test"
    run(checkout, "tools/generate.py")
    run(checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", *touched, *CONVENTIONS[example.stem])
    if example.stem in OF_EACH:
        run(checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", *OF_EACH[example.stem])


def test_each_example_is_explained() -> None:
    text = (environment.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((docs/examples/\w+\.patch)\)", text)) == {
        str(path.relative_to(environment.ROOT)) for path in EXAMPLES
    }
    assert {path.stem for path in EXAMPLES} == set(CONVENTIONS)
