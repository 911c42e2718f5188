# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that the modules that carry out what a request says share."""

from __future__ import annotations


class ModuleDocFragment:
    """The request, and what the action plugin fills in of it and of the gates."""

    DOCUMENTATION = r"""
options:
  request:
    description:
      - Digest of the request, or at least its first eight hex digits. Without it, the run option C(egov_ops_request).
    type: str
  operation:
    description:
      - What was requested. Filled in by the action plugin from the request, never by hand.
    type: dict
    default: {}
  operation_id:
    description:
      - The request's digest in full. Filled in by the action plugin, never by hand.
    type: str
    default: ""
  gates:
    description:
      - The gates that were passed. Filled in by the action plugin, never by hand.
    type: list
    elements: str
    default: []
  requester:
    description:
      - Who signed the request. Filled in by the action plugin, never by hand.
    type: str
    default: ""
  approvers:
    description:
      - Who signed approvals of it. Filled in by the action plugin, never by hand.
    type: list
    elements: str
    default: []
"""
