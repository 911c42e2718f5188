#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: approve
short_description: Show a request in words, and approve it when its digest is confirmed
version_added: 0.1.0
description:
  - Shows what was asked for - what, where, from which snapshot, how big, what is replaced - and signs an approval only
    when O(confirm) holds the first eight digits of the request's digest.
  - Who approves is the person whose key it is (C(egov_ops_signers)), never a variable. Nobody can approve what they
    have asked for themselves.
extends_documentation_fragment:
  - egov.ops.controller
options:
  request:
    description:
      - The request, by at least the first eight digits of its digest.
      - Without it, the run option C(egov_ops_request).
    type: str
  confirm:
    description:
      - The first eight digits of the request's digest. Without them the request is shown and nothing is signed.
      - Without it, C(egov_ops_confirm) of the command line.
    type: str
  key:
    description:
      - The approver's own SSH key - a private key without a passphrase that its owner alone can read, or the public
        half of a key in ssh-agent.
      - Without it, the run option C(egov_ops_signing_key).
    type: path
attributes:
  check_mode:
    details:
      - The request is shown, and nothing is signed or stored.
notes:
  - A module for the controller, to be called with C(run_once).
seealso:
  - module: egov.ops.request
  - module: egov.ops.gate_explain
"""

EXAMPLES = r"""
- name: Look at a request
  egov.ops.approve:
    request: 1a2b3c4d
  run_once: true

- name: Approve it
  egov.ops.approve:
    request: 1a2b3c4d
    confirm: 1a2b3c4d
    key: ~/.ssh/id_ed25519.pub
  run_once: true
"""

RETURN = r"""
digest:
  description: The request's digest.
  returned: success
  type: str
words:
  description: The request as it was shown, line by line.
  returned: success
  type: list
  elements: str
"""
