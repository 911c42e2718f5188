# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine restic, 0.14 and newer: encrypted, deduplicated snapshots of files.

A full backup means for restic that each file is read again (`--force`), whatever its times say; an incremental one
reads the files whose size, times or inode differ from the snapshot before. Both make a complete snapshot.
"""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import NotSupported
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.local_repository import WrongPassword
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.restic import interrupted_init
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.restic.client import KILLED
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.restic.errors import FLAWED, SOUND, complaints_of
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.restic.maintenance import Upkeep
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.restic.output import (
    Heard,
    documents,
    excludes,
    literal,
    snapshot_of,
)
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import to_bytes
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.immutable import Answer
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Source

TAG = "egov-ops"

#: A snapshot was made, but some of the source could not be read.
INCOMPLETE = 3

#: A line of a manifest takes some 300 bytes.
MANIFEST_LIMIT = 512 * 1024 * 1024


class Restic(Upkeep):
    """One repository, driven with restic."""

    ENGINE = "restic"
    CAN = (
        "listing",
        "files",
        "dump",
        "copy",
        "check",
        "prune",
        "locks",
        "keys",
        "immutability",
        "recovery",
    )
    MARK = b"config"
    BY_HAND = {"check": "restic check --read-data", "prune": "restic forget", "locks": "restic unlock"}

    def snapshots(self, host_name, future=False):
        # type: (str, bool) -> list[Snapshot]
        """Return those with our tag."""
        lock = ["--no-lock"] if self._host.check_mode else []
        listed = self._restic(lock + ["snapshots", "--host", host_name, "--tag", TAG], "list the snapshots")
        found = [snapshot_of(entry) for entry in documents(listed.out, "[")]
        now = self._host.now[:19] + "Z"
        return sorted(
            (snapshot for snapshot in found if future or snapshot.time <= now), key=lambda snapshot: snapshot.time
        )

    def opens(self):
        # type: () -> bool
        """Tell whether the password is one of the repository's; raises HalfError where that cannot be told."""
        try:
            self._restic(["--no-lock", "cat", "config"], "open the repository")
        except WrongPassword:
            return False
        return True

    def create(self, lock):
        # type: (int) -> None
        """Make the repository at its location; raises HalfError.

        restic holds the open file `lock` too: where this process dies first, nobody takes what is half made for dead.
        """
        if self._is_unfinished():
            interrupted_init.remove(self.path)
        interrupted_init.begin(self._folder, self.name, self.public, self._host)
        self._restic(["init"], "make the repository", writes=True, keep=(lock,))
        interrupted_init.end(self._folder, self.name, self._host)

    def backup(self, source, manifest, set_name, kind, parent, host_name, keep=()):
        # type: (Source, str, str, str, str, str, tuple[int, ...]) -> tuple[str, int, list[str]]
        """Make a snapshot; the unchanged files of the parent are not read again."""
        tags = [TAG, "set=%s" % set_name, "kind=%s" % kind, "run=%s" % self._host.run_id]
        arguments = ["backup", "--host", host_name, "--tag", ",".join(tags)]  # type: list[Any]  # Any: paths are bytes, other words text
        arguments += ["--time", "%s %s" % (self._host.now[:10], self._host.now[11:19])]
        arguments += ["--parent", parent] if parent and kind != "full" else ["--force"]
        for pattern in excludes(source) + [b"!" + literal(to_bytes(manifest))]:
            arguments += [b"--exclude", pattern]
        arguments += [b"--"] + source.roots + [to_bytes(manifest)]
        heard = Heard()
        self._host.progress.begin("backup of set %s: sending to %s" % (set_name, self.name), heard.status)
        doing = "back up set %s" % set_name
        done = self._restic(arguments, doing, accepted=(0, INCOMPLETE), writes=True, keep=keep, heard=heard)
        summary = [entry for entry in documents(done.out) if entry.get("message_type") == "summary"]
        if not summary:
            raise HalfError("restic reported no snapshot of set %s: %s." % (set_name, self._words(done)))
        troubles = documents(done.stderr.decode("utf-8", "backslashreplace"))
        unread = [entry["item"] for entry in troubles if entry.get("during") == "archival" and entry.get("item")]
        return summary[-1]["snapshot_id"], summary[-1].get("data_added") or 0, unread

    def copy(self, source, snapshot, seconds, lock, what):
        # type: (Engine, str, float, int, str) -> None
        """Copy a snapshot from another repository of restic into this one; raises HalfError."""
        if not isinstance(source, Restic):
            raise NotSupported(
                "Engine restic of repository %s does not support copy from repository %s, whose engine is %s: no "
                "snapshot is copied, and the copy stays due." % (self.name, source.name, source.ENGINE)
            )
        clash = [name for name, value in source._credentials.items() if self._credentials.get(name, value) != value]
        if clash:
            raise HalfError(
                "Repositories %s and %s need %s with two values, and restic takes one: copy to a place of another kind."
                % (source.name, self.name, clash[0]),
                "not_supported",
            )
        heard = Heard()
        self._host.progress.begin(what, heard.packs, "packs")
        reader, writer = os.pipe()
        try:
            os.write(writer, source._password.encode("utf-8") + b"\n")  # a pipe holds more than any password has
            os.close(writer)
            more = dict(
                source._credentials,
                RESTIC_FROM_REPOSITORY=source._address,
                RESTIC_FROM_PASSWORD_FILE="/dev/fd/%s" % reader,
            )
            self._restic(
                ["copy", snapshot],
                "copy snapshot %s to repository %s" % (snapshot[:8], self.name),
                writes=True,
                keep=(lock, reader),
                more=more,
                seconds=seconds,
                heard=heard,
            )
        finally:
            os.close(reader)

    def take_up(self):
        # type: () -> None
        """Prepare to continue a copy that was cut off: restic knows again what had arrived. Raises HalfError."""
        self._restic(["unlock"], "remove its stale locks", writes=True)
        self._restic(["rebuild-index"], "read its index again", writes=True)

    def check(self, part, parts, seconds):
        # type: (int, int, float) -> str
        """Check without a lock, so that no backup waits: nothing that a check reads is removed meanwhile."""
        arguments = ["--no-lock", "check", "--read-data-subset", "%s/%s" % (part, parts)]
        done = self._restic(arguments, "check the repository", (0, 1, KILLED), seconds=seconds)
        said, complaints = complaints_of(done)
        if done.rc == 0 and SOUND in done.out and not complaints:
            return ""
        if done.timed_out and not complaints:
            raise HalfError("The time was over before a part of repository %s was read." % self._place(), "timeout")
        if done.rc and not done.timed_out and FLAWED not in "".join(said):
            raise HalfError("restic could not check the repository: %s." % self._words(done).rstrip("."))
        return "; ".join((complaints or said or [self._words(done)])[:3])[:500].replace(self._address, self.public)

    def restore(self, snapshot, paths, target):
        # type: (str, list[bytes], str) -> str
        """Restore some paths of a snapshot below a folder; return what restic complained about, "" for nothing."""
        arguments = ["restore", "--target", target]  # type: list[Any]  # Any: paths are bytes, other words text
        for path in paths:
            arguments += [b"--include", literal(path)]
        done = self._restic(arguments + [snapshot], "restore from snapshot %s" % snapshot[:8], (0, 1), writes=True)
        return "" if done.rc == 0 else self._words(done)

    def dump(self, snapshot, path):
        # type: (str, str) -> bytes
        """Return the content of a file of a snapshot, without writing anything; raises HalfError."""
        lock = ["--no-lock"] if self._host.check_mode else []
        what = "read %s of snapshot %s" % (os.path.basename(path), snapshot[:8])
        done = self._restic(lock + ["dump", snapshot, path], what, limit=MANIFEST_LIMIT)
        if done.cut:
            raise HalfError(
                "The manifest of snapshot %s is larger than the %s bytes that can be read: restore with restic itself."
                % (snapshot[:8], MANIFEST_LIMIT),
                "too_large",
            )
        return done.stdout

    def ask_immutable(self):
        # type: () -> Answer
        """Return what the repository's store says when it is asked whether a client could remove what is in it."""
        from ansible_collections.egov.ops.plugins.module_utils.backup.engines import immutable  # no backup needs it

        return immutable.ask(self._address, self._credentials, min(immutable.ANSWER_SECONDS, self._host.remaining()))

    @property
    def needs(self):
        # type: () -> list[str]
        """Names of the variables that the lines of a recovery take from a person."""
        return ["RESTIC_PASSWORD_FILE", "TARGET"] + sorted(self._credentials)

    def recovery_commands(self, host_name, sets):
        # type: (str, list[str]) -> list[str]
        """Return the lines that list and restore some sets with restic alone."""
        from ansible_collections.egov.ops.plugins.module_utils.backup.engines.restic import (
            recovery,  # no check needs it
        )

        return recovery.commands(self.public, host_name, sets)

    def recovery_script(self, name, host_name, sets):
        # type: (str, str, list[str]) -> str
        """Return the script that does so, in a file of this name."""
        from ansible_collections.egov.ops.plugins.module_utils.backup.engines.restic import recovery

        return recovery.script(name, self.public, sorted(self._credentials), host_name, sets)

    def _is_unfinished(self):
        # type: () -> bool
        return bool(self.path) and interrupted_init.is_ours(self._folder, self.name, self.location, self._host)
