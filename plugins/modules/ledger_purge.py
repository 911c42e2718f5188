#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: ledger_purge
short_description: Export and remove the oldest records of the ledger
version_added: 0.1.0
description:
  - Writes the records that are older than the retention, and have nothing younger before them, into one file in the
    state folder's C(exports), together with the hashes that chain them.
  - Then appends a checkpoint to the chain and removes them, in one transaction. The ledger verifies from that
    checkpoint on, and the exported file verifies against it.
  - A ledger that does not verify is not purged.
options:
  retention_days:
    description:
      - Days for which records stay, at least 190.
      - Without it, the plan's C(egov_ops_ledger_retention_days).
    type: int
extends_documentation_fragment:
  - egov.ops.controller
notes:
  - Not idempotent in the strict sense. What grew too old since the last time is purged, and each purge is a record.
seealso:
  - module: egov.ops.ledger_verify
"""

EXAMPLES = r"""
- name: Purge what is older than the plan keeps
  egov.ops.ledger_purge:
  run_once: true
"""

RETURN = r"""
first:
  description: Number of the first record that was exported, or would be in check mode.
  returned: when there is something to purge
  type: int
  sample: 1
last:
  description: Number of the last one.
  returned: when there is something to purge
  type: int
  sample: 48213
export:
  description: Path of the exported file.
  returned: when something was purged
  type: str
  sample: /var/lib/egov-ops/controller/exports/ledger-1-48213.jsonl
"""
