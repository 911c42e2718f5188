#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: ledger_verify
short_description: Check that the ledger still says what it said
version_added: 0.1.0
description:
  - Walks the chain of the ledger, and names the first record that was edited, removed or swapped, by its number.
  - Compares the chain with the heads that each seal published in the witness file, and names the first that a cut tail
    or a chain written anew contradicts. Without any witness the tail is not provable, and that is said.
  - Looks also at the database's schema against the one that egov.ops makes, at SQLite's own check of integrity, at the
    types of stored values, and at each document's digest.
  - After a purge the chain is walked from the checkpoint that the purge left. Each checkpoint must be backed by its
    export in the state folder, which is read whole, or by a witness that knows the export's digest.
  - Where signers are named, the newest witness must be there and signed.
  - Names the first bad thing in a sentence.
  - Fails if the ledger does not verify. Nothing is written.
options:
  witness:
    description:
      - Witness file to compare with, such as a copy kept on another machine.
      - Without it, C(witness.jsonl) in the state folder.
    type: path
  signers:
    description:
      - File of allowed signers (see C(ssh-keygen)). The newest witness must be signed by one of its keys, and it alone
        proves the tail.
      - Without it, the plan's C(egov_ops_witness_signers).
    type: path
  export:
    description:
      - Check this exported segment, as a purge left it, instead of the ledger.
    type: path
extends_documentation_fragment:
  - egov.ops.controller
seealso:
  - module: egov.ops.ledger_info
  - module: egov.ops.ledger_purge
"""

EXAMPLES = r"""
- name: Verify the ledger
  egov.ops.ledger_verify:
  run_once: true

- name: Verify it against the witnesses that the audit office keeps
  egov.ops.ledger_verify:
    witness: /mnt/audit/witness.jsonl
    signers: /etc/egov-ops/allowed_signers
  run_once: true

- name: Verify what a purge exported
  egov.ops.ledger_verify:
    export: /var/lib/egov-ops/controller/exports/ledger-1-48213.jsonl
  run_once: true
"""

RETURN = r"""
ok:
  description: Whether the ledger verifies.
  returned: always
  type: bool
first_bad:
  description: Number of the first bad record.
  returned: when it does not verify and a record is bad
  type: int
  sample: 4711
kind:
  description:
    - What was done to it, as the chain shows (V(edited), V(missing), V(swapped)), or a witness (V(cut), V(rewritten)).
    - V(forged) is a witness whose signature does not hold, V(unsigned) one that is missing or not signed.
    - V(schema), V(damaged), V(malformed) and V(document) are found in the database beside the chain.
    - V(checkpoint) is a checkpoint of a purge that nothing backs.
  returned: when it does not verify
  type: str
  sample: edited
tail:
  description: How far witnesses prove the chain.
  returned: always
  type: str
  sample: "proved to #48213"
"""
