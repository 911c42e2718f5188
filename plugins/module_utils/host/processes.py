# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes of this host that keep work from being done, as they are named to a person."""

import os
import time

#: CLOCK_BOOTTIME, which Python has a name for since 3.7.
BOOT_CLOCK = 7


def started(pid):
    # type: (int) -> float | None
    """Return when a process of this host began, in seconds of the epoch; None where there is none."""
    try:
        with open("/proc/%s/stat" % pid, "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()
        if fields[0] in (b"Z", b"X"):
            return None
    except OSError:
        return None
    # Not /proc/uptime, which a container may have of its own, unlike the ticks of its processes.
    return time.time() - time.clock_gettime(BOOT_CLOCK) + int(fields[19]) / float(os.sysconf("SC_CLK_TCK"))


def in_words(pid):
    # type: (int) -> str
    """Return a process with its host and age: "apt-get (pid 71) on web1, 40 s old"."""
    begun = started(pid)
    try:
        with open("/proc/%s/comm" % pid, "rb") as stream:
            name = "%s (pid %s)" % (stream.read().decode("utf-8", "replace").strip(), pid)
    except OSError:
        name = "pid %s" % pid
    age = "" if begun is None else ", %s s old" % max(0, round(time.time() - begun))
    return "%s on %s%s" % (name, os.uname()[1], age)
