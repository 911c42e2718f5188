#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/backup/repositories/key_rotation.py."""

DOCUMENTATION = r"""
module: key_rotate
short_description: Rotate the keys of a host's repositories without a moment in which none opens them
version_added: 0.2.0
description:
  - In the stage V(add), gives each repository of a host a key with a new password beside the old one, and proves that
    it opens the repository.
  - In the stage V(remove), puts the new password where the plan takes it from, and then removes the old key, by its id.
    A file is changed when each repository of each managed host of the inventory that has its password from it was
    proved to open by the new one. For a password that stands in the plan or comes from a command, it says which file
    holds the new one and goes on once the plan has it.
  - In the stage V(undo), takes the new key back, as long as the plan has the old password.
  - Stopped at any moment, the password that the plan has opens each repository, and the next call goes on. The new
    password lies in C(rotation/) of the controller's state folder until the last old key is gone.
  - Changes repositories, so its gates are asked, C(key_rotate) in the plan variable C(egov_ops_gates).
options:
  stage:
    description:
      - What is done. For a whole rotation, run V(add) on all hosts and then V(remove), as C(egov.ops.key_rotate) does.
    type: str
    choices: [add, remove, undo]
    required: true
  known:
    description:
      - The ids of the keys that earlier stages have told. Filled in by the action plugin.
    type: dict
    default: {}
  timeout:
    description:
      - Seconds for all repositories together.
    type: float
    default: 600.0
extends_documentation_fragment:
  - egov.ops.half
  - egov.ops.repositories
  - egov.ops.changing
attributes:
  check_mode:
    support: full
    details:
      - Says which keys would be added or removed, and what the gates would say.
  diff_mode:
    support: none
    details:
      - Keys are secrets.
requirements:
  - restic 0.14 or newer on the host
seealso:
  - module: egov.ops.backup_check
"""

EXAMPLES = r"""
- name: Give the repositories a new key beside the old one
  egov.ops.key_rotate:
    stage: add

- name: Change the password where all have the new key, and remove the old one
  egov.ops.key_rotate:
    stage: remove
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: 1 of 1 repositories are through with the stage add.
gate:
  description: What the gates said.
  returned: always
  type: dict
  sample: {allowed: true, action: key_rotate}
evidence:
  description: One record for each repository.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Always V(key).
      returned: always
      type: str
      sample: key
    subject:
      description: Name of the repository.
      returned: always
      type: str
      sample: local
    status:
      description: V(ok) or V(failed).
      returned: always
      type: str
      sample: ok
    reason:
      description: Why it could not be done, for example V(refused) or V(mismatch).
      returned: always
      type: str
      sample: ""
    clauses:
      description: The clauses of the operations plan that this is evidence for.
      returned: always
      type: list
      elements: str
      sample: [S6.2.2-4]
    duration:
      description: Seconds that it took.
      returned: always
      type: float
      sample: 1.4
    detail:
      description: Repository, stage, ids of the keys, message, next act.
      returned: always
      type: dict
      sample:
        repository: local
        stage: add
        old: bbd566d8
        new: 1f0c9ab2
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.backup import options
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import key_rotation
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """Do one stage of a rotation on the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.ROTATE, **module_options()), supports_check_mode=True)
    run_module(key_rotation.rotate, module)


if __name__ == "__main__":
    main()
