# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Acknowledgements: a person says of findings that they are known, until a day and under a ticket.

Each is a record of the ledger, of host `controller`, domain `report`, kind `acknowledgement`; its subject is the key
of the findings, its detail the rest. The newest of a subject counts. The name is a claim: nobody has signed it.
"""

from __future__ import annotations

import glob
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.module_utils.host.record import SEVERITY, observation
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import iso, read_time

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Acknowledged

DOMAIN = "report"
KIND = "acknowledgement"

#: Days for which one may stand: what is known for longer belongs into the plan.
LONGEST = 366

#: Characters of a ticket, a name or a reason.
TEXT_LIMIT = 300

PARTS = ("host", "domain", "kind", "subject")

_OPTIONS = {*PARTS, "finding", "until", "ticket", "name", "reason", "state"}
_STORED = {"patterns", "until", "ticket", "name", "why", "worst", "withdrawn"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class AcknowledgementError(OpsError):
    """An acknowledgement that cannot be made. The message is one sentence."""


@dataclass(frozen=True)
class Acknowledgement:
    """What a person knows: four shell patterns over a finding's key, the end (UTC), and the worst status known."""

    key: tuple[str, str, str, str]
    until: str
    ticket: str
    name: str
    reason: str
    status: str
    withdrawn: bool = False
    made: str = ""
    seq: int = 0

    @property
    def subject(self) -> str:
        """Return the subject of its record: the four patterns."""
        return "/".join(self.key)

    def covers(self, record: Record) -> bool:
        """Tell whether it speaks of a finding: one that has become worse since is not the one that was known."""
        is_known = SEVERITY.index(record["status"]) >= SEVERITY.index(self.status)
        return is_known and matches(self.key, record)

    def says_the_same(self, other: Acknowledgement | None) -> bool:
        """Tell whether another one already says all this."""
        names = ("until", "ticket", "name", "reason", "status", "withdrawn")
        return other is not None and all(getattr(self, name) == getattr(other, name) for name in names)

    def observation(self) -> Observation:
        """Return the observation that its record is made of."""
        done = "withdraws the acknowledgement of" if self.withdrawn else "acknowledges"
        return observation(
            KIND,
            self.subject,
            "ok",
            "",
            ["S5.3-2c"],
            message=f"{self.name} {done} {self.subject} until {self.until} ({self.ticket}): {self.reason}",
            until=self.until,
            ticket=self.ticket,
            name=self.name,
            why=self.reason,
            worst=self.status,
            withdrawn=self.withdrawn,
            patterns=list(self.key),
        )


def matches(key: Iterable[str], record: Record) -> bool:
    """Tell whether the four patterns of a key fit a record."""
    parts = (record["host"], record["domain"], record["kind"], record["subject"])
    return all(fnmatchcase(part, pattern) for part, pattern in zip(parts, key, strict=True))


