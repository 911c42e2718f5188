# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure what a run costs: on one host in alternating runs with `ansible -m ping`, and on a hundred hosts.

Limits of time are ratios to `ansible -m ping` in the same run, so that a slower machine is no reason to fail. A command
is compared with the pings just before and after it, since a machine's speed changes within minutes. CPU is user and
system seconds of the command and all its children, those of restic itself taken off. Wall ratios of single hosts are
printed and never judged. Exit code 1 if a figure is over its limit.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import sqlite3
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
HOSTS = 100
FORKS = 10
BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]

#: Each figure's limit, and what it is. Limits in seconds were set where a ping takes 0.75 s.
LIMITS = {
    "daily_cpu": (1.6, "CPU of the daily's health and backup without report and restic, in pings"),
    "warm_daily_cpu": (1.8, "CPU of the whole daily without report and restic, apt's pkgcache warm, in pings"),
    "cold_daily_cpu": (2.2, "the same with apt's pkgcache off"),
    "health_cpu": (0.9, "CPU of a health check alone, controller and host, in pings"),
    "health_host_cpu": (0.27, "CPU of a health check on the host, in pings"),
    "audit_host_cpu": (0.4, "CPU of an audit on the host, in pings"),
    "tasks": (18, "tasks of the daily, those that Ansible inserts included"),
    "report_cpu": (1.33, "CPU that the report adds to the whole daily, in pings"),
    "scale_cpu": (0.33, f"CPU of the controller for each of {HOSTS} hosts, daily without backup, in pings"),
    "scale_memory": (400, f"MB of the largest process of the controller with {HOSTS} hosts"),
    "scale_seal": (4.0, f"time that the seal of {HOSTS} hosts takes, with the report, in pings"),
}

