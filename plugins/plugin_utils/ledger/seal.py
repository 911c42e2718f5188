# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only way into the ledger: drain spools, in one transaction under one lock, each record once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.durable import sync_folder
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError, SpoolError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity, alive, identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.record import CONTROLLER, iso, record, stable_id
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Contents, Header, Spool, spools
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Head, Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.state_dir import StateDir, StateDirError

#: Seconds after which a silent run that says nothing of its length is taken for dead, on another boot or machine.
LONGEST = 24 * 3600.0


@dataclass(frozen=True)
class Drained:
    """What a drain moved: new records, begun runs that have died, lines torn by their death, and files left alone."""

    moved: int
    orphans: list[str]
    torn: int
    unreadable: list[str]
    head: Head


def missing(
    header: Header,
    records: Iterable[dict[str, Any]],
    now: datetime,
    *,
    hosts: Iterable[str] | None = None,
    status: str = "skipped",
    reason: str = "not_reached",
    message: str = "The run ended without reaching this step on this host.",
) -> list[dict[str, Any]]:
    """Return the step records that a run announced and `records` do not hold, made with this status and reason.

    Hosts that the plan says are not ours are `skipped`/`not_ours`. Of a batch, give its hosts alone.
    """
    present = {(item["host"], item["subject"]) for item in records if item["kind"] == "step"}
    foreign = set(header.get("not_ours", ()))
    announced = [*header.get("hosts", ()), *header.get("not_ours", ())]
    made = []
    for host in announced if hosts is None else [host for host in announced if host in set(hosts)]:
        for step in header.get("steps", ()):
            if (host, step["module"]) in present:
                continue
            if host in foreign:
                seen = ("skipped", "not_ours", "This host is not managed by the platform's plan.")
            else:
                seen = (status, reason, message)
            made.append(
                _frame_record(header, now, host, step["domain"], "step", step["module"], *seen, step.get("clauses", []))
            )
    return made


def drain(
    state: StateDir, ledger: Ledger, now: datetime, current: Spool | None = None, goes_on: Header | None = None
) -> Drained:
    """Move the spool of the current run, if one is named, and those of dead processes into the ledger.

    A run that was begun and never sealed gets a `failed`/`interrupted` record for each step that was announced and
    not done, and its seal. A current run that goes on with later hosts keeps a spool, with the header given, so that
    these are not forgotten if it dies before their turn. Spools are removed after the commit; killed at any point, the
    next drain does the rest and doubles nothing. Raises LedgerError if the ledger cannot be written; the evidence then
    stays in the spools.
    """
    unreadable: list[str] = []
    orphans: list[str] = []
    taken: list[Spool] = []
    entries: list[tuple[dict[str, Any], str]] = []
    torn = 0
    try:
        with state.lock("seal"), ExitStack() as locks:
            for found in spools(state.spool):
                is_current = current is not None and found.run == current.run
                spool = current if current and is_current else found
                try:
                    if not is_current and not is_orphaned(spool, spool.header(), now):
                        continue
                    if locks.enter_context(spool.locked()) is None:
                        continue
                    contents = spool.read()
                except (SpoolError, OSError) as error:
                    unreadable.append(str(error))
                    continue
                taken.append(spool)
                entries += zip(contents.records, contents.bodies, strict=True)
                torn += contents.torn
                if not is_current:
                    entries += [(made, canonical(made)) for made in _interrupted(contents, now)]
                    if contents.header.get("begun"):
                        orphans.append(spool.run)
            moved = ledger.extend(entries)
            for spool in taken:
                if goes_on and spool is current:
                    spool.restart(goes_on)
                else:
                    spool.remove()
            sync_folder(state.spool)
    except (LedgerError, StateDirError, OSError) as error:
        kept = current.path if current else state.spool
        raise LedgerError(f"{str(error).rstrip('.')}; the evidence is kept in the spool {kept}.") from None
    return Drained(moved, orphans, torn, unreadable, ledger.head())


def running(state: StateDir, procedure: str, now: datetime) -> list[str]:
    """Return the runs of a procedure that were begun and are still alive, oldest first."""
    found = []
    for spool in spools(state.spool):
        try:
            contents = spool.read()
            header = contents.header
            gone = is_orphaned(spool, header, now)
        except (SpoolError, OSError):
            continue  # sealed in between, or not ours to judge
        if header["procedure"] == procedure and header.get("begun") and not gone and not contents.sealed:
            found.append(spool.run)
    return found


def is_orphaned(spool: Spool, header: Header, now: datetime) -> bool:
    """Tell whether the process of a run is gone: seen to be, or silent for longer than its procedure lasts."""
    process = Identity(**header["process"])
    here = identity(os.getpid())
    if process.same_space(here):
        return not alive(process)
    if process.ended_with_an_earlier_boot(here):
        return True
    silent = now - datetime.fromtimestamp(spool.path.stat().st_mtime, timezone.utc)
    return silent.total_seconds() > header.get("longest", LONGEST)


def _interrupted(contents: Contents, now: datetime) -> list[dict[str, Any]]:
    """Return what a run that was begun lacks: steps, also of hosts that come after a sealed batch, and its seal."""
    header = contents.header
    if not header.get("begun"):
        return []
    # A seal has filled the steps of its batch; hosts after that batch are still waiting for their turn.
    waiting = set(header["hosts"]) - set(header.get("batch", header["hosts"]))
    hosts = waiting if contents.sealed else None
    message = "The run was stopped before this step had a result."
    steps = missing(header, contents.records, now, hosts=hosts, status="failed", reason="interrupted", message=message)
    if contents.sealed:
        return steps
    ended = ("failed", "interrupted", "The run was stopped before its seal.")
    return [*steps, _frame_record(header, now, CONTROLLER, "run", "seal", header["procedure"], *ended)]


def _frame_record(
    header: Header,
    now: datetime,
    host: str,
    domain: str,
    kind: str,
    subject: str,
    status: str,
    reason: str,
    message: str,
    clauses: Iterable[str] = (),
) -> dict[str, Any]:
    begun = header.get("begun") or iso(now)
    return record(
        run=header["run"],
        procedure=header["procedure"],
        host=host,
        domain=domain,
        observation=observation(kind, subject, status, reason, list(clauses), message=message),
        started=begun,
        finished=iso(now),
        # The same record if a drain is killed after its commit and the next one makes it again.
        identifier=stable_id(header["run"], header["procedure"], begun, host, domain, kind, subject),
    )
