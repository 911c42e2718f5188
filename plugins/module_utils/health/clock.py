# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time: whether the kernel's clock is kept, its distance from a time server and from the controller."""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

_UNSYNCHRONISED = 0x40  # STA_UNSYNC of adjtimex(2)
_SECONDS_1900_TO_1970 = 2208988800
_ACT = "Start chrony or systemd-timesyncd and check that it reaches its servers: chronyc sources."


def time_sync(probe):
    # type: (Probe) -> list[Observation]
    """Whether a time service keeps the kernel's clock, as the kernel itself says."""
    import ctypes
    import os
    import struct

    timex = ctypes.create_string_buffer(512)
    if ctypes.CDLL(None, use_errno=True).adjtimex(timex) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    # struct timex begins with modes, offset, freq, maxerror, esterror, status
    _modes, _offset, _frequency, microseconds, _estimate, status = struct.unpack_from("@Illlli", timex)
    error = microseconds / 1e6
    if status & _UNSYNCHRONISED:
        return [probe.failed("No time service keeps this host's clock.", _ACT, maximum_error=error)]
    return [probe.passed("A time service keeps this host's clock.", maximum_error=error)]


def ntp_offset(probe, server, port=123):
    # type: (Probe, str, int) -> list[Observation]
    """Distance of the host's clock from a time server's, asked once by SNTP."""
    import socket
    import struct

    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(server, int(port), type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as link:
            link.connect(address)
            sent = time.time()
            link.send(b"\x23" + 47 * b"\0")
            answer = link.recv(512)
            received = time.time()
    except OSError as error:
        return [probe.failed("The time server %s does not answer: %s." % (server, error), _ACT)]
    if len(answer) < 48 or answer[1] == 0:
        return [probe.failed("The time server %s has no time to give." % server, "Choose another time server.")]
    there = [
        seconds + fraction / 2.0**32 - _SECONDS_1900_TO_1970
        for seconds, fraction in (struct.unpack("!II", answer[start : start + 8]) for start in (32, 40))
    ]
    offset = ((there[0] - sent) + (there[1] - received)) / 2
    message = "The clock is %.3f seconds from that of %s" % (abs(offset), server)
    return [probe.measured(abs(offset), "seconds", message, _ACT, offset=round(offset, 4))]


def clock_skew(probe):
    # type: (Probe) -> list[Observation]
    """Distance of the host's clock from the controller's."""
    from datetime import datetime, timezone

    here = time.time()
    now = probe.host.now
    date = [int(now[start:end]) for start, end in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))]
    skew = here - datetime(date[0], date[1], date[2], date[3], date[4], date[5], tzinfo=timezone.utc).timestamp()
    message = "The clock is %.0f seconds from the controller's" % abs(skew)
    return [probe.measured(abs(skew), "seconds", message, _ACT, skew=round(skew, 1))]
