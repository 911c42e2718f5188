# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roll-ups: what one run says of its hosts, small enough that a quarter of them is read in seconds.

A roll-up is derived from the records of a run and is never evidence. It is kept as a file below the state folder,
made at the seal, and bound to the chain by the hashes of the run's begin and seal. One that is missing, damaged, of
another release or of other records is made again from the ledger.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, make_private, with_others, write_whole
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import CONTROLLER
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import (
    RUN_DOMAIN,
    STEP,
    Ledger,
    Stored,
    is_of_controller,
    key_of,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report.run import figures, updates
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.findings import is_observed, one_per_dead_host
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.hosts import host_rows

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Detail, Record
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup_types import (
        RolledFinding,
        RolledFrame,
        RolledHost,
        RolledRun,
        RolledSet,
        RolledUpdates,
        RollUp,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.types import Outcome
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import BackupRow, Copy
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Value

#: Changed whenever a roll-up has other content: those of another one are made again.
VERSION = 3

_encode = json.JSONEncoder(separators=(",", ":")).encode

#: Values of one host that are kept: those closest to their limits.
VALUES = 2


def roll_up(records: Sequence[Stored]) -> RollUp:
    """Return the roll-up of a run, of all its records in their order.

    `hosts` has for each host `{domains: {domain: status}, measured: {domain: [ok, of]}, verdict, ours}`; `findings` are
    `[host, domain, kind, subject, status, seq]`, of a host that does not answer one; `values`, `backups` and `updates`
    are what the figures of the health, backup and updates chapters are made of.
    """
    first = records[0].record
    frame = [stored for stored in records if stored.record["domain"] == RUN_DOMAIN]
    begin: Detail = next((stored.record["detail"] for stored in frame if stored.record["kind"] == "begin"), {})
    observed = [stored for stored in records if is_observed(stored.record)]
    domains = with_others({stored.record["domain"] for stored in observed})
    measured = _measured(observed)
    hosts: dict[str, RolledHost] = {
        row["name"]: {
            "domains": {domain: mark for domain, mark in row["domains"].items() if mark != "none"},
            "measured": measured.get(row["name"], {}),
            "verdict": row["has_verdict"],
            "ours": row["ours"],
        }
        for row in host_rows(observed, begin, domains, [])
    }
    written = {stored.record["host"] for stored in observed}
    return {
        "version": VERSION,
        "run": first["run"],
        "procedure": first["procedure"],
        "started": first["started"],
        "narrowed": bool(begin.get("limit")) or bool(set(begin.get("tags") or []) - {"all"}),
        "waiting": sum(host not in written for host in begin.get("hosts") or []),
        "frame": [_framed(stored) for stored in frame],
        "first": records[0].seq,
        "last": records[-1].seq,
        "records": len(records),
        "hosts": hosts,
        "findings": [
            *(_found(stored) for stored, _also in one_per_dead_host(observed)),
            *(_found(stored) for stored in frame if is_of_controller(stored.record)),
        ],
        "values": _values(observed),
        "backups": [_copied(row) for row in figures.backup(observed)],
        "updates": list(_pending(observed)),
    }


def is_whole(entry: RolledRun) -> bool:
    """Tell whether a run did what its procedure is due for: sealed, neither narrowed nor cut off, some hosts good."""
    seals = [row for row in entry["frame"] if row["kind"] == "seal"]
    return bool(seals) and not entry["narrowed"] and not seals[-1]["reason"] and seals[-1]["bad"] < seals[-1]["hosts"]


class Shelf:
    """The roll-ups of a ledger's runs, in a folder."""

    def __init__(self, ledger: Ledger, folder: Path | None) -> None:
        """Take the ledger, and the folder in which roll-ups are kept; None: nothing is kept."""
        self._ledger = ledger
        self._folder = folder

    def put(self, records: Sequence[Stored]) -> None:
        """Keep the roll-up of a run that is over; what cannot be kept is made again when it is wanted."""
        self._keep(roll_up(records))

    def get(self, run: str) -> RollUp:
        """Return the roll-up of a run: the one that is kept if it is of these records, else one that is made now."""
        kept = self._kept(run)
        if kept is not None and kept["frame"] == [_framed(stored) for stored in self._frame(run)]:
            return kept
        made = roll_up(list(self._ledger.records(run=run)))
        self._keep(made)
        return made

    def forget(self) -> None:
        """Remove what is kept of runs that the ledger no longer has, as after a purge."""
        if self._folder is None:
            return
        begun = {stored.record["run"] for stored in self._ledger.records(domain=RUN_DOMAIN, kind="begin")}
        for path in self._folder.glob("*.json"):
            if path.stem not in begun:
                with suppress(OSError):
                    path.unlink()

    def _frame(self, run: str) -> Iterable[Stored]:
        # By run and host, for which the ledger has an index.
        rows = self._ledger.records(run=run, host=CONTROLLER)
        return [stored for stored in rows if stored.record["domain"] == RUN_DOMAIN]

    def _path(self, run: str) -> Path | None:
        return self._folder / f"{run}.json" if self._folder and "/" not in run else None

    def _kept(self, run: str) -> RollUp | None:
        path = self._path(run)
        if path is None:
            return None
        try:
            digest, _line, body = path.read_bytes().partition(b"\n")
            if digest.decode() != hashlib.sha256(body).hexdigest():
                return None
            found = json.loads(body)
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(found, dict) or (found.get("version"), found.get("run")) != (VERSION, run):
            return None
        found["findings"] = [tuple(row) for row in found["findings"]]  # JSON knows lists alone
        return cast("RollUp", found)  # its digest and version say that `_keep` wrote it

    def _keep(self, made: RollUp) -> None:
        path = self._path(made["run"])
        if path is None or not _is_over(made):
            return
        body = _encode(made).encode("ascii")  # keys as they stand: hosts are in the inventory's order
        content = b"%s\n%s" % (hashlib.sha256(body).hexdigest().encode(), body)
        with suppress(OSError, OpsError):
            make_private(path.parent)
            write_whole(path, path.with_suffix(f".{os.getpid()}.new"), [content])


def _is_over(made: RollUp) -> bool:
    """Tell whether nothing can be added to a run: it is sealed, and each host that it announced has been written of."""
    return not made["waiting"] and any(row["kind"] == "seal" for row in made["frame"])


def _framed(stored: Stored) -> RolledFrame:
    record, detail = stored.record, stored.record["detail"]
    return {
        "kind": record["kind"],
        "seq": stored.seq,
        "hash": stored.hash,
        "status": record["status"],
        "reason": record["reason"],
        "finished": record["finished"],
        "hosts": detail["hosts"] if isinstance(detail.get("hosts"), int) else 0,
        "bad": detail["bad"] if isinstance(detail.get("bad"), int) else 0,
    }


def _measured(observed: Iterable[Stored]) -> dict[str, dict[str, list[int]]]:
    """Return for each host and domain how many observations are ok, of how many: of backups, how many sets proved."""
    counts: Counter[tuple[str, str, bool]] = Counter()
    sets: dict[str, list[Record]] = {}
    for stored in observed:
        record = stored.record
        if record["domain"] == "backup":
            sets.setdefault(record["host"], []).append(record)
        elif record["kind"] != STEP and record["status"] != "skipped":
            counts[record["host"], record["domain"], record["status"] == "ok"] += 1
    found: dict[str, dict[str, list[int]]] = {}
    for host, domain, _ok in counts:
        good, bad = counts[host, domain, True], counts[host, domain, False]
        found.setdefault(host, {})[domain] = [good, good + bad]
    for host, records in sets.items():
        proved = figures.proved(records)
        if proved["total"]:
            found.setdefault(host, {})["backup"] = [proved["ok"], proved["total"]]
    return found


def _found(stored: Stored) -> RolledFinding:
    record = stored.record
    return (*key_of(record), record["status"], stored.seq)


def _values(observed: Sequence[Stored]) -> list[Value]:
    """Return the values of each host that are closest to their limits."""
    kept: Counter[str] = Counter()
    values = []
    for value in figures.shares(observed):
        kept[value["host"]] += 1
        if kept[value["host"]] <= VALUES:
            values.append(value)
    return values


def _copied(row: BackupRow) -> RolledSet:
    """Return of a backup set what came of its backup and its proof."""
    size = row["backup"]["bytes"] if row["backup"] else None
    return {
        "host": row["host"],
        "set": row["set"],
        "bytes": size if isinstance(size, int) else None,
        "backup": _outcome(row["backup"]),
        "proof": _outcome(row["proof"]),
    }


def _outcome(copy: Copy | None) -> Outcome | None:
    return copy and {"status": copy["status"], "seq": copy["seq"], "finished": copy["finished"]}


def _pending(observed: Iterable[Stored]) -> Iterator[RolledUpdates]:
    for stored in observed:
        record = stored.record
        if (record["kind"], record["subject"]) == ("package_list", "pending"):
            yield {"host": record["host"], "seq": stored.seq, **updates.counted(record)}
