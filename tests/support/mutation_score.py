# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of mutants, and the verdict on the tests: only a mutant that a failing test noticed counts as killed."""

from __future__ import annotations

import ast
import collections
import dataclasses
from collections.abc import Sequence

#: The share of the mutants that must be killed, and the fewest mutants that a share says anything of.
LIMIT = 0.85
FEWEST = 40

KILLED, SURVIVED, TIMED_OUT, NOT_RUN = OUTCOMES = ("killed", "survived", "timed out", "not run")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A change of a line of the code, what became of it, and why it was not run."""

    path: str
    line: int
    change: str
    outcome: str = NOT_RUN
    reason: str = ""

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.outcome}{reason}: {self.path}:{self.line}: {self.change}"


class _Bare(ast.NodeTransformer):
    """Removes what is not run: annotations and their own branch."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)


def differs(before: str, after: str) -> bool:
    """Say whether a change of a source changes what runs; one that cannot be compiled does not count as a change."""
    try:
        compile(after, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return ast.dump(_Bare().visit(ast.parse(before))) != ast.dump(_Bare().visit(ast.parse(after)))


def passed(mutants: Sequence[Mutant]) -> bool:
    """Say whether enough mutants were run, all of those that were begun, and enough of them killed."""
    counts = collections.Counter(mutant.outcome for mutant in mutants)
    return not counts[NOT_RUN] and len(mutants) >= FEWEST and counts[KILLED] >= LIMIT * len(mutants)


def report(mutants: Sequence[Mutant], left: int) -> str:
    """Return what was not killed, line by line, and the counts; `left` mutants had no time."""
    counts = collections.Counter(mutant.outcome for mutant in mutants)
    counts[NOT_RUN] += left
    lines = [str(mutant) for mutant in sorted(mutants, key=lambda mutant: (mutant.path, mutant.line))]
    lines = [line for line in lines if not line.startswith(KILLED)]
    share = counts[KILLED] / len(mutants) if mutants else 0
    lines.append(", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES))
    verdict = "passed" if passed(mutants) else "failed"
    lines.append(
        f"{verdict}: {share:.1%} of {len(mutants)} mutants were killed; {LIMIT:.0%} of at least {FEWEST} must."
    )
    return "\n".join(lines)
