# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gate decides upon: requests and approvals as they are stored, their signatures, proofs, and who is at work.

A request or approval is a document of the ledger, kept by its digest, and a record with its signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.plugin_utils.common import (
    GATE,
    OpsError,
    StateDir,
    key_of,
    verify,
    write_whole,
)
from ansible_collections.egov.ops.plugins.plugin_utils.gates.decision import Evidence, Signed
from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import (
    APPROVAL,
    REQUEST,
    SHORT,
    Approval,
    ApprovalError,
    Request,
    read_approval,
    read_request,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import (
    DEFAULT_ALGORITHM,
    Ledger,
    Spool,
    SpoolError,
    clock,
    digest,
    is_orphaned,
    iso,
    open_ledger,
    spools,
)
from ansible_collections.egov.ops.plugins.plugin_utils.operations import registry

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Moved
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record

#: The domain of the gate's records, and their kinds: what was asked, approved, decided, overridden and carried out.
DOMAIN = GATE
DECISION, DONE = "gate", "operation"

#: The kinds of records that prove a backup: by a sample of it, and by all of it.
PROOFS = ("proof", "drill")

#: Records of a set's backups among which the newest that made a snapshot is looked for.
_BACKUPS_LIMIT = 100

_HEXADECIMAL = set("0123456789abcdef")


def store(state: StateDir, document: Request | Approval) -> str:
    """Keep a request or approval in the ledger by its digest, which is returned. Raises LedgerError.

    A request also lies in the state folder, so that it can be read, with an override, when the ledger cannot.
    """
    body = document.body.encode()
    identifier = digest(body)
    if isinstance(document, Request):
        path = state.requests / f"{identifier}.json"
        try:
            write_whole(path, path.with_suffix(".new"), [body])
        except OSError as error:
            raise OpsError(f"The request cannot be kept in {path} ({error.strerror}); free space there.") from None
    name = f"{type(document).__name__.lower()} {identifier[:SHORT]}"
    with open_ledger(state) as ledger:
        ledger.put_artefact(body, name, "application/json", document.made)
    return identifier


def find(state: StateDir, wanted: str) -> Request:
    """Return the request whose digest begins so. Raises OpsError where there is none, or more than one."""
    check_prefix(wanted)
    with open_ledger(state, read_only=True) as ledger:
        waiting = {record["subject"] for record in _waiting(state, "request")}
        found = {*ledger.subjects(DOMAIN, "request", wanted), *(name for name in waiting if name.startswith(wanted))}
        name = _the_one(wanted, sorted(found))
        return _checked(name, _content(ledger, name))


def find_export(state: StateDir, wanted: str) -> Request:
    """Return the same from the state folder alone; no signature of it is known then."""
    check_prefix(wanted)
    paths = sorted(state.requests.glob(f"{wanted}*.json"))
    name = _the_one(wanted, [path.stem for path in paths])
    try:
        return _checked(name, paths[0].read_bytes())
    except OSError as error:
        raise OpsError(f"The request in {paths[0]} cannot be read ({error.strerror}); mend its permissions.") from None


def gather(
    request: Request | None, action: str, host: str, plan: Mapping[str, Any], state: StateDir, now: datetime
) -> Evidence:
    """Return what the ledger and the spools say of a request on a host; who is at work is told by `running`.

    Raises LedgerError where the ledger cannot be read.
    """
    evidence = Evidence(host, action)
    with open_ledger(state, read_only=True) as ledger:
        evidence = replace(evidence, clock=clock.fault(ledger, now))
    if request is None:
        return evidence
    if host not in request.hosts:
        return evidence  # no signature is verified for a request that is not for this host
    known = {entry["key"] for entry in plan["egov_ops_signers"].values()}
    with open_ledger(state, read_only=True) as ledger:
        by_kind = {kind: _of_request(request, host, kind, state, ledger) for kind in ("request", "approval", DONE)}
        evidence = replace(
            evidence,
            approvals=tuple(_approvals(by_kind["approval"], ledger, known)),
            proof=_proof(request, host, plan, state, ledger, now),
            done=by_kind[DONE][-1]["finished"] if by_kind[DONE] else "",
        )
    for record in by_kind["request"]:
        signature = str(record["detail"].get("signature"))
        key = key_of(signature)
        valid = key in known and verify(request.body, signature, REQUEST, key)
        evidence = evidence if evidence.valid else replace(evidence, key=key, valid=valid)
    return evidence


def running(state: StateDir, host: str, own: str, now: datetime) -> tuple[str, ...]:
    """Return the other live runs that have passed a gate of this host and are not done with it."""
    found = []
    for spool in spools(state.spool):
        with suppress(SpoolError, OSError):  # sealed in between, or no spool
            if spool.run != own and _holds(spool, host) and not is_orphaned(spool, spool.header(), now):
                found.append(spool.run)
    return tuple(found)


def check_prefix(wanted: str) -> None:
    """Refuse what is not the beginning of a digest; raises OpsError."""
    if not SHORT <= len(wanted) <= 64 or not set(wanted) <= _HEXADECIMAL:
        raise OpsError(f"A request is named by 8 to 64 hexadecimal digits of its digest, which {wanted!r} is not.")


def _holds(spool: Spool, host: str) -> bool:
    """Tell whether a run works on a host: a procedure from its first gate to its seal, a module for its one task."""
    own = [record for record in spool.holding(b'"domain":"gate"') if record["host"] == host]
    passed = [record for record in own if record["kind"] == DECISION and record["detail"].get("module")]
    if not passed or passed[-1]["status"] == "failed":
        return False
    if spool.header().get("begun"):
        return not spool.read().sealed
    module = passed[-1]["detail"]["module"]
    asked = [record for record in passed if record["detail"]["module"] == module]
    answered = [step for step in spool.steps(host) if step["subject"] == module]
    return len(asked) > len(answered)


def newest(state: StateDir, host: str, kind: str, subject: str, now: datetime) -> Record | None:
    """Return a host's newest record of its backups, by kind and subject, of a spool or the ledger, good or bad.

    One that is ahead of the clock does not count.
    """
    waiting = _waiting(state, kind) if state.spool.exists() else ()  # a first run in check mode makes no folders
    about, ahead = {"host": host, "subject": subject}, clock.first_time_ahead(now)
    found = [record for record in waiting if about.items() <= record.items() and record["finished"] < ahead]
    if state.ledger.exists():
        with open_ledger(state, read_only=True) as ledger:
            stored = ledger.records(
                domain="backup", kind=kind, host=host, subject=subject, until=ahead, newest_first=True, limit=1
            )
            found += [entry.record for entry in stored]
    return max(found, key=lambda record: record["finished"], default=None)


def newest_proof(state: StateDir, host: str, set_name: str, now: datetime) -> Record | None:
    """Return the newest record of a set that tells whether it could be brought back: by a proof, or by a drill."""
    found = [newest(state, host, kind, set_name, now) for kind in PROOFS]
    return max((record for record in found if record), key=lambda record: str(record["finished"]), default=None)


def moved_files(state: StateDir, host: str, set_name: str, now: datetime) -> Moved:
    """Return the `snapshot` of a set's newest backup and the `paths` that changed meanwhile, as its record has them."""
    found = [newest(state, host, "backup", set_name, now)]
    if state.ledger.exists():
        with open_ledger(state, read_only=True) as ledger:
            stored = ledger.records(
                domain="backup", kind="backup", host=host, subject=set_name, newest_first=True, limit=_BACKUPS_LIMIT
            )
            found += [entry.record for entry in stored]
    for record in found:
        changed = record["detail"].get("changed_during_backup") if record else None
        if record and changed is not None:
            return {"snapshot": record["detail"].get("snapshot", ""), "paths": changed["first"]}
    return {}


def made(state: StateDir, host: str) -> dict[str, tuple[str, bool]]:
    """Return when each snapshot of a host was first recorded by the run that made it, by its id as it was told."""
    found: dict[str, tuple[str, bool]] = {}
    for record in records_of(state, host, "backup", ("ok", "warning")):
        name = str(record["detail"].get("snapshot_id") or record["detail"].get("snapshot") or "")
        if name and record["finished"] < found.get(name, ("~",))[0]:
            found[name] = (record["finished"], True)
    return found


def proved(state: StateDir, host: str, now: datetime) -> dict[str, list[str]]:
    """Return the snapshots of each set of a host that a proof has restored well, newest first.

    A proof that is ahead of the clock does not count.
    """
    found: dict[str, list[str]] = {}
    ahead = clock.first_time_ahead(now)
    proofs = (record for record in records_of(state, host, "proof", ("ok",)) if record["finished"] < ahead)
    for record in sorted(proofs, key=lambda record: str(record["finished"]), reverse=True):
        name = record["detail"].get("snapshot_id")
        if name:
            found.setdefault(record["subject"], []).append(name)
    return {subject: list(dict.fromkeys(names)) for subject, names in found.items()}


def records_of(
    state: StateDir, host: str, kind: str, statuses: tuple[str, ...], since: str | None = None
) -> Iterator[Record]:
    """Yield a host's records of its backups of a kind and some statuses, of spools and the ledger since a time."""
    yield from waiting_of(state, host, kind, statuses)
    if state.ledger.exists():
        with open_ledger(state, read_only=True) as ledger:
            stored = ledger.records(domain="backup", kind=kind, host=host, status=statuses, since=since)
            yield from (entry.record for entry in stored)


def waiting_of(state: StateDir, host: str, kind: str, statuses: tuple[str, ...]) -> Iterator[Record]:
    """Yield a host's records of its backups of a kind and some statuses that still wait in spools."""
    for record in _waiting(state, kind) if state.spool.exists() else ():
        if (record["host"], record["domain"]) == (host, "backup") and record["status"] in statuses:
            yield record


def _waiting(state: StateDir, kind: str) -> Iterator[Record]:
    """Yield the records of a kind that still wait in spools, of this run too."""
    for spool in spools(state.spool):
        with suppress(SpoolError):  # sealed in between, or no spool
            found = spool.holding(f'"kind":"{kind}"'.encode())
            yield from (record for record in found if record["kind"] == kind)


def _of_request(request: Request, host: str, kind: str, state: StateDir, ledger: Ledger) -> list[Record]:
    """Return a request's records of a kind on a host, oldest first: those of the ledger, then those in spools."""
    stored = ledger.records(domain=DOMAIN, kind=kind, host=host, subject=request.digest)
    about = {"subject": request.digest, "host": host}
    waiting = (record for record in _waiting(state, kind) if about.items() <= record.items())
    return [record for record in [*(entry.record for entry in stored), *waiting] if record["status"] == "ok"]


def _proof(
    request: Request, host: str, plan: Mapping[str, Any], state: StateDir, ledger: Ledger, now: datetime
) -> Record | None:
    """Return the newest record of a proof of just the request's snapshot, of those that may still count.

    Where the plan has proofs made by another machine, what a host says well of its own backup does not count.
    """
    proof_of = registry.find(request.action).proof
    wanted = proof_of(request.operation) if proof_of else None
    if wanted is None:
        return None
    oldest, ahead = iso(now - timedelta(seconds=plan["egov_ops_proof_max_age"])), clock.first_time_ahead(now)
    found = []
    for kind in PROOFS:
        whose = wanted.host or host
        about = {"domain": "backup", "kind": kind, "host": whose, "subject": wanted.set}
        stored = ledger.records(domain="backup", kind=kind, host=whose, subject=wanted.set, since=oldest, until=ahead)
        found += [entry.record for entry in stored]
        found += (record for record in _waiting(state, kind) if about.items() <= record.items())
    about_it = [
        record
        for record in found
        if record["detail"].get("snapshot_id") in wanted.ids and record["finished"] < ahead
        if record["status"] != "ok" or plan["egov_ops_proof_by"] == "any" or _is_of_another_machine(record)
    ]
    return max(about_it, key=lambda record: str(record["finished"]), default=None)


def _is_of_another_machine(proof: Record) -> bool:
    """Tell whether a drill brought a set back on another host than its own, as the controller has noted it."""
    return proof["kind"] == "drill" and proof["detail"].get("drilled_on") not in (None, "", proof["host"])


def _approvals(records: list[Record], ledger: Ledger, known: set[str]) -> Iterator[Signed]:
    for record in records:
        detail = record["detail"]
        signature = str(detail.get("signature"))
        key = key_of(signature)
        with suppress(ApprovalError):  # what is no approval counts for nothing
            approval = read_approval(_content(ledger, str(detail.get("document"))))
            yield Signed(approval, key, key in known and verify(approval.body, signature, APPROVAL, key))


def _content(ledger: Ledger, name: str) -> bytes:
    artefact = ledger.artefact(f"{DEFAULT_ALGORITHM}:{name}")
    return artefact.content if artefact else b""


def _checked(name: str, content: bytes) -> Request:
    request = read_request(content)
    if request.digest != name:
        raise ApprovalError(f"The request stored as {name[:SHORT]} is another one; make a new request.")
    return request


def _the_one(wanted: str, names: list[str]) -> str:
    if len(names) != 1:
        how_many = f"{len(names)} requests begin" if names else "No request begins"
        raise OpsError(f"{how_many} with {wanted}; see egov.ops.ledger_info with domain gate and kind request.")
    return names[0]
