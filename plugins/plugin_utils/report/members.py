# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The members of a finding about a set of things, and whether people have seen them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.host.record import SEVERITY

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import JSON
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record

#: Statuses that a limit or a wish of the plan gives: the better one of them is covered by what was said of the worse.
JUDGED = ("warning", "critical")


@dataclass(frozen=True)
class Seen:
    """What a person saw of a finding; members is None for a finding that is not about a set, more those not listed."""

    status: str
    reason: str
    members: tuple[str, ...] | None
    more: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether each member is known by name."""
        return not self.more

    def covers(self, other: Seen) -> bool:
        """Tell whether another look at the same finding shows nothing worse and no member beyond these."""
        if self.status in JUDGED and other.status in JUDGED:
            if SEVERITY.index(other.status) < SEVERITY.index(self.status):
                return False
        elif (self.status, self.reason) != (other.status, other.reason):
            return False
        if self.members is None or other.members is None:
            return self.members is other.members and other.is_whole
        return other.is_whole and set(other.members) <= set(self.members)

    def detail(self) -> dict[str, JSON]:
        """Return it as a record holds it."""
        found: dict[str, JSON] = {"status": self.status, "reason": self.reason}
        return found if self.members is None else {**found, "members": list(self.members), "more": self.more}


def seen_in(record: Record) -> Seen:
    """Return what a record shows; where its details were cut to fit, a member is taken to be missing."""
    detail = record["detail"]
    members, more = detail.get("members"), detail.get("more_members", 0)
    listed = tuple(str(name) for name in members) if isinstance(members, list) else None
    is_cut = "cut" in detail and listed is None
    return Seen(record["status"], record["reason"], listed, max(int(more), int(is_cut)))


def seen_of(detail: Mapping[str, object]) -> Seen | None:
    """Return what a record of an acknowledgement holds of one finding; None for what is none."""
    status, members, more = detail.get("status"), detail.get("members"), detail.get("more", 0)
    if status not in SEVERITY or not isinstance(members, (list, type(None))) or not isinstance(more, int):
        return None
    listed = None if members is None else tuple(str(name) for name in members)
    return Seen(str(status), str(detail.get("reason", "")), listed, more)


def new_members(record: Record, before: Record) -> tuple[str, ...]:
    """Return the members of a finding that an earlier record of it does not list, unless the earlier list was cut."""
    now, then = seen_in(record), seen_in(before)
    if now.members is None or then.members is None or not then.is_whole:
        return ()
    return tuple(name for name in now.members if name not in then.members)
