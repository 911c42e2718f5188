# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of the engines: what one must do, what it may declare, and how a caller learns what it cannot do.

An engine is a class below `Engine` in a file of its own, and a line in `registry.py`. `CAN` names its capabilities, and
it has the methods of each. A method of another capability raises NotSupported: one sentence that names engine and
capability and says what stays undone, which callers record as `skipped`, `not_supported`.

Other errors are HalfError, one sentence. Callers tell apart RepositoryMissing and WrongPassword (`place.py`), and the
reasons `busy` for a repository that others lock and `timeout` for what did not end in its time. AnotherRun is a busy
one for which a live run of ours is the cause: it alone is recorded as `skipped`.
"""

import abc
import os

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.local_repository import check_folder
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.lock_holder import AnotherRun
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import shown, to_bytes
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, TypedDict

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.immutable import Answer
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Source
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

    class Repository(TypedDict, total=False):
        """A repository of the plan as a half is given it; `trouble` is why the controller cannot give all of it."""

        engine: str
        location: str
        create: bool
        immutable: bool
        site: str
        trouble: str
        unprunable: str

    class Lock(TypedDict):
        """Who locks a repository, as the engine knows it; time is ISO 8601 with an offset or Z."""

        time: str
        exclusive: bool
        hostname: str
        username: str
        pid: int

    class SeenLock(Lock):
        """A lock that was looked at: `state` is one of locks.py, `age` in seconds."""

        id: str
        state: str
        age: int


#: By capability its methods, and what follows for a repository whose engine has it not.
CAPABILITIES = {
    "listing": (("snapshots",), "what is in it is not known, and counts as no backup"),
    "files": (("backup", "restore"), "no set of files is backed up to it, proved, or restored from it"),
    "dump": (("dump",), "what a snapshot holds can be neither shown, nor drilled, nor restored from a request"),
    "copy": (("copy", "take_up"), "no snapshot is copied, and the copy stays due"),
    "check": (("check",), "its data is not read again and counts as unchecked, so that its check stays due"),
    "prune": (("forget", "reclaim"), "what is expired stays in it, and its pruning stays due"),
    "locks": (("locks", "unlock"), "whether somebody blocks it is not known"),
    "keys": (
        ("opens", "key", "key_ids", "add_key", "remove_key"),
        "its key is neither tried nor changed, and its rotation and the test of its escrow stay due",
    ),
    "immutability": (("ask_immutable",), "whether a client could remove what is in it is the plan's word alone"),
    "recovery": (
        ("recovery_commands", "recovery_script"),
        "how its sets are restored without this collection stands in the engine's own manual",
    ),
}  # type: dict[str, tuple[tuple[str, ...], str]]


class NotSupported(HalfError):
    """The engine of a repository lacks the capability that the work needs: not done, and not failed."""

    def __init__(self, message):
        # type: (str) -> None
        HalfError.__init__(self, message, "not_supported")


def status_of(error):
    # type: (HalfError) -> str
    """Return failed for work that raised, skipped where a live run of ours does it or the engine cannot."""
    return "skipped" if isinstance(error, (AnotherRun, NotSupported)) else "failed"


class Engine(abc.ABC):
    """One repository, driven with one engine."""

    #: Name of the engine in the plan, and its capabilities.
    ENGINE = ""
    CAN = ()  # type: tuple[str, ...]

    #: File or folder that makes a folder of the host a repository of this engine.
    MARK = b""

    #: By capability the engine's own command for a person who does the work by hand.
    BY_HAND = {}  # type: dict[str, str]

    #: Seconds after which a lock that was not renewed has nobody at work behind it.
    UNRENEWED = 1800

    def __init__(self, name, location, password, folder, host, credentials=None):
        # type: (str, str, str, str, Host, dict[str, str] | None) -> None
        """Take the repository's name, location and password, and a folder of the host for temporary files and cache.

        credentials are those of the place, by the names that the engine gives them. Raises HalfError.
        """
        self.name = name
        self.location = location
        #: The locks that were removed because nobody holds them any more.
        self.unlocked = []  # type: list[SeenLock]
        self._password = password
        self._folder = folder
        self._host = host
        self._credentials = credentials or {}

    def require(self, capability):
        # type: (str) -> None
        """Raise NotSupported where the engine lacks a capability."""
        if capability not in self.CAN:
            self._lacks(capability)

    def by_hand(self, capability):
        # type: (str) -> str
        """Return the engine's own command for a capability, in brackets after a blank; "" where there is none."""
        return " (%s)" % self.BY_HAND[capability] if capability in self.BY_HAND else ""

    @staticmethod
    def resolve(location, state_dir):
        # type: (str, str) -> str
        """Return the plan's location as the engine takes it: a path from / on, or "scheme:..." as it stands."""
        return location if ":" in location.split("/")[0] else os.path.join(state_dir, location)

    @property
    def path(self):
        # type: () -> bytes
        """Folder of a repository on the host itself, b"" for one elsewhere."""
        return to_bytes(os.path.normpath(self.location)) if self.location.startswith("/") else b""

    @property
    def public(self):
        # type: () -> str
        """The location without any secret that it may hold."""
        return self.location

    def check_location(self, mounted):
        # type: (dict[bytes, bytes]) -> None
        """Raise HalfError where the repository's folder does not answer or holds something else.

        RepositoryMissing for what an earlier `create` of ours began and did not end. mounted has the kind of file
        system by mount point.
        """
        if self.path:
            check_folder(self.path, self.MARK, self.ENGINE, self._place(), mounted, self._is_unfinished, self._host)

    @abc.abstractmethod
    def create(self, lock):
        # type: (int) -> None
        """Make the repository at its location; raises HalfError. A tool that does it inherits the open file `lock`."""

    # listing

    def snapshots(self, host_name, future=False):
        # type: (str, bool) -> list[Snapshot]
        """Return the snapshots of an inventory host, oldest first; raises RepositoryMissing, or HalfError.

        Those of the future are left out, unless they are asked for: a clock that once was wrong must not keep anything
        from being due.
        """
        self._lacks("listing")

    # files

    def backup(self, source, manifest, set_name, kind, parent, host_name, keep=()):
        # type: (Source, str, str, str, str, str, tuple[int, ...]) -> tuple[str, int, list[str]]
        """Make a snapshot; return its id, the bytes it added, and the paths that could not be read. Raises HalfError.

        kind is full, incremental or change; parent is the snapshot before, "" for none. The file `manifest` is part of
        the snapshot, wherever it lies. The tool inherits the open files `keep`. A backup that fails or is killed leaves
        no snapshot.
        """
        self._lacks("files")

    def restore(self, snapshot, paths, target):
        # type: (str, list[bytes], str) -> str
        """Restore some paths of a snapshot, with all below them, below a folder; return the complaints, "" for none.

        Each file lies below the target under its whole path. Raises HalfError where nothing could be tried.
        """
        self._lacks("files")

    # dump

    def dump(self, snapshot, path):
        # type: (str, str) -> bytes
        """Return the content of a file of a snapshot, without writing anything; raises HalfError."""
        self._lacks("dump")

    # copy

    def copy(self, source, snapshot, seconds, lock, what):
        # type: (Engine, str, float, int, str) -> None
        """Copy a snapshot from another repository into this one, in so many seconds; raises HalfError.

        What is there already is not sent again. The tool inherits the open file `lock`; what are the words of the
        progress.
        """
        self._lacks("copy")

    def take_up(self):
        # type: () -> None
        """Make what a copy that was cut off had sent count for the next one; raises HalfError."""
        self._lacks("copy")

    # check

    def check(self, part, parts, seconds):
        # type: (int, int, float) -> str
        """Check the structure, and read part 1 to `parts` of the data; return what is damaged, "" for nothing.

        Raises HalfError where that cannot be known, with reason `timeout` where the time was over first.
        """
        self._lacks("check")

    def new_packs(self, since):
        # type: (float) -> list[tuple[float, bytes]]
        """Return the files of a repository on the host that are newer than a time, with their times, oldest first.

        Only those that `is_whole` can test one by one; an engine without such files returns none.
        """
        return []

    def is_whole(self, path):
        # type: (bytes) -> bool
        """Tell whether a file of `new_packs` is what the engine wrote; one that cannot be read is not."""
        return False

    def part_of(self, path, parts):
        # type: (bytes, int) -> int
        """Return the part of `check` that reads a file of `new_packs`."""
        return 1

    # prune

    def forget(self, snapshots):
        # type: (list[str]) -> None
        """Remove snapshots by their ids; what only they hold may stay until `reclaim`. Raises HalfError."""
        self._lacks("prune")

    def reclaim(self):
        # type: () -> None
        """Free the space that no snapshot needs; after a kill the next call does it. Raises HalfError."""
        self._lacks("prune")

    # locks

    def locks(self):
        # type: () -> dict[str, Lock]
        """Return the locks by id; raises HalfError."""
        self._lacks("locks")

    def unlock(self, gone, all_gone):
        # type: (list[str], bool) -> bool
        """Remove the locks of holders that are gone, and tell whether that could be done; raises HalfError.

        all_gone tells that no other lock is left: some places can only remove all at once.
        """
        self._lacks("locks")

    # keys

    def opens(self):
        # type: () -> bool
        """Tell whether the password is one of the repository's; raises HalfError where that cannot be known."""
        self._lacks("keys")

    def key_ids(self):
        # type: () -> dict[str, bool]
        """Return the ids of the repository's keys, each with whether the password opens it; raises HalfError."""
        self._lacks("keys")

    def key(self):
        # type: () -> str
        """Return the id of the key by which the password opens the repository; raises HalfError."""
        self._lacks("keys")

    def add_key(self, password):
        # type: (str) -> None
        """Add a key with another password; raises HalfError."""
        self._lacks("keys")

    def remove_key(self, name):
        # type: (str) -> None
        """Remove a key by its id, never the one that the password opens; raises HalfError."""
        self._lacks("keys")

    # immutability

    def ask_immutable(self):
        # type: () -> Answer
        """Return what the repository's store says when it is asked whether a client could remove what is in it."""
        self._lacks("immutability")

    # recovery

    @property
    def needs(self):
        # type: () -> list[str]
        """Names of the variables that the lines of a recovery take from a person."""
        return []

    def recovery_commands(self, host_name, sets):
        # type: (str, list[str]) -> list[str]
        """Return the shell lines that restore some sets of a host without this collection, and without any secret."""
        self._lacks("recovery")

    def recovery_script(self, name, host_name, sets):
        # type: (str, str, list[str]) -> str
        """Return the same as a script that runs as it stands, in a file of this name."""
        self._lacks("recovery")

    def _lacks(self, capability):
        # type: (str) -> NoReturn
        raise NotSupported(
            "Engine %s of repository %s does not support %s: %s."
            % (self.ENGINE, self.name, capability, CAPABILITIES[capability][1])
        )

    def _is_unfinished(self):
        # type: () -> bool
        """Tell whether the repository's folder is one that `create` began, and holds no data."""
        return False

    def _place(self):
        # type: () -> str
        return "%s (%s)" % (self.name, shown(to_bytes(self.public)))
