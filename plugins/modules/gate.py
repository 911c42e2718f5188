#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: gate
short_description: Refuse early what a changing task would refuse later
version_added: 0.1.0
description:
  - Asks the gates of an action, which the plan names in C(egov_ops_gates), whether this host may be changed now, and
    fails with the reason and with what would satisfy it.
  - Each module that changes a host asks the same gates itself before its first write. This module guards nothing more;
    it makes the refusal early and readable.
extends_documentation_fragment:
  - egov.ops.controller
options:
  action:
    description: The action, an entry of C(egov_ops_gates).
    type: str
    required: true
  request:
    description:
      - The request, by at least the first eight digits of its digest.
      - Without it, the run option C(egov_ops_request).
    type: str
attributes:
  check_mode:
    details:
      - The decision is shown, and the task does not fail.
seealso:
  - module: egov.ops.gate_explain
  - module: egov.ops.request
  - module: egov.ops.approve
"""

EXAMPLES = r"""
- name: Refuse early
  egov.ops.gate:
    action: restore
"""

RETURN = r"""
gate:
  description: The decision.
  returned: always
  type: dict
  contains:
    allowed:
      description: Whether each gate lets the action pass.
      type: bool
    action:
      description: The action.
      type: str
      sample: restore
    request:
      description: Digest of the request; empty where none is named.
      type: str
    checks:
      description: What each gate says, in the plan's order.
      type: list
      elements: dict
      contains:
        gate:
          description: Name of the gate.
          type: str
          sample: approval
        allowed:
          description: Whether it lets the action pass.
          type: bool
        message:
          description: Why.
          type: str
        remedy:
          description: What would satisfy it; empty where it is satisfied.
          type: str
"""
