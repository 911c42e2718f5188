# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What restic does for a repository's upkeep: its locks, snapshots that go, and the space that they leave."""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.restic.client import Call
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Lock

#: A pack that became new while the last check ran may have been missed by it.
OVERLAP_SECONDS = 3600.0

BLOCK = 1024 * 1024

#: Ids in one call: arguments have their limit.
AT_ONCE = 500


class Upkeep(Call):
    """The part of the engine that looks after a repository."""

    def forget(self, snapshots):
        # type: (list[str]) -> None
        """Remove snapshots by their ids; what only they hold stays until `reclaim`. Raises HalfError."""
        for start in range(0, len(snapshots), AT_ONCE):
            self._restic(["forget"] + snapshots[start : start + AT_ONCE], "remove snapshots", writes=True)

    def reclaim(self):
        # type: () -> None
        """Free the space that no snapshot needs; one that was killed is begun anew by the next. Raises HalfError."""
        self._restic(["prune"], "free the space of removed snapshots", writes=True)

    def new_packs(self, since):
        # type: (float) -> list[tuple[float, bytes]]
        """Return the packs that are newer than a time; each is named by its SHA-256."""
        found = []
        for place, _folders, files in os.walk(os.path.join(self.path, b"data")):
            for name in files:
                path = os.path.join(place, name)
                try:
                    changed = os.stat(path).st_mtime
                except OSError:  # removed meanwhile
                    continue
                if len(name) == 64 and changed > since - OVERLAP_SECONDS:
                    found.append((changed, path))
        return sorted(found)

    def is_whole(self, path):
        # type: (bytes) -> bool
        """Tell whether a pack is what its name says; one that is removed meanwhile or cannot be read is not."""
        import hashlib

        digest = hashlib.sha256()
        try:
            with open(path, "rb") as stream:
                for block in iter(lambda: stream.read(BLOCK), b""):
                    digest.update(block)
        except OSError:
            return False
        return digest.hexdigest().encode("ascii") == os.path.basename(path)

    def part_of(self, path, parts):
        # type: (bytes, int) -> int
        """Return the part that reads a pack: restic divides them by the first byte of their names."""
        return int(os.path.basename(path)[:2], 16) % parts + 1

    def locks(self):
        # type: () -> dict[str, Lock]
        """Return the locks by id; raises HalfError."""
        import json

        listed = self._restic(["--no-lock", "list", "locks"], "list the locks").out
        found = {}  # type: dict[str, Lock]
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
        from ansible_collections.egov.ops.plugins.module_utils.backup.engines import locks

        gone = locks.clear(self)[0]
        self.unlocked += gone
        return bool(gone)

    def _locked(self):
        # type: () -> HalfError
        """Return the error that names who locks the repository; AnotherRun where only runs of ours do."""
        from ansible_collections.egov.ops.plugins.module_utils.backup.engines import locks

        return locks.refusal(self._place(), locks.look(self), os.path.join(self._folder, "locks"))
