#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/health/prober.py."""

DOCUMENTATION = r"""
module: health_probe
short_description: Check the health of a host in one round trip
version_added: 0.1.0
description:
  - Runs all probes of a host side by side, each in a process of its own with its own deadline, so that a hung mount,
    dead name servers and a silent port cost three seconds together and hide nothing.
  - Leaves one record for each thing looked at, with value, unit, layer, limits, a sentence and the next act.
  - A finding never fails the task; it is evidence, which M(egov.ops.run_verdict) judges at the end of a run.
options:
  probes:
    description:
      - The probes by name. Without it, those of the plan variable C(egov_ops_probes) are used.
      - "Each is a dictionary with C(kind) and C(layer), which is V(infrastructure), V(platform) or V(application); with
        C(warning) and C(critical), limits for the value; C(severity), V(warning) or V(critical) (the default), the
        status of a probe that finds something missing or broken rather than a value; C(timeout), seconds, 3 by default
        and at most 4; and the parameters of its kind."
      - "Limits are ranges as the monitoring plugins write them, in quotes. V(80) alerts above 80, V(10:) below 10,
        V(~:5) above 5, V(10:20) outside and V(@10:20) inside 10 to 20. A kind with a unit below needs one of them."
      - "Kinds for hardware and network: C(cpu_usage) (%; seconds), C(load) (for each processor), C(memory) (%), C(swap)
        (%), C(ecc_errors) (errors), C(temperature) (degrees), C(filesystem_space) (%; exclude), C(filesystem_inodes)
        (%; exclude), C(filesystem_errors) (errors), C(read_only_mounts) (exclude), C(mounts_alive) (exclude), C(raid),
        C(network_link), C(network_errors) (%), C(default_route)."
      - "Kinds for the operating system: C(pressure) (%; resource is V(cpu), V(memory) or V(io)), C(processes) (%),
        C(zombies) (processes), C(uninterruptible) (processes; seconds), C(file_descriptors) (%), C(conntrack) (%),
        C(kernel_errors) (errors; hours), C(kernel_taint), C(oom_kills) (processes; hours), C(uptime) (days),
        C(reboot_required), C(failed_units) (units), C(service) (unit), C(login), C(time_sync), C(ntp_offset) (seconds;
        server, port), C(clock_skew) (seconds), C(dns) (name, address), C(nameservers) (query)."
      - "Kinds for applications: C(http) (url, status, contains, headers, verify, ca_file), C(tcp) (address, send,
        expect), C(listening_ports) (expected, allowed), C(listen_queue) (%), C(process_count) (processes; name),
        C(outdated_processes) (processes), C(certificate_served) (days; address, server_name, verify, ca_file),
        C(certificate_stored) (days; paths), C(file_age) (hours; path), C(nagios_plugin) (command)."
      - "What may hold a secret never leaves the host: of C(url) its user and password, which are sent as Basic
        authentication, and the values of its query; C(headers); C(contains), C(send) and C(expect); the arguments of
        C(command), of which only the program is named. In a user or password of a URL write C(/ ? # @ :) as
        C(%2F %3F %23 %40 %3A). What follows an option such as C(-p), C(-a) or C(--token) in C(command) is taken out of
        what the plugin says."
    type: dict
    default: {}
  timeout:
    description:
      - Seconds for all probes together. What has not begun by then is C(unknown).
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
- name: Check what the plan wants checked
  egov.ops.health_probe:

- name: Check a web application from its own host
  egov.ops.health_probe:
    probes:
      portal:
        kind: http
        layer: application
        url: http://127.0.0.1:8080/health
        contains: ready
        warning: "1"
      portal_certificate:
        kind: certificate_served
        layer: application
        address: portal.example.org:443
        warning: "30:"
        critical: "7:"
"""

RETURN = r"""
msg:
  description: The verdict in one sentence, with the worst finding.
  returned: always
  type: str
  sample: "Health: 1 warning, 31 ok, 7 skipped; worst: /var is 91% full (limit 85%)."
summary:
  description: How many records have each status.
  returned: success
  type: dict
  sample: {warning: 1, ok: 31, skipped: 7}
evidence:
  description: The worst five records.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the probe.
      returned: always
      type: str
      sample: filesystem_space
    subject:
      description: The thing looked at.
      returned: always
      type: str
      sample: /var
    status:
      description: One of V(ok), V(warning), V(critical), V(unknown) and V(skipped).
      returned: always
      type: str
      sample: warning
    reason:
      description: Why the status is not a plain judgement, for example V(permission) or V(not_applicable).
      returned: always
      type: str
      sample: ""
    clauses:
      description: The clauses of the operations plan that this is evidence for.
      returned: always
      type: list
      elements: str
      sample: [S3.1-1, S3.1-2, S3.2.1-1]
    duration:
      description: Seconds that it took.
      returned: always
      type: float
      sample: 0.004
    detail:
      description: Probe, layer, value, unit, limits, message, next act, and facts of the kind.
      returned: always
      type: dict
      sample:
        probe: file_system_space
        layer: infrastructure
        value: 91
        unit: "%"
        warning: "85"
        critical: "95"
        message: /var is 91% full (limit 85%).
        next: "Free or add space; the largest folders: du -xh /var | sort -h | tail."
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 39
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.health import options, prober
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """Check the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.PROBE, **module_options()), supports_check_mode=True)
    run_module(prober.probe, module)


if __name__ == "__main__":
    main()
