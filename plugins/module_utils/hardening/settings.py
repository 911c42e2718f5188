# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings in files: key and value, sections with drop-ins as systemd reads them, logrotate, login shells, limits."""

import re

from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Absent
from ansible_collections.egov.ops.plugins.module_utils.host.patterns import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Machine
    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import Pairs

_UNITS = {"s": 1 / 86400.0, "m": 1 / 1440.0, "h": 1 / 24.0, "d": 1.0, "w": 7.0, "M": 30.44, "y": 365.25}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(months?|min(?:ute)?s?|[a-zA-Z]*)")
_PERIODS = {"hourly": 1 / 24.0, "daily": 1.0, "weekly": 7.0, "monthly": 30.44, "yearly": 365.25}
_LIMIT = re.compile(r"^\s*(\S+)\s+(soft|hard|-)\s+(\S+)\s+(\S+)", re.M)
#: Files that login shells read, in order.
_PROFILES = ("/etc/profile", "/etc/profile.d/*.sh", "/etc/bash.bashrc", "/etc/bashrc")


def pairs(text):
    # type: (str) -> dict[str, str]
    """Return keys and values of lines such as `key = value`, `key value` or a bare `key`; the last of a key counts."""
    found = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line:
            words = re.split(r"\s*=\s*|\s+", line, maxsplit=1)
            found[words[0]] = words[1].strip() if len(words) > 1 else "set"
    return found


def setting(machine, files, key, default=None):
    # type: (Machine, list[str], str, str | None) -> Pairs
    """Value of a key in files that a program reads one after the other; `default` is the program's own."""
    found, value = [], default
    for pattern in files:
        for path in machine.find(pattern):
            value = pairs(machine.read(path)).get(key, value)
            found.append(path)
    if not found:
        raise Absent("%s is not there." % files[-1])
    yield key, value


def login_defs(machine, key, default=None):
    # type: (Machine, str, str | None) -> Pairs
    """Value of a key in /etc/login.defs, which rules accounts that are created."""
    places = [path for path in ("/etc/login.defs", "/usr/etc/login.defs") if machine.exists(path)]
    yield key, pairs(machine.read(places[0] if places else "/etc/login.defs")).get(key, default)


def systemd_setting(machine, file, section, key, default=None, days=False):
    # type: (Machine, str, str, str, str | None, bool) -> Pairs
    """Value of a key in a configuration of systemd with its drop-ins; with `days` a span of time in days."""
    value, main = None, ""
    for folder in ("/etc/systemd/", "/run/systemd/", "/usr/lib/systemd/"):
        if machine.exists(folder + file):
            main = folder + file
            break
    drop_ins = machine.layered("systemd/%s.d" % file)
    if not main and not drop_ins:
        raise Absent("This host has no %s of systemd." % file)
    for path in ([main] if main else []) + drop_ins:
        inside = ""
        for line in machine.read(path).splitlines():
            line = line.strip()
            if line.startswith("["):
                inside = line.strip("[]")
            elif inside == section and not line.startswith(("#", ";")) and "=" in line:
                name, _equal, given = line.partition("=")
                if name.strip() == key:
                    value = given.strip() or None
    value = default if value is None else value
    yield key, _days(value) if days and value is not None else value


def _days(text):
    # type: (str) -> str
    """Return a span of time as systemd writes it in days, the text itself where it is none."""
    total = 0.0
    for number, unit in _SPAN.findall(text):
        name = "M" if unit.startswith("month") or unit == "M" else unit[:1].lower()
        total += float(number) * _UNITS.get(name or "s", 0)
    return "%g" % round(total, 1) if _SPAN.match(text) else text


def logrotate(machine, logs):
    # type: (Machine, list[str]) -> Pairs
    """Days until a line of some logs is removed, `forever` where nothing rotates them."""
    blocks = machine.once("logrotate", lambda: _rotations(machine))
    seen = 0
    for log in logs:
        if not machine.exists(log):
            continue
        seen += 1
        fitting = [days for patterns, days in blocks if any(matches(log, pattern) for pattern in patterns)]
        yield log, "%g" % round(min(fitting), 1) if fitting else "forever"
    if not seen:
        raise Absent("This host has none of the logs %s; the journal holds them." % ", ".join(logs))


