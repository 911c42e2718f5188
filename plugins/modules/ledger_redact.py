#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: ledger_redact
short_description: Replace a secret that got into the evidence by a marker
version_added: 0.1.0
description:
  - Without a request, says where a value stands, and prints the operation that a request for its redaction takes. The
    request names places and counts, and neither the value nor a digest of it.
  - With a request that two people have approved, replaces the value by C(********) in the records and documents of the
    ledger, in exported segments, reports, requests, what was set aside, and logs of crashes. It is found as it is, and
    as JSON, a shell, HTML, an address, base64 or hexadecimal digits write it.
  - Each hash and digest that was made over the value is replaced too, since a weak secret can be guessed from one, and
    signatures over it by the marker. Roll-ups, and copies of the ledger of before an update of its schema, are removed.
  - The chain is anchored anew from the first record that changes, and a record says so, with request, requester and
    approvers. M(egov.ops.ledger_verify) accepts the new chain by that record alone, checks its signatures, and says
    where values were replaced.
  - A call that was killed is continued by the next one with the same request and file.
  - Change the secret first. What has left the state folder (mail, backups of the controller, the system's log, exports
    that lie elsewhere) still holds it.
extends_documentation_fragment:
  - egov.ops.controller
options:
  file:
    description:
      - Path of a file with mode 0600 that holds the value and nothing else. Remove it afterwards.
      - The run option C(egov_ops_redact) goes before it.
    type: path
  what:
    description:
      - What the value is, one sentence without the value itself. Needed without a request.
    type: str
  request:
    description:
      - First digits of the request's digest, at least eight. Without it, the run option C(egov_ops_request).
    type: str
notes:
  - A module for the controller, to be called with C(run_once).
  - Needs two approvals in every plan, and heeds no emergency override.
  - Refused while the spool of a live run holds the value, and where the value is part of a name of the plan.
seealso:
  - module: egov.ops.request
  - module: egov.ops.approve
  - module: egov.ops.ledger_verify
"""

EXAMPLES = r"""
- name: See where the password stands
  egov.ops.ledger_redact:
    file: /root/value
    what: The portal database password of before 3 March
  run_once: true

- name: Replace it
  egov.ops.ledger_redact:
    file: /root/value
    request: 283f5822
  run_once: true
"""

RETURN = r"""
operation:
  description: What a request for the redaction takes in C(egov_ops_operation).
  returned: without a request, when the value was found
  type: dict
  sample:
    {"host": "web1", "what": "The portal database password of before 3 March", "upto": 48213, "records": 1,
    "artefacts": 0, "files": 2, "places": ["record #7 of web1, backup/backup portal: detail.output"],
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
records:
  description: How many records were redacted.
  returned: when the value was replaced
  type: int
  sample: 1
"""
