#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/hardening/auditor.py."""

DOCUMENTATION = r"""
module: hardening_audit
short_description: Compare a host with its security controls in one round trip
version_added: 0.1.0
description:
  - Looks at the effective state of a host with all controls of the plan and writes nothing. Effective means what the
    kernel has and would have after the next start, what C(sshd -T) says for each C(Match) block, the stack of PAM with
    all it includes, drop-ins and the files that hide them.
  - Leaves one record for each control, with its title, what is, what is wanted, the next act and the clauses.
  - What this user may not read is C(unknown) with the reason C(permission), never C(ok). What the host does not have
    is C(skipped) with the reason C(not_applicable).
  - A value that the SSH server gives to the connections of a C(Match) block alone is a C(warning), whatever the
    severity of its control.
  - A control that makes no sense is C(unknown) with a sentence; the others are judged.
  - A finding never fails the task; it is evidence, which M(egov.ops.run_verdict) judges at the end of a run.
options:
  controls:
    description:
      - The controls by id. Without it, those of the plan variable C(egov_ops_controls) are used.
      - "Each is a dictionary with C(primitive), C(expected) and C(clauses), a list of clauses of GB/T 22239-2019
        (V(8.1.4.1a)) and of the plan (V(S5.2-1)); with C(title), a dictionary of V(en) and V(zh); C(severity),
        V(warning) (the default) or V(critical); C(families), a list of V(deb) and V(rpm), the kinds of packages of the
        hosts that it is for; C(deb) and C(rpm), dictionaries of what differs there; C(act), what to do about a failure;
        and the arguments of its primitive."
      - "C(expected) is one or more alternatives joined by C( or ), each of them terms that must all hold: V(set),
        V(unset), V(none) and V(some) (a list without and with entries), V(=a|b), V(!=a|b), V(<=4), V(>=12), V(1..90),
        V(has:a|b) (a list with each),
        V(lacks:*cbc*|b) (a list with none that looks so), V(only:a|b*), V(mode<=0640) and V(umask>=027) (in bits),
        V(owner=root) and V(group=root|shadow)."
      - "Primitives for settings: C(sysctl) (keys, default; now and at the next start), C(sshd) (option), C(pam)
        (services, type, module, option, files, default; the modules of the stack, or an option of one), C(login_defs)
        (key, default), C(setting) (files, key, default), C(systemd_setting) (file, section, key, default, days),
        C(logrotate) (logs; days kept), C(shell) (variable), C(limit) (domain, item), C(sudo_default) (option, default),
        C(sudo_rules) (tag, spared), C(content) (files, patterns; the patterns that match)."
      - "Primitives for things: C(accounts) (fact, spared; names), C(file) (paths, kind; mode, owner and group, C(~)
        stands for the home of each person and C(self) for its owner), C(present) (paths, beside; those that are there,
        looked for where C(beside) is there), C(set_id) (known; other programs with the bit), C(open_folders), C(mount)
        (point; its options), C(module) (modules; V(loaded), V(loadable), V(blacklisted), V(blocked), V(built in) or
        V(missing)), C(access_control) (system; V(apparmor) or V(selinux)), C(package) (names; those installed),
        C(unit) (units, together; states as C(systemctl) says them), C(listening) (ports as V(22/tcp))."
      - "Facts of C(accounts) are C(changed_in_future), C(duplicate), C(empty_password), C(groupless),
        C(system_with_password), C(system_with_shell), C(uid_zero), C(unshadowed), C(weak_hash), C(without_expiry) and
        C(without_minimum)."
    type: dict
    default: {}
  timeout:
    description:
      - Seconds for all controls together. What has not begun by then is C(unknown).
    type: float
    default: 30.0
extends_documentation_fragment:
  - egov.ops.half
attributes:
  check_mode:
    support: full
    details:
      - It only reads, on every run.
  diff_mode:
    support: none
    details:
      - There is never a difference to show, because it changes nothing.
"""

EXAMPLES = r"""
- name: Compare the host with the plan
  egov.ops.hardening_audit:
  become: true

- name: Look at two controls alone
  egov.ops.hardening_audit:
    controls:
      AC-001:
        title: {en: root cannot log in over SSH, zh: 禁止 root 通过 SSH 登录}
        severity: critical
        clauses: [8.1.4.2b, S5.2-1]
        primitive: sshd
        option: PermitRootLogin
        expected: "=no"
      PORTAL-1:
        clauses: [8.1.4.2f]
        primitive: file
        paths: [/etc/portal/*.key]
        expected: mode<=0640 owner=root group=portal
  become: true
"""

RETURN = r"""
msg:
  description: The verdict in one sentence, with the worst finding.
  returned: always
  type: str
  sample: "Hardening: 1 critical, 120 ok; worst: root cannot log in over SSH: PermitRootLogin is yes; wanted: no."
summary:
  description: How many records have each status.
  returned: success
  type: dict
  sample: {critical: 1, ok: 120}
evidence:
  description: The worst five records.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Always V(control).
      returned: always
      type: str
      sample: control
    subject:
      description: Id of the control.
      returned: always
      type: str
      sample: AC-001
    status:
      description: One of V(ok), V(warning), V(critical), V(unknown) and V(skipped).
      returned: always
      type: str
      sample: critical
    reason:
      description: Why the status is not a plain judgement, for example V(permission) or V(not_applicable).
      returned: always
      type: str
      sample: ""
    clauses:
      description: The clauses that this is evidence for.
      returned: always
      type: list
      elements: str
      sample: [8.1.4.2b, S5.2-1]
    detail:
      description: Title, severity, primitive, expected, found, message and next act.
      returned: always
      type: dict
      sample:
        title: {en: root cannot log in over SSH, zh: 禁止 root 通过 SSH 登录}
        severity: critical
        primitive: sshd
        expected: "=no"
        found: {PermitRootLogin: "yes"}
        message: "root cannot log in over SSH: PermitRootLogin is yes; wanted: no."
        next: Set PermitRootLogin in /etc/ssh/sshd_config, where the first value counts; check with sshd -t and reload.
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 121
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.hardening import auditor, options
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """Look at the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.AUDIT, **module_options()), supports_check_mode=True)
    run_module(auditor.audit, module)


if __name__ == "__main__":
    main()
