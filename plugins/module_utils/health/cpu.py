# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processor: use, load, pressure."""

import time

from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation


def cpu_usage(probe, seconds=0.3):
    # type: (Probe, float) -> list[Observation]
    """Share of processor time in use during a sample of some seconds."""
    before = _ticks(probe)
    time.sleep(float(seconds))
    spent = [after - before[place] for place, after in enumerate(_ticks(probe))]
    total = float(max(1, sum(spent)))
    used = 100 * (total - spent[3] - spent[4]) / total
    return [
        probe.measured(
            used,
            "%",
            "The processors are %s%% in use" % number(used),
            "Find the busiest processes: ps -eo pcpu,pid,user,args --sort=-pcpu | head.",
            waiting_for_disk=round(100 * spent[4] / total, 1),
            stolen=round(100 * spent[7] / total, 1),
        )
    ]


def _ticks(probe):
    # type: (Probe) -> list[int]
    """Return user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user already."""
    return [int(field) for field in probe.read("/proc/stat").split("\n", 1)[0].split()[1:9]]


def load(probe):
    # type: (Probe) -> list[Observation]
    """Load of the last five minutes for each processor."""
    cores = sum(line.startswith("cpu") for line in probe.read("/proc/stat").splitlines()) - 1
    five = float(probe.read("/proc/loadavg").split()[1])
    return [
        probe.measured(
            five / cores,
            "per processor",
            "The load of five minutes is %s on %d processors" % (number(five), cores),
            "See what runs or waits for the disk: ps -eo stat,pcpu,pid,args | grep '^[RD]'.",
            load=five,
            processors=cores,
        )
    ]


def pressure(probe, resource):
    # type: (Probe, str) -> list[Observation]
    """Share of the last minute in which some process waited for cpu, memory or io."""
    fields = probe.read("/proc/pressure/%s" % resource).split("\n", 1)[0].split()
    waited = float(dict(field.split("=") for field in fields[1:])["avg60"])
    return [
        probe.measured(
            waited,
            "%",
            "Processes waited for %s in %s%% of the last minute" % (resource, number(waited)),
            "Find who uses most %s; move work elsewhere or add more." % resource,
        )
    ]
