# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate: whether a host may be changed now, decided from plan and evidence alone.

`decide` is pure, but for the options of this process in the commands that it names. What the plan does not allow in so
many words is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.common import printed_commands
from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import SHORT, Approval, Request
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import clock, iso, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.operations import registry
from ansible_collections.egov.ops.plugins.plugin_utils.plan import read_moment

Plan = Mapping[str, Any]


SKEW = clock.SKEW

#: Hosts of a request that a sentence names.
_NAMED_HOSTS = 5

_TAKE_OUT = "Take {gate} out of egov_ops_gates.{action} in the inventory."


class Check(NamedTuple):
    """What one gate says: whether it lets the operation pass, why, and what would satisfy it."""

    gate: str
    allowed: bool
    message: str
    remedy: str = ""


class Signed(NamedTuple):
    """An approval as it was found: the key that its signature names, and whether that key has made it."""

    approval: Approval
    key: str
    valid: bool


@dataclass(frozen=True)
class Evidence:
    """What is known when a gate decides about an action on a host.

    key and valid tell of the request's own signature; proof is the newest record of a proof of the request's snapshot;
    running are the other live runs that change the host; done is when the operation was finished, "" if it was not;
    clock is the sentence that the controller's clock is behind the ledger, "" where it is not.
    """

    host: str
    action: str
    key: str = ""
    valid: bool = False
    approvals: tuple[Signed, ...] = ()
    proof: Mapping[str, Any] | None = None
    running: tuple[str, ...] = ()
    done: str = ""
    clock: str = ""


class ShownDecision(TypedDict):
    """A decision as results and records have it; of each check its fields by name."""

    allowed: bool
    action: str
    request: str
    checks: list[dict[str, str | bool]]


@dataclass(frozen=True)
class Decision:
    """What all gates of an action say of one host."""

    action: str
    host: str
    request: str
    checks: tuple[Check, ...]

    @property
    def allowed(self) -> bool:
        """Return whether each gate lets the operation pass; an action without a gate is never allowed."""
        return bool(self.checks) and all(check.allowed for check in self.checks)

    @property
    def refused(self) -> list[Check]:
        """Return the gates that do not."""
        return [check for check in self.checks if not check.allowed]

    @property
    def message(self) -> str:
        """Return the decision in words, with what would satisfy the gates that refuse."""
        what = f"{self.action} on {self.host}"
        if self.allowed:
            return f"{what} may go on: {' '.join(check.message for check in self.checks)}"
        told = (f"{check.gate}: {check.message} {check.remedy}".strip() for check in self.refused)
        return f"{what} is refused. {' '.join(told)}"

    def shown(self) -> ShownDecision:
        """Return the decision for a task's result and for records."""
        return {
            "allowed": self.allowed,
            "action": self.action,
            "request": self.request,
            "checks": [check._asdict() for check in self.checks],
        }


def decide(request: Request | None, plan: Plan, evidence: Evidence, now: datetime) -> Decision:
    """Return what each gate of the action says, in the plan's order; nothing is looked up, and nothing remembered."""
    entry = plan["egov_ops_gates"].get(evidence.action)
    digest = request.digest if request else ""
    if entry is None:
        sentence = f"The plan has no gates for {evidence.action}, so it is never allowed."
        nothing = Check("plan", False, sentence, "Add it to egov_ops_gates in the inventory.")
        return Decision(evidence.action, evidence.host, digest, (nothing,))
    if not registry.is_known(evidence.action):
        sentence = f"The plan has gates for {evidence.action}, but there is no such action."
        known = f"Name one of {', '.join(registry.ACTIONS)}."
        return Decision(evidence.action, evidence.host, digest, (Check("plan", False, sentence, known),))
    checks = tuple(GATES[name](request, plan, evidence, now) for name in entry["gates"])
    if evidence.clock:  # each gate compares times with that clock
        accept = printed_commands.playbook("accept_clock", egov_ops_reason="WHY")
        checks = (Check("clock", False, evidence.clock, f"Set the clock right, or accept it: {accept}"), *checks)
    return Decision(evidence.action, evidence.host, digest, checks)


def may_approve(plan: Plan, action: str, requester: str, now: datetime) -> list[str]:
    """Return who may approve an action that somebody asks for: people with a key in force, not the requester."""
    teams = plan["egov_ops_gates"].get(action, {}).get("teams")
    with_key = {entry["person"] for entry in plan["egov_ops_signers"].values() if not revoked(entry, now)}
    return [
        name
        for name, person in sorted(plan["egov_ops_people"].items())
        if name in with_key - {requester} and action in person["may_approve"] and _counts(person, teams)
    ]


def counted(request: Request, plan: Plan, evidence: Evidence, now: datetime) -> dict[str, str]:
    """Return whose approvals of a request count, with their keys."""
    if evidence.action not in plan["egov_ops_gates"]:
        return {}
    return {
        signed.approval.approver: signed.key
        for signed in evidence.approvals
        if not approval_fault(signed, request, plan, evidence, now)
    }


