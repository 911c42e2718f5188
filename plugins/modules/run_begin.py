#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: run_begin
short_description: Begin a run, or refuse it before any host is touched
version_added: 0.1.0
description:
  - Checks the plan of every host of the play, the command line and the settings of Ansible, and refuses with one
    sentence what cannot work.
  - Opens the run's spool and notes which steps will be recorded for which hosts, so that the seal can tell what is
    missing.
  - Belongs before the block of a play's work, with C(run_once) and the tag C(always).
options:
  procedure:
    description:
      - Short name of the procedure, as it stands in records.
      - One of the catalogue, the plan variable C(egov_ops_procedures), which then says all the rest.
    type: str
    required: true
  observes:
    description:
      - Whether a procedure that is not in the catalogue only observes or protects.
      - A failed or unreachable host is then a record, and M(egov.ops.run_verdict) fails the host at the end.
    type: bool
  steps:
    description:
      - The modules whose work will be recorded for each host, of a procedure that is not in the catalogue.
      - One that this version of the collection does not have is recorded as not built.
    type: list
    elements: dict
    suboptions:
      module:
        description: Short name of the module.
        type: str
        required: true
      domain:
        description: Domain of its records, which is also the tag of its tasks.
        type: str
        required: true
      clauses:
        description: Clauses of the plan that the step serves.
        type: list
        elements: str
        default: []
  wait:
    description: Seconds to wait for another run of the same procedure before this one is recorded as busy.
    type: int
    default: 60
extends_documentation_fragment:
  - egov.ops.controller
seealso:
  - module: egov.ops.run_seal
  - module: egov.ops.run_verdict
"""

EXAMPLES = r"""
- name: Begin a procedure of the catalogue
  egov.ops.run_begin:
    procedure: health_check
  run_once: true
  tags: [always]

- name: Begin a procedure of one's own
  egov.ops.run_begin:
    procedure: before_maintenance
    observes: true
    steps:
      - module: health_probe
        domain: health
  run_once: true
  tags: [always]
"""

RETURN = r"""
run:
  description: The run's id; empty in check mode.
  returned: success
  type: str
  sample: 20261124T060000Z-1f0c9a7be2d4
hosts:
  description: How many hosts the run will record.
  returned: success
  type: int
  sample: 14
not_ours:
  description: Hosts that are not ours, which no later task of a procedure visits.
  returned: success
  type: list
  elements: str
  sample: [switch1]
"""
