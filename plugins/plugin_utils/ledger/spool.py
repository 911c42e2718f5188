# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The spool: the file in which the records of a run wait until they are sealed into the ledger.

One file per run, `spool/<run>.jsonl`: a header line, then one record a line, each on the disk before its task ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.durable import append_lines, folder_held, hold, write_whole
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import SpoolError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity, run_id
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_index import SpoolIndex

SCHEMA = 1

#: What a line must have to be taken for a record.
_RECORD = {"id", "run", "host", "domain", "kind", "subject", "status"}

_PIECE = 256 * 1024

#: Seconds to wait for another process that appends to, or drains, the same spool.
PATIENCE = 60.0


class Step(TypedDict):
    """A module call that a run announced for each of its hosts."""

    module: str
    domain: str
    clauses: list[str]
    built: bool  # whether this version of the collection has the module


class Header(TypedDict, total=False):
    """What a spool says of its run. The spool itself fills schema, run and process."""

    schema: int
    run: str
    process: dict[str, Any]
    procedure: str
    begun: str  # when run_begin announced the run; "" for a module used alone, or called after the seal
    hosts: list[str]
    steps: list[Step]
    not_ours: list[str]
    batch: list[str]  # under `serial`, those of them whose turn it is; later Ansible names only the ones still alive
    longest: float  # seconds after which a silent run of another boot or namespace is taken for dead
    tags: list[str]  # the domains that --tags and --skip-tags have left, where these narrow the run
    limit: str
    user: str
    observes: bool  # whether a failed host is a record here, and no failed task
    waiting: bool  # whether the run is sealed so far, and the rest of its hosts have not had their turn yet
    busy: bool  # whether another run of the procedure was in the way, so that this one does nothing
    others: list[str]  # those runs


class Contents(NamedTuple):
    """What stands in a spool: the last word of its header, the records in order, lines torn by a writer's death,
    whether a seal record follows the last announcement, and each record's line."""

    header: Header
    records: list[dict[str, Any]]
    torn: int
    sealed: bool
    bodies: list[str]