def revoked(signer: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a key is no longer in force."""
    return bool(signer["revoked"]) and read_moment(signer["revoked"]) <= now


def signer_fault(key: str, valid: bool, person: str, plan: Plan, now: datetime) -> str:
    """Return why a signature is not that of a person by a key in force, as the end of a sentence; "" if it is."""
    names = [name for name, entry in plan["egov_ops_signers"].items() if key and entry["key"] == key]
    if not names:
        return "is not signed by a key of egov_ops_signers"
    if len(names) > 1:
        return f"is signed by a key that stands in egov_ops_signers more than once, as {' and '.join(names)}"
    (name,) = names
    entry = plan["egov_ops_signers"][name]
    if entry["person"] != person:
        return f"names {person}, and is signed by the key {name} of {entry['person']}"
    if revoked(entry, now):
        return f"is signed by the key {name}, which was revoked on {entry['revoked']}"
    return "" if valid else f"is not what the key {name} has signed"


def _approval(request: Request | None, plan: Plan, evidence: Evidence, now: datetime) -> Check:
    entry, action = plan["egov_ops_gates"][evidence.action], evidence.action
    if action not in registry.requestable():
        sentence = f"{action} cannot be asked for by a request, so nobody can approve it."
        return Check("approval", False, sentence, _TAKE_OUT.format(gate="approval", action=action))
    if request is None:
        who = ", ".join(_who_may(plan, evidence.action, "may_request")) or "nobody yet (egov_ops_people)"
        ask = f"Make a request by {_asking(action)}, then name it in egov_ops_request."
        return Check("approval", False, f"No request is named; it may be asked for by {who}.", ask)
    fault = request_fault(request, plan, evidence, now)
    if fault:
        return Check(
            "approval", False, f"Request {request.digest[:SHORT]} {fault}.", f"Make a new request by {_asking(action)}."
        )
    approvers = counted(request, plan, evidence, now)
    found = (approval_fault(signed, request, plan, evidence, now) for signed in evidence.approvals)
    faults = [f"Approval ignored: {fault}." for fault in found if fault]
    needed = max(entry["approvals"], registry.find(action).approvals)
    if len(approvers) >= needed and len(set(approvers.values())) >= needed:
        who = f"{request.requester} and approved by {', '.join(sorted(approvers))}"
        return Check("approval", True, f"Request {request.digest[:SHORT]} is made by {who}, until {request.not_after}.")
    able = [name for name in may_approve(plan, evidence.action, request.requester, now) if name not in approvers]
    message = f"Request {request.digest[:SHORT]} has {len(approvers)} of {needed} approvals. {' '.join(faults)}".strip()
    approve = printed_commands.playbook("approve", egov_ops_request=request.digest[:SHORT])
    if not able:
        give = "Nobody may approve it yet: give a person may_approve in egov_ops_people, and a key in egov_ops_signers"
        return Check("approval", False, message, f"{give}; then, before {request.not_after}: {approve}")
    who = able[0] if len(able) == 1 else f"one of {', '.join(able)}"
    return Check("approval", False, message, f"Waiting for approval by {who} before {request.not_after}: {approve}")


def request_fault(request: Request, plan: Plan, evidence: Evidence, now: datetime) -> str:
    """Return what is wrong with a request, as the end of a sentence; "" for nothing."""
    made, not_after = read_time(request.made), read_time(request.not_after)
    longest = plan["egov_ops_request_validity"]
    person = plan["egov_ops_people"].get(request.requester)
    if request.action != evidence.action:
        return f"is for {request.action}, and not for {evidence.action}"
    if evidence.host not in request.hosts:
        return f"is for {hosts_in_words(request)}, and not for {evidence.host}"
    if evidence.done:
        return f"was carried out already, at {evidence.done}"
    if made > now + SKEW:
        return f"was made at {request.made}, and it is only {iso(now)}"
    if not_after <= now:
        return f"has expired at {request.not_after}"
    if (not_after - made).total_seconds() > longest:
        return f"is valid for longer than the plan allows ({longest:g} s, egov_ops_request_validity)"
    fault = signer_fault(evidence.key, evidence.valid, request.requester, plan, now)
    if fault:
        return fault
    if person is None or request.action not in person["may_request"]:
        return f"is made by {request.requester}, who may not ask for {request.action} (egov_ops_people)"
    return ""


def approval_fault(signed: Signed, request: Request, plan: Plan, evidence: Evidence, now: datetime) -> str:
    """Return why an approval is ignored, as a clause; "" if it counts."""
    approval, teams = signed.approval, plan["egov_ops_gates"][evidence.action].get("teams")
    person = plan["egov_ops_people"].get(approval.approver)
    if approval.request != request.digest:
        return f"it is for the request {approval.request[:SHORT]}"
    if approval.approver == request.requester:
        return f"{approval.approver} is the requester"
    if signed.key == evidence.key:
        return f"{approval.approver} signed with the key of the request"
    if not read_time(request.made) - SKEW <= read_time(approval.made) <= now + SKEW:
        return f"it was made at {approval.made}, before the request or after now ({iso(now)})"
    fault = signer_fault(signed.key, signed.valid, approval.approver, plan, now)
    if fault:
        return f"it {fault}"
    if person is None or request.action not in person["may_approve"]:
        return f"{approval.approver} may not approve {request.action} (egov_ops_people)"
    if not _counts(person, teams):
        return f"{approval.approver} is of the team {person['team']}; of {', '.join(teams or ())} approvals count"
    return ""


def hosts_in_words(request: Request) -> str:
    """Return the hosts of a request for a sentence, of many the first."""
    named = ", ".join(request.hosts[:_NAMED_HOSTS])
    more = len(request.hosts) - _NAMED_HOSTS
    if more > 0:
        return f"{named} and {more} more host{'' if more == 1 else 's'}"
    return named


def _asking(action: str) -> str:
    """Return by what a request of an action is made: no command, since the operation is the reader's to name."""
    named = "" if action == registry.DEFAULT else f" with egov_ops_action={action}"
    return f"egov.ops.request{named}"


def _counts(person: Mapping[str, Any], teams: Collection[str] | None) -> bool:
    return teams is None or person["team"] in teams


def _who_may(plan: Plan, action: str, what: str) -> list[str]:
    return sorted(name for name, person in plan["egov_ops_people"].items() if action in person[what])


def _proved_backup(request: Request | None, plan: Plan, evidence: Evidence, now: datetime) -> Check:
    name, proof_of = "proved_backup", registry.find(evidence.action).proof
    if proof_of is None:
        sentence = f"{evidence.action} names no snapshot, so there is no proof to look for."
        return Check(name, False, sentence, _TAKE_OUT.format(gate=name, action=evidence.action))
    if request is None:
        return Check(name, False, "No request is named, so no snapshot is known.", "Name one in egov_ops_request.")
    if request.action != evidence.action:
        sentence = f"The request is for {request.action}, so no snapshot of {evidence.action} is known."
        return Check(name, False, sentence, f"Name a request for {evidence.action} in egov_ops_request.")
    wanted = proof_of(request.operation)
    if wanted is None:
        return Check(name, True, "Nothing is replaced, so the snapshot needs no proof.")
    snapshot, proof = wanted.ids[0], evidence.proof
    remedy = f"Prove it: {printed_commands.module(evidence.host, 'backup_prove', snapshot=snapshot)}"
    by = ""
    if plan["egov_ops_proof_by"] == "drill_host":
        by = " by another host (egov_ops_proof_by)"
        drill = printed_commands.playbook("restore_drill", egov_ops_hosts=wanted.host or evidence.host)
        remedy = f"Name that host in egov_ops_drill_host, and drill the newest snapshot: {drill}"
    if proof is None:
        sentence = f"The ledger has no proof of snapshot {snapshot[:SHORT]}{by} that is fresh enough."
        return Check(name, False, sentence, remedy)
    if read_time(proof["finished"]) > now + SKEW:
        sentence = f"The proof of {snapshot[:SHORT]} is of {proof['finished']}, and it is only {iso(now)}."
        return Check(name, False, sentence, remedy)
    if proof["status"] != "ok":
        return Check(name, False, f"The proof of snapshot {snapshot[:SHORT]} at {proof['finished']} failed.", remedy)
    oldest = now - timedelta(seconds=plan["egov_ops_proof_max_age"])
    if read_time(proof["finished"]) < oldest:
        limit = f"{plan['egov_ops_proof_max_age']:g} s, egov_ops_proof_max_age"
        return Check(
            name, False, f"The proof of {snapshot[:SHORT]} is of {proof['finished']}, too old ({limit}).", remedy
        )
    return Check(name, True, f"Snapshot {snapshot[:SHORT]} was proved at {proof['finished']}.")


def _freeze(_request: Request | None, plan: Plan, evidence: Evidence, now: datetime) -> Check:
    held = {
        name: entry
        for name, entry in plan["egov_ops_freezes"].items()
        if read_moment(entry["from"]) <= now < read_moment(entry["to"])
    }
    if not held:
        return Check("freeze", True, f"No freeze holds on {evidence.host}.")
    name, entry = max(held.items(), key=lambda item: read_moment(item[1]["to"]))
    message = f"{evidence.host} is frozen until {entry['to']} ({name}: {entry['reason']})."
    return Check("freeze", False, message, "Wait for its end, or have egov_ops_freezes changed in the inventory.")


def _lock(_request: Request | None, _plan: Plan, evidence: Evidence, _now: datetime) -> Check:
    if not evidence.running:
        return Check("lock", True, f"No other run changes {evidence.host}.")
    message = f"{', '.join(evidence.running)} is changing {evidence.host} just now."
    return Check("lock", False, message, "Wait for its end, and run this again.")


#: The gates by name; each is told the request (None where none is named), plan, evidence and time.
GATES: Mapping[str, Callable[[Request | None, Plan, Evidence, datetime], Check]] = {
    "approval": _approval,
    "proved_backup": _proved_backup,
    "freeze": _freeze,
    "lock": _lock,
}
