# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure what a run costs, as ratios to `ansible -m ping` on the same host in alternating runs.

CPU is user and system seconds of the command and all its children, those of restic itself taken off. Wall ratios are
printed and never judged. Exit code 1 if a figure is over its limit.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

ROUNDS = 5
FILES = 2000
BIN = Path(sys.executable).parent

#: Each figure's limit, and what it is.
LIMITS = {
    "daily_cpu": (1.6, "CPU of the daily's health and backup without report and restic, in pings"),
    "audited_cpu": (1.8, "CPU of the whole daily without report and restic, in pings"),
    "health_cpu": (0.9, "CPU of a health check alone, controller and host, in pings"),
    "health_host_cpu": (0.2, "CPU of a health check on the host, in seconds"),
    "tasks": (12, "tasks of the daily, those that Ansible inserts included"),
    "report_seconds": (1.0, "CPU seconds that the report adds to the whole daily"),
}


@dataclass(frozen=True)
class Cost:
    """Seconds of one command."""

    cpu: float
    wall: float


class Bench:
    """A site of one local host in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Write the inventory and the files to back up, and put a restic before the real one that notes its CPU."""
        self.folder = folder
        self.data = folder / "data"
        for number in range(FILES):
            path = self.data / f"{number % 40:02}" / f"{number}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"number": number, "text": "e-government " * (number % 50)}))
        self.restic_times = folder / "restic.times"
        tools = folder / "tools"
        tools.mkdir()
        real = shutil.which("restic")
        (tools / "restic").write_text(f'#!/bin/sh\n{real} "$@"\ncode=$?\ntimes >> "{self.restic_times}"\nexit $code\n')
        (tools / "restic").chmod(0o755)
        self.inventory = folder / "hosts.yml"
        variables = {
            "egov_ops_state_dir": str(folder / "state"),
            "egov_ops_host_state_dir": str(folder / "host"),
            "egov_ops_tool_path": [str(tools)],
            "egov_ops_backup_sets": {
                "config": {"state": "absent"},
                "data": {"class": "other", "paths": [str(self.data)], "full": "weekly", "incremental": "change"},
            },
        }
        host = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
        self.inventory.write_text(yaml.safe_dump({"all": {"hosts": {"host": host}, "vars": variables}}))

    def run(self, *argv: str) -> tuple[Cost, str]:
        """Run an ansible command and return its cost and output; a failure ends the benchmark."""
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        self.restic_times.write_text("")
        before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(
            [str(BIN / argv[0]), "-i", str(self.inventory), *argv[1:]],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        wall, after = time.monotonic() - clock, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"{' '.join(argv)} failed:\n{done.stdout}{done.stderr}")
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return Cost(cpu - self._restic_cpu(), wall), done.stdout

    def ping(self) -> Cost:
        """One `ansible -m ping`."""
        return self.run("ansible", "host", "-m", "ansible.builtin.ping")[0]

    def health(self) -> Cost:
        """One health check, ad hoc."""
        return self.run("ansible", "host", "-m", "egov.ops.health_probe")[0]

    def daily(self, report: bool = False, tags: str = "all") -> tuple[Cost, str]:
        """One daily with a changed file to back up."""
        (self.data / "00" / "0.json").write_text(str(time.monotonic()))
        options = ["-e", f"egov_ops_report={str(report).lower()}", "--tags", tags]
        return self.run("ansible-playbook", "egov.ops.daily", *options)

    def host_cpu(self) -> float:
        """CPU seconds on the host of the newest health check, as its step record says."""
        spools = sorted((self.folder / "state" / "spool").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
        steps = [json.loads(line) for line in spools[-1].read_text().splitlines() if '"kind":"step"' in line]
        return float(steps[-1]["detail"]["cpu"])

    def _restic_cpu(self) -> float:
        """Sum of the second lines of `times`: user and system seconds of restic."""
        seconds = 0.0
        for line in self.restic_times.read_text().splitlines()[1::2]:
            seconds += sum(int(m) * 60 + float(s) for m, s in re.findall(r"(\d+)m([\d.]+)s", line))
        return seconds


def main() -> int:
    """Measure, print and judge; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.daily()  # makes the repository and the full backup, and warms the caches
        bench.ping()
        pings, dailies, wholes, healths, hosts, reports = [], [], [], [], [], []
        output = ""
        for _ in range(ROUNDS):
            pings.append(bench.ping())
            healths.append(bench.health())
            hosts.append(bench.host_cpu())
            dailies.append(bench.daily(tags="health,backup")[0])
            cost, output = bench.daily()
            wholes.append(cost)
            reports.append(bench.daily(report=True)[0])
    ping = statistics.median(cost.cpu for cost in pings)
    wall = statistics.median(cost.wall for cost in pings)
    whole = statistics.median(cost.cpu for cost in wholes)
    figures = {
        "daily_cpu": statistics.median(cost.cpu for cost in dailies) / ping,
        "audited_cpu": whole / ping,
        "health_cpu": statistics.median(cost.cpu for cost in healths) / ping,
        "health_host_cpu": statistics.median(hosts),
        "tasks": float(len(re.findall(r"^TASK \[", output, re.MULTILINE))),
        "report_seconds": statistics.median(cost.cpu for cost in reports) - whole,
    }
    print(f"ansible -m ping: {ping:.2f} s CPU, {wall:.2f} s wall; medians of {ROUNDS} alternating runs")
    daily_wall = statistics.median(cost.wall for cost in wholes) / wall
    health_wall = statistics.median(cost.wall for cost in healths) / wall
    print(f"wall, in pings: daily {daily_wall:.2f} with restic, health {health_wall:.2f}")
    bad = 0
    for name, (limit, meaning) in LIMITS.items():
        over = figures[name] > limit
        bad += over
        print(f"{'OVER' if over else 'ok':4} {name:16} {figures[name]:6.2f} of {limit:<4} {meaning}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
