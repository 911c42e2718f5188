# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domains of the records in one table: nothing outside it lists them.

Playbooks (tools/generate.py), owners of findings and the report's words and order are made of it. A domain's name is
also the tag of its tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Domain(NamedTuple):
    """A part of the work: whose its findings are, by which clauses of the plan it is wanted, what does the work."""

    #: The team that owns its findings, "" where they belong to the team of the procedure.
    team: str
    #: How the clauses of the plan begin that it serves.
    chapter: str
    title: Mapping[str, str]
    #: The roles that do its work; the first one stands in the playbooks, under the name of the task.
    roles: tuple[str, ...] = ()
    task: str = ""
    #: Whether each report has a place for it, with a sentence of its own, also where nothing was looked at.
    reported: bool = False


#: The domain of what was asked for, approved, decided, overridden and carried out.
GATE = "gate"
#: The domain of which machine answers to a name of the inventory.
MACHINES = "machine"
#: The domain of a run's own begin, seal and faults.
RUN = "run"

DOMAINS: Mapping[str, Domain] = {
    "health": Domain("SYS", "S3.", {"en": "Health", "zh": "健康"}, ("health_check",), "Check health", reported=True),
    "backup": Domain("DATA", "S6.", {"en": "Backup", "zh": "备份"}, ("backup",), "Back up and prove", reported=True),
    "updates": Domain(
        "SEC", "S4.", {"en": "Updates", "zh": "更新"}, ("patch_rollout",), "Scan for updates", reported=True
    ),
    "hardening": Domain(
        "SEC", "S5.", {"en": "Hardening", "zh": "加固"}, ("hardening",), "Audit the hardening", reported=True
    ),
    GATE: Domain("", "S6.3.1", {"en": "Gates", "zh": "审批控制"}),
    MACHINES: Domain("SYS", "S6.3.2", {"en": "Machine", "zh": "主机身份"}),
    RUN: Domain("", "S2.3", {"en": "Run", "zh": "执行"}),
    "restore": Domain("DATA", "S6.3", {"en": "Restore", "zh": "恢复"}, ("restore",), "Restore"),
    "versions": Domain("SEC", "S4.", {"en": "Versions", "zh": "版本"}),
    "firewall": Domain("SEC", "S5.2-5", {"en": "Firewall", "zh": "防火墙"}),
    "performance": Domain("SYS", "S3.3", {"en": "Performance", "zh": "性能"}),
}

#: The domains that each report has a place for, in their order there.
REPORTED = tuple(name for name, domain in DOMAINS.items() if domain.reported)

#: The team that owns the findings of a domain (plan S2.2); those of another one go to the team of the procedure.
OWNERS = {name: domain.team for name, domain in DOMAINS.items() if domain.team}


def place_of(name: str) -> int:
    """Return where a domain stands in a report: those that have no place of their own come last."""
    return REPORTED.index(name) if name in REPORTED else len(REPORTED)


def with_others(names: set[str]) -> list[str]:
    """Return the domains of a report: those that have their place there, then the others of some records by name."""
    return [*REPORTED, *sorted(names - set(REPORTED))]


def sentence_of(name: str) -> str:
    """Return the family of sentences that tells what was measured in a domain."""
    return name if name in REPORTED else "other"
