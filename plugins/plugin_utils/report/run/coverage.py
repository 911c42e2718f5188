# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the run looked at all that it had announced, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import place_of

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Detail
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Coverage, HostRow, Step

#: Reasons of a step that leave the run incomplete: the plan wanted it, and nothing was looked at.
INCOMPLETE_REASONS = ("not_built", "not_reached", "not_started", "interrupted", "busy")

#: Reasons of a step that was announced and cut off.
_CUT_OFF = ("not_reached", "not_started", "interrupted")


def coverage_of(steps: Sequence[Step], announced: Detail, hosts: Sequence[HostRow], is_sealed: bool) -> Coverage:
    """Return the steps expected, recorded and answered, and what is missing: `{reason: [domains]}`.

    Of a domain that stands, a step that is not built is named by its module.
    """
    domain_of = {step["module"]: step["domain"] for step in announced.get("steps") or []}
    wanted = {(host, module) for host in announced.get("hosts") or [] for module in domain_of}
    ours = {host["name"] for host in hosts if host["ours"]}
    dead = {step["host"] for step in steps if step["status"] == "unreachable"}
    standing = {step["domain"] for step in steps if step["reason"] not in ("not_built", "not_ours")}
    recorded, answered = set(), set()
    missing: dict[str, set[str]] = {}
    for step in steps:
        place = step["host"], step["module"]
        recorded.add(place)
        if step["reason"] not in _CUT_OFF:
            answered.add(place)
        follows_from_dead_host = step["host"] in dead and step["reason"] == "not_reached"
        if step["reason"] in INCOMPLETE_REASONS and step["host"] in ours and not follows_from_dead_host:
            is_part = step["reason"] == "not_built" and step["domain"] in standing
            missing.setdefault(step["reason"], set()).add(step["module"] if is_part else step["domain"])
    for _host, module in wanted - recorded:
        missing.setdefault("missing", set()).add(domain_of[module])
    if not is_sealed:
        missing["unsealed"] = set()
    return {
        "expected": len(wanted or recorded),
        "recorded": len(recorded),
        "answered": len(answered),
        "domains": set(domain_of.values()) | {step["domain"] for step in steps},
        "missing": {reason: sorted(missing[reason], key=domain_order) for reason in sorted(missing)},
    }


def domain_order(domain: str) -> tuple[int, str]:
    return place_of(domain), domain
