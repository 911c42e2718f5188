# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Types are read by mypy alone and never run. pylint: disable=unsupported-binary-operation,inherit-non-class

"""The types of this room: for the type checker alone, so no stream carries this module to a host."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Literal, TypedDict

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Repository
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.job import Operation
    from ansible_collections.egov.ops.plugins.module_utils.host.types import JSON, Fact, Permission, Result

    # `class` is a word of Python, and can be a key in this form alone.
    _Classed = TypedDict("_Classed", {"class": str}, total=False)

    #: The facts of a record as the work gathers them. Any: they are handed to `observation` with **, see host's Fact.
    Facts = dict[str, Any]
    #: JSON that a tool has printed. Any: each tool has its own, and what does not fit raises where it is read.
    Document = dict[str, Any]

    class BackupSet(_Classed, total=False):
        """A set of the plan as a half is given it; times are ISO 8601 in UTC, hook_timeout is in seconds."""

        state: str
        repository: str
        copies: Sequence[str]
        paths: Sequence[str]
        exclude: Sequence[str]
        stop: Sequence[str]
        pre: Sequence[str]
        post: Sequence[str]
        hook_timeout: float
        snapshot: bool
        snapshot_size: int
        full_since: str | None
        incremental: str
        incremental_since: str | None
        known: bool
        known_copies: Sequence[str]

    Sets = Mapping[str, BackupSet]
    Repositories = Mapping[str, Repository]
    #: A command of a set, by its key.
    Hook = Literal["pre", "post"]

    class SetState(TypedDict, total=False):
        """What a host remembers of a set's last backup; `started` is in seconds since the epoch."""

        location: str
        snapshot: str
        started: float
        spoiled: list[str]
        files: int
        bytes: int
        moved: list[str]
        status: str
        reason: str
        message: str
        finding: dict[str, Fact]

    class Entry(TypedDict, total=False):
        """An entry of a manifest; times are in nanoseconds. ctime and inode are left out where nobody asks for them."""

        path: str
        type: str
        mode: int
        uid: int
        gid: int
        owner: str
        group: str
        size: int
        mtime: int
        ctime: int
        inode: int
        sha256: str
        target: str
        unreadable: bool
        xattrs: dict[str, str]

    class Paths(TypedDict):
        """Paths of which all are counted and the first few named."""

        count: int
        first: list[str]

    class NotedVolume(TypedDict, total=False):
        """What is noted of the snapshot of a file system before it is taken."""

        kind: str
        identity: str
        group: str
        root: str

    class Moved(TypedDict, total=False):
        """The paths that changed while a snapshot was made, as the ledger has them."""

        snapshot: str
        paths: Sequence[str]

    class Assertion(TypedDict, total=False):
        """What the plan asserts of a set that came back; timeout is in seconds."""

        state: str
        set: str
        paths: Sequence[str]
        command: Sequence[str]
        timeout: float

    class Asserted(TypedDict):
        """How an assertion ended."""

        name: str
        status: str
        seconds: float
        message: str

    class CatalogueRow(_Classed, total=False):
        """A snapshot in the shape that all engines share; `seen` and `made` are for retention, size is in bytes."""

        host: str
        set: str
        time: str
        kind: str
        chain: str
        copy: str
        snapshot: str
        size: int | None
        ratio: float | None
        proved: str
        seen: str
        made: bool

    class Place(TypedDict):
        """What is known of a repository of a set, for the judgement of its copies."""

        repository: str
        medium: str
        site: str
        immutable: bool
        immutable_words: str
        holds: bool
        newest: str
        checked: str
        proved: bool
        trouble: str

    class Request(TypedDict, total=False):
        """The operation of a restore; seconds is the estimate, `of` another host whose set it is."""

        host: str
        of: str
        set: str
        repository: str
        snapshot: str
        original: str
        snapshot_time: str
        paths: Sequence[str]
        mode: str
        destination: str
        files: int
        bytes: int
        stop: Sequence[str]
        seconds: float

    #: What of a request each record of its restore tells.
    Told = Literal["snapshot", "snapshot_time", "repository", "mode", "destination", "files", "bytes", "stop"]

    class Repositoried(TypedDict):
        """What names repositories by their place in the plan."""

        repositories: Sequence[str]

    class SetArguments(TypedDict, total=False):
        """What each half over sets takes; timeout is in seconds."""

        sets: Sets
        repositories: Repositories
        host_name: str
        timeout: float
        job: str

    class BackupArguments(SetArguments, total=False):
        """What the backup takes beside."""

        copy_seconds: float

    class CheckArguments(SetArguments, total=False):
        """What the check takes beside; escrow has by repository why its key could not be read."""

        data: str
        escrow: Mapping[str, str]

    class Proof(TypedDict, total=False):
        """The newest good proof of a set."""

        time: str
        snapshot: str

    class CatalogueArguments(SetArguments, total=False):
        """What the catalogue takes beside; checks has by repository the status of its last check."""

        site: str
        proofs: Mapping[str, Proof]
        checks: Mapping[str, str]
        unproved: list[float]

    class ProveArguments(SetArguments, total=False):
        """What the proof takes beside."""

        seed: str
        snapshot: str
        files: int
        max_bytes: int

    class DrillArguments(SetArguments, total=False):
        """What the drill takes beside."""

        copy: str
        folder: str
        assertions: Mapping[str, Assertion]
        moved: Mapping[str, Moved]

    class ListArguments(SetArguments, total=False):
        """What the listing takes beside."""

        set: str
        paths: list[str]
        at: str
        snapshot: str
        mode: str
        destination: str
        of: str
        from_repository: str
        target: str

    class RestoreArguments(Permission, total=False):
        """What a restore takes, and its job; job_timeout is in seconds."""

        operation: Request
        repositories: Repositories
        job_timeout: float
        moved: Moved
        attach: bool
        recorded: bool

    class SettleArguments(Permission, total=False):
        """What the acceptance and the undoing of a restore take."""

        person: str

    #: Does what a person decided about a restore and returns the sentence.
    Decide = Callable[[SettleArguments, Operation, Host], str]

    class Hold(TypedDict):
        """Snapshots that nobody may remove: of a set those whose ids begin so."""

        set: str
        snapshot: str
        ticket: str
        until: str

    #: By unit how many days, weeks, months and years are kept.
    Rule = Mapping[str, int]
    #: When the controller first saw a snapshot, and whether a run of ours made it.
    Seen = Sequence[Any]  # Any: a pair, which JSON makes a list

    class PruneArguments(Permission, total=False):
        """What the pruning takes."""

        operation: Repositoried
        repositories: Repositories
        host_name: str
        sets: Sets
        rules: Mapping[str, Rule]
        holds: Sequence[Hold]
        proofs: Mapping[str, Sequence[str]]
        known: Mapping[str, Seen]

    class RotateArguments(Permission, total=False):
        """What the rotation of keys takes; known has by repository the ids of the `old` and the `new` key."""

        operation: Repositoried
        stage: str
        repositories: Repositories
        host_name: str
        known: Mapping[str, dict[str, str]]

    class ChangeResult(Result, total=False):
        """A result with what `--diff` shows."""

        diff: list[dict[str, str]]

    class PruneResult(ChangeResult, total=False):
        """What the pruning returns beside: by snapshot what the controller is to remember of it."""

        seen: Mapping[str, tuple[str, bool]]

    class CatalogueResult(Result, total=False):
        """What the catalogue returns beside; measured is in bytes."""

        measured: Mapping[str, Mapping[str, int]]
        snapshots: list[CatalogueRow]
        snapshot_count: int
        without_us: Mapping[str, list[str]]

    class ListResult(Result, total=False):
        """What the listing returns beside."""

        snapshots: list[dict[str, str]]
        snapshot_count: int
        paths: list[dict[str, JSON]]
        path_count: int
        operation: Request
