# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates: whether a host may be changed now, upon which requests, approvals, proofs and other evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence
    from ansible_collections.egov.ops.plugins.plugin_utils.gates.decision import (
        GATES,
        Check,
        Decision,
        Evidence,
        ShownDecision,
        Signed,
        approval_fault,
        counted,
        decide,
        hosts_in_words,
        may_approve,
        request_fault,
        signer_fault,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import (
        APPROVAL,
        REQUEST,
        SHORT,
        Approval,
        Request,
        check_operation,
        read_request,
        words_of,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.gates.evidence import (
        moved_files,
        newest,
        newest_proof,
        waiting_of,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.gates.redaction_authority import unauthorised
else:
    __getattr__ = offering(
        __name__,
        {
            "decision": (
                "Check",
                "Decision",
                "Evidence",
                "GATES",
                "ShownDecision",
                "Signed",
                "approval_fault",
                "counted",
                "decide",
                "hosts_in_words",
                "may_approve",
                "request_fault",
                "signer_fault",
            ),
            "documents": (
                "APPROVAL",
                "Approval",
                "REQUEST",
                "Request",
                "SHORT",
                "check_operation",
                "read_request",
                "words_of",
            ),
            "evidence": ("moved_files", "newest", "newest_proof", "waiting_of"),
            "redaction_authority": ("unauthorised",),
        },
    )
