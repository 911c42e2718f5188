# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory: use, swap, errors of the memory modules."""

from ansible_collections.egov.ops.plugins.module_utils.health.probe import Absent
from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation


def memory(probe):
    # type: (Probe) -> list[Observation]
    """Share of memory that no new process can get."""
    return [_use(probe, "Mem", "Available", "Memory", "ps -eo rss,pid,user,args --sort=-rss | head")]


def swap(probe):
    # type: (Probe) -> list[Observation]
    """Share of swap space in use."""
    return [_use(probe, "Swap", "Free", "Swap space", "grep VmSwap /proc/[0-9]*/status | sort -nk2 | tail")]


def _use(probe, area, free, words, command):
    # type: (Probe, str, str, str, str) -> Observation
    table = dict(line.split(":", 1) for line in probe.read("/proc/meminfo").splitlines() if ":" in line)
    total, left = (int(table[area + field].split()[0]) * 1024 for field in ("Total", free))
    if not total:
        raise Absent("The host has no %s." % words.lower())
    used = 100.0 * (total - left) / total
    message = "%s is %s%% in use" % (words, number(used))
    return probe.measured(
        used, "%", message, "Find the largest processes: %s." % command, total_bytes=total, free_bytes=left
    )


def ecc_errors(probe):
    # type: (Probe) -> list[Observation]
    """Errors that the memory controllers counted since boot, corrected ones included."""
    folder = "/sys/devices/system/edac/mc"
    controllers = [name for name in probe.entries(folder) if name.startswith("mc")]
    if not controllers:
        raise Absent("The host reports no memory errors: it has no ECC memory, or its driver is not loaded.")
    found = []
    for name in controllers:
        corrected, uncorrected = (int(probe.read("%s/%s/%s_count" % (folder, name, sort))) for sort in ("ce", "ue"))
        message = "Memory controller %s counted %d corrected and %d uncorrected errors" % (name, corrected, uncorrected)
        act = "Plan the exchange of the memory module; find its place with: grep . %s/%s/*/*label." % (folder, name)
        found.append(probe.measured(corrected + uncorrected, "errors", message, act, name, uncorrected=uncorrected))
    return found
