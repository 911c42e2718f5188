# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schema of the SQLite ledger, as the steps by which it grew. A step that was released is never changed."""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Query columns are generated from the body, so that nothing can be said beside what the chain covers.
        """
        CREATE TABLE record (
            seq INTEGER PRIMARY KEY,
            body TEXT NOT NULL,
            hash TEXT NOT NULL,
            algorithm TEXT NOT NULL,
            id TEXT GENERATED ALWAYS AS (json_extract(body, '$.id')) VIRTUAL,
            run TEXT GENERATED ALWAYS AS (json_extract(body, '$.run')) VIRTUAL,
            procedure TEXT GENERATED ALWAYS AS (json_extract(body, '$.procedure')) VIRTUAL,
            host TEXT GENERATED ALWAYS AS (json_extract(body, '$.host')) VIRTUAL,
            domain TEXT GENERATED ALWAYS AS (json_extract(body, '$.domain')) VIRTUAL,
            kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind')) VIRTUAL,
            subject TEXT GENERATED ALWAYS AS (json_extract(body, '$.subject')) VIRTUAL,
            status TEXT GENERATED ALWAYS AS (json_extract(body, '$.status')) VIRTUAL,
            reason TEXT GENERATED ALWAYS AS (json_extract(body, '$.reason')) VIRTUAL,
            finished TEXT GENERATED ALWAYS AS (json_extract(body, '$.finished')) VIRTUAL
        )
        """,
        "CREATE UNIQUE INDEX record_id ON record (id)",
        "CREATE INDEX record_run ON record (run, host)",
        "CREATE INDEX record_key ON record (domain, kind, host, subject)",
        "CREATE INDEX record_finished ON record (finished)",
        # These keep mistakes out, not someone who can write the file: the chain and its witnesses show that.
        """
        CREATE TRIGGER record_update BEFORE UPDATE ON record
        BEGIN SELECT RAISE(ABORT, 'the ledger is append only'); END
        """,
        """
        CREATE TRIGGER record_delete BEFORE DELETE ON record
        WHEN NOT EXISTS (
            SELECT 1 FROM record WHERE domain = 'run' AND kind = 'checkpoint'
            AND json_extract(body, '$.detail.count') >= OLD.seq
        )
        BEGIN SELECT RAISE(ABORT, 'the ledger is append only'); END
        """,
        """
        CREATE TABLE artefact (
            digest TEXT PRIMARY KEY,
            media_type TEXT NOT NULL,
            name TEXT NOT NULL,
            size INTEGER NOT NULL,
            content BLOB,
            place TEXT NOT NULL,
            created TEXT NOT NULL
        )
        """,
    ),
)
