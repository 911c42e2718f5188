# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the backups of a plan say against each other, each value of them being right for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.schedule.calendar import RETENTION_DAYS, longest_days

SETS, CLASSES, RETENTION = "egov_ops_backup_sets", "egov_ops_backup_classes", "egov_ops_backup_retention"
REPOSITORIES = "egov_ops_backup_repositories"
SOURCES = ("password_file", "password", "password_command")


class Contradiction(NamedTuple):
    """Variable, entry and key of what is wrong, "" for none; the sentence is what follows its dotted name."""

    variable: str
    entry: str
    key: str
    value: Any
    sentence: str
    allowed: str
    rule: str


def uncovered(plan: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Yield the classes of data that a host has and no set backs up."""
    there = {entry.get("class") for entry in plan[SETS].values()}
    for name in plan[CLASSES]:
        if name not in there:
            sentence = f"has the class {name}, of which {SETS} has no set; add one, or take the class out."
            yield Contradiction(CLASSES, "", "", name, sentence, f"a set of the class {name}", "class")


def contradictions(plan: Mapping[str, Any], classes: tuple[str, ...]) -> Iterator[Contradiction]:
    """Yield passwords from two places, and rules of retention for no class or that end before the next full backup."""
    sets, rules = plan[SETS], plan[RETENTION]
    for name, entry in plan[REPOSITORIES].items():
        given = [source for source in SOURCES if entry.get(source)]
        if len(given) > 1:
            sentence = f"is given beside {given[0]}, and a repository has its password from one place; take one out."
            yield Contradiction(
                REPOSITORIES, name, given[1], "not shown", sentence, f"one of {', '.join(SOURCES)}", "key"
            )
    for name in rules:
        if name not in classes:
            known = ", ".join(classes)
            yield Contradiction(
                RETENTION, name, "", name, f"is no class; known are {known}.", f"one of {known}", "name"
            )
    for name, entry in sets.items():
        rule = rules.get(entry.get("class"))
        between = longest_days(entry.get("full"))
        if not rule or not all(isinstance(rule.get(unit), int) for unit in RETENTION_DAYS):
            continue
        reach = max(rule[unit] * days for unit, days in RETENTION_DAYS.items())
        if reach < between:
            sentence = (
                f"is {entry['full']!r}, but {RETENTION} keeps the class {entry['class']} for {reach} days, less than "
                "from one full backup to the next; keep it longer, or make full backups more often."
            )
            allowed = f"a cadence of at most {reach} days"
            yield Contradiction(SETS, name, "full", entry["full"], sentence, allowed, "retention")
