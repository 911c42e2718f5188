# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the file of a SQLite ledger beside its chain: schema, pages, types of values, documents."""

from __future__ import annotations

import functools
import hashlib
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from ansible_collections.egov.ops.plugins.plugin_utils.common import file_digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import DEFAULT_ALGORITHM
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.migrations import MIGRATIONS

#: What SQLite itself keeps of a database that was analysed.
_STATISTICS = ("sqlite_stat1", "sqlite_stat4")

_PIECE = 1024 * 1024

#: Bytes of one stored record; those of runs have at most an eighth of it.
_BODY_LIMIT = 1024 * 1024


def flaw_of_tables(db: sqlite3.Connection) -> str:
    """Return which table is not the one that our migrations make, or is none of ours, in a sentence; "" for none."""
    return _difference(db, ("table", "view"))


def flaw_of_guards(db: sqlite3.Connection) -> str:
    """Return the same of triggers and indexes."""
    return _difference(db, ("trigger", "index"))


def _difference(db: sqlite3.Connection, kinds: tuple[str, ...]) -> str:
    stored, expected = _schema(db), _expected()
    for kind, name in sorted(expected.keys() | stored.keys()):
        if kind not in kinds or stored.get((kind, name)) == expected.get((kind, name)):
            continue
        if (kind, name) not in stored:
            return f"The {kind} {name} of the ledger is missing."
        if (kind, name) not in expected:
            return f"The ledger has a {kind} {name:.80} that egov.ops has not made."
        return f"The {kind} {name} of the ledger is not the one that egov.ops has made."
    return ""


def _schema(db: sqlite3.Connection) -> Mapping[tuple[str, str], tuple[str, str]]:
    rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return {(kind, name): (table, sql) for kind, name, table, sql in rows if name not in _STATISTICS}


@functools.cache
def _expected() -> Mapping[tuple[str, str], tuple[str, str]]:
    with closing(sqlite3.connect(":memory:")) as fresh:
        for step in MIGRATIONS:
            for statement in step:
                fresh.execute(statement)
        return _schema(fresh)


def flaw_of_pages(db: sqlite3.Connection) -> str:
    """Return what SQLite's own check of integrity finds first, in a sentence; "" for nothing."""
    (found,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    return "" if found == "ok" else f"The file of the ledger is damaged: {' '.join(str(found).split()):.300}."


def flaw_of_types(db: sqlite3.Connection) -> tuple[int, str]:
    """Return the first record that holds a value of a wrong type or size, and a sentence; 0 and "" for none."""
    query = f"""
        SELECT seq, typeof(body), typeof(hash), typeof(algorithm) FROM record
        WHERE typeof(body) <> 'text' OR typeof(hash) <> 'text' OR typeof(algorithm) <> 'text'
        OR length(body) > {_BODY_LIMIT} ORDER BY seq LIMIT 1
    """
    row = db.execute(query).fetchone()
    if not row:
        return 0, ""
    types = dict(zip(("body", "hash", "algorithm"), row[1:], strict=True))
    name = next((name for name, kind in types.items() if kind != "text"), "")
    if name:
        return row[0], f"Record #{row[0]} holds a {name} of the type {types[name]}, but text is allowed."
    return row[0], f"Record #{row[0]} has more than {_BODY_LIMIT} characters."


def flaw_of_documents(db: sqlite3.Connection) -> str:
    """Return the first document whose bytes or size are not what they were, in a sentence; "" for none."""
    query = "SELECT rowid, digest, name, size, place, typeof(content) FROM artefact ORDER BY rowid"
    for row, its_digest, name, size, place, kind in db.execute(query):
        about = f"The document {name!s:.80} ({its_digest!s:.80})"
        texts = all(isinstance(value, str) for value in (its_digest, name, place))
        if not texts or not isinstance(size, int) or kind not in ("blob", "null"):
            return f"{about} holds a value of a wrong type."
        try:
            content = file_digest(Path(place)) if place else _stored_digest(db, row, size)
        except (OSError, zlib.error) as error:
            return f"{about} cannot be read: {error}."
        if its_digest != f"{DEFAULT_ALGORITHM}:{content}":
            return f"{about} is not what was stored under that digest: it was changed."
    return ""


def _stored_digest(db: sqlite3.Connection, row: int, size: int) -> str:
    """Return the SHA-256 of a document in the database, in pieces; raises zlib.error for one of another size."""
    (content,) = db.execute("SELECT content FROM artefact WHERE rowid = ?", (row,)).fetchone()
    hasher, reader, length = hashlib.sha256(), zlib.decompressobj(), 0
    waiting = content or b""
    while piece := reader.decompress(waiting, _PIECE):
        length += len(piece)
        if length > size:
            break
        hasher.update(piece)
        waiting = reader.unconsumed_tail
    if length != size or not reader.eof or reader.unused_data:
        raise zlib.error(f"it does not hold the {size} bytes that were stored")
    return hasher.hexdigest()
