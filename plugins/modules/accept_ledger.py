#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: accept_ledger
short_description: Accept a ledger that its witnesses contradict
version_added: 0.1.0
description:
  - A ledger that was removed, emptied, cut, or replaced by an older copy holds less than the witness file beside it
    saw. Each run then says so in its first lines and ends with 2. First try to put the right ledger back.
  - Where it is lost for good, this records in the ledger who accepts it as it is and why, and publishes the new head.
    Witnesses from before then no longer count, and runs end as usual again.
  - The name is a claim, because nothing is signed. The lines of the earlier ledger stay in the witness file.
  - What the run option C(egov_ops_accept_ledger) says goes before the options here.
extends_documentation_fragment:
  - egov.ops.controller
options:
  name:
    description:
      - Who accepts it. Needed, here or in C(egov_ops_accept_ledger).
    type: str
  reason:
    description:
      - How the ledger came to hold less, one sentence. Needed, as O(name) is.
    type: str
notes:
  - A module for the controller, to be called with C(run_once).
  - Idempotent. Where the ledger holds what its witnesses saw, nothing is recorded.
seealso:
  - module: egov.ops.ledger_verify
"""

EXAMPLES = r"""
- name: Begin anew after the loss of a disk
  egov.ops.accept_ledger:
    name: Zhang Wei
    reason: The disk of the controller broke, and the newest backup is of the evening before.
  run_once: true
"""

RETURN = r"""
loss:
  description: What the witnesses saw and the ledger does not hold, in a sentence.
  returned: when there is something to accept
  type: str
"""
