# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# To isinstance a bool is an int: types are compared. pylint: disable=unidiomatic-typecheck

"""The record: one observation, and which run made it, when, on which host."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.module_utils.host.record import DETAIL_LIMIT, REASONS, STATUSES
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.storable import flaw_of, shown

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Detail, Record

SCHEMA = 1

FIELDS = frozenset(
    (
        *("schema", "id", "run", "procedure", "host", "domain", "kind", "subject", "status", "reason", "clauses"),
        *("started", "finished", "attempt", "via", "detail"),
    )
)

#: The host of records that tell of the run itself.
CONTROLLER = "controller"

#: The kind of its records that tell of lines of a spool that were set aside; their subject is a file's name.
REJECTED = "rejected"

#: Older times are no controller's, and those far from now make arithmetic with zones fail.
EARLIEST = "2000-01-01T00:00:00Z"

#: Characters kept of a text that alone is too long for the detail of a record.
TEXT_LIMIT = 2000

#: Clauses of one record, and how often a run may try one module on one host.
CLAUSES_LIMIT = 100
ATTEMPTS_LIMIT = 1_000_000

_TEXTS = ("run", "procedure", "host", "domain", "kind", "subject", "via")
_ID = re.compile(r"[0-9A-Za-z._-]{1,64}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def iso(moment: datetime) -> str:
    """Return an aware time as records hold it: UTC, ISO 8601, whole seconds, `Z`."""
    return f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def read_time(text: str) -> datetime:
    """Return the time that a record's text stands for."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def is_time(text: str) -> bool:
    """Tell whether a text is a time as `iso` writes it."""
    return isinstance(text, str) and _is_time(text)


@functools.lru_cache(64)  # the records of one call have the same ones
def _is_time(text: str) -> bool:
    try:
        return bool(_TIME.fullmatch(text) and read_time(text))
    except ValueError:  # a month 13
        return False


def record(
    *,
    run: str,
    procedure: str,
    host: str,
    domain: str,
    observation: Observation,
    started: str,
    finished: str,
    attempt: int = 1,
    via: str = "controller",
    identifier: str = "",
) -> Record:
    """Return a record over the host's observation, which is not trusted to be well formed.

    Times are those of the controller, as `iso` writes them. `via` tells how the host half travelled (`stream`,
    `module`, `controller`). Without an identifier the record gets one of its own; give one (see `stable_id`) where
    the same record may be made twice and must be stored once. A detail over 16 KiB is shortened and says so.
    Raises LedgerError for an observation that is none, and for what a ledger cannot hold (see `flaw_of_record`).
    """
    if not isinstance(host, str) or not host:
        raise LedgerError(f"Evidence was given for the host {shown(host)}, but a host is named by a text.")
    if not isinstance(observation, dict):
        raise LedgerError(f"The evidence of {host} holds {shown(observation)}, which is no observation.")
    for name in ("kind", "subject"):
        value = observation.get(name)
        if not isinstance(value, str) or not value or len(value) > TEXT_LIMIT:
            raise LedgerError(f"The evidence of {host} holds an observation whose {name} is {shown(value)}.")
    status, reason = observation.get("status"), observation.get("reason") or ""
    if status not in STATUSES:
        raise LedgerError(f"The evidence of {host} holds the status {shown(status)}, not one of {', '.join(STATUSES)}.")
    if reason and reason not in REASONS:
        raise LedgerError(f"The evidence of {host} holds the reason {shown(reason)}, which is not in the closed list.")
    detail, clauses = observation.get("detail") or {}, observation.get("clauses") or []
    if not isinstance(detail, dict) or not isinstance(clauses, (list, tuple)):
        raise LedgerError(f"The evidence of {host} holds a detail or clauses of the wrong shape: {shown(observation)}.")
    facts = dict(detail)
    if observation.get("duration") is not None:
        facts["duration"] = observation["duration"]
    made: Record = {
        "schema": SCHEMA,
        "id": identifier or os.urandom(16).hex(),
        "run": run,
        "procedure": procedure,
        "host": host,
        "domain": domain,
        "kind": observation["kind"],
        "subject": observation["subject"],
        "status": status,
        "reason": reason,
        "clauses": list(clauses),
        "started": started,
        "finished": finished,
        "attempt": attempt,
        "via": via,
        "detail": facts,
    }
    flaw = flaw_of_record(made)
    if flaw:
        raise LedgerError(f"The evidence of {host} cannot be stored: {flaw}.")
    made["detail"] = _within_limit(facts)
    return made


