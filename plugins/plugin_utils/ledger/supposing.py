# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a ledger would hold after a run that only checks: for one open connection, in its memory alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, link
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.migrations import MIGRATIONS

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

_TABLE = MIGRATIONS[0][0]


def suppose(ledger: Ledger, records: Iterable[Record]) -> None:
    """Let a ledger that was opened to be read show some records after its own, chained as if they were stored.

    Raises LedgerError if it cannot be read.
    """
    head, rows = ledger.head(), list[tuple[int, str, str, str]]()
    previous = head.hash
    for number, item in enumerate(records, head.count + 1):
        body = canonical(item)
        previous = link(previous, body, head.algorithm)
        rows.append((number, body, previous, head.algorithm))

    def show(db: sqlite3.Connection) -> None:
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA query_only = 0")  # it holds for temporary tables too
        try:
            db.execute(_TABLE.replace("CREATE TABLE record", "CREATE TEMP TABLE supposed", 1))
            db.executemany("INSERT INTO supposed (seq, body, hash, algorithm) VALUES (?, ?, ?, ?)", rows)
            # SQLite looks for a temporary name first, and asks the indexes of the table behind the view.
            db.execute("CREATE TEMP VIEW record AS SELECT * FROM main.record UNION ALL SELECT * FROM supposed")
        finally:
            db.execute("PRAGMA query_only = 1")

    ledger.inspect(show)
