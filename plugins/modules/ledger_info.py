#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: ledger_info
short_description: Show the runs and records of the ledger
version_added: 0.1.0
description:
  - Shows the head of the ledger and the newest runs, and the records that match what is asked for.
  - Reads the ledger alone; no host is connected to and nothing is written.
options:
  run:
    description:
      - Show the records of this run.
    type: str
  procedure:
    description:
      - Show the runs of this procedure alone, and records of its runs.
    type: str
  host:
    description:
      - Show records of this host, by its name in the inventory. V(controller) is the host of records of the run itself.
    type: str
  domain:
    description:
      - Show records of this domain, for example V(health) or V(backup).
    type: str
  kind:
    description:
      - Show records of this kind, for example V(step) or V(probe).
    type: str
  subject:
    description:
      - Show records of this subject, such as a probe's or a set's name.
    type: str
  status:
    description:
      - Show records with one of these statuses.
    type: list
    elements: str
    choices: [ok, warning, critical, unknown, skipped, failed, unreachable]
  since:
    description:
      - Show records finished at this time or later, as V(2026-01-02T03:04:05Z), UTC.
    type: str
  until:
    description:
      - Show records finished before this time, as V(2026-01-02T03:04:05Z), UTC.
    type: str
  limit:
    description:
      - How many runs, and how many records, are shown at most; the newest.
    type: int
    default: 20
extends_documentation_fragment:
  - egov.ops.controller
seealso:
  - module: egov.ops.ledger_verify
  - plugin: egov.ops.ledger
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Show the newest runs
  egov.ops.ledger_info:
  run_once: true

- name: Show what failed on one host since the new year
  egov.ops.ledger_info:
    host: web1
    status: [failed, unreachable, critical]
    since: "2026-01-01T00:00:00Z"
  run_once: true
"""

RETURN = r"""
ledger:
  description: Path of the ledger.
  returned: success
  type: str
  sample: /var/lib/egov-ops/controller/ledger.sqlite3
head:
  description: The ledger's head.
  returned: success
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
    algorithm:
      description: The algorithm of that hash.
      type: str
      returned: always
      sample: sha256
runs:
  description: The newest runs, newest first.
  returned: success
  type: list
  elements: dict
  contains:
    run:
      description: The run's id.
      type: str
      returned: always
      sample: 20261124T060000Z-1f0c9a7be2d4
    procedure:
      description: The procedure that ran.
      type: str
      returned: always
      sample: daily
    started:
      description: When it began.
      type: str
      returned: always
      sample: "2026-11-24T06:00:00Z"
    finished:
      description: When it was sealed; empty while it is not.
      type: str
      returned: always
      sample: "2026-11-24T06:00:09Z"
    status:
      description: Status of its seal, which findings do not change; empty while it is not sealed.
      type: str
      returned: always
      sample: ok
    worst:
      description: The worst status of the run's records and of its seal; empty for a run without either.
      type: str
      returned: always
      sample: critical
    statuses:
      description: How many records of each status the run has; records about the run itself are left out.
      type: dict
      returned: always
      sample: {critical: 29, ok: 84}
    reason:
      description: Reason of that status, such as V(interrupted).
      type: str
      returned: always
      sample: ""
records:
  description: The records that match, newest first; none where no record was asked for.
  returned: success
  type: list
  elements: dict
  sample: []
"""
