# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine restic, 0.14 and newer: encrypted, deduplicated snapshots of files.

A full backup means for restic that each file is read again (`--force`), whatever its times say; an incremental one
reads the files whose size, times or inode differ from the snapshot before. Both make a complete snapshot.
The password goes to restic by its standard input alone.
"""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup import unfinished
from ansible_collections.egov.ops.plugins.module_utils.backup.paths import shown, to_bytes
from ansible_collections.egov.ops.plugins.module_utils.backup.place import WrongPassword, check_folder
from ansible_collections.egov.ops.plugins.module_utils.backup.restic_said import (
    FLAWED,
    SOUND,
    complaints_of,
    is_locked,
    refuse,
)
from ansible_collections.egov.ops.plugins.module_utils.backup.restic_text import Heard, documents, excludes, literal
from ansible_collections.egov.ops.plugins.module_utils.backup.snapshot import Snapshot, snapshot_of
from ansible_collections.egov.ops.plugins.module_utils.backup.upkeep import Upkeep
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.backup.immutable import Answer
    from ansible_collections.egov.ops.plugins.module_utils.backup.source import Source
    from ansible_collections.egov.ops.plugins.module_utils.host.run import Completed

TAG = "egov-ops"

INSTALL = (
    "restic is not installed on the host: install it (Debian, Ubuntu: apt-get install restic; Fedora, EPEL: "
    "dnf install restic; SUSE: zypper install restic)."
)

#: The code of a tool that was killed when its time was over; who accepts it looks at what was said until then.
KILLED = -9

#: A snapshot was made, but some of the source could not be read.
INCOMPLETE = 3

OUTPUT_LIMIT = 64 * 1024 * 1024
#: A line of a manifest takes some 300 bytes.
MANIFEST_LIMIT = 512 * 1024 * 1024


class Restic(Upkeep):
    """One repository, driven with restic."""

    def __init__(self, name, location, password, folder, host, credentials=None):
        # type: (str, str, str, str, Any, dict[str, str] | None) -> None
        """Take the repository's name, location and password, and a folder of the host for temporary files and cache.

        credentials are those of the place: variables of the environment by which restic is let in.
        """
        self.name = name
        self.location = location
        self._password = password
        self._folder = folder
        self._host = host
        self._credentials = credentials or {}
        #: The locks that were removed because nobody holds them any more, as locks.look tells them.
        self.unlocked = []  # type: list[dict[str, Any]]
        if not password:
            raise HalfError("Repository %s has no password: give its password_file." % name)

    def check_location(self, mounted):
        # type: (dict[bytes, bytes]) -> None
        """Raise HalfError where the repository's folder does not answer or holds something else.

        RepositoryMissing for what a `restic init` of ours began and did not end.
        """
        if self.path:
            check_folder(self.path, self._place(), mounted, self._is_unfinished, self._host)

    def snapshots(self, host_name, future=False):
        # type: (str, bool) -> list[Snapshot]
        """Return the snapshots of an inventory host, oldest first; raises RepositoryMissing, or HalfError.

        Those of the future are left out, unless they are asked for: a clock that once was wrong must not keep anything
        from being due.
        """
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
            unfinished.remove(self.path)
        unfinished.begin(self._folder, self.name, self.location, self._host)
        self._restic(["init"], "make the repository", writes=True, keep=(lock,))
        unfinished.end(self._folder, self.name, self._host)

    def backup(self, source, manifest, set_name, kind, parent, host_name, keep=()):
        # type: (Source, str, str, str, str, str, tuple[int, ...]) -> tuple[str, int, list[str]]
        """Make a snapshot; return its id, the bytes it added, and what restic could not read. Raises HalfError.

        parent is the snapshot whose unchanged files are not read again, "" for none. The manifest's file is always
        part of the snapshot, even where it lies in an excluded folder. restic holds the open files `keep` too.
        """
        tags = [TAG, "set=%s" % set_name, "kind=%s" % kind, "run=%s" % self._host.run_id]
        arguments = ["backup", "--host", host_name, "--tag", ",".join(tags)]  # type: list[Any]
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

    def copy(self, source, snapshot, seconds, lock, heard):
        # type: (Restic, str, float, int, Heard) -> None
        """Copy a snapshot from another repository into this one, in so many seconds; raises HalfError.

        restic holds the open file `lock` too, and `heard` is given what it prints. What is there already is not sent
        again.
        """
        clash = [name for name, value in source._credentials.items() if self._credentials.get(name, value) != value]
        if clash:
            raise HalfError(
                "Repositories %s and %s need %s with two values, and restic takes one: copy to a place of another kind."
                % (source.name, self.name, clash[0]),
                "not_supported",
            )
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
        """Let a copy that was cut off be gone on with: restic knows again what had arrived. Raises HalfError."""
        self._restic(["unlock"], "remove its stale locks", writes=True)
        self._restic(["rebuild-index"], "read its index again", writes=True)

    def check(self, part, parts, seconds):
        # type: (int, int, float) -> str
        """Check the structure, and read one of so many parts of the data; return what is damaged, "" for nothing.

        Raises HalfError where that cannot be told. It takes no lock, so that no backup waits for it: nothing that a
        check reads is removed from a repository meanwhile.
        """
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
        arguments = ["restore", "--target", target]  # type: list[Any]
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

    def _restic(
        self,
        arguments,  # type: list[Any]
        doing,  # type: str
        accepted=(0,),  # type: tuple[int, ...]
        writes=False,  # type: bool
        limit=OUTPUT_LIMIT,  # type: int
        keep=(),  # type: tuple[int, ...]
        more=None,  # type: dict[str, str] | None
        seconds=None,  # type: float | None
        heard=None,  # type: Heard | None
    ):
        # type: (...) -> Completed
        command = ["restic", "--json"] + self._cache() + arguments
        temporary = {} if self._host.check_mode else {"TMPDIR": os.path.join(self._folder, "tmp")}
        done = self._host.run(
            command,
            stdin=self._password.encode("utf-8") + b"\n",
            # One progress line in five seconds instead of sixty a second; times as the catalogue keeps them.
            # A location can hold credentials, so it is not among the arguments, which everybody on the host can read.
            # The file keeps restic from saying on standard output that it reads the password.
            env=dict(
                temporary,
                RESTIC_REPOSITORY=self._address,
                RESTIC_PASSWORD_FILE="/dev/stdin",
                RESTIC_PROGRESS_FPS="0.2",
                TZ="UTC",
                **dict(more or {}, **self._credentials),
            ),
            timeout=seconds,
            limit=limit,
            writes=writes,
            keep=keep,
            heard=heard,
        )  # type: Completed
        if done.missing:
            raise HalfError(INSTALL)
        if done.timed_out and KILLED not in accepted:
            raise HalfError(
                "restic could not %s in time: %s. Give it more time." % (doing, self._words(done)), "timeout"
            )
        said = done.stderr.decode("utf-8", "backslashreplace")
        if is_locked(done.rc, said) and self._let_go():
            return self._restic(arguments, doing, accepted, writes, limit, keep, more, seconds, heard)
        refuse(done.rc, said, self._place())
        if done.rc not in accepted:
            raise HalfError("restic could not %s: %s." % (doing, self._words(done).rstrip(".")))
        return done

    def ask_immutable(self):
        # type: () -> Answer
        """Return what the repository's store says when it is asked whether a client could remove what is in it."""
        from ansible_collections.egov.ops.plugins.module_utils.backup import immutable  # no backup needs it

        return immutable.ask(self._address, self._credentials, min(immutable.ANSWER_SECONDS, self._host.remaining()))

    def _let_go(self):
        # type: () -> bool
        """Remove the locks of restic's that are gone, which else nobody may pass; tell whether there were any."""
        if self._host.check_mode:
            return False
        from ansible_collections.egov.ops.plugins.module_utils.backup import locks

        gone = locks.clear(self)[0]
        self.unlocked += gone
        return bool(gone)

    def _is_unfinished(self):
        # type: () -> bool
        return bool(self.path) and unfinished.is_ours(self._folder, self.name, self.location, self._host)

    def _cache(self):
        # type: () -> list[str]
        """A repository on the host itself needs no cache; one elsewhere has it where the host's user may write."""
        if self.path or self._host.check_mode:
            return ["--no-cache"]
        return ["--cache-dir", os.path.join(self._folder, "cache")]

    def _place(self):
        # type: () -> str
        return "%s (%s)" % (self.name, shown(to_bytes(self.public)))

    def _words(self, done):
        # type: (Completed) -> str
        """Return restic's own last words, without credentials."""
        return done.error.replace(self._address, self.public).replace(self.location, self.public)

    @property
    def _address(self):
        # type: () -> str
        """The location as restic is given it: a REST server's with user and password, which 0.14 takes nowhere else."""
        user, secret = (self._credentials.get("RESTIC_REST_" + name) for name in ("USERNAME", "PASSWORD"))
        if not (user and secret and self.location.startswith("rest:")):
            return self.location
        from urllib.parse import quote

        scheme, separator, place = self.location.partition("://")
        return "%s%s%s:%s@%s" % (scheme, separator, quote(user, ""), quote(secret, ""), place.rpartition("@")[2])

    @property
    def needs(self):
        # type: () -> list[str]
        """Names of the variables by which restic is let in, beside the password."""
        return sorted(self._credentials)

    @property
    def public(self):
        # type: () -> str
        """The location without the user and password that a URL may hold."""
        import re

        return re.sub("//[^/@]*@", "//", self.location)
