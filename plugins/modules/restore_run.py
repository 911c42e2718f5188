#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/backup/restores/job.py."""

DOCUMENTATION = r"""
module: restore_run
short_description: Carry out a requested restore
version_added: 0.1.0
description:
  - Restores what a request describes from its snapshot, beside its source or in its place. What to do comes from the
    request alone; its digest is the id of the operation, which a host carries out once.
  - The work is a job of its own on the host, a systemd unit where systemd runs, with a journal below the host's state
    folder. If the controller is lost, the job goes on, and the next call with the same request attaches to it. If the
    job is lost, the next call goes on where the journal says it was, or puts back what was there.
  - The data is restored into a folder beside its place, on the same file system. Each content, mode, owner, time,
    extended attribute and ACL is compared with the manifest before anything is switched. One that differs ends the
    restore with nothing changed.
  - In place, the units that the set's C(stop) names are stopped if they are active, old and new data change places, and
    the units are started again. If a unit does not start, the old data is put back. A crash at any moment leaves each
    path as it was or as it is restored, never a mixture. What was replaced is kept until M(egov.ops.restore_accept) or
    M(egov.ops.restore_undo).
  - The set may be another host's, and the snapshot a copy in any repository that the host reaches, as the request
    says.
  - A folder is restored as a whole, so what was in it and not in the backup is kept aside with the rest.
  - Refused, with nothing changed, are a path that is not in the snapshot, a destination that is there or whose folder
    is not, a symbolic link in the way, a mount point, too little space, files of other owners without root, and a host
    whose clock is more than five minutes from the controller's.
  - A line of progress is printed at least every 15 seconds.
options:
  repositories:
    description:
      - The repository of the request. Filled in by the action plugin from the plan, never by hand.
    type: dict
    default: {}
  job_timeout:
    description:
      - Seconds that the job may take.
    type: float
    default: 14400.0
  moved:
    description:
      - Files that changed while the set was backed up. Filled in by the action plugin from the ledger.
    type: dict
    default: {}
  attach:
    description:
      - Asks for the job that runs and starts none. Used by the action plugin alone.
    type: bool
    default: false
  recorded:
    description:
      - Tells the host that the end is recorded. Used by the action plugin alone.
    type: bool
    default: false
  timeout:
    description:
      - Seconds for one round trip.
    type: float
    default: 60.0
extends_documentation_fragment:
  - egov.ops.half
  - egov.ops.changing
attributes:
  check_mode:
    support: full
    details:
      - The request is compared with the snapshot and the places are checked; nothing is written.
  diff_mode:
    support: none
    details:
      - M(egov.ops.backup_list) shows the paths of a snapshot.
requirements:
  - restic 0.14 or newer on the host
seealso:
  - module: egov.ops.backup_list
  - module: egov.ops.restore_accept
  - module: egov.ops.restore_undo
"""

EXAMPLES = r"""
- name: Carry out the request
  egov.ops.restore_run:
    request: 5f3c01ab
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: "Restored 3 files (42 bytes) of snapshot 315e7fd0 into their place in 2 s."
reason:
  description: Why it could not be done, for example V(refused) or V(mismatch).
  returned: always
  type: str
  sample: ""
evidence:
  description: One record, of the set.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Always V(restore).
      returned: always
      type: str
      sample: restore
    subject:
      description: Name of the set.
      returned: always
      type: str
      sample: config
    status:
      description: V(ok), or V(failed), then with the old data in its place.
      returned: always
      type: str
      sample: ok
    detail:
      description: Request, snapshot, people, sizes, times, what was not compared, message.
      returned: always
      type: dict
      sample:
        operation: 5f3c01ab
        snapshot: 315e7fd0
        mode: in_place
        requester: li@example.org
        approvers: [wang@example.org]
        files: 3
        bytes: 42
        seconds: 2.1
        bytes_per_second: 20
        down_seconds: 0.4
        not_compared: {}
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.backup import options
from ansible_collections.egov.ops.plugins.module_utils.backup.restores import job
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """Restore on the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.RESTORE, **module_options()), supports_check_mode=True)
    run_module(job.restore, module)


if __name__ == "__main__":
    main()
