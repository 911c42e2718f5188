#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/backup/repositories/catalogue.py."""

DOCUMENTATION = r"""
module: backup_catalog
short_description: List a host's backups in all repositories and judge whether their copies are enough
version_added: 0.2.0
description:
  - Gathers the snapshots of a host's sets from each repository that they and their copies lie in, in one shape, in one
    round trip. RV(snapshots) holds them.
  - Judges each set by 3-2-1-1-0 - three copies of the data, the original counted, on two kinds of place, one at another
    site, one that no client can remove, and no error. Only a repository that holds the newest snapshot counts.
  - A repository is at another site where its C(site) and the host's, C(egov_ops_site), are both given and differ. That
    no client can remove a copy is taken from the repository's C(immutable); a REST server or a bucket of S3 that the
    plan calls so is asked, and one that says otherwise does not count.
  - A set whose copies are not enough is C(warning), and the record says what is missing.
  - Judges by the ledger how old each set's newest good backup is, against its C(rpo) or cadence, unless
    M(egov.ops.backup_run) has done so in the same run; whether its size is unusual, and whether its backups take longer
    and longer. Fewer than eight backups are said to be too few.
  - Measures the repositories on the host, and says when each will be full, by a line through the measurements with its
    band, and whether what the plan keeps will fit. C(quota) bounds a repository, also one elsewhere.
  - Looks at what each repository in a folder of the host lies on, and writes nothing - whether its file system can be
    written and has recorded errors (ext4, btrfs), whether an array of md or device-mapper has lost members, whether a
    thin pool is full, and what each disk says of its own health (SMART, by smartctl 7 and newer, as root). A disk that
    cannot be asked without smartctl is C(unknown); one that a hypervisor, a cloud or a RAID controller shows says
    nothing, and is no finding.
  - Tells the locks of each repository. One that was left by a process of this host that is gone is removed; one that
    nobody has renewed for half an hour is C(warning), and C(critical) where it keeps backups out.
  - Tells for each set the bare commands by which a person restores it when controller and ledger are lost.
options:
  sets:
    description:
      - The sets by name. Without it, those of the plan variable C(egov_ops_backup_sets) are used.
      - Of each only C(class), C(repository), C(copies), C(rpo), C(full) and C(incremental) are used.
    type: dict
    default: {}
  site:
    description:
      - Place where the host stands. Without it, the plan variable C(egov_ops_site).
    type: str
    default: ""
  proofs:
    description:
      - The newest good proof or drill of each set, with C(snapshot) and C(time). Filled in by the action plugin from
        the ledger.
    type: dict
    default: {}
  checks:
    description:
      - The status of each repository's newest check. Filled in by the action plugin from the ledger.
    type: dict
    default: {}
  unproved:
    description:
      - Seconds since the newest good proof, or without one since the oldest snapshot, from which on a set is C(warning)
        and C(critical). Filled in by the action plugin from the plan variables C(egov_ops_unproved_warning) and
        C(egov_ops_unproved_critical).
    type: list
    elements: float
    default: []
  timeout:
    description:
      - Seconds for all repositories together.
    type: float
    default: 300.0
extends_documentation_fragment:
  - egov.ops.half
  - egov.ops.repositories
attributes:
  check_mode:
    support: full
    details:
      - Never writes anything on the host but what the engine caches, and removes no lock.
  diff_mode:
    support: none
    details:
      - It leaves nothing behind that could differ.
requirements:
  - restic 0.14 or newer on the host
  - smartmontools 7 or newer on a host with disks of its own, to ask them
seealso:
  - module: egov.ops.backup_prove
  - module: egov.ops.backup_run
"""

EXAMPLES = r"""
- name: Judge the copies of the host's sets
  egov.ops.backup_catalog:
  register: catalogue

- name: Name the snapshots of the configuration
  ansible.builtin.debug:
    msg: "{{ catalogue.snapshots | selectattr('class', 'equalto', 'config') | map(attribute='snapshot') }}"
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: 12 snapshots in 2 of 2 repositories; the copies of 1 of 1 sets are enough.
summary:
  description: How many sets have each status.
  returned: success
  type: dict
  sample: {ok: 1}
snapshots:
  description: >-
    The newest 2000 snapshots, newest first. RV(ignore:size) in bytes and RV(ignore:ratio) are known since restic 0.17;
    RV(ignore:chain) is the same for all copies of one snapshot.
  returned: success
  type: list
  elements: dict
  sample:
    - class: config
      host: web1
      set: config
      time: "2026-05-20T01:00:00Z"
      kind: full
      chain: 315e7fd0a1
      copy: local
      snapshot: 315e7fd0a1
      size: 1445449
      ratio: 2.1
      proved: "2026-05-20T01:10:00Z"
without_us:
  description: For each set the shell lines that restore its newest snapshot with restic alone, without any secret.
  returned: success
  type: dict
  sample:
    config:
      - "# from local; set and export RESTIC_PASSWORD_FILE, TARGET"
      - export RESTIC_REPOSITORY=/var/lib/egov-ops/host/repository
      - restic snapshots --host web1 --tag egov-ops,set=config
      - restic restore latest --host web1 --tag egov-ops,set=config --target "$TARGET"/config
snapshot_count:
  description: How many snapshots there are.
  returned: success
  type: int
  sample: 12
evidence:
  description: Records of each set and each repository.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: >-
        Of a set V(copies), V(freshness), V(size) and V(duration); of a repository V(lock) and V(storage).
      returned: always
      type: str
      sample: copies
    subject:
      description: Name of the set or the repository.
      returned: always
      type: str
      sample: config
    status:
      description: One of V(ok), V(warning), V(critical), V(unknown) and V(skipped).
      returned: always
      type: str
      sample: warning
    reason:
      description: V(no_history) where there are too few records for a judgement.
      returned: always
      type: str
      sample: ""
    clauses:
      description: The clauses of the operations plan that this is evidence for.
      returned: always
      type: list
      elements: str
      sample: [S6.2.2-1, S6.1.3-1, S6.1.3-2, S6.1.3-4]
    duration:
      description: Seconds that it took.
      returned: always
      type: float
      sample: 1.2
    detail:
      description: What was found, for example what is known of each place and what is missing; message, next act.
      returned: always
      type: dict
      sample:
        lacking: [none known to be at another site]
        snapshots: 12
        message: "The copies of set config are not enough: none known to be at another site."
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.backup import options
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import catalogue
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """Judge the backups of the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.CATALOGUE, **module_options()), supports_check_mode=True)
    run_module(catalogue.catalogue, module)


if __name__ == "__main__":
    main()
