#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/packages/scan.py."""

DOCUMENTATION = r"""
module: package_scan
short_description: Look at the pending updates of a host in one round trip
version_added: 0.1.0
description:
  - Asks the package manager's own library which updates are pending, with installed and candidate version, all origins
    and security class. It also records which packages are held or pinned, which processes still run files that an
    update has replaced, and whether the host has to be restarted and why.
  - An update is a security update if any version above the installed one, up to the candidate, was published as one.
    So one that was overtaken by a later version without that mark still counts.
  - Lists that are missing or older than O(max_lists_age), and a refresh that failed, make the pending updates
    C(unknown), never C(ok). A source that is away is enough.
  - A pending security update is C(warning), and C(critical) once an advisory is older than the deadline of its
    severity. apt's sources publish no dates, so there it stays C(warning). Other pending updates are C(ok).
  - What cannot be found out, because the package database is locked or broken or the library is missing, is C(unknown)
    with a sentence of its own, and everything else is recorded all the same.
  - Works with apt, dnf (not dnf5) and zypper.
options:
  refresh:
    description:
      - Whether the lists are refreshed first. Each source has to answer. In check mode they are not refreshed.
    type: bool
    default: false
  max_lists_age:
    description:
      - Seconds after which lists tell nothing. Without it, the plan variable C(egov_ops_max_lists_age) is used.
    type: float
  security_origins:
    description:
      - Patterns for the sources that hold security updates alone. Labels, suites, code names and sites of apt and ids
        of rpm repositories are compared. Without it, the plan variable C(egov_ops_security_origins) is used.
      - With rpm, the vendor's advisories (updateinfo) count beside it.
    type: list
    elements: str
    default: []
  deadlines:
    description:
      - Seconds after a security advisory by which its update has to be installed, by severity C(critical), C(high) and
        C(other). What is not given is taken from plan variables C(egov_ops_patch_deadline_critical) and its like.
    type: dict
    default: {}
  timeout:
    description:
      - Seconds for the whole look.
    type: float
    default: 120.0
extends_documentation_fragment:
  - egov.ops.half
attributes:
  check_mode:
    support: full
    details:
      - It only reads, but for the lists if O(refresh) is set. The package manager may renew caches of its own.
  diff_mode:
    support: none
    details:
      - There is never a difference to show, because it installs and removes nothing.
  platform:
    details:
      - The host needs Python 3.6 or newer, and for apt and dnf their library for the system's own Python, on which the
        scan then runs whatever interpreter the inventory names.
requirements:
  - python3-apt or python3-dnf on the host, for the system's own Python
"""

EXAMPLES = r"""
- name: Look at the pending updates
  egov.ops.package_scan:

- name: Refresh the lists first
  egov.ops.package_scan:
    refresh: true
  become: true
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: "Updates: 12 updates are pending, 2 of them security updates (libssl3, openssl)."
summary:
  description: How many records have each status.
  returned: success
  type: dict
  sample: {warning: 1, ok: 4}
evidence:
  description: The records.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: One of V(package_list), V(held), V(restarts) and V(reboot).
      returned: always
      type: str
      sample: package_list
    subject:
      description: The thing looked at, for a package list V(pending) or V(installed).
      returned: always
      type: str
      sample: pending
    status:
      description: One of V(ok), V(warning), V(critical), V(unknown), and V(failed) where another program held a lock.
      returned: always
      type: str
      sample: warning
    reason:
      description: Why it is V(unknown) or V(failed), for example V(stale_lists), V(busy) or V(permission).
      returned: always
      type: str
      sample: ""
    clauses:
      description: The clauses of the operations plan that this is evidence for.
      returned: always
      type: list
      elements: str
      sample: [S2.2-2c, S5.2-4]
    duration:
      description: Not measured for a single record.
      returned: always
      type: float
      sample: null
    detail:
      description: Counts, lists with the most urgent first and how many did not fit, a sentence and the next act.
      returned: always
      type: dict
      sample:
        counts: {pending: 12, security: 2, late: 0}
        updates:
          - name: openssl
            arch: amd64
            installed: 3.0.20-1~deb12u1
            candidate: 3.0.22-1~deb12u1
            origins: ["Debian-Security:oldstable-security/main (mirror.example)"]
            security: true
        omitted: 0
        message: 12 updates are pending, 2 of them security updates (libssl3, openssl).
        next: Plan their rollout within the deadlines.
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 5
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.respawn import has_respawned, probe_interpreters_for_module, respawn_module
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module
from ansible_collections.egov.ops.plugins.module_utils.packages import options, registry, scan


def main():
    # type: () -> None
    """Look at the host that the module runs on, on the Python that has the package manager's library."""
    module = AnsibleModule(argument_spec=dict(options.SCAN, **module_options()), supports_check_mode=True)
    missing = registry.missing_binding()
    interpreter = probe_interpreters_for_module(registry.INTERPRETERS, missing) if missing else None
    if interpreter and not has_respawned():
        respawn_module(interpreter)
    run_module(scan.scan, module)


if __name__ == "__main__":
    main()
