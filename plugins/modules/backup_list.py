#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/backup/restores/listing.py."""

DOCUMENTATION = r"""
module: backup_list
short_description: Find snapshots and paths of a host, and what a restore of them would be
version_added: 0.1.0
description:
  - Lists the snapshots of a host's sets, newest first, in one round trip. Where one set is meant, it reads the manifest
    of its newest snapshot that is not later than O(at), and lists the paths that are asked for.
  - RV(operation) holds the whole description of their restore, with files, bytes and the estimated duration. It is what
    a request takes.
  - The duration is estimated by the bytes per second of the set's newest restores, else of its proofs, as the ledger
    has them. Where it has neither, 20 MB/s are assumed. RV(estimated) says which.
  - Changes nothing.
options:
  sets:
    description:
      - The sets by name. Without it, those of the plan variable C(egov_ops_backup_sets) are used.
      - Of each only C(repository) and C(stop) are used.
    type: dict
    default: {}
  set:
    description:
      - The set that is meant. Without it, the run option C(egov_ops_restore_set), else all sets.
    type: str
    default: ""
  paths:
    description:
      - Paths of the set, each with all below it. One with C(*), C(?) or C([) is a pattern, in which C(*) matches
        slashes too, unless it is a path of the set as it stands. Without it, the run option C(egov_ops_restore_paths),
        else the whole set.
      - A path that the snapshot does not have is refused, with the nearest that it has.
    type: list
    elements: str
    default: []
  at:
    description:
      - Time (UTC) after which no snapshot is wanted, C(2026-01-31T02:30:00Z), or a day. Without it, the run option
        C(egov_ops_restore_at), else now.
    type: str
    default: ""
  snapshot:
    description:
      - First hex digits of the snapshot that is wanted.
    type: str
    default: ""
  mode:
    description:
      - V(beside) restores into a folder of its own, V(in_place) into the place of what is there. Without it, the run
        option C(egov_ops_restore_mode).
    type: str
    choices: [beside, in_place]
  destination:
    description:
      - The folder that V(beside) makes; in it lie the paths as in the snapshot. Without it, the run option
        C(egov_ops_restore_destination), else C(SET.restored-SNAPSHOT) beside the first path.
    type: str
    default: ""
  of:
    description:
      - Host of the inventory whose set is to be restored on this one; its sets, repositories and passwords are those of
        its own plan. Without it, the run option C(egov_ops_restore_of), else this host.
    type: str
    default: ""
  from_repository:
    description:
      - Repository from which it is wanted, one of the set's copies or its own; V(any) takes the first within reach.
        Without it, the run option C(egov_ops_restore_from), else the set's own.
    type: str
    default: ""
  target:
    description:
      - The host that takes the set of another. Filled in by the action plugin, never by hand.
    type: str
    default: ""
  timeout:
    description:
      - Seconds for the whole call.
    type: float
    default: 600.0
extends_documentation_fragment:
  - egov.ops.half
  - egov.ops.repositories
attributes:
  check_mode:
    support: full
    details:
      - Never writes anything on the host.
  diff_mode:
    support: none
    details:
      - Nothing differs afterwards.
requirements:
  - restic 0.14 or newer on the host
seealso:
  - module: egov.ops.restore_run
"""

EXAMPLES = r"""
- name: See which snapshots the host has
  egov.ops.backup_list:

- name: Find the pages as they were last night
  egov.ops.backup_list:
    set: pages
    paths: [/srv/www/index.html]
    at: 2026-05-20T02:30:00Z
    mode: in_place
  register: pages_found
"""

RETURN = r"""
msg:
  description: What was found, in one sentence.
  returned: always
  type: str
  sample: "Snapshot 315e7fd0 of set pages is of 2026-05-20T01:00:00Z: 3 files, 42 bytes in /srv/www."
snapshots:
  description: The newest 200 snapshots, newest first, each with id, time (UTC), set, kind and repository.
  returned: success
  type: list
  elements: dict
  sample:
    - {snapshot: 315e7fd0a1, time: "2026-05-20T01:00:00Z", set: pages, kind: full, repository: local}
snapshot_count:
  description: How many snapshots there are.
  returned: success
  type: int
  sample: 1
paths:
  description: The first 200 paths, each with type, size in bytes and time of its last change.
  returned: success
  type: list
  elements: dict
  sample:
    - {path: /srv/www/index.html, type: file, size: 42, modified: "2026-05-19T08:00:00Z"}
path_count:
  description: How many paths there are, folders included.
  returned: success
  type: int
  sample: 1
operation:
  description:
    - What a request of this restore takes; empty where more than one set is meant.
    - Where a path holds characters that a terminal obeys, the same as JSON in ASCII, which a request takes too.
  returned: success
  type: dict
  sample:
    host: web1
    set: pages
    repository: local
    snapshot: 315e7fd0a1
    snapshot_time: "2026-05-20T01:00:00Z"
    paths: [/srv/www/index.html]
    mode: in_place
    destination: ""
    files: 1
    bytes: 42
    stop: [nginx.service]
    seconds: 5.0
estimated:
  description: By what the seconds of the operation are told.
  returned: when there is an operation
  type: str
  sample: by 5 proofs of the set (31.2 MB/s)
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.backup import options
from ansible_collections.egov.ops.plugins.module_utils.backup.restores import listing
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """List the backups of the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.LIST, **module_options()), supports_check_mode=True)
    run_module(listing.listing, module)


if __name__ == "__main__":
    main()
