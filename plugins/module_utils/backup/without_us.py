# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a person restores with restic alone when controller and ledger are lost: commands, without any secret.

They are printed, and lie beside each repository on the host itself, as a script that runs as it stands.
"""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.paths import shown, to_bytes
from ansible_collections.egov.ops.plugins.module_utils.backup.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.restic import Restic
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEAD = """\
#!/bin/sh -eu
# How to restore from this repository without egov.ops, with restic alone.
# Put the repository's password into a file that only you can read, then:
#   RESTIC_PASSWORD_FILE=/root/repository.password TARGET=/srv/restored sh %(name)s
# Each file then lies below TARGET/SET under its whole path. For one set alone, type its lines.
: "${RESTIC_PASSWORD_FILE:?name the file that holds the password of the repository}"
: "${TARGET:?name a folder with space for the data}"
export RESTIC_PASSWORD_FILE
"""

_NEED = """\
: "${%(name)s:?it is among the credentials of the place}"
export %(name)s
"""


def script(name, location, needs, host_name, sets):
    # type: (str, str, list[str], str, list[str]) -> str
    """Return the script that restores the newest snapshot of some sets from one repository; pure.

    name is that of the script's file, needs are the variables by which restic is let in.
    """
    return (
        _HEAD % {"name": quoted(name)}
        + "".join(_NEED % {"name": need} for need in needs)
        + "".join(line + "\n" for line in commands(location, host_name, sets))
    )


def commands(location, host_name, sets):
    # type: (str, str, list[str]) -> list[str]
    """Return the lines that list and restore some sets of a host from one repository; pure."""
    lines = ["export RESTIC_REPOSITORY=%s" % quoted(location)]
    for name in sets:
        which = "--host %s --tag %s" % (quoted(host_name), quoted("egov-ops,set=%s" % name))
        lines.append("restic snapshots %s" % which)
        lines.append('restic restore latest %s --target "$TARGET"/%s' % (which, quoted(name)))
    return lines


def of_sets(sets, arguments, host):
    # type: (dict[str, dict[str, Any]], dict[str, Any], Any) -> dict[str, list[str]]
    """Return the commands for each set by name, from its own repository and from each copy."""
    found = {}
    for name in sorted(sets):
        places = [sets[name]["repository"]] + list(sets[name].get("copies") or ())
        found[name] = [line for place in places for line in _from(place, name, arguments, host)]
    return found


def _from(repository, name, arguments, host):
    # type: (str, str, dict[str, Any], Any) -> list[str]
    try:
        engine = open_engine(repository, arguments["repositories"], host)
    except HalfError as error:
        return ["# %s: %s" % (repository, error)]
    if not isinstance(engine, Restic):
        return ["# %s: its engine is not restic" % repository]
    needs = ", ".join(["RESTIC_PASSWORD_FILE", "TARGET"] + engine.needs)
    opening = "# from %s; set and export %s" % (repository, needs)
    return [opening] + commands(engine.public, arguments["host_name"], [name])


def keep(engine, host_name, sets, host):
    # type: (Any, str, list[str], Any) -> str
    """Let the script lie beside a repository on the host itself, where it is not there yet; return what went wrong."""
    if not isinstance(engine, Restic) or not engine.path or not sets:
        return ""
    path = to_bytes(os.path.normpath(engine.location)) + b".restore-" + to_bytes(host_name) + b".sh"
    text = to_bytes(script(shown(path), engine.public, engine.needs, host_name, sets))
    try:
        with open(path, "rb") as stream:
            if stream.read() == text:
                return ""
    except OSError:
        pass  # it is not there, or is written anew
    try:
        host.files.write(os.fsdecode(path), text)
    except OSError as error:
        return "The commands for a restore without us cannot lie beside repository %s: %s." % (
            engine.name,
            error.strerror,
        )
    return ""


def quoted(text):
    # type: (str) -> str
    """Return a text as one word of a shell line."""
    if text and all((sign.isalnum() and ord(sign) < 128) or sign in "/._-=,:@+" for sign in text):
        return text
    return "'%s'" % text.replace("'", "'\"'\"'")