class Spool:
    """The spool of one run. Each method opens the file anew, so that any worker may hold one."""

    def __init__(self, path: Path, header: Header | None = None) -> None:
        """Take the path of a spool, and the header with which it is made again if a seal takes it away."""
        self.path = path
        self._index = SpoolIndex(path)
        self.run = path.name.removesuffix(".jsonl")
        self._header = header
        self._first = b""
        self._seen: list[tuple[dict[str, Any], str]] = []  # the whole lines that `read` has met, parsed
        self._end = 0

    @classmethod
    def find(cls, folder: Path, process: Identity) -> Spool | None:
        """Return the spool of a process's run, None where there is none."""
        found = _of(folder, process)
        return cls(found[-1]) if found else None

    @classmethod
    def find_or_create(cls, folder: Path, process: Identity, header: Header, now: datetime | None = None) -> Spool:
        """Return the spool of a process's run; where there is none yet, create it with this header.

        All workers of one process get the same one. A header whose `run` is set names the run, for a process whose
        earlier run is already sealed; otherwise the name is made from `now` and the process.
        Raises SpoolError if the folder cannot be written.
        """
        try:
            with _folder_lock(folder):
                found = _of(folder, process)
                run = found[-1].stem if found else header.get("run")
                run = run or run_id(process, now or datetime.now(timezone.utc))
                spool = cls(
                    folder / f"{run}.jsonl", {**header, "schema": SCHEMA, "run": run, "process": asdict(process)}
                )
                if not found:
                    spool._create()
                return spool
        except OSError as error:
            raise SpoolError(_cannot("created", folder, error)) from None

    def announce(self, header: Header) -> None:
        """Say more of the run, or say it anew, as `run_begin` does. Raises SpoolError."""
        self.append([{"header": header}])

    def append(self, records: list[dict[str, Any]]) -> None:
        """Append records, all or none; when this returns they are on the disk. Raises SpoolError."""
        try:
            lines = [canonical(item) for item in records]
        except (TypeError, ValueError) as error:
            raise SpoolError(f"A record of the run {self.run} cannot be written as JSON: {error}.") from None
        try:
            while True:
                with self.locked() as descriptor:
                    if descriptor is not None:
                        begin, end = append_lines(descriptor, lines)
                        written = zip(records, lines, strict=True)
                        self._index.note(os.fstat(descriptor).st_ino, begin, end, written)
                        return
                self._recreate()
        except OSError as error:
            raise SpoolError(_cannot("written", self.path, error)) from None

    def read(self) -> Contents:
        """Return what stands in the spool.

        Raises SpoolError for a file that is gone, is no spool, or comes from a newer release.
        """
        lines = self._lines()
        sealed = False
        for item, _line in lines:
            if "header" in item:
                sealed = False
            elif (item.get("domain"), item.get("kind")) == ("run", "seal"):
                sealed = True
        header = self._checked([item for item, _line in lines])
        records = [(item, line) for item, line in lines if "id" in item]
        torn = sum(1 for item, _line in lines if not item)
        return Contents(header, [item for item, _line in records], torn, sealed, [line for _item, line in records])

    def header(self) -> Header:
        """Return what the spool says of its run, without parsing its records, of which there may be many.

        Raises SpoolError as `read` does.
        """
        return self._checked(
            [_parsed(line) for line in self._marked("", b'{"header":') if line.startswith('{"header":')]
        )

    def steps(self, host: str) -> list[dict[str, Any]]:
        """Return the step records of a host so far, without parsing the others. Raises SpoolError."""
        mark = f'"host":{json.dumps(host, ensure_ascii=False)}'
        found = [_parsed(line) for line in self._marked(host, b'"kind":"step"') if mark in line]
        return [item for item in found if item.get("host") == host]

    def holding(self, needle: bytes) -> list[dict[str, Any]]:
        """Return the records in whose lines some bytes stand, without parsing the others. Raises SpoolError."""
        found = [_parsed(line) for line in self._lines_holding(needle)]
        return [item for item in found if "id" in item]

    def remove(self) -> None:
        """Remove the spool, whose lock the caller holds. Raises OSError."""
        self._index.remove()
        self.path.unlink()

    def _lines_holding(self, needle: bytes) -> Iterator[str]:
        """Yield the lines in which some bytes stand; the file, which may be of many megabytes, is only searched."""
        try:
            with self.path.open("rb", buffering=0) as stream:
                yield from _searched(stream.fileno(), needle, 0, os.fstat(stream.fileno()).st_size)
        except OSError as error:
            raise SpoolError(_cannot("read", self.path, error)) from None

    def _marked(self, host: str, needle: bytes) -> Iterator[str]:
        """Yield the step lines of a host, the header's lines for "", by the index; what it leaves out is searched."""
        try:
            with self.path.open("rb", buffering=0) as stream:
                descriptor, known = stream.fileno(), 0
                state = os.fstat(descriptor)
                for part in self._index.covered(state.st_ino, host):
                    if known <= part.begin and part.end <= state.st_size:
                        if known < part.begin:
                            yield from _searched(descriptor, needle, known, part.begin)
                        for place, size in part.lines:
                            yield os.pread(descriptor, size, place).decode("utf-8", "replace")
                        known = part.end
                yield from _searched(descriptor, needle, known, state.st_size)
        except OSError as error:
            raise SpoolError(_cannot("read", self.path, error)) from None

    def _lines(self) -> list[tuple[dict[str, Any], str]]:
        """Return each line parsed and as it stands; of a file that was read before, only what it has grown by."""
        try:
            with self.path.open("rb") as stream:
                first = stream.readline()
                if first != self._first or os.fstat(stream.fileno()).st_size < self._end:
                    self._first, self._seen, self._end = first, [], 0
                stream.seek(self._end)
                grown = stream.read()
        except OSError as error:
            raise SpoolError(_cannot("read", self.path, error)) from None
        whole = grown.rfind(b"\n") + 1
        self._seen += _split(grown[:whole])
        self._end += whole
        return [*self._seen, *_split(grown[whole:])]

    def _checked(self, items: list[dict[str, Any]]) -> Header:
        header: Header = {}
        for item in items:
            header.update(item.get("header", {}))
        if not header.keys() >= {"run", "procedure", "schema", "process"} or not _names_process(header):
            raise SpoolError(f"The file {self.path} is no spool of evidence; move it out of the folder.")
        if header["schema"] > SCHEMA:
            raise SpoolError(
                f"The spool {self.path} was written by a newer egov.ops (schema {header['schema']}, this one reads "
                f"{SCHEMA}); seal it with that release."
            )
        return header

    @contextmanager
    def locked(self) -> Iterator[int | None]:
        """Hold the spool's lock and give its open file, None if a seal has removed it.

        Raises SpoolError if another process keeps the lock, OSError if the file cannot be opened.
        """
        try:
            descriptor = os.open(self.path, os.O_RDWR)
        except FileNotFoundError:
            yield None
            return
        try:
            if not hold(descriptor, PATIENCE):
                raise SpoolError(
                    f"The spool {self.path} is held by another process since {PATIENCE:.0f} s; "
                    f"see with `fuser {self.path}` which one hangs, and end it."
                )
            yield descriptor if os.fstat(descriptor).st_nlink else None
        finally:
            os.close(descriptor)

    def restart(self, header: Header) -> None:
        """Replace the spool in one step by an empty one of the same run and process. Raises SpoolError, OSError."""
        current = self.header()
        self._header = {**header, "schema": SCHEMA, "run": self.run, "process": current["process"]}
        with _folder_lock(self.path.parent):
            self._create()

    def _recreate(self) -> None:
        """Make the file again that a seal has drained and removed; what comes now belongs to no announced step."""
        if self._header is None:
            raise SpoolError(f"The spool {self.path} is gone: another process has sealed it; run the procedure again.")
        self._header = {**self._header, "begun": "", "hosts": [], "steps": []}
        with _folder_lock(self.path.parent):
            if not self.path.exists():
                self._create()

    def _create(self) -> None:
        # Renamed into place with its header, so that a spool without one is never seen, whenever the writer dies.
        self._index.remove()  # of the file that is replaced
        line = canonical({"header": self._header}) + "\n"
        write_whole(self.path, self.path.with_suffix(".new"), [line.encode("utf-8")])


