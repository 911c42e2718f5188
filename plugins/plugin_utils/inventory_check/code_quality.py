# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A validation as GitLab's code quality report, which its merge requests show."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.types import ProblemData, Validation

#: GitLab knows info, minor, major, critical and blocker.
_SEVERITIES = {"error": "critical", "warning": "minor"}
_LINES = re.compile(r"\blines? \d+(?: and \d+)*")


def render(data: Validation) -> str:
    """Return a JSON list with an entry for each problem; paths are relative to the top of the repository."""
    seen: Counter[str] = Counter()
    entries = []
    for problem in data["problems"]:
        path = _relative(problem["file"] or data["inventory"])
        identity = _identity(problem, path)
        entries.append(
            {
                "description": _description(problem),
                "check_name": problem["rule"],
                "fingerprint": hashlib.sha256(f"{identity} {seen[identity]}".encode()).hexdigest(),
                "severity": _SEVERITIES[problem["severity"]],
                "location": {"path": path, "lines": {"begin": max(problem["line"], 1)}},
            }
        )
        seen[identity] += 1
    return json.dumps(entries, ensure_ascii=False, indent=2) + "\n"


def _description(problem: ProblemData) -> str:
    first, *others = problem["hosts"] or [""]
    more = f" and {len(others)} more" if others else ""
    return problem["message"] + (f" ({first}{more})" if first else "")


def _identity(problem: ProblemData, path: str) -> str:
    """Return what stays the same of a problem when its lines move or the checkout lies elsewhere."""
    message = problem["message"].replace(problem["file"], path) if problem["file"] else problem["message"]
    parts = [problem["rule"], path, problem["variable"], problem["path"], problem["value"], _LINES.sub("line", message)]
    return json.dumps(parts)


def _relative(file: str) -> str:
    """Return a file's path from the top of its repository: of the one we stand in, where that holds the file."""
    path, here = Path(os.path.normpath(Path.cwd() / file)), Path.cwd()
    tops = [folder for folder in (*_repositories(here), *_repositories(path)) if path.is_relative_to(folder)]
    return Path(os.path.relpath(path, tops[0] if tops else here)).as_posix()


def _repositories(path: Path) -> list[Path]:
    """Return the git checkouts in which a path lies, the nearest first."""
    return [folder for folder in (path, *path.parents) if (folder / ".git").exists()]
