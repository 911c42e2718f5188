# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a procedure means to a module: the options that a step of the catalogue may give it.

A module asks here, and never for the name of the procedure that it is called in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROCEDURES = "egov_ops_procedures"

#: By module and option what may be given; the first is taken where nothing is.
OPTIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "backup_check": {
        "data": ("all", "new"),  # how much of a repository is read again
        "escrow": ("noted", "due"),  # whether a key in escrow that nobody has tested is a finding
    },
    "backup_catalog": {
        "reader": ("report", "person"),  # whether a person waits for the answer at the terminal
    },
}


def allowed_in_words(module: str) -> str:
    """Return which options a module takes, as the end of "a step of MODULE with ..."."""
    options = OPTIONS.get(module, {})
    return ", ".join(f"{name} {' or '.join(values)}" for name, values in options.items()) or "no options"


def are_allowed(module: str, options: object) -> bool:
    """Tell whether a step may give these options to a module."""
    known = OPTIONS.get(module, {})
    return isinstance(options, dict) and all(
        isinstance(value, str) and value in known.get(name, ()) for name, value in options.items()
    )


def options_of(plan: Mapping[str, Any], procedure: str, module: str) -> dict[str, str]:
    """Return the options of a module in a procedure ("" outside any), those too that its step leaves out; pure."""
    given: Mapping[str, str] = {}
    for step in plan[PROCEDURES].get(procedure, {}).get("steps", ()) if procedure else ():
        if step["module"] == module:
            given = step.get("options", {})
    return {name: given.get(name, allowed[0]) for name, allowed in OPTIONS[module].items()}


def procedures_with(plan: Mapping[str, Any], module: str, option: str, value: str) -> list[str]:
    """Return the procedures that give a module a value of an option, those with the fewest steps first; pure."""
    plan = {PROCEDURES: plan[PROCEDURES]}  # each reading of a plan makes a copy
    steps = {name: entry.get("steps", ()) for name, entry in plan[PROCEDURES].items()}
    return sorted(
        (name for name in steps if options_of(plan, name, module)[option] == value),
        key=lambda name: (len(steps[name]), name),
    )
