# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel: its settings now and after the next start, its modules, mandatory access control."""

import os
import re

from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Absent
from ansible_collections.egov.ops.plugins.module_utils.host.patterns import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Machine
    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import Pairs

_EXPLICIT = re.compile(r"^\s*install\s+(\S+)\s+(\S+)", re.M)
_LISTED = re.compile(r"^\s*blacklist\s+(\S+)", re.M)
_NOTHING = ("/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true")


def sysctl(machine, keys, default=None):
    # type: (Machine, list[str], str | None) -> Pairs
    """Value of kernel settings now, and the one that the next start would set; `default` is the kernel's own."""
    present = 0
    for key in keys:
        place = "/proc/sys/" + key.replace(".", "/")
        try:
            yield key, " ".join(machine.read(place).split())
        except Absent:
            continue
        present += 1
        value = _at_start(machine, key)
        yield key + " at the next start", default if value is None else value
    if not present:
        raise Absent("This kernel has no %s." % " nor ".join(keys))


def _at_start(machine, key):
    # type: (Machine, str) -> str | None
    """Return what systemd-sysctl would set: the last file by name wins, an exact key before a pattern."""
    exact, patterns, spared = machine.once("sysctl.d", lambda: _sysctl_files(machine))
    if key in exact:
        return str(exact[key])
    if key in spared:
        return None
    fitting = [value for pattern, value in patterns if matches(key, pattern)]
    return fitting[-1] if fitting else None


def _sysctl_files(machine):
    # type: (Machine) -> tuple[dict[str, str], list[tuple[str, str]], set[str]]
    exact, patterns, spared = {}, [], set()
    for path in machine.layered("sysctl.d"):
        try:
            text = machine.read(path)
        except Absent:  # a link to nowhere
            continue
        for line in text.splitlines():
            line = line.strip()
            if not line or line[0] in "#;":
                continue
            name, equal, value = line.partition("=")
            name = name.strip()
            ignoring = name.startswith("-")
            key = _key(name.lstrip("-"))
            if not equal:
                spared.update([key] if ignoring else [])
            elif any(sign in key for sign in "*?["):
                patterns.append((key, " ".join(value.split())))
            else:
                exact[key] = " ".join(value.split())
    return exact, patterns, spared


def _key(name):
    # type: (str) -> str
    """Return a setting's name with dots: it is written with dots, or with slashes where a part has a dot in it."""
    slash, dot = name.find("/"), name.find(".")
    return name.replace("/", ".") if slash >= 0 and (dot < 0 or slash < dot) else name


def module(machine, modules):
    # type: (Machine, list[str]) -> Iterator[tuple[str, str]]
    """Whether kernel modules can be loaded: `loaded`, `built in`, `loadable`, `blacklisted`, `blocked` or `missing`."""
    loaded = {line.split(" ", 1)[0] for line in machine.read("/proc/modules").splitlines()}
    blocked, listed = machine.once("modprobe.d", lambda: _modprobe_files(machine))
    available, built_in = machine.once("modules", lambda: _available(machine))
    for given in modules:
        name = given.replace("-", "_")
        if name in loaded:
            yield given, "loaded"
        elif name in built_in:
            yield given, "built in"
        elif name not in available:
            yield given, "missing"
        elif name in blocked:
            yield given, "blocked"
        else:
            yield given, "blacklisted" if name in listed else "loadable"


def _modprobe_files(machine):
    # type: (Machine) -> tuple[set[str], set[str]]
    texts = [machine.read(path) for path in machine.layered("modprobe.d")]
    # what is installed in place of a module is the last that is said of it
    installed = {name: command for text in texts for name, command in _EXPLICIT.findall(text)}
    blocked = {name.replace("-", "_") for name, command in installed.items() if command in _NOTHING}
    return blocked, {name.replace("-", "_") for text in texts for name in _LISTED.findall(text)}


def _available(machine):
    # type: (Machine) -> tuple[set[str], set[str]]
    release = machine.read("/proc/sys/kernel/osrelease").strip()
    found = []
    for name in ("modules.dep", "modules.builtin"):
        try:
            text = machine.read("/lib/modules/%s/%s" % (release, name))
        except Absent:
            raise Absent("The modules of the running kernel are not on this host, which is a container then.")
        paths = [line.split(":", 1)[0] for line in text.splitlines()]
        found.append({os.path.basename(path).split(".ko")[0].replace("-", "_") for path in paths})
    return found[0], found[1]


def access_control(machine, system):
    # type: (Machine, str) -> Iterator[tuple[str, str]]
    """Mode of AppArmor (`enabled`, `disabled`) or SELinux (`enforcing`, `permissive`, `disabled`)."""
    if system == "apparmor":
        try:
            text = machine.read("/sys/module/apparmor/parameters/enabled").strip()
        except Absent:
            text = "N"
        yield "AppArmor", "enabled" if text == "Y" else "disabled"
        return
    try:
        mode = machine.read("/sys/fs/selinux/enforce").strip()
    except Absent:
        mode = ""
    yield "SELinux", {"1": "enforcing", "0": "permissive"}.get(mode, "disabled")
