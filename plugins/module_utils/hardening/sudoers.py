# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of sudo, from all files that it reads."""

import re

from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Absent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Machine
    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import Pairs

_DEEPEST = 16
_ASSIGNED = re.compile(r"(!*)(\w+)\s*(?:[-+]?=\s*(\"[^\"]*\"|[^,\s]+))?")


def sudo_default(machine, option, default=None):
    # type: (Machine, str, str | None) -> Pairs
    """Value of an option among the Defaults that hold for all; a switch is `set`, one that is off has no value."""
    value = default
    for line in machine.once("sudoers", lambda: _lines(machine, "/etc/sudoers", 0)):
        words = line.split(None, 1)
        if words[0] != "Defaults" or len(words) < 2:
            continue
        for off, name, given in _ASSIGNED.findall(words[1]):
            if name == option:
                value = None if len(off) % 2 else given.strip('"') or "set"
    yield option, value


def sudo_rules(machine, tag, spared=()):
    # type: (Machine, str, list[str] | tuple[()]) -> Iterator[tuple[str, list[str]]]
    """Whom rules with a tag name, such as `NOPASSWD` or `!authenticate`; `spared` are users and groups left out."""
    found = set()
    for line in machine.once("sudoers", lambda: _lines(machine, "/etc/sudoers", 0)):
        whom = line.split()[0]
        # a switch such as !authenticate stands among the defaults, a tag such as NOPASSWD in a rule
        if tag in line and whom not in spared and tag.startswith("!") == whom.startswith("Defaults"):
            found.add(whom)
    yield "", sorted(found)


def _lines(machine, path, depth):
    # type: (Machine, str, int) -> list[str]
    """Return the rules in the order in which sudo reads them, without comments."""
    if depth == 0 and not machine.exists(path) and not machine.host.tool("sudo"):
        raise Absent("sudo is not installed on this host.")
    found = []
    for line in machine.read(path).replace("\\\n", " ").splitlines():
        words = line.split()
        if words and words[0] in ("@include", "#include", "@includedir", "#includedir") and len(words) > 1:
            place = words[1].strip('"')
            place = place if place.startswith("/") else path.rpartition("/")[0] + "/" + place
            names = [place]
            if words[0].endswith("dir"):
                # sudo passes over names with a dot and those of editors' copies
                names = ["%s/%s" % (place, name) for name in machine.entries_of(place) if "." not in name]
                names = [name for name in names if not name.endswith("~")]
            for name in names if depth < _DEEPEST else []:
                found += _lines(machine, name, depth + 1)
        else:
            rule = line.split("#")[0].strip() if not re.search(r"#\d", line) else line.strip()
            found += [rule] if rule and not rule.startswith("#") else []
    return found
