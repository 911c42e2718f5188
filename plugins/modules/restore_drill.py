#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/backup/restores/drill.py."""

DOCUMENTATION = r"""
module: restore_drill
short_description: Bring the backup sets of a host back into a sandbox
version_added: 0.2.0
description:
  - Restores the newest snapshot of each set whole into a folder of its own, compares each content, mode, owner, time,
    extended attribute and ACL with the manifest, and asks what the plan asserts of the set.
  - Measures how long that took (C(rto_seconds)) and how much time of work would be lost if the host were lost now
    (C(rpo_seconds), the age of the snapshot).
  - Works on the drill host of the plan, C(egov_ops_drill_host), if the task is delegated to it, else on the host
    itself.
  - Restores from the repository that the plan names in C(egov_ops_drill_copy), else from the first of the set's copies
    within reach, else from its own repository.
  - Space is checked before. The sandbox is removed whatever happens; what a killed drill left is removed by the next.
  - What takes longer than one round trip goes on beside it, and a line of progress is printed at least every 15
    seconds.
  - Changes nothing outside the sandbox, as far as the plan's own commands do not.
options:
  sets:
    description:
      - The sets by name. Without it, those of the plan variable C(egov_ops_backup_sets) are used.
      - Of each only C(repository) and C(copies) are used.
    type: dict
    default: {}
  copy:
    description:
      - Repository to restore from. Without it, the plan variable C(egov_ops_drill_copy).
    type: str
    default: ""
  folder:
    description:
      - Folder in which the sandboxes are made. Without it, the plan variable C(egov_ops_drill_folder).
    type: str
    default: ""
  assertions:
    description:
      - What must hold, by name, each with C(set), C(paths), C(command) and C(timeout). Without it, the plan variable
        C(egov_ops_drill_assertions).
    type: dict
    default: {}
  moved:
    description:
      - Files of each set that changed while they were backed up. Filled in by the action plugin from the ledger.
    type: dict
    default: {}
  timeout:
    description:
      - Seconds for all sets together.
    type: float
    default: 7200.0
extends_documentation_fragment:
  - egov.ops.half
  - egov.ops.repositories
  - egov.ops.watched
attributes:
  check_mode:
    support: full
    details:
      - Says what would be brought back and where, and writes nothing.
  diff_mode:
    support: none
    details:
      - It leaves nothing behind that could differ.
requirements:
  - restic 0.14 or newer on the host that the drill works on
seealso:
  - module: egov.ops.backup_prove
  - module: egov.ops.restore_run
"""

EXAMPLES = r"""
- name: Drill the restore of a host's sets on the backup server
  egov.ops.restore_drill:
  delegate_to: vault1

- name: Drill one set and ask its database dump
  egov.ops.restore_drill:
    sets:
      dumps: {class: other, paths: [/srv/dumps], repository: local}
    assertions:
      whole:
        set: dumps
        paths: [/srv/dumps/portal.sql]
        command: [grep, -q, dump complete, "{sandbox}/srv/dumps/portal.sql"]
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: "2 of 2 backup sets came back whole."
summary:
  description: How many sets have each status.
  returned: success
  type: dict
  sample: {ok: 2}
evidence:
  description: One record for each set.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Always V(drill).
      returned: always
      type: str
      sample: drill
    subject:
      description: Name of the set.
      returned: always
      type: str
      sample: config
    status:
      description: One of V(ok), V(failed) and V(skipped).
      returned: always
      type: str
      sample: ok
    reason:
      description: Why it is not a plain success, for example V(mismatch).
      returned: always
      type: str
      sample: ""
    detail:
      description: Snapshot, repository, sizes, times, what differs, how each assertion ended, message, next act.
      returned: always
      type: dict
      sample:
        repository: vault
        snapshot: 315e7fd0
        files: 1085
        bytes: 1445449
        rto_seconds: 4.2
        rpo_seconds: 3600
        differences: {count: 0, first: []}
        assertions: [{name: whole, status: ok, seconds: 0.1, message: ""}]
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 2
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.backup import options
from ansible_collections.egov.ops.plugins.module_utils.backup.restores import drill
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """Drill on the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.DRILL, **module_options()), supports_check_mode=True)
    run_module(drill.drill, module)


if __name__ == "__main__":
    main()
