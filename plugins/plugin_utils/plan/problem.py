# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a plan: one sentence for each mistake, and the error that holds them."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError

#: A variable, as the site wrote it, and the keys below it.
Where = tuple[str, ...]


class Problem(NamedTuple):
    """Something wrong in the plan: the variable as the site wrote it, its value fit to show, and one sentence.

    path are the keys below the variable that lead to it, allowed is what may stand there, and rule names the kind of
    mistake, the same in every version.
    """

    variable: str
    value: str
    message: str
    fatal: bool = True
    path: tuple[str, ...] = ()
    allowed: str = ""
    rule: str = "value"


class PlanError(OpsError):
    """The plan cannot be followed; the text is the first problem's sentence."""

    def __init__(self, problems: list[Problem]) -> None:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(problems[0].message + more)
        self.problems = problems
