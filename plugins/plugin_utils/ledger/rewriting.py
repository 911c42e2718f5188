# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one exception to append only: rows and documents of a SQLite ledger are replaced, as a redaction alone may."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Artefact, Stored
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

_GUARD = "record_update"


def documents_of(ledger: Ledger) -> Iterator[Artefact]:
    """Yield all documents; raises LedgerError for one whose bytes are not what they were."""
    with ledger.database("read") as db:
        names = [name for (name,) in db.execute("SELECT digest FROM artefact ORDER BY digest")]
    yield from filter(None, map(ledger.artefact, names))


def compact(ledger: Ledger) -> None:
    """Write the file anew, so that nothing of what was replaced is left in it. Raises LedgerError."""
    with ledger.database("written") as db:
        db.execute("VACUUM")


def rewrite(ledger: Ledger, rows: Iterable[Stored], documents: Mapping[str, Artefact]) -> None:
    """Replace rows by their number, and documents by their old digest; what was there is overwritten in the file.

    The trigger that keeps mistakes out is away meanwhile, and there again, as it was, in the same transaction.
    Raises LedgerError.
    """
    with ledger.transaction(), ledger.database("written") as db:
        _replace(db, rows, documents)


def _replace(db: sqlite3.Connection, rows: Iterable[Stored], documents: Mapping[str, Artefact]) -> None:
    db.execute("PRAGMA secure_delete = ON")
    guard = db.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?", [_GUARD]).fetchone()
    db.execute(f"DROP TRIGGER IF EXISTS {_GUARD}")
    db.executemany(
        "UPDATE record SET body = ?, hash = ? WHERE seq = ?", ((row.body, row.hash, row.seq) for row in rows)
    )
    for digest, document in documents.items():
        db.execute("DELETE FROM artefact WHERE digest = ?", [digest])
        db.execute(
            "INSERT OR REPLACE INTO artefact VALUES (?, ?, ?, ?, ?, '', ?)",
            (
                document.digest,
                document.media_type,
                document.name,
                len(document.content),
                zlib.compress(document.content),
                document.created,
            ),
        )
    if guard:
        db.execute(guard[0])
