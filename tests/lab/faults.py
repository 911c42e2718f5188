# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults as verbs, each of which writes down how it is undone before it does anything.

An undo is harmless when it is done twice, so that a fault whose maker was killed is undone by whoever comes next.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .system import LabError, run

if TYPE_CHECKING:
    from .lab import Lab

#: What an undo needs: the host as it lives, its network, the host up again, a helper's end, or the machine.
_GONE_WITH_HOSTS = ("host", "network", "start")


def make(lab: Lab, verb: str, host: str, *words: str) -> None:
    """Make a fault in a host; raise LabError for a verb that there is not, or one that could not be done."""
    if verb not in VERBS:
        raise LabError(f"There is no fault {verb!r}: take one of {', '.join(VERBS)}.")
    lab.known(host)
    try:
        VERBS[verb](lab, host, *words)
    except TypeError:
        raise LabError(f"The fault {verb} takes other words: {describe(verb)}") from None


@contextlib.contextmanager
def fault(lab: Lab, verb: str, host: str, *words: str) -> Iterator[None]:
    """Make a fault for the length of a block."""
    before = len(_undos(lab))
    try:
        make(lab, verb, host, *words)
        yield
    finally:
        undo(lab, before)


def describe(verb: str) -> str:
    """Return a verb with its words and what it does, in a line."""
    function = VERBS[verb]
    names = function.__code__.co_varnames[1 : function.__code__.co_argcount]
    optional = len(function.__defaults__ or ())
    words = [name.upper() if i < len(names) - optional else f"[{name.upper()}]" for i, name in enumerate(names)]
    return f"{verb} {' '.join(words)}: {(function.__doc__ or '').splitlines()[0]}"


def undo(lab: Lab, keep: int = 0, hosts_go: bool = False) -> None:
    """Undo all faults but the first `keep` entries, newest first; raise LabError with what could not be undone."""
    entries, failures = _undos(lab), []
    while len(entries) > keep:
        kind, host, text = entries.pop()
        if not (hosts_go and kind in _GONE_WITH_HOSTS):
            try:
                _UNDO[kind](lab, host, text)
            except LabError as error:
                failures.append(str(error))
        _path(lab).write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    if failures and not hosts_go:
        raise LabError(f"Not all could be undone, `make lab-down` ends it: {' '.join(failures)}")


def _path(lab: Lab) -> Path:
    return lab.folder / "undo.jsonl"


def _undos(lab: Lab) -> list[list[str]]:
    path = _path(lab)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _plan_undo(lab: Lab, kind: str, host: str, text: str = "") -> None:
    with _path(lab).open("a") as file:
        file.write(json.dumps([kind, host, text]) + "\n")


# Ways to undo, by kind


def _undo_in_host(lab: Lab, host: str, script: str) -> None:
    if lab.pid(host):
        lab.shell(host, script)


def _undo_in_network(lab: Lab, host: str, table: str) -> None:
    pid = lab.pid(host)
    if pid:
        subprocess.run(_in_network(pid, "nft", "delete", "table", "inet", table), capture_output=True, check=False)


def _start(lab: Lab, host: str, _text: str) -> None:
    """Start a host that is down; its end may still be cleaned up, so more than once."""
    for _attempt in range(20):
        if lab.pid(host):
            return lab.wait(host)
        subprocess.run(lab.podman("start", host), capture_output=True, check=False)
        time.sleep(0.2)
    raise LabError(f"The host {host} could not be started again.")


def _end_helper(lab: Lab, _host: str, name: str) -> None:
    lab.end(name)


def _undo_on_machine(_lab: Lab, _host: str, script: str) -> None:
    subprocess.run(["sh", "-c", script], capture_output=True, check=False)


_UNDO: dict[str, Callable[[Lab, str, str], None]] = {
    "host": _undo_in_host,
    "network": _undo_in_network,
    "start": _start,
    "helper": _end_helper,
    "machine": _undo_on_machine,
}


# Parts of verbs


def _in_network(pid: int, *argv: str) -> list[str]:
    """Return a command line of the machine's own programs in the network of a host, which may not have them."""
    return ["nsenter", f"--net=/proc/{pid}/ns/net", "--", *argv]


def _pid(lab: Lab, host: str) -> int:
    pid = lab.pid(host)
    if not pid:
        raise LabError(f"The host {host} is down: undo that first with `make lab-undo`.")
    return pid


def _filter(lab: Lab, host: str, table: str, chains: dict[str, str]) -> None:
    """Put a table of packet filter rules into a host's network; its chains by the hook that they hang on."""
    _plan_undo(lab, "network", host, table)
    rules = "\n".join(
        f"chain {hook} {{ type filter hook {hook} priority -300; policy accept;\n{body}\n}}"
        for hook, body in chains.items()
    )
    load = _in_network(_pid(lab, host), "nft", "-f", "-")
    run(load, f"The packet filter of {host} could not be set.", input=f"table inet {table} {{\n{rules}\n}}", stdin=None)


