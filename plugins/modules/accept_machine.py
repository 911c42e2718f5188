#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: accept_machine
short_description: Take the machine that answers to a host's name for the right one
version_added: 0.1.0
description:
  - The controller remembers which machine answers to each name of the inventory. Where another one answers, one answers
    to two names, or one has no identity, each visit shows a finding, and nothing is changed there.
  - Records in the ledger that a person takes the machine that answered last for the right one, and why. From then on it
    is the one that is known, and changes go on.
  - The person is the user of this process on the controller. Nothing is signed.
  - What the run option C(egov_ops_accept_machine) says is taken where O(machines) is left out. A restore that is given
    that option accepts the machine by itself.
extends_documentation_fragment:
  - egov.ops.controller
options:
  machines:
    description:
      - By host, the eight digits that name its machine, as the finding has them; V(none) for one without an identity.
    type: dict
  reason:
    description:
      - Why it is right, one sentence. Needed, here or in C(egov_ops_reason).
    type: str
notes:
  - A module for the controller, to be called with C(run_once).
  - Not idempotent. Where nothing is wrong with a machine, there is nothing to accept, and the task fails.
seealso:
  - module: egov.ops.restore_run
"""

EXAMPLES = r"""
- name: Accept the machine that replaces a broken one
  egov.ops.accept_machine:
    machines:
      db2: 5f3c01ab
    reason: Its mainboard was replaced under OPS-1482.
  run_once: true
"""

RETURN = r"""
msg:
  description: Who accepts which machine, and why.
  returned: always
  type: str
  sample: "root accepts the machine 5f3c01ab as db2: Its mainboard was replaced under OPS-1482."
"""
