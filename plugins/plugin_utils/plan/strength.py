# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a value of the plan weaker than another: one rule for each way in which protection is taken away.

A rule is told the value before and after, None for one that is not given, and answers whether the second protects less.
What it cannot compare counts as weaker, so that a person looks at it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import Opaque, read_moment
from ansible_collections.egov.ops.plugins.plugin_utils.schedule.calendar import is_rarer

#: Not a rule of one value: the keys in it replace those of their entry, each by its own rule.
OVERRIDE = "override"
#: The mildest last; a fault without a severity is critical.
SEVERITIES = ("critical", "warning")

_REMOTE = re.compile(r"(?!local:)[a-z][a-z0-9]*:.+")
_NUMBER = r"-?\d+(?:\.\d+)?"
_INTERVAL = re.compile(rf"(?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER})|(?P<sign><=|>=)(?P<limit>{_NUMBER})")
_LISTED = re.compile(r"(?P<kind>has:|lacks:|only:|(?:owner|group)?!?=)(?P<items>.+)")
_BITS = re.compile(r"(?P<kind>mode<=|umask>=)(?P<octal>[0-7]+)")
#: Both ends of an interval, each with -1, 0 or 1 for just below it, at it and just above it.
_Interval = tuple[tuple[float, int], tuple[float, int]]


def lower(before: Any, after: Any) -> bool:
    """Return whether a number has fallen."""
    return bool(after < before)


def higher(before: Any, after: Any) -> bool:
    """Return whether a number has risen."""
    return bool(after > before)


def switched_off(before: Any, after: Any) -> bool:
    """Return whether something was switched off."""
    return bool(before) and not after


def empty(before: Any, after: Any) -> bool:
    """Return whether a text is no longer given."""
    return bool(before) and not after


def changed(before: Any, after: Any) -> bool:
    """Return whether a value is another one."""
    return bool(before != after)


def later(before: Any, after: Any) -> bool:
    """Return whether a moment comes later, or never."""
    return bool(before) and (not after or read_moment(after) > read_moment(before))


def earlier(before: Any, after: Any) -> bool:
    """Return whether a moment comes earlier."""
    return later(before=after, after=before)


def rarer(before: Any, after: Any) -> bool:
    """Return whether something is done less often."""
    return is_rarer(before, after)


def milder(before: Any, after: Any) -> bool:
    """Return whether a fault counts for less."""
    return SEVERITIES.index(after or SEVERITIES[0]) > SEVERITIES.index(before or SEVERITIES[0])


def fewer(before: Any, after: Any) -> bool:
    """Return whether a list has lost something; a path stands for all below it."""
    earlier, later = before or [], after or []
    if not isinstance(earlier, list) or not isinstance(later, list):
        return True
    left = [_identity(item) for item in later]
    return not all(_covered(_identity(item), left) for item in earlier)


def more(before: Any, after: Any) -> bool:
    """Return whether a list has gained something."""
    return fewer(before=after, after=before)


def narrower(before: Any, after: Any) -> bool:
    """Return whether a list, of which none means everything, has lost something."""
    return after is not None and (before is None or fewer(before, after))


def wider_list(before: Any, after: Any) -> bool:
    """Return whether a list, of which none means everything, has gained something."""
    return narrower(before=after, after=before)


def signers(before: Any, after: Any) -> bool:
    """Return whether a list of keys has gained one, is no longer given, or can no longer be read."""
    known, now = before["signers"], after["signers"]
    if known is None or now is None:
        return bool(before["file"]) and before != after
    return not set(now) <= set(known) or (bool(before["file"]) and not after["file"])


def nearer(before: Any, after: Any) -> bool:
    """Return whether what lay off the host now lies on it, or nowhere."""
    return _is_remote(before) and not _is_remote(after)


def wider(before: Any, after: Any) -> bool:
    """Return whether a range, outside of which a value is reported, lets through what it did not."""
    if before is None or after is None:
        return before is not None
    allowed = _allowed(before)
    return not all(any(_within(part, whole) for whole in allowed) for part in _allowed(after))