def key_of_options(options: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return the four patterns that `finding`, or `host`, `domain`, `kind` and `subject`, stand for.

    Raises AcknowledgementError where they name nothing.
    """
    patterns = {name: str(options.get(name) or "") for name in PARTS}
    finding = str(options.get("finding") or "")
    if finding and any(patterns.values()):
        raise AcknowledgementError("finding names all of a finding; leave out host, domain, kind and subject.")
    if finding:
        parts = finding.split("/", 3)
        if len(parts) < 4 or not all(parts):
            raise AcknowledgementError(
                f"finding is {finding[:80]!r}, not a key host/domain/kind/subject; copy it from the report."
            )
        host, domain, kind, subject = (glob.escape(part) for part in parts)
        return host, domain, kind, subject
    if not set("".join(patterns.values())) - {"*"}:
        raise AcknowledgementError("host, domain, kind and subject name every finding; name at least one of them.")
    host, domain, kind, subject = (patterns[name] or "*" for name in PARTS)
    return host, domain, kind, subject


def end_of(day: str, zone: str, now: datetime) -> str:
    """Return the last second of a day in a zone, UTC; raises AcknowledgementError for no day or one too far."""
    try:
        if not _DAY.fullmatch(day):
            raise ValueError
        start = datetime.fromisoformat(day).replace(tzinfo=zoneinfo.ZoneInfo(zone))
    except ValueError:
        raise AcknowledgementError(f"until is {day[:40]!r}, not a day like 2026-12-31.") from None
    end = (start + timedelta(days=1, seconds=-1)).astimezone(timezone.utc)
    if not now < end <= now + timedelta(days=LONGEST + 1):
        raise AcknowledgementError(
            f"until is {day}, which is over or more than {LONGEST} days ahead; name a day between."
        )
    return iso(end)


def worded(options: Mapping[str, Any]) -> dict[str, str]:
    """Return ticket, name and reason; raises AcknowledgementError where one is missing or too long."""
    texts = {name: " ".join(str(options.get(name) or "").split()) for name in ("ticket", "name", "reason")}
    for name, text in texts.items():
        if not text or len(text) > TEXT_LIMIT:
            raise AcknowledgementError(f"{name} has {len(text)} characters; give 1 to {TEXT_LIMIT}.")
    return texts


def make(options: Mapping[str, Any], findings: Iterable[Record], zone: str, now: datetime) -> Acknowledgement:
    """Return the acknowledgement that options ask for, of findings that were recorded lately.

    Raises AcknowledgementError for options that say nothing, or of which no finding is known.
    """
    unknown = sorted(set(options) - _OPTIONS)
    if unknown:
        raise AcknowledgementError(
            f"egov_ops_acknowledge has the key {unknown[0][:40]!r}; it takes {', '.join(sorted(_OPTIONS))}."
        )
    key, texts = key_of_options(options), worded(options)
    until = end_of(str(options.get("until") or ""), zone, now)
    statuses = [record["status"] for record in findings if matches(key, record)]
    if not statuses:
        raise AcknowledgementError(
            f"No finding of the last runs has the key {'/'.join(key)[:120]}; copy it from the report."
        )
    withdrawn = options.get("state") == "absent"
    status = min(statuses, key=SEVERITY.index)
    return Acknowledgement(key, until, texts["ticket"], texts["name"], texts["reason"], status, withdrawn)


def read(stored: Iterable[Any]) -> list[Acknowledgement]:
    """Return what stands, of records in the order of the chain: the newest of each subject, unless withdrawn."""
    newest: dict[str, Acknowledgement] = {}
    for entry in stored:
        detail = entry.record["detail"]
        if not detail.keys() >= _STORED or len(detail["patterns"]) != len(PARTS) or detail["worst"] not in SEVERITY:
            continue  # not one of ours, and no reason to be without a report
        host, domain, kind, subject = detail["patterns"]
        made = Acknowledgement(
            (host, domain, kind, subject),
            detail["until"],
            detail["ticket"],
            detail["name"],
            detail["why"],
            detail["worst"],
            detail["withdrawn"],
            entry.record["finished"],
            entry.seq,
        )
        newest.pop(made.subject, None)
        newest[made.subject] = made
    return [made for made in newest.values() if not made.withdrawn]


def told(record: Record, known: Iterable[Acknowledgement], moment: str) -> Acknowledged | None:
    """Return what a report says of a finding's acknowledgement at a moment, None where there is none.

    The one that stands longest counts; one that has ended before is told as `expired`.
    """
    fitting = [made for made in known if made.covers(record)]
    if not fitting:
        return None
    best = max(fitting, key=lambda made: (made.until, made.seq))
    return {
        "until": best.until,
        "ticket": best.ticket,
        "name": best.name,
        "reason": best.reason,
        "made": best.made,
        "seq": best.seq,
        "signed": False,
        "expired": read_time(best.until) <= read_time(moment),
    }
