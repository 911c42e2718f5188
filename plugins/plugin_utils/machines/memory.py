# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller remembers of the machine behind each name of the inventory, and what is wrong with it.

`machines/` of the state folder is read at each visit; the ledger, whose step records have the marks of each visit and
whose records of acceptances say what a person took for right, is asked where nothing is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.host.identity import MACHINE, MARKS, are_same, short
from ansible_collections.egov.ops.plugins.plugin_utils.common import (
    DOMAINS,
    MACHINES,
    OpsError,
    StateDir,
    make_private,
    open_private,
    printed_commands,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import open_ledger

Marks = Mapping[str, str]

#: Records of the domain of machines: what is wrong with one, and what a person accepted.
DOMAIN = MACHINES
FINDING, ACCEPTED = "identity", "acceptance"
SUBJECT = "machine"
CHANGED, SHARED, MISSING = "changed", "shared", "missing"


@dataclass(frozen=True)
class Known:
    """What is known of the machine behind a name.

    accepted are its marks, None where no visit has told any; seen are those of the last visit. fault is changed,
    shared or missing, "" for none; others are the names to which the same machine answers, tolerated those of them
    that a person has accepted, apart the names of other machines with the same machine-id, as containers have.
    """

    host: str
    accepted: Marks | None = None
    seen: Marks = field(default_factory=dict)
    fault: str = ""
    others: tuple[str, ...] = ()
    tolerated: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """Return what is wrong as a sentence, "" for nothing."""
        if self.fault == CHANGED:
            return (
                f"The machine that answers to {self.host} is {short(self.seen)}, and the one that is known by this "
                f"name is {short(self.accepted or {})}."
            )
        if self.fault == SHARED:
            return f"One machine, {short(self.seen)}, answers to {self.host} and to {', '.join(self.others)}."
        if self.fault == MISSING:
            return f"The machine that answers to {self.host} has no identity: its /etc/machine-id is missing or empty."
        return ""

    @property
    def remedy(self) -> str:
        """Return what satisfies it: what to look at, and the command that accepts it."""
        first = {
            CHANGED: "See whether the address in the inventory is right, or the machine was replaced.",
            SHARED: "Take one of the names out of the inventory, or give cloned machines an id of their own "
            "(systemd-machine-id-setup).",
            MISSING: "Give it an id (systemd-machine-id-setup).",
        }.get(self.fault, "")
        given = {"egov_ops_accept_machine": {self.host: short(self.seen)}, "egov_ops_reason": "WHY"}
        accept = f"{printed_commands.playbook('accept_machine')} -e {shlex.quote(json.dumps(given))}"
        return f"{first} If it is right as it is, accept it: {accept}" if first else ""


def recall(state: StateDir, host: str) -> Known:
    """Return what is known of a name's machine. Raises LedgerError where the ledger is asked and cannot be read."""
    return _remembered(state, host) or _of_ledger(state, host)


def visited(state: StateDir, host: str, seen: Marks, inventory: Collection[str]) -> tuple[Known, list[Known]]:
    """Remember which machine has answered to a name; return what is known of it now, and what changed.

    The second are this name's and others' whose fault begins or ends now: two names may turn out to be one machine.
    inventory are the names that count as others. Raises OpsError.
    """
    usual = _remembered(state, host)
    if usual and _is_as_accepted(usual, seen) and not _unmet(state, usual, seen, inventory):
        return usual, []
    with _locked(state):
        before = recall(state, host)
        twins, apart = _twins(state, host, seen, inventory)
        now = _judged(replace(before, seen=dict(seen), apart=apart), tuple(sorted(twin.host for twin in twins)))
        _write(state, now)
        changed = [now] if now.fault != before.fault else []
        for twin in twins:
            theirs = _judged(twin, tuple(sorted({*twin.others, host})))
            if theirs != twin:
                _write(state, theirs)
                changed += [theirs] if theirs.fault != twin.fault else []
    return now, changed


def compared(state: StateDir, host: str, seen: Marks, inventory: Collection[str]) -> Known:
    """Return what `visited` would know of a name after this visit; nothing is remembered. Raises OpsError."""
    same, apart = _sharing(state, host, seen, inventory)
    now = replace(recall(state, host), seen=dict(seen), apart=apart)
    return _judged(now, tuple(sorted(other.host for other in same)))


def accept(state: StateDir, host: str, digits: str) -> Known:
    """Return what is known once a person takes the machine seen last for the right one; `keep` is to remember it.

    Raises OpsError where another one was seen, or nothing is wrong.
    """
    known = recall(state, host)
    if not known.fault:
        raise OpsError(
            f"Nothing is wrong with the machine of {host}, so there is nothing to accept; visit it first, for example "
            "by egov.ops.health_check."
        )
    if digits != short(known.seen):
        raise OpsError(
            f"The machine that answered last to {host} is {short(known.seen)}, and not {digits}; look at it again, and "
            f"name it in egov_ops_accept_machine if it is right."
        )
    tolerated = tuple(sorted({*known.tolerated, *known.others}))
    return replace(known, accepted=dict(known.seen), fault="", others=(), tolerated=tolerated)


def keep(state: StateDir, known: Known) -> None:
    """Remember what is known of a name's machine; raises OpsError."""
    with _locked(state):
        _write(state, known)


def _judged(known: Known, others: tuple[str, ...]) -> Known:
    """Return what is known with its fault: of the machine seen last, and other names to which it answers."""
    others = tuple(name for name in others if name not in known.tolerated)
    if known.accepted is not None and _agree(known.accepted, known.seen):
        merged = {**known.accepted, **known.seen}  # root has read more of it
        return replace(known, accepted=merged, seen=merged, fault=SHARED if others else "", others=others)
    if not known.seen.get(MACHINE):
        return replace(known, fault=MISSING, others=())
    if known.accepted is None:  # the first visit
        return replace(known, accepted=dict(known.seen), fault=SHARED if others else "", others=others)
    return replace(known, fault=CHANGED, others=others)


def _agree(accepted: Marks, seen: Marks) -> bool:
    """Tell whether the machine seen is the one that was accepted, which a person may have done without an identity."""
    if MACHINE in accepted or MACHINE in seen:
        return are_same(accepted, seen)
    return all(seen[name] == accepted[name] for name in accepted.keys() & seen.keys())


def _is_as_accepted(known: Known, seen: Marks) -> bool:
    """Tell whether a visit shows the marks that were accepted and nothing else; each but the machine's may lack."""
    if known.accepted is None or known.fault or not seen or not seen.items() <= known.accepted.items():
        return False
    return MACHINE in seen or MACHINE not in known.accepted


def _unmet(state: StateDir, known: Known, seen: Marks, inventory: Collection[str]) -> bool:
    """Tell whether a machine-id stands for names that were not compared, as each may have an inventory of its own."""
    names = set(_names_of(state, seen)) - {known.host, *known.tolerated, *known.apart}
    return bool(names) and any(name in inventory for name in names)


def _names_of(state: StateDir, seen: Marks) -> list[str]:
    """Return the names that have answered with a machine-id, none where there is none."""
    if not seen.get(MACHINE):
        return []
    try:
        names: list[str] = json.loads(_of_machine(state, seen).read_bytes())
    except (OSError, ValueError):
        return []
    return names


def _twins(state: StateDir, host: str, seen: Marks, inventory: Collection[str]) -> tuple[list[Known], tuple[str, ...]]:
    """Return what `_sharing` does, and note that the machine of some marks answers to this name too."""
    found = _sharing(state, host, seen, inventory)
    names = _names_of(state, seen)
    if seen.get(MACHINE) and host not in names:
        _store(_of_machine(state, seen), sorted([*names, host]))
    return found


def _sharing(
    state: StateDir, host: str, seen: Marks, inventory: Collection[str]
) -> tuple[list[Known], tuple[str, ...]]:
    """Return the other names to which the machine of some marks answers.

    The second are the names of other machines with the same machine-id.
    """
    known = [recall(state, name) for name in _names_of(state, seen) if name != host and name in inventory]
    same = [other for other in known if are_same(other.seen, seen)]
    return same, tuple(sorted(other.host for other in known if other not in same))


def _of_ledger(state: StateDir, host: str) -> Known:
    """Return what the ledger says of a name's machine: as it was accepted, or at the last visit with nothing wrong."""
    unknown = Known(host)
    if not state.ledger.exists():
        return unknown
    with open_ledger(state, read_only=True) as ledger:
        accepted = next(ledger.records(domain=DOMAIN, kind=ACCEPTED, host=host, newest_first=True, limit=1), None)
        steps = (ledger.records(domain=domain, kind="step", host=host, newest_first=True) for domain in DOMAINS)
        good = (next((one for one in found if _is_good_visit(one.record["detail"])), None) for found in steps)
        visits = [visit for visit in good if visit]
    newest = max([*visits, *([accepted] if accepted else [])], key=lambda stored: stored.seq, default=None)
    if newest is None:
        return unknown
    marks = _marks_of(newest.record["detail"]) or {}
    tolerated = accepted.record["detail"].get("tolerated") if accepted else ()
    return replace(unknown, accepted=marks, seen=marks, tolerated=tuple(tolerated or ()))


def _is_good_visit(detail: Mapping[str, Any]) -> bool:
    """Tell whether a step, of which this is the detail, had an answer of a machine with which nothing was wrong."""
    return not detail.get("machine_fault") and bool(_marks_of(detail))


def _remembered(state: StateDir, host: str) -> Known | None:
    """Return what the folder has of a name, None for nothing: a power cut may leave an empty file."""
    try:
        found = json.loads(_of_name(state, host).read_bytes())
        lists = {name: tuple(found.get(name, ())) for name in ("others", "tolerated", "apart")}
        return Known(**{**found, **lists})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _marks_of(detail: Mapping[str, Any]) -> Marks | None:
    """Return the marks in a record, None for a record of an earlier release, or of a visit without an answer."""
    found = detail.get("machine")
    if not isinstance(found, dict) or detail.get("delegated_to"):
        return None
    return {name: found[name] for name in MARKS if isinstance(found.get(name), str)}


def _write(state: StateDir, known: Known) -> None:
    _store(_of_name(state, known.host), asdict(known))


def _store(path: Path, value: object) -> None:
    try:
        for folder in (path.parent.parent, path.parent):
            if not folder.is_dir():
                make_private(folder)
        temporary = path.with_suffix(".new")
        with os.fdopen(open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="ascii") as file:
            json.dump(value, file)  # not fsynced: the ledger has it too
        temporary.rename(path)
    except OSError as error:
        raise OpsError(
            f"Which machine answers cannot be kept in {path} ({error.strerror}); free space there."
        ) from None


def _of_name(state: StateDir, host: str) -> Path:
    return _folder(state, "names") / f"{hashlib.sha256(host.encode()).hexdigest()[:32]}.json"


def _of_machine(state: StateDir, seen: Marks) -> Path:
    return _folder(state, "marks") / f"{seen[MACHINE]}.json"


def _folder(state: StateDir, name: str) -> Path:
    return state.machines / name


def _locked(state: StateDir) -> AbstractContextManager[None]:
    return state.lock("machines")
