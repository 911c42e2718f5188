# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What restic does for a repository's upkeep: its locks, snapshots that go, and the space that they leave."""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.paths import to_bytes
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Ids in one call: arguments have their limit.
AT_ONCE = 500


class Upkeep:
    """The part of an engine that looks after a repository; location, host and the call of restic are the engine's."""

    location = ""
    _host = None  # type: Any
    _restic = None  # type: Any

    @property
    def path(self):
        # type: () -> bytes
        """Folder of a repository on the host itself, b"" for one elsewhere."""
        return to_bytes(os.path.normpath(self.location)) if self.location.startswith("/") else b""

    def forget(self, snapshots):
        # type: (list[str]) -> None
        """Remove snapshots by their ids; what only they hold stays until `reclaim`. Raises HalfError."""
        for start in range(0, len(snapshots), AT_ONCE):
            self._restic(["forget"] + snapshots[start : start + AT_ONCE], "remove snapshots", writes=True)

    def reclaim(self):
        # type: () -> None
        """Free the space that no snapshot needs; one that was killed is begun anew by the next. Raises HalfError."""
        self._restic(["prune"], "free the space of removed snapshots", writes=True)

    def locks(self):
        # type: () -> dict[str, dict[str, Any]]
        """Return the locks by id, each with `time`, `exclusive`, `hostname`, `username` and `pid`; raises HalfError."""
        import json

        listed = self._restic(["--no-lock", "list", "locks"], "list the locks").out
        found = {}
        for name in (line.strip() for line in listed.splitlines()):
            if len(name) != 64:
                continue
            try:
                found[name] = json.loads(self._restic(["--no-lock", "cat", "lock", name], "read a lock").out)
            except (HalfError, ValueError):  # removed meanwhile
                continue
        return found

    def unlock(self, gone, all_gone):
        # type: (list[str], bool) -> bool
        """Remove locks whose holders are gone, and tell whether that could be done; raises HalfError.

        A repository elsewhere only lets go of all at once: nothing is removed there while one may be held.
        """
        if self.path:
            for name in gone:
                self._host.files.remove(os.path.join(os.fsdecode(self.path), "locks", name))
            return True
        if all_gone:
            self._restic(["unlock"], "remove stale locks", writes=True)
        return all_gone
