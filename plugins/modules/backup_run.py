#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/backup/run.py."""

DOCUMENTATION = r"""
module: backup_run
short_description: Back up the sets of a host that are due
version_added: 0.1.0
description:
  - Looks into the catalogue of each repository, decides which sets are due for a full or an incremental backup, and
    makes their snapshots with restic, encrypted, in one round trip. The calendar decides, so a second call in the same
    period makes no second snapshot.
  - Puts a manifest into each snapshot. It lists each file with mode, owner, size, times, extended attributes and
    SHA-256, and M(egov.ops.backup_prove) compares with it what comes back.
  - A set that matches no file, a path that is missing, hangs or is a symbolic link, and a repository inside its own
    source that is not excluded are C(failed), never a quiet success. Files that cannot be read are counted and named,
    and the set is C(warning).
  - File systems from elsewhere (NFS, CIFS, FUSE and the like) that are mounted inside a set are left out and named, so
    that one that hangs stops nothing. Named as a path of a set, such a file system is backed up if it answers.
  - Sockets, fifos and devices are counted and named; there is nothing in them to back up.
  - A full backup reads and hashes each file again. An incremental one reads those whose size, times or inode differ.
  - Runs the command C(pre) of a set before it reads it, and C(post) afterwards, also where the backup failed. A command
    that fails or does not end in time fails its set.
  - Reads a set whose C(snapshot) is V(true) from a read-only snapshot of its file system. It is taken between C(pre)
    and C(post), on btrfs or on a logical volume of LVM, seen under the set's own paths by the backup alone, and removed
    in any case. What a killed run has left, the next one removes. A file system that gives none, a subvolume within the
    set, and a state folder or repository below its paths are C(failed). What is mounted within the set is read as it
    is then, and named.
  - Copies what is new of each set into the repositories that its C(copies) name, with C(restic copy) from the set's own
    repository, newest snapshot first. A copy that cannot be made is a failed record of its own and stops no backup.
  - Judges by the ledger, in the same task, how old each set's newest good backup is, against its C(rpo) or cadence. An
    older one is C(warning), and C(critical) at twice that, also where the backup fails or the host does not answer.
  - What takes longer than one round trip goes on beside it, and a line of progress is printed at least every 15
    seconds.
  - Beside each repository on the host itself lies a script, C(REPOSITORY.restore-HOST.sh), by which a person restores
    with restic alone; it is written when it changes and holds no secret.
  - A repository that is missing is made only where its C(create) says so and neither the ledger nor the host knows of
    snapshots in it.
options:
  sets:
    description:
      - The sets by name. Without it, those of the plan variable C(egov_ops_backup_sets) are used.
      - "Each is a dictionary with C(class), C(paths), C(exclude), C(repository), C(copies), C(pre), C(post),
        C(hook_timeout), C(snapshot) and C(snapshot_size) as in the plan; C(full_since) and C(incremental_since), the
        times (UTC, ISO 8601) from which on a snapshot counts; C(incremental), V(change) for a snapshot whenever
        something differs; and C(known) and C(known_copies), whether and in which copies the ledger knows of snapshots."
      - An absolute path in C(exclude) is taken as it stands, with all below it. Anything else is a pattern of file
        names, in which C(*) and C(?) are special.
    type: dict
    default: {}
  copy_seconds:
    description:
      - Seconds for the copies of all sets together, within O(timeout). The next run continues what does not fit.
    type: float
    default: 1800.0
  timeout:
    description:
      - Seconds for all sets together. A set that is not done by then is C(failed).
    type: float
    default: 3600.0
extends_documentation_fragment:
  - egov.ops.half
  - egov.ops.repositories
  - egov.ops.watched
attributes:
  check_mode:
    support: full
    details:
      - The sources and the catalogue are read, and nothing is written.
  diff_mode:
    support: full
    details:
      - Shows the paths that are new, gone or changed since the manifest before, up to 20 of each.
requirements:
  - restic 0.14 or newer on the host
seealso:
  - module: egov.ops.backup_prove
"""

EXAMPLES = r"""
- name: Back up what the plan wants
  egov.ops.backup_run:

- name: Back up the web server's pages, if anything has changed
  egov.ops.backup_run:
    sets:
      pages:
        class: other
        paths: [/srv/www]
        exclude: [/srv/www/cache, "*.tmp"]
        repository: local
        incremental: change
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: "2 of 2 backup sets are in order; 1 new snapshots."
summary:
  description: How many sets have each status.
  returned: success
  type: dict
  sample: {ok: 2}
evidence:
  description: One record for each set, and one for each of its copies.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(backup), or V(copy).
      returned: always
      type: str
      sample: backup
    subject:
      description: Name of the set; of a copy, C(SET to REPOSITORY).
      returned: always
      type: str
      sample: config
    status:
      description: One of V(ok), V(warning), V(failed) and V(skipped).
      returned: always
      type: str
      sample: warning
    reason:
      description: Why the status is not a plain success, for example V(unreadable_files) or V(not_due).
      returned: always
      type: str
      sample: unreadable_files
    clauses:
      description: The clauses of the operations plan that this is evidence for.
      returned: always
      type: list
      elements: str
      sample: [S6.1.1-3, S6.1.2-3]
    duration:
      description: Seconds that it took.
      returned: always
      type: float
      sample: 2.6
    detail:
      description: Snapshot, kind of backup, files, bytes, what could not be read or moved meanwhile, message, next act.
      returned: always
      type: dict
      sample:
        snapshot: 315e7fd0
        backup: full
        files: 1085
        bytes: 1445449
        added_bytes: 2126657
        unreadable: {count: 1, first: [/etc/shadow]}
        message: Snapshot 315e7fd0 (full) of 1085 files, 1445449 bytes; 1 could not be read (/etc/shadow).
        next: Run the backup as a user who may read these files, or exclude them.
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 2
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.backup import options, run
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """Back up the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.RUN, **module_options()), supports_check_mode=True)
    run_module(run.backup, module)


if __name__ == "__main__":
    main()