def _rotations(machine):
    # type: (Machine) -> list[tuple[list[str], float]]
    """Return the patterns of each block and the days for which it keeps."""
    paths = ["/etc/logrotate.conf"]
    if not machine.exists(paths[0]):
        paths = ["/usr/etc/logrotate.conf"]
    if not machine.exists(paths[0]):
        return []
    common = {"period": 7.0, "rotate": 0.0, "maxage": 0.0}
    blocks = []  # type: list[tuple[list[str], float]]
    _rotate_file(machine, paths[0], common, blocks, 0)
    return blocks


def _rotate_file(machine, path, common, blocks, depth):
    # type: (Machine, str, dict[str, float], list[tuple[list[str], float]], int) -> None
    patterns, inside, script = [], None, False  # type: list[str], dict[str, float] | None, bool
    for line in machine.read(path).splitlines():
        words = line.split("#")[0].replace("{", " { ").replace('"', "").split()
        if not words:
            continue
        if script or words[0] in ("prerotate", "postrotate", "firstaction", "lastaction", "preremove"):
            script = words[0] != "endscript"
        elif inside is None and words[0] == "include" and len(words) > 1 and depth < 4:
            folder = words[1]
            names = [folder + "/" + name for name in machine.entries_of(folder)] or [folder]
            for name in names:
                if machine.exists(name):
                    _rotate_file(machine, name, common, blocks, depth + 1)
        elif inside is None and (words[0].startswith("/") or words[0] == "{" or patterns):
            patterns += [word for word in words if word.startswith("/")]
            inside = dict(common) if "{" in words else None
        elif words[0] == "}" and inside is not None:
            kept = inside["period"] * inside["rotate"]
            blocks.append((patterns, min(kept, inside["maxage"]) if inside["maxage"] else kept))
            patterns, inside = [], None
        else:
            _directive(common if inside is None else inside, words)


def _directive(settings, words):
    # type: (dict[str, float], list[str]) -> None
    number = words[1] if len(words) > 1 else ""
    if words[0] in _PERIODS:
        settings["period"] = _PERIODS[words[0]]
    elif words[0] in ("rotate", "maxage") and number.lstrip("-").isdigit():
        # a negative count of rotate keeps all
        settings[words[0]] = float(number) if int(number) >= 0 else 100000.0


def shell(machine, variable):
    # type: (Machine, str) -> Pairs
    """Value that a login shell gets for a variable or for `umask` from the profiles; the last assignment counts."""
    exported = r"(?:(?:export|readonly|(?:declare|typeset)\s+-\w+)\s+)*"
    wanted = r"umask\s+" if variable == "umask" else "%s%s=" % (exported, re.escape(variable))
    pattern = re.compile(r"(?:^|;|&&|\bthen)\s*%s(?:\"([^\"]*)\"|'([^']*)'|([^\s;]*))" % wanted, re.M)
    found, value = 0, None
    for pattern_of_files in _PROFILES:
        for path in machine.find(pattern_of_files):
            found += 1
            text = "\n".join(line for line in machine.read(path).splitlines() if not line.lstrip().startswith("#"))
            for given in pattern.findall(text):
                value = "".join(given)
    if not found:
        raise Absent("This host has no profile of a login shell.")
    yield variable, value


def limit(machine, domain, item):
    # type: (Machine, str, str) -> Pairs
    """Hard limit that pam_limits sets for a domain, such as `*`, and an item, such as `core`."""
    paths = machine.find("/etc/security/limits.conf") + machine.find("/etc/security/limits.d/*.conf")
    if not paths:
        raise Absent("This host has no /etc/security/limits.conf.")
    value = None
    for path in paths:
        text = "\n".join(line.split("#")[0] for line in machine.read(path).splitlines())
        for whom, kind, what, amount in _LIMIT.findall(text):
            if whom == domain and kind in ("hard", "-") and what == item:
                value = amount
    yield "%s for %s" % (item, domain), value


def content(machine, files, patterns):
    # type: (Machine, list[str], list[str]) -> Iterator[tuple[str, list[str]]]
    """Those of some regular expressions that the text of files matches."""
    paths = [path for pattern in files for path in machine.find(pattern)]
    if not paths:
        raise Absent("%s is not there." % " nor ".join(files))
    for path in paths:
        text = machine.read(path)
        yield path, [pattern for pattern in patterns if re.search(pattern, text, re.M)]
