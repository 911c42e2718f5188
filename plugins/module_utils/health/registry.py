# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of probes: one line each."""

from ansible_collections.egov.ops.plugins.module_utils.health import (
    clock,
    cpu,
    disk,
    kernel,
    memory,
    network,
    processes,
    services,
    sockets,
    tls,
    web,
)
from ansible_collections.egov.ops.plugins.module_utils.host.public import (
    secrets_of_command,
    secrets_of_headers,
    secrets_of_text,
    secrets_of_url,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.health.types import Check, Each, Parameters, SecretsOf

    Found = TypeVar("Found")


class Kind:
    """A kind: its check, and what the prober has to know of it.

    limit: the check only measures, so a probe needs `warning` or `critical`.
    silence: no answer in time is the fault looked for, not a gap in the knowledge.
    each: returns the things that the check looks at, each in a process of its own; it must not block.
    secret: the parameters that may hold a secret and never leave the host, each with the function that returns what of
    its value is taken out of whatever the check has heard.
    The arguments of both after the first are the parameters of the kind.
    """

    def __init__(self, check, limit=False, silence=False, each=None, secret=None):
        # type: (Check, bool, bool, Each | None, dict[str, SecretsOf] | None) -> None
        self.check = check
        self.limit = limit
        self.silence = silence
        self.each = each
        self.secret = secret or {}

    def parameters(self):
        # type: () -> dict[str, bool]
        """Return the names of the parameters, in order, and whether a probe must have them."""
        found = _arguments(self.check)
        if self.each:
            found.update(_arguments(self.each))
        return found


def call(function, probe, parameters):
    # type: (Callable[..., Found], Probe, Parameters) -> Found
    """Call a check, or what lists its things, with those of the probe's parameters that it takes."""
    wanted = _arguments(function)
    return function(probe, **{name: value for name, value in parameters.items() if name in wanted})


def _arguments(function):
    # type: (Callable[..., object]) -> dict[str, bool]
    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount]
    required = len(names) - len(function.__defaults__ or ())
    return {name: place < required for place, name in enumerate(names)}


def _unheard(_value):
    # type: (object) -> list[str]
    """Of a parameter that no check says and no tool is given nothing need be taken out."""
    return []


KINDS = {
    "certificate_served": Kind(tls.certificate_served, limit=True, silence=True),
    "certificate_stored": Kind(tls.certificate_stored, limit=True),
    "clock_skew": Kind(clock.clock_skew, limit=True),
    "conntrack": Kind(kernel.conntrack, limit=True),
    "cpu_usage": Kind(cpu.cpu_usage, limit=True),
    "default_route": Kind(network.default_route),
    "dns": Kind(network.dns, silence=True),
    "ecc_errors": Kind(memory.ecc_errors, limit=True),
    "failed_units": Kind(services.failed_units, limit=True),
    "file_age": Kind(services.file_age, limit=True),
    "file_descriptors": Kind(kernel.file_descriptors, limit=True),
    "filesystem_errors": Kind(disk.filesystem_errors, limit=True),
    "filesystem_inodes": Kind(disk.filesystem_inodes, limit=True, each=disk.writable_mount_points),
    "filesystem_space": Kind(disk.filesystem_space, limit=True, each=disk.writable_mount_points),
    "http": Kind(
        web.http,
        silence=True,
        secret={"url": secrets_of_url, "headers": secrets_of_headers, "contains": _unheard},
    ),
    "kernel_errors": Kind(kernel.kernel_errors, limit=True),
    "kernel_taint": Kind(kernel.kernel_taint),
    "listen_queue": Kind(sockets.listen_queue, limit=True),
    "listening_ports": Kind(sockets.listening_ports),
    "load": Kind(cpu.load, limit=True),
    "login": Kind(services.login),
    "memory": Kind(memory.memory, limit=True),
    "mounts_alive": Kind(disk.mounts_alive, silence=True, each=disk.mount_points),
    "nagios_plugin": Kind(services.nagios_plugin, secret={"command": secrets_of_command}),
    "nameservers": Kind(network.nameservers, silence=True, each=network.nameserver_addresses),
    "network_errors": Kind(network.network_errors, limit=True),
    "network_link": Kind(network.network_link),
    "ntp_offset": Kind(clock.ntp_offset, limit=True, silence=True),
    "oom_kills": Kind(kernel.oom_kills, limit=True),
    "outdated_processes": Kind(processes.outdated_processes, limit=True),
    "pressure": Kind(cpu.pressure, limit=True),
    "process_count": Kind(processes.process_count, limit=True),
    "processes": Kind(kernel.processes, limit=True),
    "raid": Kind(disk.raid),
    "read_only_mounts": Kind(disk.read_only_mounts),
    "reboot_required": Kind(kernel.reboot_required),
    "service": Kind(services.service),
    "swap": Kind(memory.swap, limit=True),
    "tcp": Kind(sockets.tcp, silence=True, secret={"send": secrets_of_text, "expect": _unheard}),
    "temperature": Kind(kernel.temperature, limit=True),
    "time_sync": Kind(clock.time_sync),
    "uninterruptible": Kind(processes.uninterruptible, limit=True),
    "uptime": Kind(kernel.uptime, limit=True),
    "zombies": Kind(processes.zombies, limit=True),
}
