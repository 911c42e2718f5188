# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task gives Ansible of a half: what stands in place of its result, and its evidence in brief."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import inert

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.types import Brief, Outcome


def outcome_of(status: str, reason: str, message: str, transport: str = "none") -> Outcome:
    """Return what stands in place of a half's result."""
    return {
        "changed": False,
        "status": status,
        "reason": reason,
        "msg": message,
        "summary": {},
        "evidence": [],
        "transport": transport,
    }


def first_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return inert(text.rstrip(".")[:500])


def brief(observations: list[Observation]) -> list[Brief]:
    """Return what a person wants at once of those that are not ok: Ansible copies a host's result several times."""
    return [
        {
            "kind": item["kind"],
            "subject": item["subject"],
            "status": item["status"],
            "reason": item.get("reason", ""),
            "detail": {name: value for name, value in item.get("detail", {}).items() if name in ("message", "next")},
        }
        for item in observations
        if item["status"] != "ok"
    ]


def counts_of(observations: list[Observation]) -> dict[str, int]:
    return dict(Counter(item["status"] for item in observations))
