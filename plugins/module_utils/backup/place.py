# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folder of a repository on the host itself: whether it answers, is ours to use, and holds a repository."""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup import mounts
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host


class WrongPassword(HalfError):
    """The password is none of the repository's."""


class RepositoryMissing(HalfError):
    """There is no repository at the location."""


def check_folder(path, mark, engine, place, mounted, is_unfinished, host):
    # type: (bytes, bytes, str, str, dict[bytes, bytes], Callable[[], bool], Host) -> None
    """Raise HalfError where the folder does not answer or holds something else; place are the words for it.

    The file `mark` makes it a repository of the engine. RepositoryMissing for what the engine began to make for us and
    did not end, which is_unfinished() tells.
    """
    if not mounts.answers(path, mounted, host):
        raise HalfError("The file system of repository %s does not answer: mount it again." % place, "timeout")
    if not os.path.exists(path):
        return
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):  # an engine may try for most of a minute
        raise HalfError(
            "Repository %s is not open to the user that the backup runs as: run as its owner, or give it to them."
            % place,
            "permission",
        )
    if not os.path.isdir(path):
        raise HalfError("Repository %s is no folder: name another place." % place, "not_ours")
    names = os.listdir(path)
    if names and mark not in names:
        if is_unfinished():
            raise RepositoryMissing(
                "There is no repository at %s: making it was begun and did not end." % place, "not_ours"
            )
        raise HalfError(
            "The folder of repository %s holds other files and no repository of %s: name another folder."
            % (place, engine),
            "not_ours",
        )
