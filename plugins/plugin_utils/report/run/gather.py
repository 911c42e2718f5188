# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather from the ledger what the report of one run is built from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import (
    LOUD,
    STEP,
    Facts,
    Key,
    Ledger,
    Material,
    Previous,
    Stored,
    is_cut_off,
    is_finding,
    key_of,
    late_at,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup import Shelf

#: Runs before this one in which what was found last of a host and domain is looked for.
LOOKED_BACK = 30

#: Hosts that are asked for one by one.
FEW_HOSTS = 20

#: Reasons of a step that no run of this plan does.
_NEVER_DONE = ("not_built", "not_ours")


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
    previous = _previous(ledger, run, records, facts)
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


def _previous(ledger: Ledger, run: str, records: Sequence[Stored], facts: Facts) -> Previous | None:
    """Return the run before, with what was found last of each host and domain of this run's inventory.

    Where the run before did not do all steps of a domain on a host, because it was limited, stopped or the host was
    dead, the findings of older runs of the procedure stand, LOOKED_BACK runs at most.
    """
    procedure = records[0].record["procedure"]
    before = earlier = ledger.previous_run(run, procedure)
    if before is None:
        return None
    began = next(iter(ledger.records(run=before))).record["started"]
    parts = _parts_of(records, facts)
    newest: dict[Key, Record] = {}
    for _number in range(LOOKED_BACK):
        if earlier is None:
            break
        hosts = None if earlier == before else {host for host, _domain in parts}
        done, looks = _looks(ledger, earlier, hosts)
        known = {key: look for key, look in looks.items() if earlier == before or (key.host, key.domain) in parts}
        newest = {**known, **newest}
        parts -= done
        if not parts:
            break
        earlier = ledger.previous_run(earlier, procedure)
    return Previous(before, began, [record for record in newest.values() if is_finding(record)])


def _parts_of(records: Sequence[Stored], facts: Facts) -> set[tuple[str, str]]:
    """Return the hosts of the inventory with the domains of the procedure, also those outside a limited run."""
    announced = next((stored.record["detail"] for stored in records if stored.record["kind"] == "begin"), {})
    hosts = {*(announced.get("inventory") or ()), *(announced.get("hosts") or ())}
    catalogue = facts.procedures.get(records[0].record["procedure"].rpartition(".")[2], {}).get("steps")
    steps = [*(announced.get("steps") or ()), *(catalogue or ())]
    return {(host, step["domain"]) for host in hosts for step in steps}


def _looks(ledger: Ledger, run: str, hosts: set[str] | None) -> tuple[set[tuple[str, str]], dict[Key, Record]]:
    """Return the hosts and domains of which a run did all steps, and its findings by their keys.

    Of a host on which it did some steps alone, what it saw to be good is there too. None stands for all hosts.
    """
    chosen = [None] if hosts is None or len(hosts) > FEW_HOSTS else sorted(hosts)
    steps = [stored.record for host in chosen for stored in ledger.records(run=run, host=host, kind=STEP)]
    good = {(step["host"], step["domain"]) for step in steps if step["status"] == "ok"}
    undone = {
        (step["host"], step["domain"]) for step in steps if step["status"] != "ok" and step["reason"] not in _NEVER_DONE
    }
    partly = sorted({host for host, _domain in good} & {host for host, _domain in undone})
    found = [stored.record for host in chosen for stored in ledger.records(run=run, host=host, status=LOUD)]
    found += [stored.record for host in partly for stored in ledger.records(run=run, host=host)]
    looks = {key_of(record): record for record in found if record["status"] != "skipped" and not is_cut_off(record)}
    return good - undone, looks
