# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schema of a SQLite ledger, looked at when it is opened, and brought up to date by the steps of migrations.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.migrations import MIGRATIONS

#: Marks a SQLite file as a ledger of ours: "egov" in ASCII.
APPLICATION_ID = 0x65676F76


def prepare(
    db: sqlite3.Connection, path: Path, read_only: bool, transaction: Callable[[], AbstractContextManager[None]]
) -> None:
    """Refuse what is not a ledger that this release reads; bring an older one up to date. Raises LedgerError."""
    version = _version(db, path)
    if version == len(MIGRATIONS):
        return
    if read_only:
        raise LedgerError(f"The ledger {path} has the older schema {version}; the next run of a procedure updates it.")
    with transaction():
        version = _version(db, path)  # another process may have been faster
        if version == len(MIGRATIONS):
            return
        if version:
            _copy(path, path.with_name(f"{path.name}.schema{version}"))
        for step in MIGRATIONS[version:]:
            for statement in step:
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(db: sqlite3.Connection, path: Path) -> int:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise LedgerError(
            f"The file {path} is another program's database; move it away, or set egov_ops_state_dir to another folder."
        )
    if version > len(MIGRATIONS):
        raise LedgerError(
            f"The ledger {path} was written by a newer egov.ops (schema {version}, this one knows "
            f"{len(MIGRATIONS)}); use that release."
        )
    return int(version)


def _copy(path: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    # A second connection reads what was committed; the ledger's own is in a transaction and would wait for itself.
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
