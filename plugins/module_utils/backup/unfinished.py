# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A repository folder that `restic init` began and, killed, did not end: told from all else, and removed.

Without its file `config` such a folder is no repository, and restic and we refuse it as somebody else's. It is ours
where we noted that we were making a repository there, or where it lies in our own state folder; and it holds no data
where nothing but keys, locks and empty folders is in it.
"""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.paths import remove_tree, to_bytes, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: What restic makes before `config`, and whether files in it can be of a repository that was never finished.
MADE = {b"data": False, b"index": False, b"snapshots": False, b"keys": True, b"locks": True}


def begin(folder, name, location, host):
    # type: (str, str, str, Host) -> None
    """Note, in the room's folder, that a repository is being made at a location; raises OSError."""
    host.files.write(_note(folder, name), to_bytes(location))


def end(folder, name, host):
    # type: (str, str, Host) -> None
    """Forget what `begin` noted."""
    host.files.remove(_note(folder, name))


def is_ours(folder, name, location, host):
    # type: (str, str, str, Host) -> bool
    """Tell whether a folder is one that we began to make into a repository, and holds no data and no repository."""
    path = to_bytes(location)
    return (_noted(folder, name) == path or within(path, to_bytes(host.state_dir))) and _is_begun(path)


def remove(path):
    # type: (bytes) -> None
    """Remove what is in the folder and leave the folder, which may be a mount point; raises OSError."""
    for name in sorted(os.listdir(path)):
        remove_tree(os.path.join(path, name))


def _note(folder, name):
    # type: (str, str) -> str
    return os.path.join(folder, "locks", "making %s" % name)


def _noted(folder, name):
    # type: (str, str) -> bytes
    try:
        with open(_note(folder, name), "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def _is_begun(path):
    # type: (bytes) -> bool
    try:
        names = os.listdir(path)
        if not names or not MADE.keys() >= set(names):
            return False
        for name in names:
            if os.path.islink(os.path.join(path, name)):
                return False
            for folder, folders, files in os.walk(os.path.join(path, name), onerror=_refuse):
                links = [entry for entry in folders if os.path.islink(os.path.join(folder, entry))]
                if links or (files and not MADE[name]):
                    return False
    except OSError:
        return False
    return True


def _refuse(error):
    # type: (OSError) -> None
    raise error