def _peer(lab: Lab, host: str) -> str:
    """Return the name of the machine's end of a host's cable."""
    links = json.loads(run(_in_network(_pid(lab, host), "ip", "-json", "link", "show", "eth0"), f"{host} has no eth0."))
    own = json.loads(run(["ip", "-json", "link"], "The machine's links could not be read."))
    return next(str(link["ifname"]) for link in own if link["ifindex"] == links[0]["link_index"])


# The verbs


def kill(lab: Lab, host: str) -> None:
    """The host is gone at once, as by a power failure."""
    _plan_undo(lab, "start", host)
    run(lab.podman("kill", "--signal", "KILL", host), f"The host {host} could not be killed.")
    while lab.pid(host):
        time.sleep(0.05)


def power_off(lab: Lab, host: str) -> None:
    """The host is shut down in good order."""
    _plan_undo(lab, "start", host)
    lab.shell(host, "systemctl poweroff")
    deadline = time.monotonic() + 30
    while lab.pid(host):
        if time.monotonic() > deadline:
            raise LabError(f"The host {host} does not shut down: see why with `make lab-ssh HOST={host}`.")
        time.sleep(0.1)


def partition(lab: Lab, host: str) -> None:
    """The host lives, but no packet leaves or reaches it."""
    body = "{0} lo accept\ndrop"
    _filter(lab, host, "lab_partition", {"input": body.format("iif"), "output": body.format("oif")})


def refuse_port(lab: Lab, host: str, port: str) -> None:
    """Connections to a port of the host are refused, though its service runs."""
    _filter(lab, host, "lab_refuse", {"input": f"iif != lo tcp dport {_number(port)} reject with tcp reset"})


def lose_packets(lab: Lab, host: str, percent: str = "20") -> None:
    """Some of the packets that reach the host are lost."""
    _filter(lab, host, "lab_loss", {"input": f"iif != lo numgen random mod 100 < {_number(percent)} drop"})


def kill_dns(lab: Lab, host: str) -> None:
    """Answers of name servers no longer reach the host: each look-up waits until it gives up."""
    _filter(lab, host, "lab_dns", {"input": "udp sport 53 drop\ntcp sport 53 drop"})


def slow_link(lab: Lab, host: str, rate: str = "1mbit") -> None:
    """What is sent to the host arrives at a rate that was usual thirty years ago."""
    device = _peer(lab, host)
    _plan_undo(lab, "machine", host, f"tc qdisc delete dev {device} root")
    words = ["rate", rate, "burst", "16kb", "latency", "400ms"]
    run(["tc", "qdisc", "add", "dev", device, "root", "tbf", *words], f"The link of {host} could not be slowed.")


def cut_ssh(lab: Lab, host: str) -> None:
    """All that work in the host by ssh are thrown out, their commands with them."""
    lab.shell(host, "pkill -KILL -f '^sshd: ops' || true")


def fill_disk(lab: Lab, host: str, path: str = "/srv/data") -> None:
    """A file system of its own is mounted on a folder of the host, and has no room left."""
    image = lab.folder / f"disk-{host}.ext4"
    quoted = shlex.quote(path)
    loop = f"losetup --noheadings --output NAME --associated {shlex.quote(str(image))}"
    _plan_undo(
        lab,
        "machine",
        host,
        f"for device in $({loop}); do losetup --detach $device; done; rm -f {shlex.quote(str(image))}",
    )
    _plan_undo(lab, "host", host, f"! mountpoint -q {quoted} || umount --lazy {quoted}")
    with image.open("wb") as file:
        file.truncate(64 << 20)
    owner = lab.first_user(host)
    make = ["mkfs.ext4", "-q", "-m", "0", "-E", f"root_owner={owner}:{owner}", str(image)]
    run(make, f"No file system could be made for {host}.")
    device = run(["losetup", "--find", "--show", str(image)], "This machine has no loop device for a disk.").strip()
    lab.shell(host, f"mkdir -p {quoted}")
    attach = [sys.executable, str(Path(__file__).with_name("attach.py")), str(_pid(lab, host)), device, path]
    run(attach, f"The disk could not be attached to {host}.")
    fill = "dd if=/dev/zero of={0}/filler{1} bs={1} 2>/dev/null || true; sync -f {0}"
    lab.shell(host, "\n".join(fill.format(quoted, size) for size in ("1M", "1k")))


