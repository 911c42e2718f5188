#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: acknowledge
short_description: Record that findings are known, until a day and under a ticket
version_added: 0.1.0
description:
  - Records in the ledger that a person knows of findings - under which ticket, why they stay for now, and until when.
  - Such a finding stays in each report with its status. Until that day it counts as acknowledged, not as new or open;
    afterwards it counts again, and the report says that the acknowledgement has expired.
  - It covers each finding that still stands, whichever run found it, with the members that the finding has now.
    A finding that becomes worse, one with a new member, and one whose list of members was cut are not covered.
  - There is one record for each host, and the task returns and prints what it covers.
  - It changes neither the status of a finding nor the verdict or exit code of a run.
  - The name is a claim, because nothing is signed, and the report shows it as one. The system's user is recorded too.
  - What the run option C(egov_ops_acknowledge) says goes before the options here.
  - Where neither names anything, extra variables of the options' own names count, as in
    C(-e host=web1 -e finding=failed_units -e until=2026-12-31).
extends_documentation_fragment:
  - egov.ops.controller
options:
  finding:
    description:
      - Key of one finding as the report gives it, C(host/domain/kind/subject). Leave out O(host), O(domain), O(kind)
        and O(subject) then.
      - Or a kind or subject of findings, for example V(failed_units), with O(host) and O(domain) to narrow it.
    type: str
  host:
    description:
      - Hosts of the findings, as a shell pattern. Without it, all.
    type: str
  domain:
    description:
      - Domains of the findings, as a shell pattern, for example V(hardening). Without it, all.
    type: str
  kind:
    description:
      - Kinds of the findings, as a shell pattern, for example V(control). Without it, all.
    type: str
  subject:
    description:
      - Subjects of the findings, as a shell pattern, for example V(IA-0*). Without it, all.
    type: str
  until:
    description:
      - Last day on which it counts, in the plan's zone, for example V(2026-12-31); at most 366 days ahead.
      - Needed, here or in C(egov_ops_acknowledge), except to withdraw.
    type: str
  ticket:
    description:
      - Number of the ticket under which the work is planned.
    type: str
  name:
    description:
      - Who says so. Without it, the system's user who runs the command.
    type: str
  reason:
    description:
      - Why the finding stays for now, one sentence.
    type: str
  state:
    description:
      - V(absent) withdraws what was recorded under the same key or patterns.
    type: str
    choices: [present, absent]
    default: present
notes:
  - A module for the controller, to be called with C(run_once).
  - Idempotent. What the ledger already says is not recorded again.
seealso:
  - module: egov.ops.report
  - module: egov.ops.known_debt
"""

EXAMPLES = r"""
- name: Acknowledge a full disk until its replacement
  egov.ops.acknowledge:
    finding: db2/health/filesystem_space//var
    until: "2026-12-15"
    ticket: OPS-1482
    name: Zhang Wei
    reason: The larger volume is ordered.
  run_once: true

- name: Acknowledge a control on all web servers
  egov.ops.acknowledge:
    host: web*
    domain: hardening
    subject: IA-001
    until: "2027-01-31"
    ticket: SEC-77
    name: Li Na
    reason: The new password policy comes with the next release.
  run_once: true

- name: Withdraw it again
  egov.ops.acknowledge:
    host: web*
    domain: hardening
    subject: IA-001
    until: "2027-01-31"
    ticket: SEC-77
    name: Li Na
    reason: The release came earlier.
    state: absent
  run_once: true
"""

RETURN = r"""
patterns:
  description: The four patterns of each record, one record for each host.
  returned: success
  type: list
  elements: str
  sample: [db2/health/filesystem_space//var]
until:
  description: When it ends, in UTC.
  returned: success
  type: str
  sample: "2026-12-15T16:00:00Z"
covered:
  description: Each finding that is covered, with its status and members.
  returned: success
  type: list
  elements: str
  sample: ["web1/health/failed_units/failed_units: warning: backup.service"]
"""
