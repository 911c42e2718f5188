# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who changed a file of the configuration, where the host's own logs tell: our run, a package transaction, a session.

What is known is a time and who was at work then. More than one session, or none, is no answer: then it is unknown.
"""

import os
import re
import struct
import time

from ansible_collections.egov.ops.plugins.module_utils.host import moments
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.job import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

UNKNOWN = "unknown"

#: Seconds between two lines of a package manager's log that belong to one transaction, and those by which a file may
#: be older or newer than its lines.
GAP_SECONDS = 60
SLACK_SECONDS = 2

#: The newest bytes of a log that are read: a multiple of both sizes of an entry of wtmp.
_READ_BYTES = 384 * 400 * 10

#: Packages of a transaction that are named.
_NAMED = 3

#: An entry of wtmp: type, line, user, host and seconds; machines of 64 bits without a past of 32 have a wider one.
_NARROW = struct.Struct("<hxxi32s4s32s256shhiii16s20s")
_WIDE = struct.Struct("<hxxi32s4s32s256shhqqq16s20s4x")
_WIDE_MACHINES = ("aarch64", "riscv64", "loongarch64")
_BOOT, _LOGIN, _DEAD, _SHUTDOWN = 2, 7, 8, 1

_DPKG = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (install|upgrade|remove|purge|configure) (\S+?)(?::\S+)? ")
_RPM = re.compile(
    r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d{4}|Z) \S+ (Installed|Upgrade|Downgrade|Reinstall|Erase|Removed): (\S+)"
)


class Span:
    """Somebody at work from one time to another, in seconds of the host's clock."""

    def __init__(self, start, end, who):
        # type: (float, float, str) -> None
        self.start = start
        self.end = end
        self.who = who

    def covers(self, moment, slack=0.0):
        # type: (float, float) -> bool
        """Tell whether a moment lies in it."""
        return self.start - slack <= moment <= self.end + slack


def author(moment, runs, transactions, sessions):
    # type: (float, list[Span], list[Span], list[Span]) -> str
    """Return who changed a file at a moment, UNKNOWN where that cannot be told; pure."""
    for spans in (runs, transactions):
        found = [span.who for span in spans if span.covers(moment, SLACK_SECONDS)]
        if found:
            return found[-1]
    there = {span.who for span in sessions if span.covers(moment)}
    return there.pop() if len(there) == 1 else UNKNOWN


def dpkg(text, seconds_of=None):
    # type: (str, Callable[[str], float] | None) -> list[Span]
    """Return the transactions of /var/log/dpkg.log; its times are the host's own. Pure but for the host's zone."""
    seconds_of = seconds_of or (lambda written: time.mktime(time.strptime(written, "%Y-%m-%d %H:%M:%S")))
    found = (_DPKG.match(line) for line in text.splitlines())
    return _transactions("dpkg", [(seconds_of(match.group(1)), match.group(3)) for match in found if match])


def rpm(text):
    # type: (str) -> list[Span]
    """Return the transactions of /var/log/dnf.rpm.log; pure."""
    found = (_RPM.match(line) for line in text.splitlines())
    entries = [(_with_zone(match.group(1), match.group(2)), match.group(4)) for match in found if match]
    return _transactions("dnf", entries)


def sessions(data, wide=False):
    # type: (bytes, bool) -> list[Span]
    """Return the sessions of a wtmp, whole or cut at its beginning between two entries; pure."""
    entry = _WIDE if wide else _NARROW
    open_ones, found = {}, []  # type: tuple[dict[bytes, tuple[float, str]], list[Span]]
    moment = 0.0
    for offset in range(0, len(data) - entry.size + 1, entry.size):
        kind, _pid, line, _id, user, host, _t, _e, _s, moment, _u, _a, _rest = entry.unpack_from(data, offset)
        ended = list(open_ones) if kind in (_BOOT, _SHUTDOWN) else [line] if kind in (_LOGIN, _DEAD) else []
        for name in ended:
            if name in open_ones:
                start, who = open_ones.pop(name)
                found.append(Span(start, moment, who))
        if kind == _LOGIN:
            place = _text(host)
            who = "session of %s on %s%s" % (_text(user), _text(line), " from %s" % place if place else "")
            open_ones[line] = (moment, who)
    return found + [Span(start, float("inf"), who) for start, who in open_ones.values()]


def known(host):
    # type: (Host) -> tuple[list[Span], list[Span], list[Span]]
    """Return what this host's logs say: our runs, package transactions, sessions; none of a log that is not there."""
    packages = dpkg(_read("/var/log/dpkg.log").decode("utf-8", "replace"))
    packages += rpm(_read("/var/log/dnf.rpm.log").decode("utf-8", "replace"))
    return _runs(host), packages, sessions(_read("/var/log/wtmp"), os.uname().machine in _WIDE_MACHINES)


def _runs(host):
    # type: (Host) -> list[Span]
    """Return the operations of ours that have changed this host, each from its beginning to its last event."""
    spans = []
    for operation in Operation("0" * 64, host).others():
        try:
            events = operation.events()
        except HalfError:  # a restore names the damaged journal; what it would explain here stays unexplained
            continue
        if events:
            start, end = (_with_zone(event["time"][:19], "Z") for event in (events[0], events[-1]))
            spans.append(Span(start, end, "egov.ops, operation %s" % operation.id[:8]))
    return spans


def _transactions(manager, entries):
    # type: (str, list[tuple[float, str]]) -> list[Span]
    spans = []  # type: list[Span]
    names = []  # type: list[str]
    for moment, name in entries:
        if not spans or moment - spans[-1].end > GAP_SECONDS:
            spans.append(Span(moment, moment, ""))
            names = []
        if name not in names:
            names.append(name)
        spans[-1].end = max(spans[-1].end, moment)
        spans[-1].who = "%s: %s%s" % (manager, ", ".join(names[:_NAMED]), ", ..." if len(names) > _NAMED else "")
    return spans


def _with_zone(written, zone):
    # type: (str, str) -> float
    seconds = moments.seconds_of(written)
    if zone == "Z":
        return seconds
    offset = int(zone[1:3]) * 3600 + int(zone[3:5]) * 60
    return seconds - offset if zone[0] == "+" else seconds + offset


def _text(field):
    # type: (bytes) -> str
    return field.split(b"\0")[0].decode("utf-8", "backslashreplace")


def _read(path):
    # type: (str) -> bytes
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _READ_BYTES))
            return stream.read()
    except OSError:
        return b""
