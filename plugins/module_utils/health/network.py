# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network: links, errors, routes, names."""

import os

from ansible_collections.egov.ops.plugins.module_utils.health.probe import Absent
from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

_INTERFACES = "/sys/class/net"


def _routed(probe):
    # type: (Probe) -> list[str]
    """Return the interfaces of the default routes, IPv4 and IPv6."""
    rows = [line.split() for line in probe.read("/proc/net/route").splitlines()[1:]]
    found = [row[0] for row in rows if row[1] == "00000000" and row[7] == "00000000"]
    try:
        wide = [line.split() for line in probe.read("/proc/net/ipv6_route").splitlines()]
    except Absent:
        wide = []
    return found + [row[9] for row in wide if row[0] == 32 * "0" and row[1] == "00" and row[9] != "lo"]


def _interfaces(probe):
    # type: (Probe) -> list[str]
    """Return the interfaces that matter: hardware, and whatever carries a default route."""
    routed = _routed(probe)
    found = [
        name
        for name in probe.entries(_INTERFACES)
        if name in routed or os.path.exists(probe.path("%s/%s/device" % (_INTERFACES, name)))
    ]
    if not found:
        raise Absent("The host has no network interface of its own.")
    return found


def _field(probe, interface, field):
    # type: (Probe, str, str) -> str
    return probe.read("%s/%s/%s" % (_INTERFACES, interface, field)).strip()


def network_link(probe):
    # type: (Probe) -> list[Observation]
    """Whether each interface that is switched on has a link."""
    found = []
    for name in _interfaces(probe):
        if not int(_field(probe, name, "flags"), 16) & 1:  # IFF_UP: switched off on purpose
            continue
        state = _field(probe, name, "operstate")
        if state in ("down", "lowerlayerdown", "notpresent"):
            act = "Check cable, switch port and peer; switch an unused one off: ip link set %s down." % name
            found.append(probe.failed("Interface %s has no link (%s)." % (name, state), act, name))
        else:
            found.append(probe.passed("Interface %s has a link." % name, name))
    if not found:
        raise Absent("Every network interface is switched off.")
    return found


def network_errors(probe):
    # type: (Probe) -> list[Observation]
    """Share of each interface's packets that were sent or received with an error since it came up."""
    found = []
    for name in _interfaces(probe):
        counted = {
            counter: int(_field(probe, name, "statistics/" + counter))
            for counter in ("rx_packets", "tx_packets", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped")
        }
        errors = counted["rx_errors"] + counted["tx_errors"]
        share = 100.0 * errors / max(1, counted["rx_packets"] + counted["tx_packets"])
        message = "Interface %s had errors in %s%% of its packets (%d)" % (name, number(share), errors)
        act = "Check cable, plug, switch port and duplex: ethtool -S %s." % name
        found.append(probe.measured(share, "%", message, act, name, **counted))
    return found


def default_route(probe):
    # type: (Probe) -> list[Observation]
    """Whether the host knows a way beyond its own networks."""
    if probe.entries(_INTERFACES) == ["lo"]:
        raise Absent("The host has no network interface but loopback.")
    routed = sorted(set(_routed(probe)))
    if not routed:
        return [probe.failed("The host has no default route.", "Set the gateway in the network configuration.")]
    return [probe.passed("The default route leaves by %s." % ", ".join(routed))]


def dns(probe, name="", address=""):
    # type: (Probe, str, str) -> list[Observation]
    """Whether the host resolves a name, its own for none, and to the right address if one is given."""
    import socket
    import time

    name = name or os.uname().nodename
    try:
        wire = name.encode("ascii")
    except UnicodeEncodeError:
        wire = name.encode("idna")  # not for every name: its tables cost 3 ms of each run
    started = time.monotonic()
    try:
        found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(wire, None)})
    except OSError as error:
        act = "Check /etc/resolv.conf, /etc/hosts and the name servers."
        return [probe.failed("%s does not resolve: %s." % (name, error.strerror), act)]
    if address and address not in found:
        message = "%s resolves to %s and not to %s." % (name, ", ".join(found), address)
        return [probe.failed(message, "Correct the record at the name server.")]
    taken = time.monotonic() - started
    message = "%s resolves to %s in %s s" % (name, ", ".join(found[:3]), number(taken))
    return [probe.measured(taken, "s", message, "Check the name servers' load and reachability.", addresses=found[:20])]


def nameserver_addresses(probe):
    # type: (Probe) -> list[str]
    """Return the name servers of resolv.conf."""
    rows = [line.split() for line in probe.read("/etc/resolv.conf").splitlines()]
    return [row[1] for row in rows if row[:1] == ["nameserver"] and len(row) > 1]


def nameservers(probe, query="localhost"):
    # type: (Probe, str) -> list[Observation]
    """Whether a name server of resolv.conf answers a question, whatever the answer."""
    import socket
    import struct

    labels = [label.encode("idna") for label in query.strip(".").split(".")]
    question = b"".join(struct.pack("B", len(label)) + label for label in labels) + b"\0\0\1\0\1"
    family = socket.AF_INET6 if ":" in probe.subject else socket.AF_INET
    act = "Check the name server, or take it out of /etc/resolv.conf."
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as link:
            link.connect((probe.subject, 53))
            number_asked = os.urandom(2)
            link.send(number_asked + b"\1\0\0\1\0\0\0\0\0\0" + question)
            while link.recv(4096)[:2] != number_asked:
                pass
    except OSError as error:
        return [probe.failed("Name server %s does not answer: %s." % (probe.subject, error.strerror), act)]
    return [probe.passed("Name server %s answers." % probe.subject)]
