# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine keeps its own id: a restore of /etc, on a replaced machine or another host, must not make a twin."""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import join

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: Where the id lies (machine-id(5)); the second is a link to the first on most systems.
FILES = (b"/etc/machine-id", b"/var/lib/dbus/machine-id")


def keep(swaps, root=b""):
    # type: (Iterable[tuple[bytes, bytes, bytes]], bytes) -> list[bytes]
    """Give what was staged the id of this machine, empty where it has none; return the files that had another one.

    swaps are the staged source and the place of each exchange, and what is kept aside. root is a folder before the
    places, b"" on a real host. Raises OSError.
    """
    changed = []
    for source, place, _kept in swaps:
        for path in FILES:
            if root + path != place and not (root + path).startswith(place.rstrip(b"/") + b"/"):
                continue
            staged = join(source, os.path.relpath(root + path, place)) if root + path != place else source
            if os.path.islink(staged) or not os.path.isfile(staged):
                continue
            own = _content(root + path)
            if own == _content(staged):
                continue
            descriptor = os.open(staged, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
            try:
                os.write(descriptor, own)
            finally:
                os.close(descriptor)
            changed.append(path)
    return changed


def _content(path):
    # type: (bytes) -> bytes
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return b""
