#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/backup/proofs/proof.py."""

DOCUMENTATION = r"""
module: backup_prove
short_description: Prove the backups of a host by restoring from them
version_added: 0.1.0
description:
  - Restores a sample of the newest snapshot of each set into an empty folder below the host's state folder, compares it
    with the manifest that M(egov.ops.backup_run) put into the snapshot, and removes the folder, whatever happens.
  - Compares content (SHA-256), type, size, mode, owner, modification time, extended attributes and targets of links.
    What an ordinary user cannot set (owner, the system's extended attributes) is listed as not compared.
  - The sample always holds the newest file, the largest, and one with extended attributes where the set has one; the
    others are chosen by a seed, which is recorded, so that the choice can be repeated.
  - A set without a snapshot is C(failed).
options:
  sets:
    description:
      - The sets by name. Without it, those of the plan variable C(egov_ops_backup_sets) are used.
      - Of each only C(repository) is used.
    type: dict
    default: {}
  seed:
    description:
      - Decides which files are chosen. Without it, the run's id.
    type: str
    default: ""
  snapshot:
    description:
      - The snapshot to prove, by the beginning of its id, of the sets that have it; such as one that is to replace what
        is on a host. Without it, the newest of each set.
    type: str
    default: ""
  files:
    description:
      - Files and links to restore of each set; all of a smaller one. Without it, the plan variable
        C(egov_ops_backup_proof_files).
    type: int
    default: 0
  max_bytes:
    description:
      - Most bytes to restore of each set. A file of more than a quarter of it is too large to be chosen, which the
        record says. Without it, the plan variable C(egov_ops_backup_proof_bytes).
    type: int
    default: 0
  timeout:
    description:
      - Seconds for all sets together. A set that is not done by then is C(failed).
    type: float
    default: 1800.0
extends_documentation_fragment:
  - egov.ops.half
  - egov.ops.repositories
attributes:
  check_mode:
    support: full
    details:
      - Nothing is restored, so nothing is proved, and each set is C(skipped).
  diff_mode:
    support: none
    details:
      - It leaves nothing behind that could differ.
requirements:
  - restic 0.14 or newer on the host
seealso:
  - module: egov.ops.backup_run
"""

EXAMPLES = r"""
- name: Prove what the plan wants backed up
  egov.ops.backup_prove:

- name: Repeat the choice of an earlier run with more files
  egov.ops.backup_prove:
    seed: 20261124T060000Z-1f0c9a7be2d4
    files: 200
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: 2 of 2 backup sets are proved.
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
      description: Always V(proof).
      returned: always
      type: str
      sample: proof
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
      description: Why the status is not a plain success, for example V(mismatch).
      returned: always
      type: str
      sample: ""
    clauses:
      description: The clauses of the operations plan that this is evidence for.
      returned: always
      type: list
      elements: str
      sample: [S2.3-B3, S6.2.2-2]
    duration:
      description: Seconds that it took.
      returned: always
      type: float
      sample: 1.9
    detail:
      description: Snapshot, seed, files, bytes, seconds of the restore, differences, what was not compared, message.
      returned: always
      type: dict
      sample:
        seed: 20261124T060000Z-1f0c9a7be2d4
        snapshot: 315e7fd0
        files: 20
        bytes: 247540
        candidates: 1085
        restore_seconds: 0.655
        not_compared: {owner: 20}
        differences: {count: 0, first: []}
        message: 20 files (247540 bytes) of snapshot 315e7fd0 came back as they were.
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 2
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.backup import options
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs import proof
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """Prove the backups of the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.PROVE, **module_options()), supports_check_mode=True)
    run_module(proof.prove, module)


if __name__ == "__main__":
    main()
