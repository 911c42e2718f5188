# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets: who listens, who is too slow to accept, who answers."""

from ansible_collections.egov.ops.plugins.module_utils.health.probe import Absent
from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe


def _listeners(probe):
    # type: (Probe) -> list[tuple[int, bool, int]]
    """Return port, whether bound to loopback alone, and waiting connections of each listening TCP socket."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = [line.split() for line in probe.read(table).splitlines()[1:]]
        except Absent:
            continue  # a host without IPv6
        for row in rows:
            if row[3] == "0A":
                address, port = row[1].split(":")
                # words of the address in the byte order of the machine: 127.x.x.x and ::1
                loopback = address[-2:] == "7F" or address == 24 * "0" + "01000000"
                found.append((int(port, 16), loopback, int(row[4].split(":")[1], 16)))
    return found


def listening_ports(probe, expected=(), allowed=None):
    # type: (Probe, Any, Any) -> list[dict[str, Any]]
    """Whether each expected TCP port is listened on, and none beyond loopback that is not allowed."""
    listeners = _listeners(probe)
    ports = {port for port, _loopback, _waiting in listeners}
    found = []
    for port in map(int, expected):
        name = "tcp/%d" % port
        if port in ports:
            found.append(probe.passed("A service listens on %s." % name, name))
        else:
            found.append(probe.failed("No service listens on %s." % name, "Start the service of this port.", name))
    if allowed is not None:
        known = {int(port) for port in allowed} | {int(port) for port in expected}
        open_to_all = {port for port, loopback, _waiting in listeners if not loopback}
        others = ", ".join("tcp/%d" % port for port in sorted(open_to_all - known))
        if others:
            act = "Find the service (ss -ltnp), stop it or add its port to `allowed`."
            found.append(probe.failed("Services listen on ports not in the plan: %s." % others, act))
        else:
            found.append(probe.passed("No service listens on a port that is not in the plan."))
    if not found:
        raise ValueError("give `expected` or `allowed`")
    return found


def listen_queue(probe):
    # type: (Probe) -> list[dict[str, Any]]
    """Connections that wait for a service to accept them, at the service that is furthest behind."""
    listeners = _listeners(probe)
    if not listeners:
        raise Absent("No service listens on a TCP port.")
    waiting, port = max((waiting, port) for port, _loopback, waiting in listeners)
    message = "%d connections wait to be accepted on tcp/%d" % (waiting, port)
    act = "The service of tcp/%d is stopped or overloaded: look at it, then restart it." % port
    return [probe.measured(waiting, "connections", message, act, port=port)]


def split_address(address, default_port=0):
    # type: (str, int) -> tuple[str, int]
    """Return host and port of `host:port`, `[v6]:port` or, with a default port, `host`; raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        host, port = address, ""
    if not (port.isdigit() or (default_port and not port)):
        raise ValueError("%r is no address; write host:port" % address)
    return host.strip("[]"), int(port or default_port)


def tcp(probe, address, send="", expect=""):
    # type: (Probe, str, str, str) -> list[dict[str, Any]]
    """Whether a TCP port takes a connection, and gives an expected text if one is named."""
    import socket
    import time

    started = time.monotonic()
    heard = b""
    try:
        with socket.create_connection(split_address(address)) as link:
            if send:
                link.sendall(send.encode())
            while expect.encode() not in heard:
                chunk = link.recv(4096)
                heard += chunk
                if not chunk or len(heard) > 65536:
                    said = heard[:100].decode("utf-8", "replace")
                    act = "Check which service listens there."
                    return [probe.failed("%s answers %r and not %r." % (address, said, expect), act)]
    except OSError as error:
        message = "%s takes no connection: %s." % (address, error.strerror or error)
        return [probe.failed(message, "Check the service, its port and the firewalls between.")]
    taken = time.monotonic() - started
    message = "%s answers in %s s" % (address, number(taken))
    return [probe.measured(taken, "s", message, "Check the load of the service and of the network.")]
