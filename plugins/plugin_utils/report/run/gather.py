# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather from the ledger what the report of one run is built from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import (
    LOUD,
    Facts,
    Ledger,
    Material,
    Previous,
    is_finding,
    key_of,
    late_at,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup import Shelf


def gather(ledger: Ledger, run: str, facts: Facts, shelf: Shelf | None = None) -> Material:
    """Return what the report of a run is built from: its records, the run before, and since when each finding stands.

    With a shelf of roll-ups, the run's own is put there, and the last days of each host are told of the others.

    Raises LookupError when the ledger holds no record of the run.
    """
    records = list(ledger.records(run=run))
    if not records:
        raise LookupError(f"The ledger holds no record of run {run}; list its runs with egov.ops.ledger.")
    began = ledger.streaks(run, LOUD)
    since = {key_of(stored.record): began[stored.seq] for stored in records if is_finding(stored.record)}
    previous = _previous(ledger, run, records[0].record["procedure"])
    late = late_at(ledger, records[-1], facts)
    known = acknowledgement.read(ledger.records(domain=acknowledgement.DOMAIN, kind=acknowledgement.KIND))
    # Imported here: the courses are of figures, which are made of what stands in this module.
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.trends import courses

    material = Material(
        records, ledger.head(), facts, previous, since, late, known, courses(ledger, records, facts.zone)
    )
    if shelf is None:
        return material
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.day_strips import strips

    shelf.put(records)
    return replace(material, strips=strips(ledger, shelf, records, facts.zone))


def _previous(ledger: Ledger, run: str, procedure: str) -> Previous | None:
    earlier = ledger.previous_run(run, procedure)
    if earlier is None:
        return None
    records = [stored.record for stored in ledger.records(run=earlier, status=LOUD)]
    begin = next(iter(ledger.records(run=earlier))).record
    return Previous(earlier, begin["started"], [record for record in records if is_finding(record)])
