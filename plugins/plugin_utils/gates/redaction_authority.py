# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether each redaction of a ledger was asked for and approved by as many people as it needs, with their keys.

Without that a record in the ledger would be enough to have a chain accepted that somebody has written anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence
from ansible_collections.egov.ops.plugins.plugin_utils.gates.decision import Evidence, signer_fault
from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import SHORT, Request
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Ledger, read_time, redactions
from ansible_collections.egov.ops.plugins.plugin_utils.operations import registry


def unauthorised(ledger: Ledger, state: StateDir, plan: Mapping[str, Any]) -> tuple[int, str] | None:
    """Return number and sentence of the first redaction that nobody has asked for and approved; None for none."""
    seen: set[str] = set()
    for stored in redactions(ledger):
        detail = stored.record["detail"]
        name, time = str(detail.get("request")), read_time(stored.record["finished"])
        try:
            request = evidence.find(state, name)
            known = evidence.gather(request, request.action, request.host, plan, state, time)
        except OpsError as error:
            return stored.seq, f"Record #{stored.seq} is a redaction without its request: {error}"
        if name in seen or request.action != registry.REDACTION or request.operation["upto"] > detail["upto"]:
            return stored.seq, f"Record #{stored.seq} is a redaction that the request {name[:SHORT]} has not asked for."
        seen.add(name)
        fault = signer_fault(known.key, known.valid, request.requester, plan, time)
        if fault:
            return stored.seq, f"Record #{stored.seq} is a redaction whose request {name[:SHORT]} {fault}."
        approvers = _approvers(request, known, plan, stored.record["finished"])
        needed = registry.find(registry.REDACTION).approvals
        if len(approvers) < needed or len(set(approvers.values())) < needed:
            sentence = f"Record #{stored.seq} is a redaction with {len(approvers)} of {needed} approvals."
            return stored.seq, sentence
    return None


def _approvers(request: Request, known: Evidence, plan: Mapping[str, Any], upto: str) -> dict[str, str]:
    """Return who has validly signed an approval before a time, with the keys. The plan may let others approve now."""
    return {
        signed.approval.approver: signed.key
        for signed in known.approvals
        if signed.approval.request == request.digest
        and signed.approval.approver != request.requester
        and signed.key != known.key
        and signed.approval.made <= upto
        and not signer_fault(signed.key, signed.valid, signed.approval.approver, plan, read_time(upto))
    }
