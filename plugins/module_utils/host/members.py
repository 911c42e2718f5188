# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The members of a finding about a set of things: failed units, zombies, pending updates."""

import json

from ansible_collections.egov.ops.plugins.module_utils.host.public import public_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.egov.ops.plugins.module_utils.host.types import Fact

#: Members of one finding, characters of each, and bytes of all of them as JSON.
MEMBERS, MEMBER_LENGTH, MEMBERS_ROOM = 200, 200, 3072


def members_of(names, unnamed=0):
    # type: (Iterable[str], int) -> dict[str, Fact]
    """Return as details of an observation the sorted members, and how many more there are that are not listed.

    unnamed: how many things are known only by their number. A name that is too long is cut and ends with a digest, so
    that two of them stay apart.
    """
    everything = sorted({_short(public_text(name)) for name in names if name.strip()})
    room, listed = MEMBERS_ROOM, []  # type: int, list[str]
    for name in everything[:MEMBERS]:
        room -= len(json.dumps(name)) + 2
        if room < 0:
            break
        listed.append(name)
    return {"members": listed, "more_members": len(everything) - len(listed) + unnamed}


def _short(name):
    # type: (str) -> str
    """Return a name as one line of at most MEMBER_LENGTH characters."""
    line = " ".join(name.encode("utf-8", "backslashreplace").decode("utf-8").split())
    line = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)
    if len(line) <= MEMBER_LENGTH:
        return line
    import hashlib

    return "%s... %s" % (line[: MEMBER_LENGTH - 20], hashlib.sha256(line.encode("utf-8")).hexdigest()[:16])
