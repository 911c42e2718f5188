# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only way into the ledger: drain spools, in one transaction under one lock, each record once."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, sync_folder
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import spool_journal
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import DamagedSpool, LedgerError, SpoolError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Head, Record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity, alive, identity, lives
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import CONTROLLER, iso, record, stable_id
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.rejected import (
    Actor,
    Stranger,
    conflicts,
    keep_whole,
    lost_spool,
    note_untold,
    set_aside,
    untimely,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool, spools, strangers
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_contents import Contents
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import Header, header_of_begin
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_load import Load
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

#: Seconds after which a silent run that says nothing of its length is taken for dead, on another boot or machine.
LONGEST = 24 * 3600.0


#: What tells whether two records of one id are about the same.
_ABOUT: tuple[Literal["host", "domain", "kind", "subject"], ...] = ("host", "domain", "kind", "subject")

#: How far before a record the controller's clock may have been set back since.
SET_BACK = timedelta(days=1)

#: Errors of a file that is there and will not be readable later either.
_NEVER_READABLE = (errno.EACCES, errno.EPERM, errno.EIO, errno.EISDIR, errno.ELOOP, errno.ENXIO)


@dataclass(frozen=True)
class Drained:
    """What a drain moved: new records, begun runs that have died, lines torn by their death, files left alone for now,
    a sentence for each file in which it set aside what it could not take, and the dead runs that the system's log does
    not have."""

    moved: int
    orphans: list[str]
    torn: int
    unreadable: list[str]
    head: Head
    rejected: list[str]
    unlogged: Collection[str]


def missing(
    header: Header,
    records: Iterable[Record],
    now: datetime,
    *,
    hosts: Iterable[str] | None = None,
    status: str = "skipped",
    reason: str = "not_reached",
    message: str = "The run ended without reaching this step on this host.",
) -> list[Record]:
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


def drain_spools(
    state: StateDir,
    ledger: Ledger,
    now: datetime,
    current: Spool | None = None,
    goes_on: Header | None = None,
    actor: Actor | None = None,
) -> Drained:
    """Move the spool of the current run, if one is named, and those of dead processes into the ledger.

    A run that was begun and never sealed gets a `failed`/`interrupted` record for each step that was announced and
    not done, and its seal. A current run that goes on with later hosts keeps a spool, with the header given, so that
    these are not forgotten if it dies before their turn. Lines that are no record of their run, or that the database
    refuses, are set aside in a file, and a record of the actor, the run that drains, says so. Spools are removed after
    the commit; killed at any point, the next drain does the rest and doubles nothing. Raises LedgerError if the ledger
    cannot be written; the evidence then stays in the spools.
    """
    unreadable: list[str] = []
    orphans: list[str] = []
    loads: list[Load] = []
    strange: list[Stranger] = []
    by = actor or Actor("standalone", "standalone")
    torn = 0
    try:
        with state.lock("seal"), ExitStack() as locks:
            headers = spool_journal.expected(state.witness)  # first, so that each of these has been there
            strange += [
                Stranger.of(path, "it is no ordinary file of this user", state.rejected)
                for path in strangers(state.spool)
            ]
            there = spools(state.spool)
            present = {spool.run for spool in there} | {stranger.path.stem for stranger in strange}
            lost = spool_journal.lost(headers, present)
            for found in there:
                is_current = current is not None and found.run == current.run
                spool = current if current and is_current else found
                try:
                    if not is_current and not _is_over(spool, now):
                        continue
                    if locks.enter_context(spool.locked()) is None:
                        continue
                    contents = spool.salvage()
                except (SpoolError, OSError) as error:
                    stranger = None if is_current else _stranger(spool, error, state)
                    if stranger:
                        strange.append(stranger)
                    elif spool.path.exists():
                        unreadable.append(str(error))
                    continue
                if not (contents.records or contents.bad or contents.header):
                    strange.append(Stranger.of(spool.path, "it is empty", state.rejected))
                    continue
                header = _header_of(spool, contents)
                made = [] if is_current else _interrupted(header, contents, now)
                lines = list(zip(contents.records, contents.bodies, strict=True))
                load = Load(spool, header, lines, made, list(contents.bad), contents.is_vast)
                load.compare(contents, headers.get(spool.run, []), with_log=not is_current)
                loads.append(load)
                torn += contents.torn
                if header.get("begun") and not is_current:
                    orphans.append(spool.run)
            told = [stranger.record(by, now) for stranger in strange]
            told += [lost_spool(state.spool, run, header_hash, by, now) for run, header_hash in lost]
            moved, rejected = _store(state, ledger, loads, told, actor, now)
            drained = [(run, headers[run][-1]) for run in (load.spool.run for load in loads) if run in headers]
            for run, header_hash in [*lost, *drained]:
                spool_journal.note_drained(state.witness, run, header_hash)
            for load in loads:
                if goes_on and load.spool is current:
                    load.spool.restart(goes_on, state.witness)
                else:
                    load.spool.remove()
            sync_folder(state.spool)
            unreadable += [sentence for sentence in map(_moved, strange) if sentence]
    except (OpsError, OSError) as error:
        kept = current.path if current else state.spool
        raise LedgerError(f"{str(error).rstrip('.')}; the evidence is kept in the spool {kept}.") from None
    unlogged = {load.spool.run for load in loads if not load.is_logged}
    return Drained(moved, orphans, torn, unreadable, ledger.head(), rejected, unlogged)


def _store(
    state: StateDir,
    ledger: Ledger,
    loads: list[Load],
    about_files: list[Record],
    actor: Actor | None,
    now: datetime,
) -> tuple[int, list[str]]:
    """Store what spools hold, and records about whole files that cannot be drained.

    Return how many records were new, with the sentences of what was set aside.
    """

    def store() -> tuple[int, list[str]]:
        stored = ledger.bodies([item["id"] for item in about_files])
        # A file that cannot be moved away has one record, however often it is met.
        told = [item for item in about_files if item["id"] not in stored]
        for load in loads:
            if load.bad:
                by = actor or Actor(load.header["run"], load.header["procedure"])
                name = load.spool.run
                if load.is_vast:
                    told.append(keep_whole(state.rejected, load.spool.path, load.bad, name, by, now))
                else:
                    told.append(set_aside(state.rejected, load.bad, name, by, now))
        made = [*(item for load in loads for item in load.made), *told]
        lines = [line for load in loads for line in load.lines]
        if made:
            known.update(_with_free_ids(made, {item["id"] for item, _body in lines}, ledger))
            note_untold(state.untold, [item for item in told if item["id"] not in known])
        moved = ledger.extend([*lines, *((item, canonical(item)) for item in made)], known)
        return moved, [str(item["detail"]["message"]) for item in told]

    def reject(causes: Mapping[str, str]) -> None:
        for load in loads if causes else ():
            load.reject(causes)

    lines = [line for load in loads for line in load.lines]
    known = ledger.bodies([item["id"] for item, _body in lines])
    reject({**conflicts(lines, known), **untimely(lines, iso(now + SET_BACK))})
    try:
        return store()
    except LedgerError:
        refused = ledger.refused(body for load in loads for item, body in load.lines if item["id"] not in known)
        if not refused:
            raise
        reject(refused)
        return store()


def _with_free_ids(made: list[Record], taken: set[str], ledger: Ledger) -> dict[str, str]:
    """Give a new id to records whose id something else has taken, so as to hide them; return those that are stored."""
    stored = ledger.bodies([item["id"] for item in made])
    for item in made:
        there = json.loads(stored.get(item["id"], "{}"))
        if item["id"] in taken or any(there.get(name, item[name]) != item[name] for name in _ABOUT):
            item["id"] = os.urandom(16).hex()
    return stored


def _moved(stranger: Stranger) -> str:
    """Move a stranger away; return a sentence if that cannot be done, else ""."""
    try:
        stranger.move()
    except (OpsError, OSError) as error:
        return f"{stranger.path} cannot be moved to {stranger.target} ({error}); move it away."
    return ""


def _is_over(spool: Spool, now: datetime) -> bool:
    """Tell whether the process of a spool's run is gone; a spool without a header has its hash in its name."""
    try:
        return is_orphaned(spool, spool.header(), now)
    except DamagedSpool:
        if lives(spool.run.rpartition("-")[2]):
            raise
        return True


def _stranger(spool: Spool, error: Exception, state: StateDir) -> Stranger | None:
    """Return the file of a spool that nobody can read as one that is to be moved away; None if it may be needed."""
    try:
        os.close(os.open(spool.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW))
    except OSError as fault:
        if fault.errno in _NEVER_READABLE and not lives(spool.run.rpartition("-")[2]):
            return Stranger.of(spool.path, str(fault.strerror), state.rejected)
    return None


def _header_of(spool: Spool, contents: Contents) -> Header:
    """Return a spool's header; what it lacks because it was damaged is taken from the records, above all `begin`."""
    procedures = [item["procedure"] for item in contents.records]
    least: Header = {"run": spool.run, "procedure": procedures[0] if procedures else "standalone"}
    begun = [item for item in contents.records if (item["domain"], item["kind"]) == ("run", "begin")]
    if contents.header.get("begun") or not begun:
        return {**least, **contents.header}
    return {**least, **contents.header, **header_of_begin(begun[-1])}


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


def _interrupted(header: Header, contents: Contents, now: datetime) -> list[Record]:
    """Return what a run that was begun lacks: steps, also of hosts that come after a sealed batch, and its seal."""
    if not header.get("begun"):
        return []
    # A seal has filled the steps of its batch; hosts after that batch are still waiting for their turn.
    announced = header.get("hosts", [])
    waiting = set(announced) - set(header.get("batch", announced))
    hosts = waiting if contents.sealed else None
    message = "The run was stopped before this step had a result."
    steps = missing(header, contents.records, now, hosts=hosts, status="failed", reason="interrupted", message=message)
    if contents.sealed and not steps:
        return []
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
) -> Record:
    begun = header.get("begun") or iso(now)
    return record(
        run=header["run"],
        procedure=header["procedure"],
        host=host,
        domain=domain,
        observation=observation(kind, subject, status, reason, list(clauses), message=message),
        started=min(begun, iso(now)),
        finished=iso(now),
        # The same record if a drain is killed after its commit and the next one makes it again.
        identifier=stable_id(header["run"], header["procedure"], begun, host, domain, kind, subject),
    )