def hang_mount(lab: Lab, host: str, path: str = "/mnt/share") -> None:
    """A network file system is mounted whose server does not answer: who touches it waits without end."""
    quoted = shlex.quote(path)
    lab.shell(host, f"mkdir -p {quoted}")
    _plan_undo(lab, "host", host, f"! grep -q ' {path} ' /proc/self/mountinfo || umount --lazy {quoted}")
    _plan_undo(lab, "helper", host, f"hang-{host}")
    helper = str(Path(__file__).with_name("hang.py"))
    lab.spawn(f"hang-{host}", [sys.executable, helper, str(_pid(lab, host)), path])
    deadline = time.monotonic() + 10
    while "mounted" not in (lab.folder / f"hang-{host}.log").read_text():
        if time.monotonic() > deadline:
            words = (lab.folder / f"hang-{host}.log").read_text().strip()
            raise LabError(f"No file system that hangs could be mounted in {host}: {words}")
        time.sleep(0.05)


def skew_time(lab: Lab, host: str, offset: str = "+2h") -> None:
    """Python in the host, and all that it starts, has the time of elsewhere; the clock is the machine's."""
    if not re.fullmatch(r"[+-]\d+[smhd]", offset):
        raise LabError(f"The offset {offset!r} is none: write it as +2h, -90s or +1d.")
    target = lab.shell(host, "readlink -f /usr/bin/python3").strip()
    _plan_undo(lab, "host", host, f"ln -sfn {target} /usr/bin/python3")
    library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    lab.shell(host, f"test -e {library}; rm /usr/bin/python3")
    script = f'#!/bin/sh\nexec env LD_PRELOAD={library} FAKETIME={offset} {target} "$@"\n'
    lab.write(host, "/usr/bin/python3", script, mode="755")


def hide_python(lab: Lab, host: str) -> None:
    """The host has no Python."""
    _plan_undo(lab, "host", host, "mv -n /usr/lib/lab-python/* /usr/bin/ 2>/dev/null || true")
    lab.shell(host, "mkdir -p /usr/lib/lab-python; mv /usr/bin/python3* /usr/lib/lab-python/")


def stop_service(lab: Lab, host: str, unit: str) -> None:
    """A unit of the host is stopped."""
    _plan_undo(lab, "host", host, f"systemctl start {shlex.quote(unit)}")
    lab.shell(host, f"systemctl stop {shlex.quote(unit)}")


def freeze_service(lab: Lab, host: str, unit: str) -> None:
    """A unit's processes stand still: they take connections and never answer."""
    _plan_undo(lab, "host", host, f"systemctl kill --signal CONT {shlex.quote(unit)}")
    lab.shell(host, f"systemctl kill --signal STOP {shlex.quote(unit)}")


def flap_service(lab: Lab, host: str, unit: str) -> None:
    """A unit ends whenever it is started, and systemd starts it again until it has had enough."""
    folder = f"/run/systemd/system/{unit}.d"
    again = f"systemctl daemon-reload; systemctl reset-failed {shlex.quote(unit)} || true"
    _plan_undo(lab, "host", host, f"rm -rf {shlex.quote(folder)}; {again}; systemctl restart {shlex.quote(unit)}")
    drop_in = "[Service]\nExecStartPre=/bin/false\nRestart=always\nRestartSec=200ms\n"
    lab.write(host, f"{folder}/lab-fault.conf", drop_in)
    lab.shell(host, f"systemctl daemon-reload; systemctl restart {shlex.quote(unit)} || true")


def corrupt_file(lab: Lab, host: str, path: str) -> None:
    """A byte in the middle of a file is another."""
    path = lab.shell(host, f"test -f {shlex.quote(path)}; readlink -f {shlex.quote(path)}").strip()
    kept, quoted = shlex.quote(f"/var/lib/lab-undo{path}"), shlex.quote(path)
    _plan_undo(lab, "host", host, f"test ! -e {kept} || cp -a {kept} {quoted}")
    lab.shell(
        host,
        f'mkdir -p "$(dirname {kept})"; cp -a {quoted} {kept}\n'
        f'python3 -c \'import sys; f = open(sys.argv[1], "r+b"); n = f.seek(0, 2) // 2; f.seek(n); b = f.read(1)\n'
        f"f.seek(n); f.write(bytes([b[0] ^ 1]))' {quoted}",
    )


def _number(word: str) -> int:
    if not word.isdigit():
        raise LabError(f"{word!r} is no number.")
    return int(word)


VERBS: dict[str, Callable[..., None]] = {
    verb.__name__: verb
    for verb in (
        kill,
        power_off,
        partition,
        refuse_port,
        lose_packets,
        kill_dns,
        slow_link,
        cut_ssh,
        fill_disk,
        hang_mount,
        skew_time,
        hide_python,
        stop_service,
        freeze_service,
        flap_service,
        corrupt_file,
    )
}
