# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Types are read by mypy alone and never run. pylint: disable=unsupported-binary-operation

"""How far a piece of work is, for the person who waits for it: nothing is counted until somebody asks."""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    #: Returns how much is done, and how much there is in all; None is not known.
    Count = Callable[[], tuple[float | None, float | None]]

#: Seconds that a trip waits for its work. What is short is over in the trip that starts it; of the rest the controller
#: hears at least every 15 seconds, a slow connection included.
WAIT_SECONDS = 10.0

#: Units of bytes, largest first.
_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


class Progress:
    """What the work does now, and how far it is."""

    def __init__(self):
        # type: () -> None
        self._what = ""
        self._count = None  # type: Count | None
        self._unit = ""
        self._started = 0.0

    def begin(self, what, count=None, unit="bytes"):
        # type: (str, Count | None, str) -> None
        """Say what is done from now on; count() returns how much is done and in all, each None if it is not known."""
        self._what, self._count, self._unit, self._started = what, count, unit, time.monotonic()

    def line(self):
        # type: () -> str
        """Return what is done now as one line, "" where nothing was said yet."""
        if not self._what:
            return ""
        done, total = self._count() if self._count else (None, None)
        return told(self._what, time.monotonic() - self._started, done, total, self._unit)


def told(what, seconds, done=None, total=None, unit="bytes"):
    # type: (str, float, float | None, float | None, str) -> str
    """Return a line of progress: done, total, rate and time left, as far as they are known; pure."""
    line = "%s for %.0f s" % (what, seconds)
    if done is None:
        return line
    line += ", %s" % amount(done, unit)
    if total:
        line += " of %s (%.0f %%)" % (amount(total, unit), 100.0 * min(1.0, done / total))
    if done <= 0 or seconds <= 0:
        return line
    rate = done / seconds
    line += ", %s/s" % amount(rate, unit)
    if total and total > done:
        line += ", about %.0f s left" % ((total - done) / rate)
    return line


def amount(count, unit):
    # type: (float, str) -> str
    """Return a number with its unit for people; bytes in decimal units."""
    for factor, larger in _UNITS if unit == "bytes" else ():
        if count >= factor:
            return "%.1f %s" % (count / factor, larger)
    return ("%.0f %s" if unit == "bytes" or count == int(count) else "%.1f %s") % (count, unit)
