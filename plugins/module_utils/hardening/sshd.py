# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SSH server: what `sshd -T` says it does, for all connections and for those that a Match block sets apart."""

import os

from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Absent, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Machine
    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import Pairs

#: What stands between an option and the block that sets it, in the name of what was looked at.
MATCH = " in Match "
#: Match blocks that are looked at; each costs the host 10 ms.
_MOST_BLOCKS = 12
_CRITERIA = {"user": "user", "host": "host", "address": "addr", "localaddress": "laddr", "localport": "lport"}
#: Options whose value is a list with commas.
_LISTS = ("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "casignaturealgorithms", "pubkeyacceptedalgorithms")


def sshd(machine, option):
    # type: (Machine, str) -> Pairs
    """Value of an option of the SSH server, for each kind of connection that its configuration tells apart."""
    for block, settings in machine.once("sshd", lambda: _settings(machine)):
        values = settings.get(option.lower())
        if not block and values is None:
            raise Absent("This release of the SSH server has no option %s." % option)
        yield option + (MATCH + block if block else ""), _value(option.lower(), values)


def _value(option, values):
    # type: (str, list[str] | None) -> str | list[str] | None
    if not values or values == ["none"]:
        return None
    if option in _LISTS:
        return values[0].split(",")
    return values[0] if len(values) == 1 else values


def _settings(machine):
    # type: (Machine) -> list[tuple[str, dict[str, list[str]]]]
    """Return the settings for all connections, under the name "", and for those of each Match block."""
    if not machine.host.tool("sshd"):
        raise Absent("No SSH server is installed on this host.")
    found = [("", _effective(machine, []))]
    places = [path for path in ("/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config") if machine.exists(path)]
    blocks = _blocks(machine, machine.read(places[0]), 0) if places else []
    for block in sorted(set(blocks))[:_MOST_BLOCKS]:
        connection = _connection(machine, block)
        if connection:
            found.append((block, _effective(machine, ["-C", connection])))
    return found


def _effective(machine, words):
    # type: (Machine, list[str]) -> dict[str, list[str]]
    done = machine.tool(["sshd", "-T"] + words)
    if done.rc != 0:
        if os.geteuid() != 0:
            raise Unreadable("the host keys of the SSH server")
        raise RuntimeError("sshd -T failed: %s" % done.error)
    settings = {}  # type: dict[str, list[str]]
    for line in done.out.splitlines():
        name, _space, value = line.partition(" ")
        settings.setdefault(name, []).append(value)
    return settings


def _blocks(machine, text, depth):
    # type: (Machine, str, int) -> list[str]
    """Return what follows each `Match`, in the order in which the server meets them, included files too."""
    found = []
    for line in text.splitlines():
        words = line.strip().replace("=", " ", 1).split(None, 1)
        if len(words) < 2 or words[0].startswith("#"):
            continue
        if words[0].lower() == "match":
            found.append(" ".join(words[1].split()))
        elif words[0].lower() == "include" and depth < 16:
            for pattern in words[1].replace('"', "").split():
                for path in machine.find(pattern if pattern.startswith("/") else "/etc/ssh/" + pattern):
                    found += _blocks(machine, machine.read(path), depth + 1)
    return found


def _connection(machine, block):
    # type: (Machine, str) -> str
    """Return a connection that a Match block is meant for, as `sshd -C` takes it; "" where none can be named."""
    connection = {"user": "nobody", "host": "host.invalid", "addr": "192.0.2.1"}
    words = block.replace("=", " ").split()
    for place in range(0, len(words) - 1, 2):
        criterion, patterns = words[place].lower(), words[place + 1].strip('"').split(",")
        wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
        if criterion == "group":
            members = [name for group in wanted for name in _members(machine, group)]
            if not members:
                return ""
            connection["user"] = members[0]
        elif criterion in _CRITERIA and wanted:
            connection[_CRITERIA[criterion]] = _example(wanted[0])
    return ",".join("%s=%s" % pair for pair in sorted(connection.items())) if len(words) > 1 else ""


def _example(pattern):
    # type: (str) -> str
    """Return a text that a pattern or network stands for."""
    address = ":" in pattern or pattern.replace(".", "").replace("*", "").replace("/", "").isdigit()
    return pattern.split("/")[0].replace("*", "1" if address else "x").replace("?", "1" if address else "x")


def _members(machine, group):
    # type: (Machine, str) -> list[str]
    for line in machine.read("/etc/group").splitlines():
        fields = line.split(":")
        if len(fields) > 3 and fields[0] == group:
            users = [line.split(":") for line in machine.read("/etc/passwd").splitlines()]
            return [name for name in fields[3].split(",") if name] + [
                user[0] for user in users if len(user) > 3 and user[3] == fields[2]
            ]
    return []
