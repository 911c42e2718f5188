# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger in a SQLite file: append only, each record chained to the one before it.

Another database takes its place by offering the public methods of `Ledger`.
"""

from __future__ import annotations

import functools
import os
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ansible_collections.egov.ops.plugins.plugin_utils.common import open_private
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import (
    DEFAULT_ALGORITHM,
    GENESIS,
    canonical,
    digest,
    link,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError, errors_of
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Artefact, Head, Record, Run, Stored
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.queries import condition, streaks
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import CONTROLLER
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.schema_update import prepare

#: Generated columns came with this SQLite.
SQLITE_NEEDED = (3, 31, 0)

#: Seconds to wait for another process that writes.
PATIENCE = 30.0

#: Values of one statement; any SQLite takes 999.
_VARIABLES = 900

_Answer = TypeVar("_Answer")


class Ledger:
    """An open ledger. Use it as a context manager, or close it."""

    def __init__(self, path: Path, read_only: bool = False, algorithm: str = DEFAULT_ALGORITHM) -> None:
        """Open a ledger; unless read only, create it or bring its schema up to date.

        New records are chained with the given hash algorithm. Raises LedgerError if the file is missing (read only),
        is no ledger, was written by a newer release, or cannot be opened.
        """
        if sqlite3.sqlite_version_info < SQLITE_NEEDED:
            raise LedgerError(
                f"This Python's SQLite is {sqlite3.sqlite_version}, the ledger needs 3.31; use a newer Python."
            )
        self.path = path
        self._algorithm = algorithm
        self._read: dict[str, Record] = {}  # the records appended here by their text: parsing is dear
        with errors_of(path, "opened"):
            if read_only and not path.exists():
                raise LedgerError(f"There is no ledger at {path} yet; run a procedure such as egov.ops.daily first.")
            if not read_only:
                os.close(open_private(path, os.O_RDWR | os.O_CREAT))
            # Opened for writing even to read, where that is allowed: what a killed writer left must be rolled back.
            mode = "ro" if read_only and not os.access(path, os.W_OK) else "rw"
            uri = f"{path.absolute().as_uri()}?mode={mode}"
            self._db = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)
        try:
            with self.database("opened"):
                # One file and no shared memory: it can be copied, and read from where nothing may be written.
                # EXTRA, because spools are unlinked right after a commit: the commit must not come undone.
                self._db.execute("PRAGMA synchronous = EXTRA")
                self._db.execute(f"PRAGMA query_only = {int(read_only)}")
                prepare(self._db, path, read_only, self.transaction)
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all writes inside one; they are there together when it ends without an exception, else none is.

        Inside another one it is part of that. Raises LedgerError if the ledger cannot be written.
        """
        if self._db.in_transaction:
            yield
            return
        with self.database("written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def head(self) -> Head:
        """Return the end of the chain."""
        with self.database("read"):
            row = self._db.execute("SELECT seq, hash, algorithm FROM record ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(*row) if row else Head(0, GENESIS, self._algorithm)

    def append(self, records: Iterable[Record]) -> int:
        """Chain records to the end, in order, and return how many were new; one whose id is stored is left out."""
        return self.extend((record, canonical(record)) for record in records)

    def extend(self, entries: Iterable[tuple[Record, str]], known: Collection[str] | None = None) -> int:
        """Do what `append` does with records of which the canonical JSON is at hand, and by now which ids are stored.

        Without these they are looked up; whoever gives them keeps all others from writing.
        """
        wanted: dict[str, tuple[Record, str]] = {}
        for record, body in entries:
            wanted.setdefault(record["id"], (record, body))
        with self.transaction():
            for identifier in self.bodies(list(wanted)) if known is None else known:
                wanted.pop(identifier, None)
            head = self.head()
            count, previous, rows = head.count, head.hash, []
            for record, body in wanted.values():
                count, previous = count + 1, link(previous, body, self._algorithm)
                rows.append((count, body, previous, self._algorithm))
                self._read[body] = record
            self._db.executemany("INSERT INTO record (seq, body, hash, algorithm) VALUES (?, ?, ?, ?)", rows)
        return len(rows)

    def bodies(self, identifiers: list[str]) -> dict[str, str]:
        """Return the canonical JSON of those of some ids that are stored. Raises LedgerError."""
        return self._picked("id, body", identifiers)

    def hashes(self, numbers: Iterable[int]) -> dict[int, str]:
        """Return the hashes of those of some records that are stored, by their number. Raises LedgerError."""
        return self._picked("seq, hash", [number for number in numbers if -(2**63) <= number < 2**63])

    def _picked(self, columns: str, keys: list[Any]) -> dict[Any, str]:
        """Return, of two columns, the second by the first where that is one of some keys."""
        found: dict[Any, str] = {}
        with self.database("read"):
            for place in range(0, len(keys), _VARIABLES):
                piece = keys[place : place + _VARIABLES]
                wanted = f"{columns.partition(',')[0]} IN ({', '.join('?' * len(piece))})"
                found.update(self._db.execute(f"SELECT {columns} FROM record WHERE {wanted}", piece))
        return found

    def refused(self, bodies: Iterable[str]) -> dict[str, str]:
        """Return why the database does not take some records, by their text; it is asked and nothing is kept.

        Raises LedgerError where it takes none at all: it cannot be written then.
        """
        with self.transaction():
            self._insert_alone("{}")
            causes = {body: self._refusal(body) for body in bodies}
        return {body: cause for body, cause in causes.items() if cause}

    def _refusal(self, body: str) -> str:
        try:
            self._insert_alone(body)
        except (sqlite3.Error, ValueError) as error:
            return f"the database refuses it ({error})"
        return ""

    def _insert_alone(self, body: str) -> None:
        self._db.execute("SAVEPOINT alone")
        try:
            self._db.execute("INSERT INTO record (seq, body, hash, algorithm) VALUES (-1, ?, '', '')", [body])
        finally:
            self._db.execute("ROLLBACK TO alone")
            self._db.execute("RELEASE alone")

    def records(
        self,
        *,
        run: str | None = None,
        procedure: str | None = None,
        host: str | None = None,
        domain: str | None = None,
        kind: str | None = None,
        subject: str | None = None,
        status: str | Sequence[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        upto: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Stored]:
        """Yield the records that match all that is given, in the order of the chain.

        `status` may be several; `since` (included) and `until` (excluded) bound the time at which a record was
        finished, `upto` (included) its number. Raises LedgerError for a bound that is no time.
        """
        equal = {"run": run, "procedure": procedure, "host": host, "domain": domain, "kind": kind, "subject": subject}
        where, values = condition(equal, status, since, until, upto)
        order = "ORDER BY seq DESC" if newest_first else "ORDER BY seq"
        query = f"SELECT seq, hash, body, algorithm FROM record {where}{order} LIMIT ?"
        with self.database("read"):
            for row in self._db.execute(query, [*values, -1 if limit is None else limit]):
                stored = Stored(*row)
                if stored.body in self._read:
                    stored.__dict__["record"] = self._read[stored.body]
                yield stored

    def last_success(
        self, *, domain: str, kind: str, host: str | None = None, subject: str | None = None
    ) -> Stored | None:
        """Return the newest record with status ok or warning, from which it is computed what is due."""
        found = self.records(
            domain=domain, kind=kind, host=host, subject=subject, status=("ok", "warning"), newest_first=True, limit=1
        )
        return next(found, None)

    def streaks(self, run: str, statuses: Sequence[str]) -> dict[int, str]:
        """Return, for each record of a run with one of some statuses, when the streak of that status began.

        By the record's number; a time is that at which the streak's first record was finished.
        """
        with self.database("read"):
            return dict(self._db.execute(streaks(len(statuses)), (run, *statuses)).fetchall())

    def subjects(self, domain: str, kind: str, beginning: str) -> list[str]:
        """Return the subjects of a kind of records that begin so, in order, without reading the records."""
        query = """
            SELECT DISTINCT subject FROM record
            WHERE domain = ? AND kind = ? AND substr(subject, 1, ?) = ? ORDER BY subject
        """
        with self.database("read"):
            return [name for (name,) in self._db.execute(query, (domain, kind, len(beginning), beginning))]

    def runs(self, procedure: str | None = None, limit: int | None = None) -> list[Run]:
        """Return the runs that were begun, newest first; records of modules used alone belong to none."""
        query = """
            SELECT run FROM record
            WHERE domain = 'run' AND kind IN ('begin', 'seal') AND procedure = COALESCE(?, procedure)
            GROUP BY run ORDER BY MIN(seq) DESC LIMIT ?
        """
        with self.database("read"):
            names = self._db.execute(query, (procedure, -1 if limit is None else limit)).fetchall()
        return [self._run(name) for (name,) in names]

    def _run(self, name: str) -> Run:
        frame = [stored.record for stored in self.records(run=name, domain="run")]
        seals = [record for record in frame if record["kind"] == "seal"]
        first = frame[0]
        last: Mapping[str, Any] = seals[-1] if seals else {}
        return Run(
            run=name,
            procedure=first["procedure"],
            started=first["started"],
            finished=last.get("finished", ""),
            status=last.get("status", ""),
            reason=last.get("reason", ""),
            detail=last.get("detail", {}),
        )

    def statuses(self, run: str) -> dict[str, int]:
        """Return how many records of each status a run has, those about the run itself left out."""
        query = "SELECT status, COUNT(*) FROM record WHERE run = ? AND domain <> 'run' GROUP BY status"
        with self.database("read"):
            return {str(status): int(count) for status, count in self._db.execute(query, (run,))}

    def run_of(self, process_hash: str) -> str | None:
        """Return the run that a controller process already has in the ledger, by the hash of its identity."""
        query = "SELECT run FROM record WHERE domain = 'run' AND run LIKE ? ORDER BY seq DESC LIMIT 1"
        row = self.inspect(lambda db: db.execute(query, (f"%-{process_hash}",)).fetchone())
        return str(row[0]) if row else None

    def previous_run(self, run: str, procedure: str) -> str | None:
        """Return the run of a procedure that was sealed last before this one began; None for the first."""
        query = """
            SELECT run FROM record WHERE domain = 'run' AND kind = 'seal' AND procedure = ? AND run <> ?
            AND seq < COALESCE((SELECT MIN(seq) FROM record WHERE run = ?), ?) ORDER BY seq DESC LIMIT 1
        """
        with self.database("read"):
            row = self._db.execute(query, (procedure, run, run, self.head().count + 1)).fetchone()
        return str(row[0]) if row else None

    def last_whole_run(self, procedure: str, upto: int) -> Stored | None:
        """Return the newest seal, up to a numbered record, of a run that did what its procedure is due for.

        It was neither narrowed to hosts or tags nor busy or cut off, and at least one of its hosts was good.
        """
        frame = functools.partial(self.records, domain="run", host=CONTROLLER, subject=procedure, newest_first=True)
        for stored in frame(kind="seal", upto=upto):
            end = stored.record
            if end["reason"] or not end["detail"].get("bad", 0) < end["detail"].get("hosts", 0):
                continue
            begin = next(frame(kind="begin", run=end["run"], limit=1), None)
            if begin and not begin.record["detail"].get("limit") and not begin.record["detail"].get("tags"):
                return stored
        return None

    def put_artefact(self, content: bytes, name: str, media_type: str, created: str, place: str = "") -> str:
        """Keep a document and return its digest. Kept once however often it is given.

        With a place (a path where the same bytes lie) only digest and place are stored.
        """
        name_of_content = f"{DEFAULT_ALGORITHM}:{digest(content)}"
        stored = None if place else zlib.compress(content)
        with self.transaction():
            self._db.execute(
                "INSERT OR IGNORE INTO artefact VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name_of_content, media_type, name, len(content), stored, place, created),
            )
        return name_of_content

    def artefact(self, name_of_content: str) -> Artefact | None:
        """Return a document by its digest, None if it is not kept; LedgerError if its bytes are not what they were."""
        query = "SELECT name, media_type, created, content, place FROM artefact WHERE digest = ?"
        row = self.inspect(lambda db: db.execute(query, (name_of_content,)).fetchone())
        if not row:
            return None
        name, media_type, created, stored, place = row
        try:
            content = Path(place).read_bytes() if place else zlib.decompress(stored)
        except (OSError, zlib.error) as error:
            raise LedgerError(f"The document {name} ({name_of_content}) cannot be read: {error}.") from None
        if name_of_content != f"{DEFAULT_ALGORITHM}:{digest(content)}":
            raise LedgerError(f"The document {name} is not what was stored as {name_of_content}; someone changed it.")
        return Artefact(name_of_content, name, media_type, created, content)

    def remove_upto(self, seq: int) -> None:
        """Remove the oldest records; the file itself refuses those that no checkpoint covers (see purge)."""
        with self.transaction():
            self._db.execute("DELETE FROM record WHERE seq <= ?", (seq,))

    def inspect(self, question: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
        """Return what a question to the database itself answers, as those of database_check.py. Raises LedgerError."""
        with self.database("read"):
            return question(self._db)

    @contextmanager
    def database(self, done: str) -> Iterator[sqlite3.Connection]:
        """Give the open database, with errors as those of the ledger that cannot be read, or written."""
        with errors_of(self.path, done):
            yield self._db