def spools(folder: Path) -> list[Spool]:
    """Return all spools of a folder, oldest run first; what a writer left that died while creating one is removed."""
    with _folder_lock(folder):
        for leftover in folder.glob("*.new"):
            leftover.unlink()
    return [Spool(path) for path in sorted(folder.glob("*.jsonl"))]


def _of(folder: Path, process: Identity) -> list[Path]:
    """Return the spools of a process, oldest first; pathlib's own patterns cost each task a compilation."""
    if not folder.is_dir():
        return []
    ending = f"-{process.hash}.jsonl"
    return sorted(path for path in folder.iterdir() if path.name.endswith(ending))


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    with folder_held(folder, PATIENCE) as held:
        if not held:
            raise SpoolError(
                f"The folder {folder} is held by another process since {PATIENCE:.0f} s; end that process."
            )
        yield


def _split(text: bytes) -> list[tuple[dict[str, Any], str]]:
    lines = text.decode("utf-8", "replace").removesuffix("\n").split("\n") if text else []
    return [(_parsed(line), line) for line in lines]


def _searched(descriptor: int, needle: bytes, begin: int, end: int) -> Iterator[str]:
    """Yield the lines between two places of a file in which some bytes stand."""
    rest = b""
    # In pieces: a worker shares its memory with ansible, and what it adds to that is dear.
    while begin < end and (piece := os.pread(descriptor, min(_PIECE, end - begin), begin)):
        begin += len(piece)
        text = rest + piece
        whole = text.rfind(b"\n") + 1
        yield from _lines_with(needle, text[:whole])
        rest = text[whole:]
    yield from _lines_with(needle, rest)


def _lines_with(needle: bytes, text: bytes) -> Iterator[str]:
    place = text.find(needle)
    while place >= 0:
        end = text.find(b"\n", place) + 1 or len(text)
        yield text[text.rfind(b"\n", 0, place) + 1 : end].decode("utf-8", "replace")
        place = text.find(needle, end)


def _parsed(line: str) -> dict[str, Any]:
    """Return a line of a spool, empty if it is torn."""
    try:
        item = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(item, dict):
        return {}
    return item if item.keys() >= _RECORD or isinstance(item.get("header"), dict) else {}


def _names_process(header: Header) -> bool:
    return isinstance(header["process"], dict) and header["process"].keys() == Identity.__dataclass_fields__.keys()


def _cannot(done: str, path: Path, error: OSError) -> str:
    return (
        f"The spool {path} cannot be {done} ({error.strerror}), so this evidence is not stored; "
        "free space or mend its permissions and run again."
    )
