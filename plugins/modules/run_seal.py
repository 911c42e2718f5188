#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: run_seal
short_description: Move a run's evidence into the ledger and render its report
version_added: 0.1.0
description:
  - Adds a record for each step of each host that left none, moves the run's spool, and those of runs that died, into
    the ledger in one transaction, publishes the ledger's head, and renders summary and report.
  - Belongs into the C(always) part of the block that M(egov.ops.run_begin) stands before, with C(run_once) and the
    tag C(always).
  - Fails if the evidence could not be stored, and says in which file it is kept.
options: {}
extends_documentation_fragment:
  - egov.ops.controller
seealso:
  - module: egov.ops.run_begin
  - module: egov.ops.run_verdict
"""

EXAMPLES = r"""
- name: Seal the run
  egov.ops.run_seal:
  run_once: true
  tags: [always]
"""

RETURN = r"""
run:
  description: The run's id.
  returned: success, not in check mode
  type: str
  sample: 20261124T060000Z-1f0c9a7be2d4
records:
  description: How many records went into the ledger; in check mode, how many a run would have made so far.
  returned: success
  type: int
  sample: 216
head:
  description: The ledger's head after the seal.
  returned: success, not in check mode
  type: dict
  contains:
    count:
      description: Number of the newest record.
      type: int
      returned: always
      sample: 48213
    hash:
      description: Its chained hash.
      type: str
      returned: always
      sample: 9f2c41d7
report:
  description: Path of the report; empty if none was rendered.
  returned: success, not in check mode
  type: str
  sample: /var/lib/egov-ops/controller/reports/latest.html
"""
