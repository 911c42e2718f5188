# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures of single domains: what was measured against which limit, what is backed up and proved."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report.model import STEP, Stored

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import (
        BackupRow,
        Copy,
        Drill,
        Health,
        ToldVersion,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Measured, Value

#: The plan's layers, from below.
LAYERS = ("infrastructure", "platform", "application")

#: Values that the report lists as closest to their limits.
CLOSEST = 8

#: The kind of the record of a set that was brought back whole.
DRILL = "drill"

#: A range with one end: "90", "~:90" and "0:90" are upper limits, "10:" is a lower one.
_UPPER = re.compile(r"(?:~:|0:)?(\d+(?:\.\d+)?)")
_LOWER = re.compile(r"(\d+(?:\.\d+)?):")


def passed(records: Iterable[Record]) -> Measured:
    """Return how many observations there are, without the skipped ones, and how many are ok; of none known, 0 of 0."""
    counts = Counter(record["status"] for record in records if record["kind"] != STEP)
    total = counts.total() - counts["skipped"]
    return {"ok": counts["ok"], "total": 0 if total == counts["unknown"] else total}


def proved(records: Iterable[Record]) -> Measured:
    """Return how many backup sets there are and how many a restore has proved, in a proof or a drill."""
    sets: dict[tuple[str, str], bool] = {}
    for record in records:
        if record["kind"] in ("backup", "proof", DRILL) and record["status"] != "skipped":
            place = record["host"], record["subject"]
            sets[place] = sets.get(place, False) or (record["kind"] != "backup" and record["status"] == "ok")
    return {"ok": sum(sets.values()), "total": len(sets)}


def health(observed: Iterable[Stored]) -> Health:
    """Return the probes' statuses by layer, and the values that are closest to their limits."""
    probed = [stored for stored in observed if _is_probe(stored.record)]
    layers: dict[str, Counter[str]] = {layer: Counter() for layer in LAYERS}
    for stored in probed:
        record = stored.record
        layers.setdefault(str(record["detail"].get("layer") or ""), Counter())[record["status"]] += 1
    layered = {layer: dict(found) for layer, found in layers.items() if found}
    return {"layers": layered, "closest": shares(probed)[:CLOSEST]}


def shares(observed: Iterable[Stored]) -> list[Value]:
    """Return the values that have a limit with one end, those closest to it first."""
    values: list[Value] = []
    for stored in observed:
        record, detail = stored.record, stored.record["detail"]
        if not _is_probe(record):
            continue
        limit = detail.get("critical") or detail.get("warning")
        share = share_of_limit(detail.get("value"), limit)
        if share is not None:
            values.append(
                {
                    "host": record["host"],
                    "kind": record["kind"],
                    "subject": record["subject"],
                    "status": record["status"],
                    "value": detail["value"],
                    "unit": str(detail.get("unit") or ""),
                    "limit": str(limit),
                    "share": round(share, 4),
                    "seq": stored.seq,
                }
            )
    values.sort(key=lambda value: (-value["share"], value["seq"]))
    return values


def _is_probe(record: Record) -> bool:
    return record["domain"] == "health" and record["kind"] != STEP


def share_of_limit(value: object, limit: object) -> float | None:
    """Return how much of a limit a value has used, 1.0 at the limit; None where there is no such measure."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0 or limit is None:
        return None
    share = math.inf
    if upper := _UPPER.fullmatch(str(limit)):
        share = value / float(upper[1]) if float(upper[1]) else math.inf
    elif lower := _LOWER.fullmatch(str(limit)):
        share = float(lower[1]) / value if value else math.inf
    return share if math.isfinite(share) else None


def backup(observed: Iterable[Stored]) -> list[BackupRow]:
    """Return a row for each backup set of each host: its newest backup, and the proof with what it restored."""
    sets: dict[tuple[str, str], BackupRow] = {}
    for stored in observed:
        record, detail = stored.record, stored.record["detail"]
        if record["domain"] != "backup" or record["kind"] not in ("backup", "proof", DRILL):
            continue
        empty: BackupRow = {"host": record["host"], "set": record["subject"], "backup": None, "proof": None}
        row = sets.setdefault((record["host"], record["subject"]), empty)
        if record["kind"] == DRILL:
            row["drill"] = _drill(stored)
            continue
        copy: Copy = {
            "status": record["status"],
            "seq": stored.seq,
            "finished": record["finished"],
            "repository": detail.get("repository"),
            "snapshot": detail.get("snapshot"),
            "method": detail.get("backup"),
            "files": detail.get("files"),
            "bytes": detail.get("bytes"),
        }
        if record["kind"] == "backup":
            row["backup"] = copy
        else:
            row["proof"] = copy
        if detail.get("version"):
            told: ToldVersion = detail["version"]
            row["version"] = {**told, "seq": stored.seq}
    return list(sets.values())


def _drill(stored: Stored) -> Drill:
    """Return what a drill measured; what a host says in another shape is not known."""
    record, detail = stored.record, stored.record["detail"]
    return {
        "status": record["status"],
        "seq": stored.seq,
        "finished": record["finished"],
        "repository": _text(detail.get("repository")),
        "snapshot": _text(detail.get("snapshot")),
        "files": _count(detail.get("files")),
        "bytes": _count(detail.get("bytes")),
        "rto_seconds": _seconds(detail.get("rto_seconds")),
        "rpo_seconds": _seconds(detail.get("rpo_seconds")),
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _seconds(value: object) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 else None
