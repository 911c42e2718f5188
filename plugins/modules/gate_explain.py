#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: gate_explain
short_description: Say whether something may be done on these hosts now, and what is missing
version_added: 0.1.0
description:
  - Asks the gates of an action for each host of the play and prints what each says - whether it lets the action pass,
    why, what would satisfy it, who may sign, and until when.
  - It launches nothing, records nothing and does not fail for a refusal.
extends_documentation_fragment:
  - egov.ops.controller
options:
  action:
    description:
      - The action, an entry of C(egov_ops_gates).
      - Without it, C(egov_ops_action) of the command line.
    type: str
  request:
    description:
      - The request, by at least the first eight digits of its digest.
      - Without it, the run option C(egov_ops_request); where that is empty too, the gates are asked without one.
    type: str
notes:
  - A module for the controller, to be called with C(run_once).
seealso:
  - module: egov.ops.gate
"""

EXAMPLES = r"""
- name: Say what is missing
  egov.ops.gate_explain:
    request: 1a2b3c4d
  run_once: true
"""

RETURN = r"""
decisions:
  description: What the gates say, by host.
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
