#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: accept_clock
short_description: Record that the controller's clock is right although the ledger holds later records
version_added: 0.1.0
description:
  - Where the clock is behind a record of the ledger by more than five minutes, each run says so first, and hosts are
    not changed. Look at the clock then, and set it right if it is wrong.
  - If it is the record that is wrong, because it was made while the clock was, a person accepts the clock with a
    reason. That is a record of its own, with the name of the user.
  - What is accepted are the records that the ledger holds by then. One that is ahead of the clock and is stored later
    is a new case.
extends_documentation_fragment:
  - egov.ops.controller
options:
  reason:
    description:
      - Why the clock is right, one sentence. Without it, the run option C(egov_ops_reason).
    type: str
notes:
  - A module for the controller, to be called with C(run_once).
  - Idempotent. Where nothing is ahead of the clock, or it was accepted, nothing is recorded.
seealso:
  - module: egov.ops.ledger_info
  - module: egov.ops.gate_explain
"""

EXAMPLES = r"""
- name: Accept the clock after a day with a wrong one
  egov.ops.accept_clock:
    reason: On 3 March the clock ran five years ahead until chrony was mended.
  run_once: true
"""

RETURN = r"""
record:
  description: Number of the last record that is ahead of the clock.
  returned: when there is something to accept
  type: int
  sample: 48213
"""
