# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a person restores with restic alone when controller and ledger are lost: commands, without any secret."""

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


def quoted(text):
    # type: (str) -> str
    """Return a text as one word of a shell line."""
    if text and all((sign.isalnum() and ord(sign) < 128) or sign in "/._-=,:@+" for sign in text):
        return text
    return "'%s'" % text.replace("'", "'\"'\"'")
