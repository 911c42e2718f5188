# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab: its hosts on a bridge of their own, in a state folder below .cache.

All of podman's mounts, network namespaces and name service are in one mount namespace of the lab, so that nothing but
the bridge is seen by the machine, and what a killed start leaves behind goes with the namespace.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from environment import CACHE

from . import faults, images, services, stores, system
from .hosts import PLATFORM
from .system import LabError, run

#: Where the control sockets of ssh lie: their path must be short.
SOCKETS = Path("/run/egov-ops-lab")

#: More hosts than this share the machine's inotify instances only when they are light.
MANY = 15

# The private folders below /run, and names that the lab does not know, stay within the lab.
_NAMESPACE = """
set -eu
if [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup
fi
for folder in containers netns; do
    mkdir -p "$0/private/$folder" "/run/$folder"
    mount --bind "$0/private/$folder" "/run/$folder"
done
mount --bind "$0/resolv.conf" /etc/resolv.conf
"""


class Lab:
    """The lab of a name: what is known of it is in its state folder, and nowhere else."""

    def __init__(self, name: str = "lab") -> None:
        if not name.isidentifier() or not name.isascii():
            raise LabError(f"A lab cannot be called {name!r}: take letters, digits and underscores.")
        self.name = name
        self.folder = CACHE / "lab" / name
        self.sockets = SOCKETS / hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]

    # State

    @property
    def state(self) -> dict[str, Any]:
        """What `up` wrote: slot, hosts by name with their number and kind, {} where there is no lab."""
        path = self.folder / "state.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def _write_state(self, state: dict[str, Any]) -> None:
        new = self.folder / "state.new"
        new.write_text(json.dumps(state, indent=1))
        new.replace(self.folder / "state.json")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def bridge(self) -> str:
        """The name of the lab's bridge and network."""
        return f"egovlab{self.state['slot']}"

    def address(self, host: str) -> str:
        """Return the address of a host, or of the machine on the lab's bridge (host "gateway")."""
        number = 1 if host == "gateway" else self.state["hosts"][self.known(host)]["number"]
        return str(system.subnet(self.state["slot"])[number])

    def known(self, host: str) -> str:
        """Return the name of a host that the lab has; raise LabError for another."""
        hosts = self.state.get("hosts", {})
        if host not in hosts:
            there = f"it has {', '.join(sorted(hosts))}" if hosts else "none is up"
            raise LabError(f"The lab has no host {host!r} ({there}): start it with `make lab-up HOSTS={host}`.")
        return host

    @property
    def password(self) -> str:
        """What the services of the platform know each other by, made anew with each lab."""
        return (self.folder / "password").read_text()

    # Podman

    def podman(self, *words: str) -> list[str]:
        """Return the command line of podman on this lab's store and network."""
        settings = images.configure(self.folder, images.store())
        environment = [f"{key}={value}" for key, value in settings.items()]
        podman = ["podman", "--tmpdir", str(self.folder / "tmp"), "--network-config-dir", str(self.folder / "net")]
        return [*self._inside(), "env", "-i", *environment, *podman, "--events-backend", "file", *words]

    def _inside(self) -> list[str]:
        return ["nsenter", f"--mount={self.folder / 'namespace/mount'}", "--"]

    def _make_namespace(self) -> None:
        folder = self.folder / "namespace"
        folder.mkdir(exist_ok=True)
        if not system.mounted(folder):
            run(["mount", "--bind", str(folder), str(folder)], "The lab's namespace could not be made.")
            run(["mount", "--make-private", str(folder)], "The lab's namespace could not be made.")
        (folder / "mount").touch()
        (self.folder / "resolv.conf").write_text("# names of the lab are known to its name server, others to nobody\n")
        make = ["unshare", f"--mount={folder / 'mount'}", "--propagation", "private"]
        processors = sorted(os.sched_getaffinity(0))
        for processor in processors:
            # Linux keeps a namespace only in one with a lower number, and since 6.18 each processor numbers its own.
            bound = ["taskset", "--cpu-list", str(processor), *make]
            try:
                run([*bound, "sh", "-c", _NAMESPACE, str(self.folder)], "The lab's namespace could not be made.")
                break
            except LabError as error:
                if processor == processors[-1] or "Invalid argument" not in str(error):
                    raise
        self._write_state({**self.state, "namespace": (folder / "mount").stat().st_ino})

    def _make_network(self) -> None:
        slot = self.state["slot"]
        (self.folder / "net").mkdir(exist_ok=True)
        network = {
            "name": self.bridge,
            "id": hashlib.sha256(str(self.folder).encode()).hexdigest(),
            "driver": "bridge",
            "network_interface": self.bridge,
            "created": "2026-01-01T00:00:00Z",
            "subnets": [{"subnet": str(system.subnet(slot)), "gateway": str(system.subnet(slot)[1])}],
            "ipv6_enabled": False,
            "internal": True,  # no way out, and no rule in the machine's packet filter
            "dns_enabled": True,
            "ipam_options": {"driver": "host-local"},
        }
        (self.folder / f"net/{self.bridge}.json").write_text(json.dumps(network))

    # Up

    def up(self, names: Sequence[str], light: bool = False) -> None:
        """Start hosts that are not up yet and return when all answer by ssh; what failed leaves nothing behind."""
        system.check()
        light = light or len(names) > MANY
        with self._locked():
            if self.state and (self.state.get("starting") or not self._alive()):
                self._down()  # a start that was killed, or the machine has been started again
            state = self.state
            new = [name for name in names if name not in state.get("hosts", {})]
            kinds = {name: PLATFORM[name].image if name in PLATFORM else "base" for name in new}
            system.check_inotify(len(new), "light" if light else "standard")
            tags = {kind: images.provide(kind) for kind in sorted(set(kinds.values()))}
            if "backup1" in new:
                stores.provide()
            try:
                if not state:
                    self._begin()
                self._start_all({name: tags[kinds[name]] for name in new}, light)
            except BaseException:
                self._down()
                raise

    def _begin(self) -> None:
        forward = Path("/proc/sys/net/ipv4/ip_forward").read_text().strip()
        self.sockets.mkdir(parents=True, exist_ok=True)
        self._write_state({"slot": self._take_slot(), "ip_forward": forward, "hosts": {}, "starting": True})
        (self.folder / "sockets").write_text(str(self.sockets))
        # Here, where nobody else asks for it yet: hosts are set up side by side.
        (self.folder / "password").write_text(secrets.token_hex(12))
        if not (self.folder / "key").exists():
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(self.folder / "key")]
            run(make, "No key could be made for the lab.")
        self._make_namespace()
        self._make_network()

    def _take_slot(self) -> int:
        """Take the first network that no route of the machine meets and no other lab has taken."""
        for slot in system.free_slots():
            taken = SOCKETS / f"slot{slot}"
            if taken.is_symlink() and not (taken.readlink() / "state.json").exists():
                taken.unlink(missing_ok=True)
            with contextlib.suppress(FileExistsError):
                taken.symlink_to(self.folder)
                return slot
        raise LabError("All of 10.77.0.0 to 10.77.47.255 is in use: end a lab that you no longer need.")

    def _start_all(self, tags: dict[str, str], light: bool) -> None:
        state = self.state
        taken = {host["number"] for host in state["hosts"].values()}
        free = iter(number for number in range(100, 255) if number not in taken)
        for name in tags:
            number = PLATFORM[name].number if name in PLATFORM else next(free)
            state["hosts"][name] = {"number": number, "light": light, "image": tags[name]}
        state["starting"] = True
        self._write_state(state)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._start, tags))
        self._watch()
        with ThreadPoolExecutor(max(1, len(tags))) as pool:
            list(pool.map(self.wait, tags))
        self._write_known_hosts()
        self._write_ssh_config()
        services.set_up(self, list(tags))
        state["starting"] = False
        self._write_state(state)

    def _start(self, name: str) -> None:
        host = self.state["hosts"][name]
        first = self.first_user(name)
        options = {
            "--name": name,
            "--hostname": name,
            "--network": self.bridge,
            "--ip": self.address(name),
            "--mac-address": f"02:77:00:{self.state['slot']:02x}:00:{host['number']:02x}",  # else ARP stalls a restart
            "--uidmap": f"0:{first}:65536",  # root of the host is nobody on the machine
            "--gidmap": f"0:{first}:65536",
        }
        environment = {
            "LAB_KEY": (self.folder / "key.pub").read_text().strip(),
            "LAB_GATEWAY": self.address("gateway"),
            "LAB_LIGHT": "1" if host["light"] else "",
        }
        words = ["run", "--quiet", "--detach", "--pull=never", "--systemd=always", "--privileged"]
        words += [word for pair in options.items() for word in pair]
        words += [word for key, value in environment.items() for word in ("--env", f"{key}={value}")]
        # In a session of its own: an interrupt that meets podman half-way leaves its helpers waiting for it for ever.
        argv = self.podman(*words, host["image"])
        run(argv, f"The host {name} could not be started.", start_new_session=True)

    def wait(self, name: str, seconds: float = 60) -> None:
        """Return when a host greets by ssh; raise LabError when it has not after so many seconds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection((self.address(name), 22), 1) as connection:
                connection.settimeout(2)
                if connection.recv(4) == b"SSH-":
                    return
            time.sleep(0.05)
        raise LabError(f"The host {name} does not answer by ssh after {seconds:.0f} s: see `make lab-status`.")

    def _write_known_hosts(self) -> None:
        names = {self.address(name): name for name in self.state["hosts"]}
        scan = ["ssh-keyscan", "-T", "10", "-t", "ed25519", *names]
        lines = run(scan, "The hosts' keys could not be read.").splitlines()
        known = {line.split()[0]: line.split()[1:] for line in lines if line and not line.startswith("#")}
        silent = [name for address, name in names.items() if address not in known]
        if silent:
            raise LabError(f"{', '.join(silent)} did not show an ssh key: run `make lab-down` and start again.")
        text = "".join(f"{name} {' '.join(known[address])}\n" for address, name in names.items())
        (self.folder / "known_hosts").write_text(text)

    def _write_ssh_config(self) -> None:
        lines = ["Host *", "  User ops", "  IdentitiesOnly yes", "  StrictHostKeyChecking yes", "  LogLevel ERROR"]
        lines += [f'  IdentityFile "{self.folder}/key"', f'  UserKnownHostsFile "{self.folder}/known_hosts"']
        lines += ["  ServerAliveInterval 5", "  ServerAliveCountMax 3"]
        for name in self.state["hosts"]:
            lines += [f"Host {name}", f"  HostName {self.address(name)}", f"  HostKeyAlias {name}"]
        (self.folder / "ssh_config").write_text("\n".join(lines) + "\n")
        variables = {
            "ansible_ssh_common_args": f"-F '{self.folder}/ssh_config'",
            "ansible_control_path_dir": str(self.sockets),
            "ansible_become": True,
            "ansible_python_interpreter": "/usr/bin/python3",
            "lab_folder": str(self.folder),
        }
        inventory = {"all": {"hosts": {name: {} for name in self.state["hosts"]}, "vars": variables}}
        (self.folder / "hosts.yml").write_text(json.dumps(inventory, indent=1, ensure_ascii=False))

    def _watch(self) -> None:
        """Start the process that starts a host again which has rebooted: podman itself does not."""
        if not self.helpers("watcher"):
            self.spawn("watcher", [sys.executable, str(Path(__file__).with_name("watch.py")), *self.podman()])

    def spawn(self, name: str, argv: Sequence[str]) -> int:
        """Start a helper of the lab, which ends with it at the latest, and return its process id."""
        with (self.folder / f"{name}.log").open("ab") as log:
            helper = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
            )
        with (self.folder / "helpers").open("a") as file:
            file.write(f"{name} {helper.pid} {system.started(helper.pid)}\n")
        return helper.pid

    def helpers(self, name: str = "") -> list[int]:
        """Return the helpers that live, all or those of a name; each leads a process group."""
        path = self.folder / "helpers"
        entries = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [int(pid) for who, pid, ticks in entries if name in ("", who) and system.started(int(pid)) == ticks]

    def end(self, name: str = "") -> None:
        """End helpers, all or those of a name, with the processes that they have started."""
        for pid in self.helpers(name):
            system.end(pid, group=True)

    def first_user(self, host: str) -> int:
        """Return the machine's id of a host's root."""
        return system.users(self.state["slot"], self.state["hosts"][host]["number"])[0]

    # Use

    def ssh(self, host: str, *words: str) -> list[str]:
        """Return the command line of ssh to a host, as the inventory has it."""
        return ["ssh", "-F", str(self.folder / "ssh_config"), self.known(host), *words]

    def shell(self, host: str, script: str, timeout: float = 60) -> str:
        """Run a script as root in a host, past ssh and sudo, and return what it prints; raise LabError if it fails."""
        words = self.podman("exec", self.known(host), "sh", "-euc", script)
        try:
            return run(words, f"A command in {host} failed: {script.strip().splitlines()[0]}", timeout=timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"A command in {host} hung for {timeout:.0f} s: {script.strip()}") from None

    def write(self, host: str, path: str, text: str, mode: str = "644") -> None:
        """Write a file in a host as root, its folder too."""
        quoted = shlex.quote(path)
        script = f'mkdir -p "$(dirname {quoted})"; cat >{quoted}; chmod {mode} {quoted}'
        words = self.podman("exec", "-i", self.known(host), "sh", "-euc", script)
        run(words, f"{path} could not be written in {host}.", input=text, stdin=None)

    def pid(self, host: str) -> int:
        """Return the id that a host's first process has on the machine, 0 for a host that is down."""
        asked = run(self.podman("inspect", "--format", "{{.State.Pid}}", self.known(host)), f"{host} is not there.")
        return int(asked)

    def status(self) -> dict[str, str]:
        """Return each host's state: what systemd says of a running one, podman's word for another."""
        if not self.state or not self._alive():
            return {}
        listed = run(self.podman("ps", "--all", "--format", "{{.Names}} {{.State}}"), "podman does not answer.")
        states = dict(line.split(maxsplit=1) for line in listed.splitlines())
        found = {}
        for name in self.state["hosts"]:
            found[name] = states.get(name, "missing")
            if found[name].startswith("Up"):
                asked = self.podman("exec", name, "systemctl", "is-system-running")
                done = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
                found[name] = done.stdout.strip() or "running"
        return found

    def _alive(self) -> bool:
        return system.mounted(self.folder / "namespace/mount")

    # Down

    def down(self) -> None:
        """Take all back: hosts, bridge, namespace, helpers, and what faults changed on the machine."""
        if self.folder.exists():
            system.check()
            with self._locked():
                self._down()

    def _down(self) -> None:
        state = self.state
        faults.undo(self, hosts_go=True)
        self.end()
        for pid in system.processes(f"{self.sockets}/"):  # the masters of ssh's shared connections, the key's agent
            system.end(pid)
        if self._alive() and state:
            # A second time takes what the first could not, such as a host that was just being started.
            for _attempt in range(2):
                subprocess.run(
                    self.podman("rm", "--force", "--all", "--time", "0"), capture_output=True, check=False, timeout=120
                )
        if self._alive():
            for pid in system.inhabitants((self.folder / "namespace/mount").stat().st_ino):
                system.end(pid)
        for target in (self.folder / "namespace/mount", self.folder / "namespace"):
            while system.mounted(target):
                run(["umount", str(target)], "The lab's namespace could not be ended.")
        if state:
            self._take_back(state)
            (SOCKETS / f"slot{state['slot']}").unlink(missing_ok=True)
        shutil.rmtree(self.sockets, ignore_errors=True)
        with contextlib.suppress(OSError):
            SOCKETS.rmdir()
        for path in self.folder.iterdir():
            if path.name != "lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _take_back(self, state: dict[str, Any]) -> None:
        bridge = f"egovlab{state['slot']}"
        deadline = time.monotonic() + 5
        while bridge in system.links() and time.monotonic() < deadline:
            subprocess.run(["ip", "link", "delete", bridge], capture_output=True, check=False)
        forward = Path("/proc/sys/net/ipv4/ip_forward")
        others = [name for name in system.links() if name.startswith(("egovlab", "podman", "cni-"))]
        if not others and forward.read_text().strip() != state["ip_forward"]:
            forward.write_text(state["ip_forward"])  # netavark sets it and leaves it


