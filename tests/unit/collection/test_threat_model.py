# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each line of the threat model names a test, and each such test exists."""

from __future__ import annotations

import ast
import re

import environment

PAGE = (environment.ROOT / "docs/security.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| attempt |")
]
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_OUTCOME = re.compile(r"(prevented|detected|open)\b")


def names_in(file: str) -> set[str]:
    """Return the names of a file's tests."""
    tree = ast.parse((environment.ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_line_has_an_outcome_and_names_tests_that_exist() -> None:
    assert len(ROWS) >= 20
    for row in ROWS:
        attempt, outcome, tests = row
        assert _OUTCOME.match(outcome), attempt
        assert _TEST.findall(tests), attempt
        assert _TEST.sub("", tests).strip(", ") == "", attempt
    missing = [f"{file}::{name}" for file, name in _TEST.findall(PAGE) if name not in names_in(file)]
    assert missing == []


def test_the_page_stays_one_page() -> None:
    assert len(PAGE.splitlines()) <= 80
