# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict on a run of mutants: what was not run, or not noticed, never counts as killed."""

from __future__ import annotations

import pytest

from tests.support.mutation_score import FEWEST, KILLED, NOT_RUN, SURVIVED, TIMED_OUT, Mutant, differs, passed, report


def mutants(**counts: int) -> list[Mutant]:
    """Return mutants by the names of their outcomes: killed, survived, timed_out, not_run."""
    outcomes = [outcome.replace("_", " ") for outcome, count in counts.items() for _ in range(count)]
    return [Mutant("plan/schema.py", number, "- a < b + a <= b", outcome) for number, outcome in enumerate(outcomes)]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"killed": 100}, True),
        ({"killed": 85, "survived": 15}, True),
        ({"killed": 84, "survived": 16}, False),
        ({"killed": 85, "survived": 8, "timed_out": 7}, True),
        ({"killed": 84, "timed_out": 16}, False),
        ({"killed": 99, "not_run": 1}, False),
        ({"killed": FEWEST}, True),
        ({"killed": FEWEST - 1}, False),
        ({}, False),
    ],
)
def test_a_run_passes_if_enough_mutants_were_noticed(counts: dict[str, int], expected: bool) -> None:
    assert passed(mutants(**counts)) == expected
    assert report(mutants(**counts), 0).splitlines()[-1].startswith("passed: " if expected else "failed: ")


def test_a_report_lists_what_was_not_killed_and_counts_what_had_no_time() -> None:
    tested = [
        Mutant("plan/b.py", 9, "- x < 1 + x <= 1", SURVIVED),
        Mutant("plan/a.py", 3, "- while x: + while not x:", TIMED_OUT),
        Mutant("plan/a.py", 1, "- x + 1 + x - 1", KILLED),
        Mutant("plan/a.py", 2, "core/AddNot", NOT_RUN, "no such file"),
    ]
    assert report(tested, 30).splitlines() == [
        "not run (no such file): plan/a.py:2: core/AddNot",
        "timed out: plan/a.py:3: - while x: + while not x:",
        "survived: plan/b.py:9: - x < 1 + x <= 1",
        "1 killed, 1 survived, 1 timed out, 31 not run",
        f"failed: 25.0% of 4 mutants were killed; 85% of at least {FEWEST} must.",
    ]


SOURCE = """\
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import re
class A:
    limit: int | None = 3
def f(a: int | None, *, b: str | None = None) -> int | None:
    return a | 1 if b else None
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a | 1", "a & 1", True),
        ("= 3", "= 4", True),
        ("b else", "not b else", True),
        ("limit: int | None", "limit: int & None", False),
        ("a: int | None", "a: int - None", False),
        ("b: str | None", "b: str - None", False),
        ("-> int | None", "-> int + None", False),
        ("if TYPE", "if not TYPE", False),
        ("return a", "return return a", False),
    ],
)
def test_a_mutant_is_one_that_runs_otherwise(before: str, after: str, expected: bool) -> None:
    assert before in SOURCE
    assert differs(SOURCE, SOURCE.replace(before, after, 1)) == expected
