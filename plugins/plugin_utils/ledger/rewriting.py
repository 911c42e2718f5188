# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one exception to append only: rows and documents of a SQLite ledger are replaced, in the caller's transaction."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Mapping

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Artefact, Stored

_GUARD = "record_update"


def replace(db: sqlite3.Connection, rows: Iterable[Stored], documents: Mapping[str, Artefact]) -> None:
    """Replace rows by their number, and documents by their old digest; what was there is overwritten in the file.

    The trigger that keeps mistakes out is away meanwhile, and there again, as it was, in the same transaction.
    """
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
