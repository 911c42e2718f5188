# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts of the host's own files: identities, shells, passwords and their ages."""

from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Absent
from ansible_collections.egov.ops.plugins.module_utils.hardening.settings import pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Machine
    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import Pairs

_NO_SHELL = ("nologin", "false", "sync", "shutdown", "halt")
#: Beginnings of stored passwords whose scheme resists guessing: yescrypt, gost-yescrypt, bcrypt, SHA-512, SM3.
_STRONG = ("$y$", "$gy$", "$2a$", "$2b$", "$2y$", "$6$", "$sm3$")
_FOREVER = 99999


def accounts(machine, fact, spared=()):
    # type: (Machine, str, list[str] | tuple[()]) -> Pairs
    """Names of those accounts, or groups, of which a fact holds; `spared` are names that are left out."""
    if fact not in _FACTS:
        raise ValueError("there is no fact %s; known are %s" % (fact, ", ".join(sorted(_FACTS))))
    found = _FACTS[fact](machine)
    yield "", [name for name in found if name not in spared]


def _passwd(machine):
    # type: (Machine) -> list[list[str]]
    return _rows(machine, "/etc/passwd", 7)


def _shadow(machine):
    # type: (Machine) -> list[list[str]]
    return _rows(machine, "/etc/shadow", 9)


def _rows(machine, path, fields):
    # type: (Machine, str, int) -> list[list[str]]
    rows = [line.split(":") for line in machine.read(path).splitlines() if line.strip()]
    return [row + [""] * (fields - len(row)) for row in rows if not row[0].startswith(("+", "-"))]


def _with_password(machine):
    # type: (Machine) -> list[list[str]]
    """Return the rows of accounts that can log in with a password."""
    return [row for row in _shadow(machine) if row[1] and row[1][0] not in "!*"]


def _uid_zero(machine):
    # type: (Machine) -> list[str]
    return [row[0] for row in _passwd(machine) if row[2].isdigit() and int(row[2]) == 0]


def _empty_password(machine):
    # type: (Machine) -> list[str]
    open_ = {row[0] for row in _passwd(machine) if row[1] == ""}
    return sorted(open_ | {row[0] for row in _shadow(machine) if row[1] == ""})


def _unshadowed(machine):
    # type: (Machine) -> list[str]
    return [row[0] for row in _passwd(machine) if row[1] not in ("x", "*", "!", "!!", "")]


def _duplicate(machine):
    # type: (Machine) -> list[str]
    found = []
    for path, what in (("/etc/passwd", "user"), ("/etc/group", "group")):
        rows = _rows(machine, path, 4)
        for place, kind in ((0, what), (2, what + " id")):
            values = [row[place] for row in rows]
            found += sorted({"%s %s" % (kind, value) for value in values if values.count(value) > 1})
    return found


def _groupless(machine):
    # type: (Machine) -> list[str]
    known = {row[2] for row in _rows(machine, "/etc/group", 4)}
    return [row[0] for row in _passwd(machine) if row[3] not in known]


def _system_with_shell(machine):
    # type: (Machine) -> list[str]
    """Accounts of the system, by the limit in login.defs, with a shell that lets somebody in."""
    first = _first_uid(machine)
    return [
        row[0]
        for row in _passwd(machine)
        if row[2].isdigit() and 0 < int(row[2]) < first and row[6].rpartition("/")[2] not in _NO_SHELL
    ]


def _first_uid(machine):
    # type: (Machine) -> int
    try:
        return int(pairs(machine.read("/etc/login.defs")).get("UID_MIN", "1000"))
    except (Absent, ValueError):
        return 1000


def _system_with_password(machine):
    # type: (Machine) -> list[str]
    first = _first_uid(machine)
    system = {row[0] for row in _passwd(machine) if row[2].isdigit() and 0 < int(row[2]) < first}
    return [row[0] for row in _with_password(machine) if row[0] in system]


def _names(machine):
    # type: (Machine) -> list[str]
    return [row[0] for row in _passwd(machine)]


def _weak_hash(machine):
    # type: (Machine) -> list[str]
    return [row[0] for row in _with_password(machine) if not row[1].startswith(_STRONG)]


def _without_expiry(machine):
    # type: (Machine) -> list[str]
    """Accounts with a password that need not be changed within 90 days."""
    return [row[0] for row in _with_password(machine) if not 0 < _days(row[4], _FOREVER) <= 90]


def _changed_in_future(machine):
    # type: (Machine) -> list[str]
    # the day after today has begun east of the controller
    return [row[0] for row in _with_password(machine) if _days(row[2], 0) > machine.today() + 1]


def _without_minimum(machine):
    # type: (Machine) -> list[str]
    """Accounts with a password that can be changed back on the same day."""
    return [row[0] for row in _with_password(machine) if _days(row[3], 0) < 1]


def _days(text, otherwise):
    # type: (str, int) -> int
    return int(text) if text.lstrip("-").isdigit() else otherwise


_FACTS = {
    "changed_in_future": _changed_in_future,
    "duplicate": _duplicate,
    "empty_password": _empty_password,
    "groupless": _groupless,
    "names": _names,
    "system_with_password": _system_with_password,
    "system_with_shell": _system_with_shell,
    "uid_zero": _uid_zero,
    "unshadowed": _unshadowed,
    "weak_hash": _weak_hash,
    "without_expiry": _without_expiry,
    "without_minimum": _without_minimum,
}


def homes(machine):
    # type: (Machine) -> list[tuple[str, str]]
    """Return name and home of root and of each person who can log in and has a home."""
    first = _first_uid(machine)
    return [
        (row[0], row[5])
        for row in _passwd(machine)
        if row[2].isdigit()
        and (int(row[2]) == 0 or int(row[2]) >= first)
        and row[6].rpartition("/")[2] not in _NO_SHELL
        and row[5].startswith("/")
        and row[5] != "/"
        and machine.exists(row[5])
        and not machine.remote(row[5])
    ]
