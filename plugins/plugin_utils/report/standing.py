# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings that still stand, whichever run found them."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report.model import LOUD, RUN_DOMAIN

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Ledger, Record

# A look that was skipped or stopped says nothing of the finding, so the one before it counts.
_NEWEST = f"""
    SELECT body FROM record WHERE seq IN (
        SELECT MAX(seq) FROM record WHERE status <> 'skipped' AND NOT (kind = 'step' AND reason = 'interrupted')
        AND domain NOT IN ('{RUN_DOMAIN}', 'report')
        GROUP BY domain, kind, host, subject
    ) AND status IN ({", ".join("?" * len(LOUD))}) ORDER BY seq
"""


def standing_findings(ledger: Ledger) -> list[Record]:
    """Return of each finding that was not seen to be good since its newest record. Raises LedgerError."""

    def ask(db: sqlite3.Connection) -> list[Record]:
        return [json.loads(body) for (body,) in db.execute(_NEWEST, LOUD)]

    return ledger.inspect(ask)