def record_or_failure(**given: Any) -> Record:
    """Return what `record` does; in place of an observation that no ledger can hold, a failed record that says why.

    So one bad observation costs none of the others. Raises LedgerError where it is not the observation that is wrong.
    """
    try:
        return record(**given)
    except LedgerError as error:
        seen = given["observation"] if isinstance(given["observation"], dict) else {}
        names = {
            name: seen[name] if not flaw_of_text(seen.get(name), name) else instead
            for name, instead in (("kind", "observation"), ("subject", "malformed"))
        }
        failed = {**names, "status": "failed", "reason": "malformed_answer", "detail": {"message": str(error)}}
        return record(**{**given, "observation": failed})


def flaw_of_record(item: Mapping[str, Any]) -> str:
    """Return why something is no record that a ledger can hold, in half a sentence; "" for one that is.

    A detail over the limit of its size is none of these reasons: `record` shortens it.
    """
    if item.keys() != FIELDS:
        odd = sorted((name for name in item.keys() ^ FIELDS), key=str)
        return f"a record has just the fields {', '.join(sorted(FIELDS))}, and this differs in {shown(odd)}"
    if type(item["schema"]) is not int or item["schema"] != SCHEMA:
        return f"schema is {shown(item['schema'])}, but {SCHEMA} is allowed"
    if not isinstance(item["id"], str) or not _ID.fullmatch(item["id"]):
        return f"id is {shown(item['id'])}, but 1 to 64 letters, digits, '.', '_' and '-' are allowed"
    for name in _TEXTS:
        value = item[name]
        if type(value) is str and 0 < len(value) <= TEXT_LIMIT and "\0" not in value:
            continue  # without a call: there are many records
        if flaw := flaw_of_text(value, name):
            return flaw
    if item["status"] not in STATUSES:
        return f"status is {shown(item['status'])}, not one of {', '.join(STATUSES)}"
    if item["reason"] != "" and item["reason"] not in REASONS:
        return f"reason is {shown(item['reason'])}, which is not in the closed list"
    for name in ("started", "finished"):
        if not is_time(item[name]):
            return f"{name} is {shown(item[name])}, not a time like 2026-01-02T03:04:05Z"
    if type(item["attempt"]) is not int or not 0 < item["attempt"] <= ATTEMPTS_LIMIT:
        return f"attempt is {shown(item['attempt'])}, but 1 to {ATTEMPTS_LIMIT} are allowed"
    if not isinstance(item["clauses"], list) or len(item["clauses"]) > CLAUSES_LIMIT:
        return f"clauses is {shown(item['clauses'])}, but a list of at most {CLAUSES_LIMIT} is allowed"
    for clause in item["clauses"]:
        if type(clause) is str and 0 < len(clause) <= TEXT_LIMIT and "\0" not in clause:
            continue
        if flaw := flaw_of_text(clause, "a clause"):
            return flaw
    if not isinstance(item["detail"], dict):
        return f"detail is {shown(item['detail'])}, but a mapping is allowed"
    return flaw_of(item["detail"], "detail")


def flaw_of_text(value: Any, name: str) -> str:
    """Return why a value is no text for a field of a record; "" for one that is."""
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_LIMIT:
        return f"{name} is {shown(value)}, but a text of 1 to {TEXT_LIMIT} characters is allowed"
    return flaw_of(value, name) if "\0" in value else ""


def stable_id(*parts: str) -> str:
    """Return the identifier of a record that is the same whenever it is made from the same parts."""
    return digest(canonical(parts).encode())[:32]


def _within_limit(detail: Detail) -> Detail:
    if len(canonical(detail).encode()) <= DETAIL_LIMIT:
        return detail
    kept: dict[str, object] = {}
    cut: list[str] = []
    room = DETAIL_LIMIT - 2048  # what remains is for naming what was cut
    # Small things first: the sentences and numbers that explain a status are small, lists of findings are not.
    for name, value in sorted(detail.items(), key=lambda item: len(canonical(item[1]))):
        if isinstance(value, str) and len(value) > TEXT_LIMIT:
            value = value[:TEXT_LIMIT]
            cut.append(name)
        room -= len(canonical({name: value}).encode())
        if room >= 0:
            kept[name] = value
        elif name not in cut:
            cut.append(name)
    kept["cut"] = {"names": [name[:20] for name in cut[:10]], "count": len(cut), "limit": DETAIL_LIMIT}
    return kept
