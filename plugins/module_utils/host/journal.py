# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of an operation: a file that outlasts a crash, and what its events say."""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.files import Files
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Event, Fact


class Journal:
    """A file of one JSON line for each event, which outlasts a crash."""

    def __init__(self, path, files):
        # type: (str, Files) -> None
        """Take the path, and the host's Files, which write it."""
        self._path = path
        self._files = files

    def events(self):
        # type: () -> list[Event]
        """Return the events, oldest first, without a line that a crash has torn; raises HalfError for a damaged one."""
        try:
            with open(self._path, "rb") as stream:
                content = stream.read()
        except OSError:
            return []
        lines = content[: content.rfind(b"\n") + 1].split(b"\n")[:-1]
        events = [_event_of(line) for line in lines]
        if not all(events):
            folder = os.path.dirname(self._path)
            raise HalfError(
                "Line %d of the journal %s is damaged: see in it what operation %s has left on this host, mend that, "
                "and move the folder %s away."
                % (events.index({}) + 1, self._path, os.path.basename(folder)[:8], folder)
            )
        return events

    def note(self, event, **detail):
        # type: (str, Fact) -> None
        """Add an event, where it outlasts a crash; raises OSError."""
        import json

        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = json.dumps(dict(detail, event=event, time=now), sort_keys=True)
        self._files.append(self._path, line.encode("ascii"))


def newest(events, name):
    # type: (list[Event], str) -> Event
    """Return the newest event of a name, {} where there is none."""
    found = {}  # type: Event
    for event in events:
        if event["event"] == name:
            found = event
    return found


def current_attempt(events):
    # type: (list[Event]) -> list[Event]
    """Return the events since the last attempt that failed."""
    start = 0
    for number, event in enumerate(events):
        if event["event"] == "failed":
            start = number + 1
    return events[start:]


def _event_of(line):
    # type: (bytes) -> Event
    """Return the event in a line of a journal, {} for a line that `note` has not written."""
    import json

    try:
        event = json.loads(line.decode("ascii"))
        whole = isinstance(event, dict) and isinstance(event["event"], str) and isinstance(event["time"], str)
    except (ValueError, KeyError, RecursionError):
        return {}
    return event if whole else {}
