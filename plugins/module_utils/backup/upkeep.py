# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What restic does for a repository's upkeep: its locks, snapshots that go, and the space that they leave."""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.restic_call import Call
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Ids in one call: arguments have their limit.
AT_ONCE = 500


class Upkeep(Call):
    """The part of the engine that looks after a repository."""

    def __init__(self, name, location, password, folder, host, credentials=None):
        # type: (str, str, str, str, Any, dict[str, str] | None) -> None
        """Take what a call takes."""
        Call.__init__(self, name, location, password, folder, host, credentials)
        #: The locks that were removed because nobody holds them any more, as locks.look tells them.
        self.unlocked = []  # type: list[dict[str, Any]]

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

    def key_ids(self):
        # type: () -> dict[str, bool]
        """Return the ids of the repository's keys, each with whether the password opens it; raises HalfError."""
        import json

        listed = self._restic(["--no-lock", "key", "list"], "list the keys").out
        lines = [line for line in listed.splitlines() if line.startswith("[")]
        if not lines:
            raise HalfError("restic listed no key of repository %s." % self.name)
        return {str(entry["id"]): bool(entry["current"]) for entry in json.loads(lines[-1])}

    def key(self):
        # type: () -> str
        """Return the id of the key by which the password opens the repository; raises HalfError."""
        return next((name for name, current in self.key_ids().items() if current), "")

    def add_key(self, password):
        # type: (str) -> None
        """Add a key with another password; raises HalfError."""
        reader, writer = os.pipe()
        try:
            os.write(writer, password.encode("utf-8") + b"\n")  # a pipe holds more than any password has
            os.close(writer)
            arguments = ["key", "add", "--new-password-file", "/dev/fd/%s" % reader]
            self._restic(arguments, "add a key", writes=True, keep=(reader,))
        finally:
            os.close(reader)

    def remove_key(self, name):
        # type: (str) -> None
        """Remove a key by its id; restic refuses the one that it was opened by. Raises HalfError."""
        self._restic(["key", "remove", name], "remove key %s" % name, writes=True)

    def _let_go(self):
        # type: () -> bool
        """Remove the locks of restic's that are gone, which else nobody may pass; tell whether there were any."""
        if self._host.check_mode:
            return False
        from ansible_collections.egov.ops.plugins.module_utils.backup import locks

        gone = locks.clear(self)[0]
        self.unlocked += gone
        return bool(gone)
