# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a restore may take, from what restores of the host took before."""

from __future__ import annotations

from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import open_ledger

#: What a restore takes however small it is, bytes per second where nothing is known, and how many records tell a rate.
FIXED_SECONDS = 5.0
ASSUMED_RATE = 20e6
RATE_RECORDS = 5


def estimate(state: StateDir, host: str, set_name: str, size: int) -> tuple[float, str]:
    """Return the seconds that a restore of so many bytes may take, and by what that is told; raises LedgerError.

    The newest restores of the set say most, then its proofs; where the ledger has neither, a slow disk is assumed.
    """
    for kind, seconds, words in (("restore", "seconds", "restores"), ("proof", "restore_seconds", "proofs")):
        found = _rates(state, host, set_name, kind, seconds)
        if found:
            rate = sum(found) / len(found)
            return round(FIXED_SECONDS + size / rate, 1), f"by {len(found)} {words} of the set ({rate / 1e6:.1f} MB/s)"
    return (
        round(FIXED_SECONDS + size / ASSUMED_RATE, 1),
        f"assumed ({ASSUMED_RATE / 1e6:.0f} MB/s), since the ledger knows no restore and no proof of the set",
    )


def _rates(state: StateDir, host: str, set_name: str, kind: str, seconds: str) -> list[float]:
    """Return the bytes per second of the newest good records of a kind."""
    if not state.ledger.exists():
        return []
    with open_ledger(state, read_only=True) as ledger:
        stored = ledger.records(
            host=host, kind=kind, subject=set_name, status="ok", newest_first=True, limit=RATE_RECORDS
        )
        details = [entry.record["detail"] for entry in stored]
    return [detail["bytes"] / detail[seconds] for detail in details if detail.get("bytes") and detail.get(seconds)]
