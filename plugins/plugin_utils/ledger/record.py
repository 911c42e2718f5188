# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record: one observation, and which run made it, when, on which host."""

from __future__ import annotations

import os
import re
from datetime import datetime, timezone
from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.host.record import DETAIL_LIMIT, REASONS, STATUSES
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError

SCHEMA = 1

#: The host of records that tell of the run itself.
CONTROLLER = "controller"

#: Characters kept of a text that alone is too long for the detail of a record.
TEXT_LIMIT = 2000

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def iso(moment: datetime) -> str:
    """Return an aware time as records hold it: UTC, ISO 8601, whole seconds, `Z`."""
    return f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def read_time(text: str) -> datetime:
    """Return the time that a record's text stands for."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def is_time(text: str) -> bool:
    """Tell whether a text is a time as `iso` writes it."""
    return bool(_TIME.fullmatch(text))


def record(
    *,
    run: str,
    procedure: str,
    host: str,
    domain: str,
    observation: dict[str, Any],
    started: str,
    finished: str,
    attempt: int = 1,
    via: str = "controller",
    identifier: str = "",
) -> dict[str, Any]:
    """Return a record over the host's observation, which is not trusted to be well formed.

    Times are those of the controller, as `iso` writes them. `via` tells how the host half travelled (`stream`,
    `module`, `controller`). Without an identifier the record gets one of its own; give one (see `stable_id`) where
    the same record may be made twice and must be stored once. A detail over 16 KiB is shortened and says so.
    Raises LedgerError for an observation that is none, or a time that is not one.
    """
    for name in ("kind", "subject"):
        value = observation.get(name)
        if not isinstance(value, str) or not value or len(value) > TEXT_LIMIT:
            raise LedgerError(f"The evidence of {host} holds an observation whose {name} is {_shown(value)}.")
    status, reason = observation.get("status"), observation.get("reason") or ""
    if status not in STATUSES:
        raise LedgerError(
            f"The evidence of {host} holds the status {_shown(status)}, not one of {', '.join(STATUSES)}."
        )
    if reason and reason not in REASONS:
        raise LedgerError(f"The evidence of {host} holds the reason {_shown(reason)}, which is not in the closed list.")
    for moment in (started, finished):
        if not is_time(moment):
            raise LedgerError(
                f"A record of {host} was given the time {_shown(moment)}, not one like 2026-01-02T03:04:05Z."
            )
    detail, clauses = observation.get("detail") or {}, observation.get("clauses") or []
    if not isinstance(detail, dict) or not isinstance(clauses, (list, tuple)):
        raise LedgerError(
            f"The evidence of {host} holds a detail or clauses of the wrong shape: {_shown(observation)}."
        )
    detail = dict(detail)
    if observation.get("duration") is not None:
        detail["duration"] = observation["duration"]
    return {
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
        "clauses": [str(clause) for clause in clauses],
        "started": started,
        "finished": finished,
        "attempt": attempt,
        "via": via,
        "detail": _within_limit(detail, host),
    }


def stable_id(*parts: str) -> str:
    """Return the identifier of a record that is the same whenever it is made from the same parts."""
    return digest(canonical(parts).encode())[:32]


def _within_limit(detail: dict[str, Any], host: str) -> dict[str, Any]:
    try:
        if len(canonical(detail).encode()) <= DETAIL_LIMIT:
            return detail
    except (TypeError, ValueError) as error:
        raise LedgerError(f"The evidence of {host} cannot be written as JSON: {error}.") from None
    kept: dict[str, Any] = {}
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


def _shown(value: Any) -> str:
    return repr(value)[:80]
