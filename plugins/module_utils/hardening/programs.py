# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is installed, what runs and what listens."""

from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Absent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Machine

_LISTEN, _BOUND = "0A", "07"


def package(machine, names):
    # type: (Machine, list[str]) -> Iterator[tuple[str, list[str]]]
    """Those of some packages that are installed."""
    installed = machine.once("packages", lambda: _packages(machine))
    yield "", [name for name in names if name in installed]


def _packages(machine):
    # type: (Machine) -> set[str]
    kind = machine.packages()
    if kind == "deb":
        found = set()
        for paragraph in machine.read("/var/lib/dpkg/status").split("\n\n"):
            # an installed package's state is the third word, whatever is wanted of it
            if " installed\n" in paragraph and paragraph.startswith("Package: "):
                found.add(paragraph[9 : paragraph.index("\n")])
        if not found:
            raise RuntimeError("/var/lib/dpkg/status names no installed package")
        return found
    if kind == "rpm":
        done = machine.tool(["rpm", "-qa", "--qf", "%{NAME}\\n"])
        if done.rc != 0 or not done.out:
            raise RuntimeError("rpm failed: %s" % done.error)
        return set(done.out.split())
    raise Absent("This host has neither a dpkg nor an rpm database.")


def unit(machine, units, together=False):
    # type: (Machine, list[str], bool) -> Iterator[tuple[str, list[str]]]
    """States of units of systemd, such as `enabled` and `active`; `missing` for one that is not there.

    With `together` the states of all are one list: one unit of many suffices. A socket that would start an inactive
    service counts as `active`.
    """
    states = machine.once("units", lambda: _units(machine))
    if together:
        yield " or ".join(units), sorted({state for name in units for state in states[name] if state != "missing"})
        return
    for name in units:
        yield name, states[name]


def _units(machine):
    # type: (Machine) -> dict[str, list[str]]
    """Return the states of all units that any control asks for, in one call."""
    if not machine.exists("/run/systemd/system"):
        raise Absent("systemd does not run on this host.")
    wanted = sorted({name for entry in machine.entries.values() for name in entry.get("units") or ()})
    properties = "--property=Id,LoadState,UnitFileState,ActiveState,TriggeredBy"
    done = machine.tool(["systemctl", "show", properties, "--"] + wanted)
    if done.rc != 0:
        raise RuntimeError("systemctl failed: %s" % done.error)
    # one paragraph for each unit, in the order of the names: an alias answers with another Id
    paragraphs = [dict(line.split("=", 1) for line in part.splitlines() if "=" in line) for part in _parts(done.out)]
    if len(paragraphs) != len(wanted):
        raise RuntimeError("systemctl showed %d of %d units" % (len(paragraphs), len(wanted)))
    triggers = sorted({word for shown in paragraphs for word in shown.get("TriggeredBy", "").split()})
    active = set()
    if triggers:
        answer = machine.tool(["systemctl", "is-active", "--"] + triggers).out.split()
        active = {name for place, name in enumerate(triggers) if answer[place : place + 1] == ["active"]}
    found = {}
    for place, name in enumerate(wanted):
        shown = paragraphs[place]
        if shown.get("LoadState") == "not-found":
            found[name] = ["missing"]
            continue
        states = {shown.get("UnitFileState", ""), shown.get("ActiveState", "")} - {""}
        if active.intersection(shown.get("TriggeredBy", "").split()):
            states = (states | {"active"}) - {"inactive"}
        found[name] = sorted(states)
    return found


def _parts(text):
    # type: (str) -> list[str]
    return [part for part in text.split("\n\n") if part.strip()]


def listening(machine):
    # type: (Machine) -> Iterator[tuple[str, list[str]]]
    """Ports on which the host listens for others: `22/tcp`. What is bound to the loopback alone does not count."""
    found = set()
    for name, state in (("tcp", _LISTEN), ("tcp6", _LISTEN), ("udp", _BOUND), ("udp6", _BOUND)):
        try:
            lines = machine.read("/proc/net/" + name).splitlines()[1:]
        except Absent:
            continue
        for line in lines:
            fields = line.split()
            address, _colon, port = fields[1].partition(":")
            if fields[3] == state and not _loopback(address):
                found.add("%d/%s" % (int(port, 16), name[:3]))
    yield "", sorted(found, key=lambda port: (int(port.split("/")[0]), port))


def _loopback(address):
    # type: (str) -> bool
    """Tell whether an address of /proc/net, whose 32-bit words are in the machine's order, is the host's own."""
    import sys

    first = address[6:8] if sys.byteorder == "little" else address[:2]
    if len(address) == 8:
        return first == "7F"
    mapped = address[16:24] in ("FFFF0000", "0000FFFF")
    last = address[30:32] if sys.byteorder == "little" else address[24:26]
    return address in ("0" * 24 + "01000000", "0" * 31 + "1") or (mapped and last == "7F")
