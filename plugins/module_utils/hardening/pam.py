# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PAM: the stack that a service really has, with all it includes, and the options in force for a module."""

from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Absent, Unreadable
from ansible_collections.egov.ops.plugins.module_utils.hardening.settings import pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Machine
    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import Pairs

_FOLDERS = ("/etc/pam.d/", "/usr/lib/pam.d/")
_DEEPEST = 16


def pam(machine, services, type, module="", option="", files=(), default=None):
    # type: (Machine, list[str], str, str, str, list[str] | tuple[()], str | None) -> Pairs
    """Modules in the stack of services, or the value of a module's option where one is named.

    An option counts from the line of the stack first, then from the module's own files, the last of them first, then by
    the module's default. A module that is not in the stack has no options.
    """
    seen = 0
    for service in services:
        try:
            stack = [line for line in _stack(machine, service, 0) if line[0] == type]
        except Absent:
            continue
        except Unreadable as error:
            yield service, error
            continue
        seen += 1
        if not option:
            yield "the %s stack of %s" % (type, service), [name for _type, name, _arguments in stack]
            continue
        lines = [arguments for _type, name, arguments in stack if name == module]
        value = _option(machine, lines, option, files, default) if lines else None
        yield "%s of %s for %s" % (option, module, service), value if lines else ""
    if not seen:
        raise Absent("This host has none of the services %s." % ", ".join(services))


def _option(machine, lines, option, files, default):
    # type: (Machine, list[list[str]], str, list[str] | tuple[()], str | None) -> str | None
    for arguments in lines:
        for argument in arguments:
            name, equal, value = argument.partition("=")
            if name == option:
                return value if equal else "set"
    found = default
    for pattern in files:
        for path in machine.find(pattern):
            found = pairs(machine.read(path)).get(option, found)
    return found


def _stack(machine, service, depth):
    # type: (Machine, str, int) -> list[tuple[str, str, list[str]]]
    """Return type, module and arguments of each line, with what is included in its place; raises Absent."""
    found = []
    for line in _text(machine, service).replace("\\\n", " ").splitlines():
        words = line.split("#")[0].split()
        if not words or depth > _DEEPEST:
            continue
        if words[0] == "@include" and len(words) > 1:
            found += _included(machine, words[1], depth)
            continue
        kind, rest = words[0].lstrip("-").lower(), words[1:]
        if rest and rest[0].startswith("["):  # a control in brackets may have spaces in it
            while rest and not rest[0].endswith("]"):
                rest = rest[1:]
            rest = ["[]"] + rest[1:]
        if len(rest) < 2:
            continue
        if rest[0] in ("include", "substack"):
            found += [entry for entry in _included(machine, rest[1], depth) if entry[0] == kind]
        else:
            found.append((kind, rest[1].rpartition("/")[2], rest[2:]))
    return found


def _included(machine, service, depth):
    # type: (Machine, str, int) -> list[tuple[str, str, list[str]]]
    try:
        return _stack(machine, service, depth + 1)
    except Absent:
        return []


def _text(machine, service):
    # type: (Machine, str) -> str
    if service.startswith("/"):
        return machine.read(service)
    for folder in _FOLDERS:
        if machine.exists(folder + service):
            return machine.read(folder + service)
    raise Absent("This host has no service %s." % service)
