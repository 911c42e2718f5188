# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel: errors it logged, processes it killed, its own state, file descriptors, sensors."""

import errno
import os

from ansible_collections.egov.ops.plugins.module_utils.health.probe import Absent
from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import number
from ansible_collections.egov.ops.plugins.module_utils.host.members import members_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

#: Bits of the taint mask that tell of a fault; the others tell of foreign modules or of an administrator's wish.
_TAINT_FAULTS = {4: "machine check", 5: "bad memory page", 7: "kernel oops", 9: "kernel warning", 14: "soft lockup"}


def _log(probe, hours):
    # type: (Probe, float) -> list[tuple[int, str]]
    """Return priority and text of the log lines of the last hours; a priority above 7 is of another facility."""
    since = float(probe.read("/proc/uptime").split()[0]) - 3600 * float(hours)
    found = []
    for line in _log_text(probe).splitlines():
        head, _semicolon, text = line.partition(";")
        fields = head.split(",")
        # a line that continues the one before begins with a space
        if len(fields) > 2 and fields[0].isdigit() and int(fields[2]) / 1e6 >= since:
            found.append((int(fields[0]), text))
    return found


def _log_text(probe):
    # type: (Probe) -> str
    try:
        descriptor = os.open(probe.path("/dev/kmsg"), os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        # Root of a container lacks the capability, where the container has the file at all.
        if error.errno == errno.ENOENT or (error.errno == errno.EPERM and os.geteuid() == 0):
            raise Absent("The kernel's log cannot be read from inside a container.")
        raise
    data = bytearray()
    while True:
        try:
            chunk = os.read(descriptor, 8192)
        except OSError as error:
            if error.errno == errno.EPIPE:  # the record was overwritten before it was read; the next call goes on
                continue
            if error.errno != errno.EAGAIN:
                raise
            chunk = b""
        if not chunk:
            os.close(descriptor)
            return data.decode("utf-8", "backslashreplace")
        data += chunk


def kernel_errors(probe, hours=24):
    # type: (Probe, float) -> list[Observation]
    """Lines of level error and worse in the kernel's log of the last hours."""
    errors = [text for priority, text in _log(probe, hours) if priority <= 3]
    message = "The kernel logged %d errors in the last %s hours" % (len(errors), number(float(hours)))
    if errors:
        message += ", the last: %s" % errors[-1][:200]
    act = "Read them in full: dmesg --level=emerg,alert,crit,err."
    last = [text[:200] for text in errors[-5:]]
    return [probe.measured(len(errors), "errors", message, act, last=last, **members_of(errors))]


def oom_kills(probe, hours=24):
    # type: (Probe, float) -> list[Observation]
    """Processes that the kernel killed for want of memory in the last hours; since boot where the log is closed."""
    counters = dict(line.split() for line in probe.read("/proc/vmstat").splitlines())
    if "oom_kill" not in counters:
        raise Absent("This kernel does not count the processes it kills for want of memory.")
    kills, when, last = int(counters["oom_kill"]), "since boot", ""
    members = members_of([], kills)
    if kills:
        try:
            lines = [text for _priority, text in _log(probe, hours) if "Killed process" in text]
            kills, when, last = len(lines), "in the last %s hours" % number(float(hours)), "".join(lines[-1:])[:200]
            members = members_of(lines)
        except (Absent, PermissionError):
            pass  # the count since boot stands
    message = "The kernel killed %d processes for want of memory %s" % (kills, when)
    act = "Give the killed service more memory or a lower limit of its own."
    return [probe.measured(kills, "processes", message, act, last=last, **members)]


def kernel_taint(probe):
    # type: (Probe) -> list[Observation]
    """Whether the running kernel has met a fault since boot."""
    mask = int(probe.read("/proc/sys/kernel/tainted"))
    faults = [words for bit, words in sorted(_TAINT_FAULTS.items()) if mask >> bit & 1]
    if faults:
        message = "The running kernel has met: %s (taint mask %d)." % (", ".join(faults), mask)
        act = "Read the kernel log for the cause, then plan a restart."
        return [probe.failed(message, act, value=mask, unit="", **members_of(faults))]
    return [probe.passed("The running kernel has met no fault.", value=mask, unit="")]


def uptime(probe):
    # type: (Probe) -> list[Observation]
    """Days since the host was started."""
    days = float(probe.read("/proc/uptime").split()[0]) / 86400
    message = "The host has been up for %s days" % number(days)
    return [probe.measured(days, "days", message, "Ask why it restarted, or plan the restart into a current kernel.")]


def reboot_required(probe):
    # type: (Probe) -> list[Observation]
    """Whether an installed update waits for a restart of the host."""
    release = os.uname().release
    kernels = [name[8:] for name in probe.entries("/boot") if name.startswith("vmlinuz-") and "rescue" not in name]
    if "reboot-required" in probe.entries("/run"):
        reason = "An installed update asks for it"
    elif release not in kernels:
        raise Absent("The running kernel was not installed on this host, so none installed waits for a restart.")
    else:
        newest = max(kernels, key=lambda name: os.stat(probe.path("/boot/vmlinuz-" + name)).st_mtime)
        if newest == release:
            return [probe.passed("The newest installed kernel, %s, is running." % release)]
        reason = "Kernel %s is installed and %s runs" % (newest, release)
    return [probe.failed("The host has to be restarted: %s." % reason, "Plan a restart in the maintenance window.")]


def file_descriptors(probe):
    # type: (Probe) -> list[Observation]
    """Share of the open files that the kernel allows in all."""
    return [_share(probe, *_first_and_last(probe.read("/proc/sys/fs/file-nr")), things="open files")]


def _first_and_last(text):
    # type: (str) -> tuple[int, int]
    fields = text.split()
    return int(fields[0]), int(fields[-1])


def conntrack(probe):
    # type: (Probe) -> list[Observation]
    """Share of the connections that the kernel can track."""
    folder = "/proc/sys/net/netfilter/nf_conntrack_"
    return [_share(probe, int(probe.read(folder + "count")), int(probe.read(folder + "max")), "tracked connections")]


def processes(probe):
    # type: (Probe) -> list[Observation]
    """Share of the processes and threads that the kernel allows."""
    tasks = int(probe.read("/proc/loadavg").split()[3].split("/")[1])
    limit = min(int(probe.read("/proc/sys/kernel/" + name)) for name in ("pid_max", "threads-max"))
    return [_share(probe, tasks, limit, "processes and threads")]


def _share(probe, used, limit, things):
    # type: (Probe, int, int, str) -> Observation
    """Judge the use of one of the kernel's fixed tables."""
    share = 100.0 * used / limit
    message = "%d of %d %s are in use, %s%%" % (used, limit, things, number(share))
    act = "Find who uses most; raise the kernel's limit if the use is right."
    return probe.measured(share, "%", message, act, used=used, limit=limit)


def temperature(probe):
    # type: (Probe) -> list[Observation]
    """Temperature of each sensor that the kernel knows."""
    found = []
    for chip in probe.entries("/sys/class/hwmon"):
        folder = "/sys/class/hwmon/" + chip
        for entry in probe.entries(folder):
            if not (entry.startswith("temp") and entry.endswith("_input")):
                continue
            try:
                degrees = int(probe.read("%s/%s" % (folder, entry))) / 1000.0
            except (Absent, OSError):
                continue  # a sensor that sleeps or is not wired
            # two processors have sensors of one name; the device's is stable, the number of the chip is not
            device = os.path.basename(os.path.realpath(probe.path(folder + "/device")))
            name = "%s/%s/%s" % (probe.read(folder + "/name").strip(), device, entry[:-6])
            message = "Sensor %s reads %s degrees" % (name, number(degrees))
            act = "Check fans, air flow and the room's cooling."
            found.append(probe.measured(degrees, "degrees", message, act, name))
    if not found:
        raise Absent("The host has no temperature sensor.")
    return found
