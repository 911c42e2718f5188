# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Acknowledgements: a person says of findings that they are known, until a day; one of the sort `debt` has an owner.

Each is a record of the ledger, of host `controller`, domain `report`, kind `acknowledgement`; its subject is the key
of the findings, of one host, its detail the rest: `covered` has each finding with the members that the person saw. What
one record cannot hold goes on in the next one of the same subject (`part`). The newest statement of a subject counts.
The name is a claim: nobody has signed it; `user` is the system's user who ran the command.
"""

from __future__ import annotations

import glob
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.module_utils.host.record import DETAIL_LIMIT, SEVERITY, observation
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import canonical, iso, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report.members import JUDGED, Seen, seen_in, seen_of

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

#: The sorts of statements. A debt has an owner, and takes judged findings alone: what is unknown or failed is no debt.
ACKNOWLEDGED, DEBT = "acknowledged", "debt"

#: Bytes of the covered findings in one record; the rest is for the texts.
_ROOM = DETAIL_LIMIT - 8192

OPTIONS = (*PARTS, "finding", "until", "ticket", "owner", "name", "reason", "state")
_STORED = {"patterns", "until", "ticket", "name", "why", "worst", "withdrawn"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class AcknowledgementError(OpsError):
    """An acknowledgement that cannot be made. The message is one sentence."""


@dataclass(frozen=True)
class Acknowledgement:
    """What a person knows: four shell patterns over a finding's key, the end (UTC), and the worst status known.

    covered has by key what the person saw of each finding; None in records of an older release, which cover by their
    patterns what is no set.
    """

    key: tuple[str, str, str, str]
    until: str
    ticket: str
    name: str
    reason: str
    status: str
    withdrawn: bool = False
    made: str = ""
    seq: int = 0
    sort: str = ACKNOWLEDGED
    owner: str = ""
    user: str = ""
    covered: Mapping[str, Seen] | None = None
    part: int = 1

    @property
    def subject(self) -> str:
        """Return the subject of its record: the four patterns."""
        return "/".join(self.key)

    def covers(self, record: Record) -> bool:
        """Tell whether it speaks of a finding: neither one that became worse nor one with a new member is known."""
        if self.covered is not None:
            seen = self.covered.get(key_text(record))
            return seen is not None and seen.covers(seen_in(record))
        is_known = SEVERITY.index(record["status"]) >= SEVERITY.index(self.status)
        return is_known and matches(self.key, record) and seen_in(record).members is None

    def says_the_same(self, other: Acknowledgement | None) -> bool:
        """Tell whether another one already says all this."""
        names = ("until", "ticket", "name", "reason", "status", "withdrawn", "sort", "owner", "covered")
        return other is not None and all(getattr(self, name) == getattr(other, name) for name in names)

    def message(self) -> str:
        """Return it as one sentence."""
        ticket, reason = f" ({self.ticket})" if self.ticket else "", f": {self.reason}" if self.reason else "."
        what = f"known debt of {self.owner}" if self.sort == DEBT else "known"
        if self.withdrawn:
            return f"{self.name} withdraws what was said of {self.subject}{reason}"
        return f"{self.name} acknowledges {self.subject} as {what} until {self.until}{ticket}{reason}"

    def observations(self) -> list[Observation]:
        """Return the observations that its records are made of: one, or as many as the covered findings need."""
        parts: list[dict[str, Seen]] = [{}]
        room = _ROOM
        for key, seen in (self.covered or {}).items():
            size = len(canonical({key: seen.detail()}).encode())
            if size > room and parts[-1]:
                parts.append({})
                room = _ROOM
            room -= size
            parts[-1][key] = seen
        if self.covered is None:
            return [self.observation()]
        return [replace(self, covered=part, part=place).observation() for place, part in enumerate(parts, 1)]

    def observation(self) -> Observation:
        """Return the observation that its record is made of."""
        return observation(
            KIND,
            self.subject,
            "ok",
            "",
            ["S5.3-2c"],
            message=self.message(),
            until=self.until,
            ticket=self.ticket,
            name=self.name,
            why=self.reason,
            worst=self.status,
            withdrawn=self.withdrawn,
            patterns=list(self.key),
            sort=self.sort,
            owner=self.owner,
            user=self.user,
            part=self.part,
            covered=None if self.covered is None else {key: seen.detail() for key, seen in self.covered.items()},
        )


def key_text(record: Record) -> str:
    """Return the key of a finding as the report writes it."""
    return "/".join((record["host"], record["domain"], record["kind"], record["subject"]))


def matches(key: Iterable[str], record: Record) -> bool:
    """Tell whether the four patterns of a key fit a record."""
    parts = (record["host"], record["domain"], record["kind"], record["subject"])
    return all(fnmatchcase(part, pattern) for part, pattern in zip(parts, key, strict=True))


def keys_of_options(options: Mapping[str, Any], sort: str = ACKNOWLEDGED) -> list[tuple[str, str, str, str]]:
    """Return the four patterns that options stand for; two where `finding` may be a kind or a subject.

    Raises AcknowledgementError where they name nothing; only a debt may be all that there is.
    """
    patterns = {name: str(options.get(name) or "") for name in PARTS}
    finding = str(options.get("finding") or "")
    if "/" in finding and any(patterns.values()):
        raise AcknowledgementError("finding names all of a finding; leave out host, domain, kind and subject.")
    if "/" in finding:
        parts = finding.split("/", 3)
        if len(parts) < 4 or not all(parts):
            raise AcknowledgementError(
                f"finding is {finding[:80]!r}, not a key host/domain/kind/subject; copy it from the report."
            )
        host, domain, kind, subject = (glob.escape(part) for part in parts)
        return [(host, domain, kind, subject)]
    if sort != DEBT and not set("".join([*patterns.values(), finding])) - {"*"}:
        raise AcknowledgementError("host, domain, kind and subject name every finding; name at least one of them.")
    if finding and (patterns["kind"] or patterns["subject"]):
        raise AcknowledgementError(f"finding is {finding[:80]!r}, a kind or subject; leave out kind and subject.")
    host, domain, kind, subject = (patterns[name] or "*" for name in PARTS)
    if finding:
        name = glob.escape(finding)
        return [(host, domain, name, "*"), (host, domain, "*", name)]
    return [(host, domain, kind, subject)]


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


def worded(options: Mapping[str, Any], user: str, sort: str) -> dict[str, str]:
    """Return ticket, owner, name and reason, the name that of the system's user where none is given.

    Raises AcknowledgementError where one is too long, or a debt has no owner.
    """
    texts = {name: " ".join(str(options.get(name) or "").split()) for name in ("ticket", "owner", "name", "reason")}
    texts["name"] = texts["name"] or user
    for name, text in texts.items():
        if len(text) > TEXT_LIMIT:
            raise AcknowledgementError(f"{name} has {len(text)} characters; give 1 to {TEXT_LIMIT}.")
    if sort == DEBT and not texts["owner"]:
        raise AcknowledgementError("owner is missing; name the person who pays this debt.")
    return texts


def make(
    options: Mapping[str, Any],
    findings: Iterable[Record],
    zone: str,
    now: datetime,
    user: str = "",
    sort: str = ACKNOWLEDGED,
) -> list[Acknowledgement]:
    """Return the acknowledgements that options ask for, one for each host, of findings that still stand.

    Raises AcknowledgementError for options that say nothing, or of which no finding is known.
    """
    known = OPTIONS if sort == DEBT else [name for name in OPTIONS if name != "owner"]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise AcknowledgementError(f"Unknown key {unknown[0][:40]!r}; allowed are {', '.join(sorted(known))}.")
    keys, texts = keys_of_options(options, sort), worded(options, user, sort)
    until = end_of(str(options.get("until") or ""), zone, now)
    findings = list(findings)
    named = [(key, [record for record in findings if matches(key, record)]) for key in keys]
    key, fitting = next((pair for pair in named if pair[1]), (keys[0], []))
    if not fitting:
        raise AcknowledgementError(f"No finding that still stands has the key {'/'.join(key)[:120]}; see the report.")
    by_host: dict[str, dict[str, Seen]] = {}
    for record in fitting:
        seen = seen_in(record)
        if seen.is_whole and (sort != DEBT or seen.status in JUDGED):
            by_host.setdefault(record["host"], {})[key_text(record)] = seen
    if not by_host:
        raise AcknowledgementError(
            f"Nothing that has the key {'/'.join(key)[:120]} can be covered: a list of members was cut"
            + (", or the status is unknown or failed; mend what keeps it from being judged." if sort == DEBT else ".")
        )
    made = []
    for host, covered in sorted(by_host.items()):
        status = min((seen.status for seen in covered.values()), key=SEVERITY.index)
        one = Acknowledgement(
            (glob.escape(host), *key[1:]), until, texts["ticket"], texts["name"], texts["reason"], status
        )
        made.append(replace(one, sort=sort, owner=texts["owner"], user=user, covered=dict(sorted(covered.items()))))
    return made


def withdraw(options: Mapping[str, Any], standing: Iterable[Acknowledgement], user: str) -> list[Acknowledgement]:
    """Return what withdraws the acknowledgements that stand under the patterns of some options; nothing for none."""
    keys, texts = keys_of_options(options, DEBT), worded({**options, "owner": user}, user, DEBT)
    return [
        replace(made, withdrawn=True, name=texts["name"], reason=texts["reason"], user=user, covered=None)
        for made in standing
        if any(made.key[1:] == key[1:] and (key[0] == made.key[0] or fnmatchcase(_host(made), key[0])) for key in keys)
    ]


def _host(made: Acknowledgement) -> str:
    return next(iter(made.covered or {}), made.key[0]).partition("/")[0]


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
            detail.get("sort", ACKNOWLEDGED),
            detail.get("owner", ""),
            detail.get("user", ""),
            _covered(detail["covered"]) if detail.get("covered") is not None else None,
        )
        before = newest.pop(made.subject, None)
        if detail.get("part", 1) > 1 and before is not None:  # the rest of what one record could not hold
            made = replace(before, covered={**(before.covered or {}), **(made.covered or {})})
        newest[made.subject] = made
    return [made for made in newest.values() if not made.withdrawn]


def _covered(stored: Mapping[str, Mapping[str, object]]) -> dict[str, Seen]:
    seen = {key: seen_of(detail) for key, detail in stored.items()}
    return {key: found for key, found in seen.items() if found is not None}


def state_with(known: Acknowledged | None, state: str) -> str:
    """Return the state of a finding of which something was said: `acknowledged` or `debt` while that counts."""
    if known is None or known["expired"]:
        return state
    return DEBT if known["sort"] == DEBT else ACKNOWLEDGED


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
        "sort": best.sort,
        "owner": best.owner,
        "user": best.user,
        "expired": read_time(best.until) <= read_time(moment),
    }
