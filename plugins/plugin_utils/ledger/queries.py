# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SQL of what a ledger is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import is_time


def condition(
    equal: Mapping[str, str | None],
    status: str | Sequence[str] | None,
    since: str | None,
    until: str | None,
    upto: int | None,
) -> tuple[str, list[object]]:
    """Return the WHERE of the records that match all that is given, "" for all records, and its values.

    equal: the value of each column, None for any. See `Ledger.records` for the rest. Raises LedgerError for a bound
    that is no time.
    """
    for moment in (since, until):
        if moment is not None and not is_time(moment):
            raise LedgerError(f"{moment!r} is not a time like 2026-01-02T03:04:05Z (UTC); write it so.")
    given = {column: value for column, value in equal.items() if value is not None}
    wanted, values = [f"{column} = ?" for column in given], list[object](given.values())
    if status is not None:
        statuses = [status] if isinstance(status, str) else list(status)
        wanted.append(f"status IN ({', '.join('?' * len(statuses))})")
        values += statuses
    for comparison, bound in (("finished >= ?", since), ("finished < ?", until), ("seq <= ?", upto)):
        if bound is not None:
            wanted.append(comparison)
            values.append(bound)
    where = f"WHERE {' AND '.join(wanted)} " if wanted else ""
    return where, values


def streaks(statuses: int) -> str:
    """Return the query of when the streak of each record began, for a run and a number of statuses."""
    return f"""
        SELECT now.seq, (
            SELECT finished FROM record AS first
            WHERE (first.domain, first.kind, first.host, first.subject)
                = (now.domain, now.kind, now.host, now.subject)
            AND first.status = now.status AND first.seq <= now.seq AND first.seq > COALESCE((
                SELECT MAX(seq) FROM record AS other
                WHERE (other.domain, other.kind, other.host, other.subject)
                    = (now.domain, now.kind, now.host, now.subject)
                AND other.status <> now.status AND other.seq < now.seq
            ), 0)
            ORDER BY first.seq LIMIT 1
        )
        FROM record AS now WHERE now.run = ? AND now.status IN ({", ".join("?" * statuses)})
    """
