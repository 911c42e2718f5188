# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the journal of a restore says: how far it has come, and what the next process has to do.

    staging -> restored -> ready -> done -> accept -> removed
                             |       |
                             +-------+--> undo -> failed (by itself) or undone (by a person)

Before `ready` the old data is untouched and a crash costs only time: all is staged again. From `ready` on the new data
is whole and compared, and the next process goes forward; from `undo` on it goes back. `failed` may be tried again.
"""

from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import to_bytes
from ansible_collections.egov.ops.plugins.module_utils.host.atomic_swap import Swap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Event

#: The events by which a restore moves on; the others tell details.
PHASES = ("staging", "restored", "ready", "undo", "failed", "done", "accept", "removed", "undone")

#: What the next process has to do in each phase.
STAGE, FORWARD, BACK, NOTHING = "stage", "forward", "back", "nothing"
_NEXT = {
    "": STAGE,
    "staging": STAGE,
    "restored": STAGE,
    "failed": STAGE,
    "ready": FORWARD,
    "undo": BACK,
    "done": NOTHING,
    "accept": NOTHING,
    "removed": NOTHING,
    "undone": NOTHING,
}

_WORDS = {"": "reading the manifest", "staging": "restoring", "restored": "comparing", "undo": "putting back"}


def phase(events):
    # type: (list[Event]) -> str
    """Return the last event by which the restore moved on, "" for none."""
    found = ""
    for event in events:
        if event["event"] in PHASES:
            found = event["event"]
    return found


def duty(events):
    # type: (list[Event]) -> str
    """Return what the next process has to do: STAGE, FORWARD, BACK or NOTHING."""
    return _NEXT[phase(events)]


def unfinished(events):
    # type: (list[Event]) -> bool
    """Tell whether something of the restore lies on the host that is neither whole nor gone."""
    return phase(events) in ("staging", "restored", "ready", "undo", "accept")


def words(events):
    # type: (list[Event]) -> str
    """Return what the restore is doing, for people."""
    return _WORDS.get(phase(events), "switching")


def stopped(events):
    # type: (list[Event]) -> list[str] | None
    """Return the units that the restore has stopped and not started again, None where it has stopped none."""
    units = None
    for event in events:
        if event["event"] in ("stop", "start"):
            units = event.get("units")
    return units


def swaps(ready):
    # type: (Event) -> list[Swap]
    """Return the swaps that a `ready` event names."""
    return [
        Swap(to_bytes(entry["source"]), to_bytes(entry["place"]), to_bytes(entry["kept"]), entry["inode"])
        for entry in ready["swaps"]
    ]
