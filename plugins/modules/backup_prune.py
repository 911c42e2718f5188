#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/backup/repositories/prune.py."""

DOCUMENTATION = r"""
module: backup_prune
short_description: Remove the snapshots of a host that the plan keeps no longer
version_added: 0.2.0
description:
  - Removes expired snapshots from the repositories that the sets of a host and their copies lie in, and frees their
    space. How long each class of data is kept stands in the plan variable C(egov_ops_backup_retention).
  - Never removes what C(egov_ops_backup_holds) holds, nor the newest proved snapshot of a set in a repository, nor
    anything of a set that has no proved snapshot there, nor a part of a chain.
  - A snapshot's age is when the controller first saw it, never what a client says. Only snapshots that a run of ours
    made take places in the count; others are kept as long as the class reaches back, and are a finding.
  - Repositories elsewhere are pruned with O(elsewhere) and C(delegate_to), by an access that clients do not have, the
    repository's C(prune_location) or C(prune_credentials_file). One that has neither is a finding.
  - A lock is removed where its holder was a process of the same host that is gone. For others it waits.
  - Stopped half-way, nothing that is kept is harmed, and the next call goes on.
  - Changes repositories, so its gates are asked, C(backup_prune) in the plan variable C(egov_ops_gates).
options:
  elsewhere:
    description:
      - Whether the repositories elsewhere are pruned, from the host that the task is delegated to, instead of those on
        the host itself.
    type: bool
    default: false
  sets:
    description:
      - The sets by name. Filled in by the action plugin from the plan variable C(egov_ops_backup_sets).
    type: dict
    default: {}
  rules:
    description:
      - How much is kept, by class. Filled in by the action plugin from the plan.
    type: dict
    default: {}
  holds:
    description:
      - The legal holds in force. Filled in by the action plugin from the plan.
    type: list
    elements: dict
    default: []
  proofs:
    description:
      - The proved snapshots of each set, newest first. Filled in by the action plugin from the ledger.
    type: dict
    default: {}
  known:
    description:
      - When the controller first saw each snapshot. Filled in by the action plugin.
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
  - egov.ops.changing
attributes:
  check_mode:
    support: full
    details:
      - Says what would be removed, and what the gates would say.
  diff_mode:
    support: full
    details:
      - Lists each snapshot, with a minus sign where it goes, and why the others stay.
requirements:
  - restic 0.14 or newer on the host, or on the one that the task is delegated to
seealso:
  - module: egov.ops.backup_catalog
  - module: egov.ops.backup_prove
"""

EXAMPLES = r"""
- name: Remove the expired snapshots of repositories on the host itself
  egov.ops.backup_prune:

- name: Remove the expired snapshots of repositories elsewhere, from the controller
  egov.ops.backup_prune:
    elsewhere: true
  delegate_to: localhost
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: 3 expired snapshots were removed from 1 repositories.
gate:
  description: What the gates said.
  returned: always
  type: dict
  sample: {allowed: true, action: backup_prune}
evidence:
  description: One record for each repository.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Always V(prune).
      returned: always
      type: str
      sample: prune
    subject:
      description: Name of the repository.
      returned: always
      type: str
      sample: local
    status:
      description: One of V(ok), V(warning) and V(failed).
      returned: always
      type: str
      sample: ok
    reason:
      description: Why the status is not a plain success, for example V(busy) or V(not_supported).
      returned: always
      type: str
      sample: ""
    clauses:
      description: The clauses of the operations plan that this is evidence for.
      returned: always
      type: list
      elements: str
      sample: [S6.2.2-3]
    duration:
      description: Seconds that it took.
      returned: always
      type: float
      sample: 2.4
    detail:
      description: >-
        How many snapshots there were, how many were expired and are removed, the first fifty of them, how many are kept
        for which reason, locks that were removed, message, next act.
      returned: always
      type: dict
      sample:
        repository: local
        snapshots: 40
        expired: 3
        removed: 3
        kept: {days: 30, weeks: 6, proved: 1}
        strange: 0
        message: 3 of 40 snapshots of repository local were expired and are removed.
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.backup import options
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import prune
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """Prune repositories on the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.PRUNE, **module_options()), supports_check_mode=True)
    run_module(prune.prune, module)


if __name__ == "__main__":
    main()
