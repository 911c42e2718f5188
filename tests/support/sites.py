# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site of local hosts in a folder of its own, on which real playbooks are run by a real ansible-playbook."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import verify_ledger

#: A repository as restic makes it, but for a key that costs no work to derive: half a second less for each call.
REPOSITORY = Path(__file__).with_name("repository")
PASSWORD = "correct horse battery staple"

#: One cheap probe: what the frame's tests need of a domain.
PROBES = {"memory": {"kind": "memory", "layer": "infrastructure", "warning": "100"}}
PROBE = {"name": "Probe", "egov.ops.health_probe": {"probes": PROBES, "timeout": 20}, "tags": ["health"]}

#: Says on each host that it runs. Outlives an interrupted ansible by its own length, holding its output open.
SLOW = {
    "name": "Stay",
    "ansible.builtin.shell": "touch '{{ inventory_dir }}/'{{ inventory_hostname }}.stays && exec sleep 30",
    "changed_when": False,
}

#: The hosts of the site that conftest.py makes, and the step of one on which all went well.
HOSTS = ("web1", "web2", "db1")
OK = ("ok", "")


def has_apt_library() -> bool:
    """Tell whether the system's own Python has the library by which packages are scanned."""
    asked = ["/usr/bin/python3", "-c", "import apt_pkg"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


@dataclass
class Done:
    """What an ansible command left behind."""

    rc: int
    output: str

    def recap(self, host: str) -> dict[str, int]:
        """Return the counts of a host in the play recap, {} for a host that is not there."""
        for line in self.output.rpartition("PLAY RECAP")[2].splitlines():
            name, _, counts = line.partition(" : ")
            if name.strip() == host:
                return {key: int(value) for key, value in (pair.split("=") for pair in counts.split())}
        return {}


@dataclass
class Site:
    """An inventory of local hosts, a state folder, and the commands that work on them."""

    folder: Path
    bin: Path
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The controller's state folder."""
        return self.folder / "state"

    def has_repository(self, name: str = "local") -> None:
        """Let the repository of the site be there before its first run, with a key that costs no work to derive.

        `name` is what the plan calls it.
        """
        shutil.copytree(REPOSITORY, self.folder / "repository")
        for folder in (self.state, self.state / "passwords"):
            folder.mkdir(mode=0o700)
        password = self.state / "passwords" / name
        password.touch(mode=0o600)
        password.write_text(PASSWORD + "\n")

    def write(self) -> Path:
        """Write the inventory and return its path; its hosts are told apart, though they are one machine."""
        path = self.folder / "hosts.yml"
        hosts = {name: {"egov_ops_machine_alias": name, **host} for name, host in self.hosts.items()}
        path.write_text(
            yaml.safe_dump({"all": {"hosts": hosts, "vars": self.variables}}, allow_unicode=True, sort_keys=False)
        )
        return path

    def shell_environment(self) -> dict[str, str]:
        """Return the environment of a shell in which this site's ansible is found."""
        (self.folder / "home").mkdir(exist_ok=True)
        return {
            "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.folder / "home"),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            **self.environment,
        }

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        """Start an ansible command of this site in its own session and return the process."""
        inventory = self.write()
        return subprocess.Popen(
            [str(self.bin / argv[0]), "-i", str(inventory), *argv[1:]],
            env=self.shell_environment(),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **options,
        )

    def run(self, *argv: str, timeout: float = 120) -> Done:
        """Run an ansible command to its end."""
        process = self.start(*argv)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return Done(process.returncode, output)

    def paste(self, line: str, folder: Path | None = None, timeout: float = 120) -> Done:
        """Run a line in a shell as a person would paste it, in the site's folder or another."""
        where, environment = folder or self.folder, self.shell_environment()
        done = subprocess.run(
            ["bash", "-c", line],
            env=environment,
            cwd=where,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def play(self, *argv: str, timeout: float = 120) -> Done:
        """Run a playbook: one that `procedure` wrote, or one of the collection's by its full name."""
        return self.run("ansible-playbook", *argv, timeout=timeout)

    def procedure(self, tasks: list[dict[str, Any]] | None = None, name: str = "frame", **keywords: Any) -> str:
        """Write a play in the frame of a run around tasks (default: one health check) and return its path."""
        path = self.folder / f"{name}.yml"
        path.write_text(yaml.safe_dump([self.framed(tasks, name, **keywords)], allow_unicode=True, sort_keys=False))
        return str(path)

    @staticmethod
    def framed(
        tasks: list[dict[str, Any]] | None = None,
        name: str = "frame",
        options: dict[str, Any] | None = None,
        **keywords: Any,
    ) -> dict[str, Any]:
        """Return a play in the frame of a run around tasks (default: one health check)."""
        always = {"tags": ["always"], "vars": {"ansible_connection": "ansible.builtin.local"}}
        begin = {
            **(options or {}),
            "procedure": name,
            "observes": True,
            "steps": [{"module": "health_probe", "domain": "health"}],
        }
        return {
            "name": name,
            "hosts": "all",
            "gather_facts": False,
            "ignore_unreachable": True,
            **keywords,
            "tasks": [
                {"name": "Begin", "egov.ops.run_begin": begin, "run_once": True, **always},
                {
                    "name": "Work",
                    "block": [
                        *(tasks if tasks is not None else [PROBE]),
                        {"name": "Flush", "ansible.builtin.meta": "flush_handlers"},
                    ],
                    "always": [
                        {"name": "Seal", "egov.ops.run_seal": {}, "run_once": True, **always},
                        {"name": "Judge", "egov.ops.run_verdict": {}, **always},
                    ],
                },
            ],
        }

    def records(self, **filters: Any) -> list[Record]:
        """Return the records of the ledger, oldest first."""
        if not (self.state / "ledger.sqlite3").exists():
            return []
        with Ledger(self.state / "ledger.sqlite3", read_only=True) as ledger:
            return [stored.record for stored in ledger.records(**filters)]

    def steps(self, run: str = "") -> dict[tuple[str, str], tuple[str, str]]:
        """Return {(host, module): (status, reason)} of a run, the newest without a name."""
        steps = self.records(kind="step")
        run = run or (self.records(kind="seal") or steps)[-1]["run"]
        return {
            (entry["host"], entry["subject"]): (entry["status"], entry["reason"])
            for entry in steps
            if entry["run"] == run
        }

    def spools(self) -> list[Path]:
        """Return the spool files that wait to be drained."""
        return sorted((self.state / "spool").glob("*.jsonl"))

    def report(self) -> dict[str, Any]:
        """Return the newest report's JSON."""
        data: dict[str, Any] = json.loads((self.state / "reports" / "latest.json").read_text())
        return data

    def verified(self) -> bool:
        """Return whether the ledger's chain holds from end to end."""
        with Ledger(self.state / "ledger.sqlite3", read_only=True) as ledger:
            return verify_ledger(ledger, []).ok


def wait_for(condition: Any, seconds: float = 30) -> Any:
    """Return what a condition yields as soon as it is true; fail the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail(f"nothing happened for {seconds} s")


#: A host that refuses its ssh connection at once.
DEAD = {
    "ansible_connection": "ssh",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "ansible_ssh_common_args": "-F none",
}


def interpreter(site: Site, name: str, body: str) -> str:
    """Write a script that stands in for a host's Python, and return its path."""
    path = site.folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def statuses(site: Site) -> dict[str, tuple[str, str]]:
    """Return {host: (status, reason)} of the newest run's health step, after checking what holds for every run."""
    assert site.spools() == []
    assert site.verified()
    found = {host: status for (host, module), status in site.steps().items() if module == "health_probe"}
    assert set(found) == set(site.hosts)
    reported = {host["name"] for host in site.report()["hosts"]}
    assert reported >= set(site.hosts)
    return found


def start_and_stay(site: Site) -> subprocess.Popen[str]:
    """Start a run whose first task is recorded and whose second, which never ends, runs on each host.

    A SIGINT that meets the controller while it forks a worker would be lost: Python ignores exceptions in fork hooks.
    """
    process = site.start("ansible-playbook", site.procedure([PROBE, SLOW]))
    wait_for(lambda: len(list(site.folder.glob("*.stays"))) == len(site.hosts))
    return process
