# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets: who listens, who is too slow to accept, who answers."""

import struct

from ansible_collections.egov.ops.plugins.module_utils.health.probe import Absent, Unusable
from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import number
from ansible_collections.egov.ops.plugins.module_utils.host.members import members_of
from ansible_collections.egov.ops.plugins.module_utils.host.public import public_url, secrets_of_text
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.health.types import Words
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

#: Numbers of linux/netlink.h, linux/sock_diag.h and net/tcp_states.h; those of the socket module would load it early.
_AF_INET, _AF_INET6 = 2, 10
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP = 4, 20, 0x301
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_TCP_LISTEN = 10


class Listener:
    """A listening TCP socket: port, whether loopback alone reaches it, connections waiting, room for them."""

    def __init__(self, answer):
        # type: (bytes) -> None
        """Read a struct inet_diag_msg of the kernel."""
        family = struct.unpack_from("B", answer)[0]
        self.port = struct.unpack_from("!H", answer, 4)[0]
        self.waiting, self.backlog = struct.unpack_from("=II", answer, 56)
        address = answer[8:12] if family == _AF_INET else answer[8:24]
        self.loopback = address[:1] == b"\x7f" if len(address) == 4 else address == 15 * b"\0" + b"\1"


def listeners():
    # type: () -> list[Listener]
    """Return the listening TCP sockets of this network namespace.

    Asked by netlink: /proc/net/tcp makes the kernel walk the table of all connections (8 ms on an idle host) and
    does not tell the size of a queue.
    """
    import socket

    found = []  # type: list[Listener]
    for family in (_AF_INET, _AF_INET6):
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as link:
            body = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, 1 << _TCP_LISTEN) + 48 * b"\0"
            link.send(struct.pack("=IHHII", 16 + len(body), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0) + body)
            found += _answers(link)
    return found


def _answers(link):
    # type: (socket.socket) -> list[Listener]
    found = []  # type: list[Listener]
    while True:
        data = link.recv(65536)
        while data:
            size, sort = struct.unpack_from("=IH", data)
            if sort == _NLMSG_ERROR:
                raise Absent("This kernel does not tell who listens (it lacks the module tcp_diag).")
            if sort == _NLMSG_DONE:
                return found
            found.append(Listener(data[16:size]))
            data = data[(size + 3) & ~3 :]


def listening_ports(probe, expected=(), allowed=None):
    # type: (Probe, Words, Words | None) -> list[Observation]
    """Whether each expected TCP port is listened on, and none beyond loopback that is not allowed."""
    sockets = listeners()
    ports = {listener.port for listener in sockets}
    found = []
    for port in map(int, expected):
        name = "tcp/%d" % port
        if port in ports:
            found.append(probe.passed("A service listens on %s." % name, name))
        else:
            found.append(probe.failed("No service listens on %s." % name, "Start the service of this port.", name))
    if allowed is not None:
        known = {int(port) for port in allowed} | {int(port) for port in expected}
        open_to_all = {listener.port for listener in sockets if not listener.loopback}
        others = ["tcp/%d" % port for port in sorted(open_to_all - known)]
        if others:
            act = "Find the service (ss -ltnp), stop it or add its port to `allowed`."
            message = "Services listen on ports not in the plan: %s." % ", ".join(others[:50])
            found.append(probe.failed(message, act, **members_of(others)))
        else:
            found.append(probe.passed("No service listens on a port that is not in the plan."))
    if not found:
        raise ValueError("give `expected` or `allowed`")
    return found


def listen_queue(probe):
    # type: (Probe) -> list[Observation]
    """Share of its queue that is taken by connections waiting to be accepted, at the service furthest behind."""
    shares = [(100.0 * listener.waiting / max(1, listener.backlog), listener) for listener in listeners()]
    if not shares:
        raise Absent("No service listens on a TCP port.")
    share, listener = max(shares, key=lambda pair: pair[0])
    message = "%d connections wait to be accepted on tcp/%d" % (listener.waiting, listener.port)
    message += ", %s%% of its queue" % number(share)
    act = "The service of tcp/%d is stopped or overloaded: look at it, then restart it." % listener.port
    return [probe.measured(share, "%", message, act, port=listener.port, waiting=listener.waiting)]


def split_address(address, default_port=0):
    # type: (str, int) -> tuple[str, int]
    """Return host and port of `host:port`, `[v6]:port` or, with a default port, `host`; raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        host, port = address, ""
    if not (port.isdigit() or (default_port and not port)):
        raise Unusable("%r is no address; write host:port" % public_url(address))
    return host.strip("[]"), int(port or default_port)


def tcp(probe, address, send="", expect=""):
    # type: (Probe, str, str, str) -> list[Observation]
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
                    said = Scrubber(secrets_of_text(send)).text(heard.decode("utf-8", "replace"))[:100]
                    act = "Check which service listens there, and what the probe %s expects." % probe.name
                    return [probe.failed("%s answers %r, which is not what is expected." % (address, said), act)]
    except OSError as error:
        message = "%s takes no connection: %s." % (address, error.strerror or error)
        return [probe.failed(message, "Check the service, its port and the firewalls between.")]
    taken = time.monotonic() - started
    message = "%s answers in %s s" % (address, number(taken))
    return [probe.measured(taken, "s", message, "Check the load of the service and of the network.")]