def leaks(lab: Lab, state: dict[str, Any]) -> list[str]:
    """Return what a lab that is down and had this state has left behind, one line each."""
    slot = state["slot"]
    found = [f"process {pid}: {words}" for pid, words in system.processes(f"{lab.folder}/").items()]
    found += [f"process {pid}: {words}" for pid, words in system.processes(f"{lab.sockets}/").items()]
    found += [f"process {pid} in its namespace" for pid in system.inhabitants(state.get("namespace", 0))]
    found += [f"process {pid} of a host" for pid in system.owned(system.users(slot))]
    found += [f"link {name}" for name in system.links() if name == f"egovlab{slot}"]
    found += [f"mount {path}" for path in system.mounts() if path.startswith(f"{lab.folder}/")]
    network = str(system.subnet(slot)[0])[:-1]
    routes = run(["ip", "route"], "The routes could not be read.")
    rules = run(["nft", "list", "ruleset"], "The packet filter could not be read.")
    found += [f"rule or route {line.strip()}" for line in (routes + rules).splitlines() if network in line]
    devices = subprocess.run(["losetup", "--all"], capture_output=True, text=True, check=False).stdout
    found += [f"device {line}" for line in devices.splitlines() if f"{lab.folder}/" in line]
    files = list(lab.folder.iterdir()) if lab.folder.exists() else []
    found += [f"file {path}" for path in files if path.name != "lock"]
    return [*found, f"folder {lab.sockets}"] if lab.sockets.exists() else found