def looser(before: Any, after: Any) -> bool:
    """Return whether an expectation accepts what it did not, or cannot be compared with the earlier one."""
    if before is None or after is None:
        return before is not None
    earlier = [part.split() for part in str(before).split(" or ")]
    return not all(
        any(all(any(_implies(new, old) for new in terms) for old in wanted) for wanted in earlier)
        for terms in (part.split() for part in str(after).split(" or "))
    )


RULES: Mapping[str, Callable[[Any, Any], bool]] = {
    "changed": changed,
    "earlier": earlier,
    "empty": empty,
    "fewer": fewer,
    "higher": higher,
    "later": later,
    "looser": looser,
    "lower": lower,
    "milder": milder,
    "more": more,
    "narrower": narrower,
    "nearer": nearer,
    "rarer": rarer,
    "signers": signers,
    "switched_off": switched_off,
    "wider": wider,
    "wider_list": wider_list,
}


def is_weaker(rule: str, before: Any, after: Any) -> bool:
    """Return whether a value protects less than the one before it, by a rule; without a rule nothing does."""
    if not rule or before == after:
        return False
    if isinstance(before, Opaque) or isinstance(after, Opaque):
        return True
    return RULES[rule](before, after)


def _identity(item: Any) -> Any:
    """Return what makes an element of a list the same one: of a step what it does, whatever it serves."""
    if not isinstance(item, dict) or "module" not in item:
        return item
    return item["module"], item["domain"], tuple(sorted(item.get("options", {}).items()))


def _covered(item: Any, left: list[Any]) -> bool:
    if item in left:
        return True
    is_path = isinstance(item, str) and item.startswith("/")
    return is_path and any(isinstance(path, str) and f"{item}/".startswith(f"{path.rstrip('/')}/") for path in left)


def _is_remote(place: Any) -> bool:
    return isinstance(place, Mapping) and isinstance(place["location"], str) and bool(_REMOTE.match(place["location"]))


def _allowed(limits: str) -> list[_Interval]:
    """Return the intervals in which a value passes a range such as "80", "10:", "~:5" or "@1:2"."""
    low, separator, high = limits.removeprefix("@").rpartition(":")
    bottom = -math.inf if low == "~" else float(low or 0)
    top = math.inf if separator and high in ("", "~") else float(high)
    if not limits.startswith("@"):
        return [((bottom, 0), (top, 0))]
    outside = [((-math.inf, 0), (bottom, -1)), ((top, 1), (math.inf, 0))]
    return [part for part in outside if part[0] <= part[1]]


def _within(part: _Interval, whole: _Interval) -> bool:
    return part[0] >= whole[0] and part[1] <= whole[1]


def _implies(new: str, old: str) -> bool:
    """Return whether all that meets one term of an expectation meets another."""
    if new == old:
        return True
    interval, wanted = _interval(new), _interval(old)
    if interval and wanted:
        return wanted[0] <= interval[0] and interval[1] <= wanted[1]
    bits, limit = _BITS.fullmatch(new), _BITS.fullmatch(old)
    if bits and limit and bits["kind"] == limit["kind"]:
        have, most = int(bits["octal"], 8), int(limit["octal"], 8)
        return not (have & ~most if bits["kind"] == "mode<=" else most & ~have)
    listed, earlier = _LISTED.fullmatch(new), _LISTED.fullmatch(old)
    if not listed or not earlier or listed["kind"] != earlier["kind"]:
        return False
    items, before = listed["items"], earlier["items"]
    if listed["kind"].endswith("="):
        items, before = items.lower(), before.lower()
    narrows = listed["kind"] == "only:" or (listed["kind"].endswith("=") and "!" not in listed["kind"])
    now, then = set(items.split("|")), set(before.split("|"))
    return now <= then if narrows else now >= then


def _interval(term: str) -> tuple[float, float] | None:
    found = _INTERVAL.fullmatch(term)
    if not found:
        return None
    if found["sign"]:
        limit = float(found["limit"])
        return (limit, math.inf) if found["sign"] == ">=" else (-math.inf, limit)
    return float(found["low"]), float(found["high"])