#: What apt is told of the bench: nothing of the machine's own settings, so that they do not decide about the cache.
APT = """\
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/nonexistent";
Dir::Cache "{cache}";
Dir::Cache::pkgcache "{pkgcache}";
Dir::Cache::srcpkgcache "{srcpkgcache}";
"""


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
            "egov_ops_ephemeral": "accept",
            "egov_ops_host_state_dir": str(folder / "host"),
            "egov_ops_tool_path": [str(tools)],
            "egov_ops_backup_sets": {
                "config": {"state": "absent"},
                "data": {"class": "other", "paths": [str(self.data)], "full": "weekly", "incremental": "change"},
            },
        }
        host = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
        self.inventory.write_text(yaml.safe_dump({"all": {"hosts": {"host": host}, "vars": variables}}))
        self.many = folder / "many.yml"
        names = [f"host{number:03}" for number in range(HOSTS)]
        hosts = {name: {**host, "egov_ops_machine_alias": name} for name in names}
        self.many.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": variables}}))
        cache = folder / "apt"
        (cache / "archives/partial").mkdir(parents=True)
        files = {"pkgcache": "pkgcache.bin", "srcpkgcache": "srcpkgcache.bin"}
        (folder / "warm.conf").write_text(APT.format(cache=cache, **files))
        (folder / "cold.conf").write_text(APT.format(cache=cache, **dict.fromkeys(files, "")))

    def environment(self, cache: str = "warm") -> dict[str, str]:
        """Return the environment of a command, apt's pkgcache "warm" or "cold"."""
        ours = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
        }
        # As on a user's machine, Python keeps what it has compiled: of ansible and of the collection.
        ours["PYTHONPYCACHEPREFIX"] = str(self.folder / "compiled")
        around = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**around, **ours, "APT_CONFIG": str(self.folder / f"{cache}.conf")}

    def run(self, *argv: str, cache: str = "warm") -> tuple[Cost, str]:
        """Run an ansible command and return its cost and output; a failure ends the benchmark."""
        self.restic_times.write_text("")
        before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(
            [str(BIN / argv[0]), "-i", str(self.inventory), *argv[1:]],
            env=self.environment(cache),
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

    def daily(self, report: bool = False, tags: str = "all", cache: str = "warm") -> tuple[Cost, str]:
        """One daily with a changed file to back up."""
        (self.data / "00" / "0.json").write_text(str(time.monotonic()))
        options = ["-e", f"egov_ops_report={str(report).lower()}", "--tags", tags]
        return self.run("ansible-playbook", "egov.ops.daily", *options, cache=cache)

    def host_cpu(self, module: str) -> float:
        """CPU seconds on the host of a module used alone, as its step record says."""
        self.run("ansible", "host", "-m", f"egov.ops.{module}")
        spools = sorted((self.folder / "state" / "spool").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
        lines = [line for line in spools[-1].read_text().splitlines() if '"kind":"step"' in line]
        steps = [json.loads(line[: line.rindex("}") + 1]) for line in lines]  # a running hash follows
        return float(steps[-1]["detail"]["cpu"])

    def scale(self) -> dict[str, float]:
        """One daily without backup on many hosts: what its controller takes."""
        command = [str(BIN / "ansible-playbook"), "-i", str(self.many), "-f", str(FORKS), "--skip-tags", "backup"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        seen = {}
        with subprocess.Popen(
            [*command, "egov.ops.daily"], env=self.environment(), cwd=self.folder, stdout=subprocess.PIPE, text=True
        ) as process:
            for line in process.stdout or ():
                seen[line.rstrip(" *\n")] = time.monotonic()
        if process.returncode:
            sys.exit(f"the daily of {HOSTS} hosts failed: {list(seen)[-20:]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with sqlite3.connect(self.folder / "state/ledger.sqlite3") as ledger:
            (hosts,) = ledger.execute(
                "SELECT sum(json_extract(body, '$.detail.cpu')) FROM record"
                " WHERE json_extract(body, '$.kind') = 'step' AND json_extract(body, '$.host') LIKE 'host0%'"
            ).fetchone()
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime - hosts
        return {
            "scale_cpu": cpu / HOSTS,
            "scale_memory": after.ru_maxrss / 1024,
            "scale_seal": seen["TASK [Judge each host]"] - seen["TASK [Seal the run]"],
        }

    def _restic_cpu(self) -> float:
        """Sum of what `times` has printed: user and system seconds of restic, and of the shell that notes them."""
        seconds = 0.0
        for line in self.restic_times.read_text().splitlines():
            seconds += sum(int(m) * 60 + float(s) for m, s in re.findall(r"(\d+)m([\d.]+)s", line))
        return seconds


class Pings:
    """Pings between commands, with which these are compared."""

    def __init__(self, bench: Bench) -> None:
        """Take the first ping."""
        self._bench = bench
        self.costs = [bench.ping()]

    def ratio(self, cost: Cost) -> float:
        """Return the CPU of a command that has just ended, in pings before and after it."""
        self.costs.append(self._bench.ping())
        return 2 * cost.cpu / (self.costs[-2].cpu + self.costs[-1].cpu)


def main() -> int:
    """Measure, print and judge; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.daily()  # makes the repository and the full backup, and warms the caches
        bench.ping()
        pings = Pings(bench)
        costs: dict[str, list[Cost]] = {name: [] for name in ("health", "daily", "warm", "cold", "report")}
        ratios: dict[str, list[float]] = {name: [] for name in ("health", "daily", "warm", "cold")}
        hosts: dict[str, list[float]] = {"health": [], "audit": []}
        output = ""
        for _round in range(ROUNDS):
            costs["health"].append(bench.health())
            ratios["health"].append(pings.ratio(costs["health"][-1]))
            costs["daily"].append(bench.daily(tags="health,backup")[0])
            ratios["daily"].append(pings.ratio(costs["daily"][-1]))
            cost, output = bench.daily()
            costs["warm"].append(cost)
            ratios["warm"].append(pings.ratio(cost))
            costs["cold"].append(bench.daily(cache="cold")[0])
            ratios["cold"].append(pings.ratio(costs["cold"][-1]))
            costs["report"].append(bench.daily(report=True)[0])
            hosts["health"].append(bench.host_cpu("health_probe"))
            hosts["audit"].append(bench.host_cpu("hardening_audit"))
        around = [bench.ping() for _ in range(3)]
        scale = bench.scale()
        around += [bench.ping() for _ in range(3)]
    cpu = {name: statistics.median(cost.cpu for cost in found) for name, found in costs.items()}
    cpu["ping"] = statistics.median(cost.cpu for cost in pings.costs)
    wall = {name: statistics.median(cost.wall for cost in found) for name, found in costs.items()}
    wall["ping"] = statistics.median(cost.wall for cost in pings.costs)
    scale["scale_cpu"] /= statistics.median(cost.cpu for cost in around)
    scale["scale_seal"] /= statistics.median(cost.wall for cost in around)
    figures = {
        **{f"{name}_cpu": statistics.median(ratios[name]) for name in ("daily", "health")},
        **{f"{name}_daily_cpu": statistics.median(ratios[name]) for name in ("warm", "cold")},
        "health_host_cpu": statistics.median(hosts["health"]) / cpu["ping"],
        "audit_host_cpu": statistics.median(hosts["audit"]) / cpu["ping"],
        "tasks": float(len(re.findall(r"^TASK \[", output, re.MULTILINE))),
        "report_cpu": (cpu["report"] - cpu["warm"]) / cpu["ping"],
        **scale,
    }
    print(
        f"ansible -m ping: {cpu['ping']:.2f} s CPU, {wall['ping']:.2f} s wall; median of {len(pings.costs)} in "
        f"{ROUNDS} rounds of the others"
    )
    print(f"ping around {HOSTS} hosts: {statistics.median(cost.cpu for cost in around):.2f} s CPU")
    walls = {name: wall[name] / wall["ping"] for name in ("warm", "health")}
    print(f"wall, in pings: daily {walls['warm']:.2f} with restic, health {walls['health']:.2f}")
    bad = 0
    for name, (limit, meaning) in LIMITS.items():
        over = figures[name] > limit
        bad += over
        print(f"{'OVER' if over else 'ok':4} {name:16} {figures[name]:6.2f} of {limit:<4} {meaning}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
