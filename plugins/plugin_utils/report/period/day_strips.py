# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last days of each host, one status a day, from the roll-ups of the runs of a procedure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.ledger import iso, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import Ledger, Stored
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.model import Choice, Fold
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup import Shelf
from ansible_collections.egov.ops.plugins.plugin_utils.report.run.trends import DAYS, ENOUGH, day_of, zone_of

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import Strips

#: Hosts that have a strip each; of more a matrix shows the last run alone.
HOSTS = 40

#: What no run has written anything of.
NOTHING: Strips = {"days": [], "hosts": {}}


def strips(ledger: Ledger, shelf: Shelf, records: Sequence[Stored], zone: str) -> Strips:
    """Return `days` up to a run's own, and of its `hosts` a status for each; "none" where nothing was recorded.

    Nothing of a run with more than HOSTS hosts, or where there are less than ENOUGH days to tell of.
    """
    first, last = records[0].record, records[-1]
    announced = first["detail"].get("hosts")
    if not isinstance(announced, list) or len(announced) > HOSTS:
        return NOTHING
    place = zone_of(zone)
    end = day_of(first["started"], place)
    since = iso(read_time(first["started"]) - timedelta(days=DAYS))
    begins = ledger.records(domain="run", kind="begin", subject=first["subject"], since=since, upto=last.seq)
    fold = Fold(Choice(), place)
    for stored in begins:
        if end - timedelta(days=DAYS) < day_of(stored.record["started"], place) <= end:
            fold.add(shelf.get(stored.record["run"]))
    begun = min(fold.days, default=end)
    days = [begun + timedelta(days=number) for number in range((end - begun).days + 1)]
    if len(days) < ENOUGH:
        return NOTHING
    hosts = {
        host: [fold.days[day].status_of(host) if day in fold.days else "none" for day in days] for host in fold.hosts
    }
    return {"days": [day.isoformat() for day in days], "hosts": hosts}
