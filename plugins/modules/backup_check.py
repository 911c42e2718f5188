#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/backup/proofs/integrity_check.py."""

DOCUMENTATION = r"""
module: backup_check
short_description: Read the repositories of a host again and compare their data with its hashes
version_added: 0.2.0
description:
  - Checks the structure of each repository that the sets of a host and their copies lie in, and reads its data again,
    in eight parts, as C(restic check --read-data-subset) divides them. A part that does not fit into the time is the
    next run's first.
  - Reads each pack of a repository on the host itself that is new since the last check, and compares it with its name.
  - Takes no lock, so that no backup waits for it.
  - Damage is C(critical), in the engine's own words, also where the engine ends with code 0.
  - Tries the key that is kept in escrow, where the repository's C(escrow_file) is there, and says whether it opens it.
    Of any other repository it says by the ledger when that was last shown. A test holds for 100 days and until the key
    is rotated; without one the record is C(warning) in the procedures C(quarterly) and C(backup_verify), and C(skipped)
    in any other.
options:
  sets:
    description:
      - The sets by name. Without it, those of the plan variable C(egov_ops_backup_sets) are used.
      - Of each only C(repository) and C(copies) are used.
    type: dict
    default: {}
  data:
    description:
      - V(new) reads two of the eight parts, so that over four weeks all is read, and what is new on the host itself.
        V(all) reads all.
      - Without it, the weekly procedure reads V(new), and any other V(all).
    type: str
    choices: [new, all]
  escrow:
    description:
      - The repositories of which an escrowed key is tried, with why the controller could not read it. Filled in by the
        action plugin from the plan.
    type: dict
    default: {}
  timeout:
    description:
      - Seconds for all repositories together.
    type: float
    default: 3600.0
extends_documentation_fragment:
  - egov.ops.half
  - egov.ops.repositories
attributes:
  check_mode:
    support: full
    details:
      - Nothing is read, and each repository is C(skipped).
  diff_mode:
    support: none
    details:
      - It leaves nothing behind that could differ.
requirements:
  - restic 0.14 or newer on the host
seealso:
  - module: egov.ops.backup_prove
  - module: egov.ops.backup_run
"""

EXAMPLES = r"""
- name: Read all data of the repositories again
  egov.ops.backup_check:

- name: Read what is new
  egov.ops.backup_check:
    data: new
    timeout: 600
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: 1 of 1 repositories are sound as far as they were read.
summary:
  description: How many repositories have each status.
  returned: success
  type: dict
  sample: {ok: 1}
evidence:
  description: Two records for each repository, of its data and of its key in escrow.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(check), or V(escrow) of an escrowed key.
      returned: always
      type: str
      sample: check
    subject:
      description: Name of the repository.
      returned: always
      type: str
      sample: local
    status:
      description: One of V(ok), V(warning), V(critical), V(failed), V(unknown) and V(skipped).
      returned: always
      type: str
      sample: critical
    reason:
      description: Why the status is not a plain success, V(mismatch) for damage.
      returned: always
      type: str
      sample: mismatch
    clauses:
      description: The clauses of the operations plan that this is evidence for.
      returned: always
      type: list
      elements: str
      sample: [S6.2.2-2]
    duration:
      description: Seconds that it took.
      returned: always
      type: float
      sample: 4.2
    detail:
      description: Repository, parts read, packs hashed, message, next act.
      returned: always
      type: dict
      sample:
        repository: local
        parts: 8
        first: 3
        read: 2
        new_packs: 4
        hashed: 4
        message: 2 of 8 parts of repository local were read again and are sound.
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.backup import options
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs import integrity_check
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """Check the repositories of the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.CHECK, **module_options()), supports_check_mode=True)
    run_module(integrity_check.check, module)


if __name__ == "__main__":
    main()
