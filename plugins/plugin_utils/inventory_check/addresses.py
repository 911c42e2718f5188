# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of an inventory: those that are none, and those that two hosts have."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.plan import PREFIX, Problem, shown

#: Connections in which ansible_host is an address; in the others it names a container or is not used.
_OVER_THE_NETWORK = ("ssh", "paramiko", "paramiko_ssh", "smart", "winrm", "psrp", "network_cli", "netconf", "httpapi")
#: What looks like a numeric address, with or without a port.
_NUMERIC = re.compile(
    r"(?P<four>\d+(?:\.\d+)+)(?::(?P<port>\d+))?"
    r"|\[(?P<six>.*)\](?::(?P<port_of_six>\d+))?"
    r"|(?P<bare>(?=.*:.*:)[0-9a-fA-F:.]+)"
)

Variables = Mapping[str, Mapping[str, Any]]


def addresses(hosts: Variables) -> Iterator[tuple[str, Problem]]:
    """Yield each host with what is wrong with an address of it."""
    seen: dict[tuple[str, str], str] = {}
    for host, variables in hosts.items():
        yield from ((host, problem) for problem in _probes(variables))
        address, port = variables.get("ansible_host"), str(variables.get("ansible_port", ""))
        connection = str(variables.get("ansible_connection", "ssh")).rsplit(".", 1)[-1]
        if not isinstance(address, str) or "{" in f"{address}{port}" or connection not in _OVER_THE_NETWORK:
            continue
        if not _is_sound(address):
            allowed = "a name, or an address such as 192.0.2.1 or 2001:db8::1"
            sentence = f"ansible_host is {shown(address)}, but must be {allowed}."
            yield host, Problem("ansible_host", shown(address), sentence, allowed=allowed, rule="address")
        first = seen.setdefault((_normal(address), port), host)
        if first != host:
            sentence = f"{host} has the address of {first}, {address}; one machine would be looked after twice."
            yield host, Problem("ansible_host", shown(address), sentence, fatal=False, rule="address")


def _probes(variables: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the addresses of probes that are none."""
    for name, probes in variables.items():
        if not name.startswith(f"{PREFIX}probes") or not isinstance(probes, Mapping):
            continue
        for probe, keys in probes.items():
            address = keys.get("address") if isinstance(keys, Mapping) else None
            if isinstance(address, str) and not _is_sound(address):
                allowed = "a name or an address, such as 192.0.2.1:22 or [2001:db8::1]:22"
                sentence = f"{name}.{probe}.address is {shown(address)}, but must be {allowed}."
                yield Problem(name, shown(address), sentence, path=(probe, "address"), allowed=allowed, rule="address")


def _is_sound(address: str) -> bool:
    """Return whether what looks like a numeric address is one; any other text is taken for a name."""
    found = _NUMERIC.fullmatch(address)
    if not found:
        return True
    try:
        ipaddress.ip_address(found["four"] or found["six"] or found["bare"])
    except ValueError:
        return False
    return int(found["port"] or found["port_of_six"] or 1) in range(1, 65536)


def _normal(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address.lower()
