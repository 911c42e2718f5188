# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits in the range syntax of the monitoring plugins, and the judgement of a value against them.

`80` alerts above 80 or below 0, `10:` below 10, `~:5` above 5, `10:20` outside 10 to 20, `@1:2` inside 1 to 2.
"""

_INFINITY = float("inf")


class Range:
    """A range; it alerts for values outside, or for values inside where it was written with `@`."""

    def __init__(self, text, low, high, inside):
        # type: (str, float, float, bool) -> None
        self.text = text
        self.low = low
        self.high = high
        self.inside = inside

    def alerts(self, value):
        # type: (float) -> bool
        """Tell whether a value is one to warn of; the ends belong to the range."""
        return (self.low <= value <= self.high) == self.inside

    def words(self, unit):
        # type: (str) -> str
        """Return the limit as a person reads it: `90%`, `at least 30 days`."""
        if self.inside:
            return "not %s to %s" % (number(self.low), quantity(self.high, unit))
        if self.high == _INFINITY:
            return "at least %s" % quantity(self.low, unit)
        if self.low in (0, -_INFINITY):
            return quantity(self.high, unit)
        return "%s to %s" % (number(self.low), quantity(self.high, unit))


def parse(given):
    # type: (object) -> Range
    """Return the Range that a text or a bare number describes; raises ValueError with a sentence."""
    text = str(given).strip()
    low_text, colon, high_text = text.lstrip("@").rpartition(":")
    try:
        if isinstance(given, bool) or text.startswith("@@"):
            raise ValueError
        low = -_INFINITY if low_text == "~" else _finite(low_text or "0")
        high = _INFINITY if colon and not high_text else _finite(high_text)
    except ValueError:
        raise ValueError("%r is not a limit; write one like 80, 10:, ~:5, 10:20 or @1:2, in quotes" % (given,))
    if low > high:
        raise ValueError("%r is not a limit: its lower end is above its upper end" % (given,))
    return Range(text, low, high, text.startswith("@"))


def _finite(text):
    # type: (str) -> float
    value = float(text)
    if value - value != 0:  # float() takes "nan" and "inf"
        raise ValueError
    return value


def judge(value, warning, critical):
    # type: (float, Range | None, Range | None) -> str
    """Return the status of a value: critical before warning, ok where no limit alerts."""
    if critical is not None and critical.alerts(value):
        return "critical"
    if warning is not None and warning.alerts(value):
        return "warning"
    return "ok"


def number(value):
    # type: (float) -> str
    """Return a number as a person reads it: one decimal from ten on, three digits below, no needless zeros."""
    text = "%.1f" % value if abs(value) >= 10 else "%.3g" % round(value, 4)
    return text[:-2] if text.endswith(".0") else text


def quantity(value, unit):
    # type: (float, str) -> str
    """Return a number with its unit; only the percent sign sticks to it."""
    return number(value) + (unit if unit == "%" else " " + unit if unit else "")
