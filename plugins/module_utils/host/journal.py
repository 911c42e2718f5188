# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of an operation: a file that outlasts a crash, and what its events say."""

import time

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
        """Return the events, oldest first; a line that a crash has torn is none."""
        import json

        try:
            with open(self._path, "rb") as stream:
                content = stream.read()
        except OSError:
            return []
        return [json.loads(line.decode("ascii")) for line in content[: content.rfind(b"\n") + 1].splitlines()]

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
