#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: request
short_description: Ask for an operation - make a request, sign it and store it
version_added: 0.1.0
description:
  - Makes a request for an operation in canonical form, shows it in words, signs it with the requester's own SSH key,
    and stores it in the ledger. Its digest is the operation's id everywhere.
  - Who asks is the person whose key it is (C(egov_ops_signers)), never a variable.
  - The digest and the command for the approver are printed.
extends_documentation_fragment:
  - egov.ops.controller
options:
  action:
    description:
      - The action that is asked for.
      - Without it, C(egov_ops_action) of the command line.
    type: str
    choices: [restore, ledger_redact]
  operation:
    description:
      - What is to be done, in all its detail - of a restore, as M(egov.ops.backup_list) gives it, of a redaction, as
        M(egov.ops.ledger_redact) does.
      - Without it, C(egov_ops_operation) of the command line.
    type: dict
  reason:
    description:
      - Why, one sentence.
      - Without it, C(egov_ops_reason) of the command line.
    type: str
  valid_for:
    description: Seconds for which the request can be used; at most, and without it, C(egov_ops_request_validity).
    type: int
  key:
    description:
      - The requester's own SSH key - a private key without a passphrase that its owner alone can read, or the public
        half of a key in ssh-agent.
      - Without it, the run option C(egov_ops_signing_key).
    type: path
attributes:
  check_mode:
    details:
      - The request is shown, and neither signed nor stored.
notes:
  - A module for the controller, to be called with C(run_once).
seealso:
  - module: egov.ops.approve
  - module: egov.ops.gate_explain
"""

EXAMPLES = r"""
- name: Ask for a restore
  egov.ops.request:
    operation: "{{ found.operation }}"
    reason: The configuration was deleted by mistake
    key: ~/.ssh/id_ed25519.pub
  run_once: true
"""

RETURN = r"""
digest:
  description: The request's digest, the operation's id.
  returned: success
  type: str
request:
  description: The request in canonical form, as it is signed.
  returned: success
  type: str
approve:
  description: The command for the approver.
  returned: when it is stored
  type: str
"""
