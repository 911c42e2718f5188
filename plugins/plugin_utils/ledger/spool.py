# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The spool: the file in which the records of a run wait until they are sealed into the ledger.

One file per run, `spool/<run>.jsonl`: a header line, then one record a line, each on the disk before its task ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import append_lines, hold, write_whole
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import spool_journal
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import DamagedSpool, NewerSpool, SpoolError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity, run_id
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_chain import (
    CHAINED_SCHEMA,
    first_hash,
    last_hash,
    linked,
    split,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_contents import (
    Contents,
    Reader,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_folder import (
    PATIENCE,
    folder_lock,
    is_at,
    named_as_spools,
    spools_of,
    without_waiting,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_index import SpoolIndex
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import (
    Header,
    HeaderLine,
    LineError,
    lines_holding,
    merged,
    parse,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.system_log import log

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record

SCHEMA = CHAINED_SCHEMA


class Spool:
    """The spool of one run. Each method opens the file anew, so that any worker may hold one."""

    def __init__(
        self, path: Path, header: Header | None = None, witness: Path | None = None, logs: bool = True
    ) -> None:
        """Take the path of a spool, and how it is kept.

        header: that with which it is made again if a seal takes it away; witness: the file that notes its making; logs:
        whether each append goes to the system's log.
        """
        self.path = path
        self._index = SpoolIndex(path)
        self.run = path.name.removesuffix(".jsonl")
        self._header = header
        self._reader = Reader(path, self.run)
        self._witness = witness
        self._logs = logs

    @classmethod
    def find(cls, folder: Path, process: Identity, logs: bool = True) -> Spool | None:
        """Return the spool of a process's run, None where there is none."""
        found = spools_of(folder, process)
        return cls(found[-1], logs=logs) if found else None

    @classmethod
    def find_or_create(
        cls,
        folder: Path,
        process: Identity,
        header: Header,
        now: datetime | None = None,
        witness: Path | None = None,
        logs: bool = True,
    ) -> Spool:
        """Return the spool of a process's run; where there is none yet, create it with this header.

        All workers of one process get the same one. A header whose `run` is set names the run, for a process whose
        earlier run is already sealed; otherwise the name is made from `now` and the process. With a witness file a
        spool that is removed later is missed.
        Raises SpoolError if the folder cannot be written.
        """
        try:
            with folder_lock(folder):
                found = spools_of(folder, process)
                run = found[-1].stem if found else header.get("run")
                run = run or run_id(process, now or datetime.now(timezone.utc))
                header = {**header, "schema": SCHEMA, "run": run, "process": asdict(process)}
                spool = cls(folder / f"{run}.jsonl", header, witness, logs)
                if not found:
                    spool._create()
                return spool
        except OSError as error:
            raise SpoolError(_cannot("created", folder, error)) from None

    def announce(self, header: Header) -> None:
        """Say more of the run, or say it anew, as `run_begin` does. Raises SpoolError."""
        self.append([{"header": header}])

    def append(self, records: Sequence[Record | HeaderLine]) -> None:
        """Append records, all or none; when this returns they are on the disk. Raises SpoolError."""
        try:
            lines = [canonical(item) for item in records]
        except (TypeError, ValueError) as error:
            raise SpoolError(f"A record of the run {self.run} cannot be written as JSON: {error}.") from None
        try:
            while True:
                with self.locked() as descriptor:
                    if descriptor is not None:
                        previous = last_hash(descriptor, self._index.end)
                        lines = linked(previous, lines) if previous else lines
                        begin, end = append_lines(descriptor, lines)
                        written = zip(records, lines, strict=True)
                        self._index.note(os.fstat(descriptor).st_ino, begin, end, written)
                        if lines and previous and self._logs:
                            log(f"spool run={self.run} lines={len(lines)} sha256={lines[-1].rpartition(' ')[2]}")
                        return
                self._recreate()
        except OSError as error:
            raise SpoolError(_cannot("written", self.path, error)) from None

    def read(self) -> Contents:
        """Return what stands in the spool.

        Raises SpoolError for a file that is gone, is no spool (DamagedSpool), or comes from a newer release.
        """
        contents = self.salvage()
        self._check(contents.header)
        return contents

    def salvage(self) -> Contents:
        """Return the same of a spool whose header may be missing or damaged; raises SpoolError if it cannot be read."""
        try:
            lines, bad, torn = self._reader.read(self._index)
        except OSError as error:
            raise SpoolError(_cannot("read", self.path, error)) from None
        sealed = False
        for item, _line in lines:
            if "header" in item:
                sealed = False
            elif item["domain"] == "run" and item["kind"] == "seal":
                sealed = True
        records = [(item, line) for item, line in lines if "header" not in item]
        return Contents(
            merged([item for item, _line in lines if "header" in item]),
            [item for item, _line in records],
            torn,
            sealed,
            [line for _item, line in records],
            bad,
            self._reader.is_vast,
            self._reader.header_hash,
            self._reader.is_chained,
        )

    def header(self) -> Header:
        """Return what the spool says of its run, without parsing its records, of which there may be many.

        Raises SpoolError as `read` does.
        """
        header = self._headers(self._marked("", b'{"header":'))
        try:
            self._check(header)
        except DamagedSpool:  # or only the index is
            header = self._headers(self._lines_holding(b'{"header":'))
            self._check(header)
        return header

    def steps(self, host: str) -> list[Record]:
        """Return the step records of a host so far, without parsing the others. Raises SpoolError."""
        mark = f'"host":{json.dumps(host, ensure_ascii=False)}'.encode("utf-8", "backslashreplace")
        found = self._records(line for line in self._marked(host, b'"kind":"step"') if mark in line)
        return [item for item in found if item["host"] == host and item["kind"] == "step"]

    def holding(self, needle: bytes) -> list[Record]:
        """Return the records in whose lines some bytes stand, without parsing the others. Raises SpoolError."""
        return self._records(self._lines_holding(needle))

    def _headers(self, lines: Iterable[bytes]) -> Header:
        found = self._parsed(line for line in lines if line.startswith(b'{"header":'))
        return merged([item for item in found if "header" in item])

    def _records(self, lines: Iterable[bytes]) -> list[Record]:
        return [item for item in self._parsed(lines) if "header" not in item]

    def _parsed(self, lines: Iterable[bytes]) -> list[Record | HeaderLine]:
        """Return the good ones of some lines."""
        found = []
        for line in lines:
            with suppress(LineError):
                found.append(parse(split(line)[0], self.run)[0])
        return found

    def remove(self) -> None:
        """Remove the spool, whose lock the caller holds. Raises OSError."""
        self._index.remove()
        self.path.unlink()

    def _lines_holding(self, needle: bytes) -> Iterator[bytes]:
        """Yield the lines in which some bytes stand; the file, which may be of many megabytes, is only searched."""
        try:
            with open(self.path, "rb", buffering=0, opener=without_waiting) as stream:
                yield from lines_holding(stream.fileno(), needle, 0, os.fstat(stream.fileno()).st_size)
        except OSError as error:
            raise SpoolError(_cannot("read", self.path, error)) from None

    def _marked(self, host: str, needle: bytes) -> Iterator[bytes]:
        """Yield the step lines of a host, the header's lines for "", by the index; what it leaves out is searched."""
        try:
            with open(self.path, "rb", buffering=0, opener=without_waiting) as stream:
                descriptor, known = stream.fileno(), 0
                state = os.fstat(descriptor)
                for part in self._index.covered(state.st_ino, host):
                    if known <= part.begin and part.end <= state.st_size:
                        if known < part.begin:
                            yield from lines_holding(descriptor, needle, known, part.begin)
                        lines = [os.pread(descriptor, size, place) for place, size in part.lines]
                        if all(needle in line for line in lines):
                            yield from lines
                        else:  # the index is not of this file, or damaged
                            yield from lines_holding(descriptor, needle, part.begin, part.end)
                        known = part.end
                yield from lines_holding(descriptor, needle, known, state.st_size)
        except OSError as error:
            raise SpoolError(_cannot("read", self.path, error)) from None

    def _check(self, header: Header) -> None:
        if not header.keys() >= {"run", "procedure", "schema", "process"}:
            raise DamagedSpool(
                f"The file {self.path} is no spool of evidence, or its header is damaged; run the procedure again, "
                "which takes what is whole of it into the ledger and sets the rest aside."
            )
        if header["schema"] > SCHEMA:
            raise NewerSpool(
                f"The spool {self.path} was written by a newer egov.ops (schema {header['schema']}, this one reads "
                f"{SCHEMA}); seal it with that release."
            )

    @contextmanager
    def locked(self) -> Iterator[int | None]:
        """Hold the spool's lock and give its open file, None if a seal has removed it.

        Raises SpoolError if another process keeps the lock, OSError if the file cannot be opened.
        """
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW)
        except FileNotFoundError:
            yield None
            return
        try:
            if not hold(descriptor, PATIENCE):
                raise SpoolError(
                    f"The spool {self.path} is held by another process since {PATIENCE:.0f} s; "
                    f"see with `fuser {self.path}` which one hangs, and end it."
                )
            # Not by the number of its links: a file that was set aside, or that somebody linked, has others.
            yield descriptor if is_at(self.path, descriptor) else None
        finally:
            os.close(descriptor)

    def restart(self, header: Header, witness: Path | None = None) -> None:
        """Replace the spool in one step by an empty one of the same run and process. Raises SpoolError, OSError."""
        self._witness = witness or self._witness
        current = self.header()
        self._header = {**header, "schema": SCHEMA, "run": self.run, "process": current["process"]}
        with folder_lock(self.path.parent):
            self._create()

    def _recreate(self) -> None:
        """Make the file again that a seal has drained and removed; what comes now belongs to no announced step."""
        if self._header is None:
            raise SpoolError(f"The spool {self.path} is gone: another process has sealed it; run the procedure again.")
        self._header = {**self._header, "begun": "", "hosts": [], "steps": []}
        with folder_lock(self.path.parent):
            if not self.path.exists():
                self._create()

    def _create(self) -> None:
        # Renamed into place with its header, so that a spool without one is never seen, whenever the writer dies.
        self._index.remove()  # of the file that is replaced
        line = canonical({"header": self._header}) + "\n"
        write_whole(self.path, self.path.with_suffix(".new"), [line.encode("utf-8")])
        if self._witness:
            spool_journal.note_begun(self._witness, self.run, first_hash(line[:-1].encode("utf-8")).decode())


def spools(folder: Path) -> list[Spool]:
    """Return all spools of a folder, oldest run first; what a writer left that died while creating one is removed."""
    return [Spool(path) for path, is_file in named_as_spools(folder) if is_file]


def strangers(folder: Path) -> list[Path]:
    """Return what is named as a spool in a folder and is no file of this user: folders, links, pipes."""
    return [path for path, is_file in named_as_spools(folder) if not is_file]


def _cannot(done: str, path: Path, error: OSError) -> str:
    return (
        f"The spool {path} cannot be {done} ({error.strerror}), so this evidence is not stored; "
        "free space or mend its permissions and run again."
    )
