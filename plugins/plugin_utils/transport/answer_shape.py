# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# To isinstance a bool is an int: types are compared. pylint: disable=unidiomatic-typecheck

"""What a part of a host's answer may be: small checks that are put together to a shape.

A check returns None for a value that is allowed, else where in it the fault is ("" for the value itself) and what is
allowed there, as the end of a sentence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.host.identity import MARKS
from ansible_collections.egov.ops.plugins.module_utils.host.record import TRACEBACK_LIMIT

#: Where the fault is, and what must be there.
Fault = tuple[str, str]
Check = Callable[[Any], "Fault | None"]

#: Characters of one line for people, and of a longer text.
LINE_LIMIT, TEXT_LIMIT = 2000, 1024 * 1024
#: Whole numbers fit into 64 bits, as databases want them.
LEAST, MOST = -(2**63), 2**63 - 1
#: Nesting of an answer, the answer itself counted.
DEPTH = 32
#: Values in a result or the detail of an observation, keys not counted.
VALUES = 500_000

#: Keys that were allowed before: most are the same in each observation. How many are remembered.
_good_keys: set[Any] = set()
_KEYS_LIMIT = 1000

#: What no text may hold: control characters other than tab and line end, and halves of characters.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_NO_LINE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
#: The same for a path that a later command needs as it is: bytes that are no UTF-8 stand in it as U+DC80 to U+DCFF.
_NO_PATH = re.compile("[\x00\ud800-\udc7f\udd00-\udfff]")
_TEXT = frozenset((str,))
_DIGEST = re.compile(r"[0-9a-f]{8,64}")
_ID = re.compile(r"[0-9a-f]{32}")


def line(limit: int = LINE_LIMIT, empty: bool = True) -> Check:
    """Allow a text of one line."""
    fault = "", f"must be a text of {0 if empty else 1} to {limit} characters in one line without control characters"

    def check(value: Any) -> Fault | None:
        if type(value) is not str or len(value) > limit or not (value or empty):
            return fault
        return fault if not value.isprintable() and _NO_LINE.search(value) else None

    return check


def stack(value: Any) -> Fault | None:
    """Allow lines of a traceback, with tabs, of at most TRACEBACK_LIMIT bytes in UTF-8."""
    good = type(value) is str and not any(_NO_LINE.search(row.replace("\t", "")) for row in value.split("\n"))
    if good and len(value.encode("utf-8")) <= TRACEBACK_LIMIT:
        return None
    return "", f"must be lines without control characters of at most {TRACEBACK_LIMIT} bytes in all"


def text(value: Any) -> Fault | None:
    """Allow a text of any number of lines; `tree` looks at its characters."""
    return None if type(value) is str else ("", "must be a text")


def texts(value: Any) -> Fault | None:
    """Allow a mapping of texts, as of languages; `tree` looks at keys and characters."""
    good = type(value) is dict and len(value) <= 100 and _TEXT.issuperset(map(type, value.values()))
    return None if good else ("", "must be a mapping of at most 100 texts")


def same(wanted: Any) -> Check:
    """Allow the one value that was asked for."""
    fault = "", f"must be {shown(wanted)}, as was asked"
    return lambda value: None if value == wanted else fault


def one_of(choices: Collection[str]) -> Check:
    """Allow one of some texts."""
    fault = "", f"must be one of {', '.join(choice for choice in sorted(choices) if choice)}"
    known = frozenset(choices)
    return lambda value: None if type(value) is str and value in known else fault


def flag(value: Any) -> Fault | None:
    """Allow true and false alone."""
    return None if type(value) is bool else ("", "must be true or false")


def integer(value: Any) -> Fault | None:
    """Allow a whole number from 0 on."""
    return None if type(value) is int and 0 <= value <= MOST else ("", "must be a whole number from 0 on")


def number(value: Any) -> Fault | None:
    """Allow a finite number from 0 on."""
    good = type(value) in (int, float) and 0 <= value <= MOST
    return None if good else ("", "must be a number from 0 to 2^63")


def scalar(value: Any) -> Fault | None:
    """Allow a text, number, flag or null; `tree` looks into it."""
    return ("", "must be a text, a number, true, false or null") if type(value) in (list, dict) else None


def job(value: Any) -> Fault | None:
    """Allow the id of a piece of work."""
    good = type(value) is str and bool(_ID.fullmatch(value))
    return None if good else ("", "must be 32 hexadecimal digits")


def digest(value: Any) -> Fault | None:
    """Allow a snapshot's id, whole or its beginning: nothing that a tool takes for an option."""
    good = type(value) is str and bool(_DIGEST.fullmatch(value))
    return None if good else ("", "must be 8 to 64 hexadecimal digits")


def path(value: Any) -> Fault | None:
    """Allow the path of a file as the system knows it, whatever its name holds; "" too."""
    good = type(value) is str and len(value) <= 2 * LINE_LIMIT and not _NO_PATH.search(value)
    return None if good else ("", "must be a path")


def optional(check: Check) -> Check:
    """Allow null too."""
    return lambda value: None if value is None else check(value)


def either(first: Check, second: Check) -> Check:
    """Allow what one of two checks allows; the second says what is wrong."""
    return lambda value: second(value) if first(value) else None


def list_of(check: Check, limit: int) -> Check:
    """Allow a list."""

    def whole(value: Any) -> Fault | None:
        if type(value) is not list or len(value) > limit:
            return "", f"must be a list of at most {limit} entries"
        if not any(map(check, value)):
            return None
        for place, item in enumerate(value):
            fault = check(item)
            if fault:
                return f"[{place}]{fault[0]}", fault[1]
        return None

    return whole


def map_of(key: Check, check: Check, limit: int) -> Check:
    """Allow a mapping of any keys."""

    def whole(value: Any) -> Fault | None:
        if type(value) is not dict or len(value) > limit:
            return "", f"must be a mapping of at most {limit} keys"
        for name, item in value.items():
            fault = key(name)
            if fault:
                return f", key {shown(name)}", fault[1]
            fault = check(item)
            if fault:
                return f"{dotted(name)}{fault[0]}", fault[1]
        return None

    return whole


def fields(known: Mapping[str, Check], needed: Collection[str] | None = None) -> Check:
    """Allow a mapping with these keys and no others; needed are those that it must have, all where none are named."""
    wanted = tuple(known if needed is None else needed)

    def whole(value: Any) -> Fault | None:
        if type(value) is not dict:
            return "", "must be a mapping"
        for name in wanted:
            if name not in value:
                return "", f"must have the key {name}"
        for name, item in value.items():
            check = known.get(name)
            if check is None:
                return "", f"has the key {shown(name)}; allowed are {', '.join(sorted(known))}"
            fault = check(item)
            if fault:
                return f"{dotted(name)}{fault[0]}", fault[1]
        return None

    return whole


def pair(first: Check, second: Check) -> Check:
    """Allow a list of two."""

    def whole(value: Any) -> Fault | None:
        if type(value) is not list or len(value) != 2:
            return "", "must be a list of two"
        return first(value[0]) or second(value[1])

    return whole


def tree(value: Any, depth: int = DEPTH, exact: bool = False) -> tuple[int, Fault | None]:
    """Return how many values there are in a JSON value, and what no answer may hold; depth is what may be left of it.

    exact leaves texts to the shape: there are paths among them.
    """
    kind = type(value)
    if kind is not dict and kind is not list:
        return 1, _fault(value, exact)
    if depth <= 0:
        return 1, ("", f"must not be nested deeper than {DEPTH}")
    if kind is dict and not exact and not value.keys() <= _good_keys:
        for name in value:
            fault = _fault(name, exact) if type(name) is str else ("", "must be a text")
            if fault:
                return 1, (f", key {shown(name)}", fault[1])
        if len(_good_keys) < _KEYS_LIMIT:
            _good_keys.update(value)
    count = 1 + len(value)
    if count > VALUES:
        return count, ("", f"must not hold more than {VALUES} values")
    for name, item in value.items() if kind is dict else enumerate(value):
        # What nearly all values are is allowed without a call: this is the cost of an answer.
        inner = type(item)
        if inner is str and item.isprintable() and len(item) <= TEXT_LIMIT:
            continue
        if inner is dict or inner is list:
            more, fault = tree(item, depth - 1, exact)
            count += more - 1
        else:
            fault = _fault(item, exact)
        if fault:
            step = dotted(str(name)) if kind is dict else f"[{name}]"
            return count, (f"{step}{fault[0]}", fault[1])
        if count > VALUES:
            return count, ("", f"must not hold more than {VALUES} values")
    return count, None


def is_sound(value: Any, depth: int) -> bool:
    """Tell whether the numbers in a JSON value are ones that `tree` allows, and its nesting is no deeper than that."""
    kind = type(value)
    if kind is int:
        return bool(LEAST <= value <= MOST)
    if kind is float:
        return math.isfinite(value)
    if kind is dict or kind is list:
        if depth <= 0:
            return False
        for item in value.values() if kind is dict else value:
            if type(item) is not str and not is_sound(item, depth - 1):
                return False
    return True


def dotted(name: str) -> str:
    """Return a key as a step of a way into a value."""
    return f".{name}" if name.isascii() and name.isidentifier() and len(name) <= 40 else f"[{shown(name)}]"


def shown(value: Any) -> str:
    """Return a value of a host for a sentence: short, and in ASCII."""
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _fault(value: Any, exact: bool) -> Fault | None:
    """Return what is wrong with a value that is neither a mapping nor a list, whatever it stands for."""
    kind = type(value)
    if kind is str:
        if exact:
            return None
        if len(value) > TEXT_LIMIT:
            return "", f"must be a text of at most {TEXT_LIMIT} characters"
        return ("", "must be valid Unicode without control characters") if _CONTROL.search(value) else None
    if kind is int:
        return None if LEAST <= value <= MOST else ("", "must be a whole number of 64 bits")
    if kind is float:
        return None if math.isfinite(value) else ("", "must be a finite number")
    return None if kind is bool or value is None else ("", "must be a JSON value")


#: The marks of a machine by name.
machine = map_of(one_of(MARKS), job, len(MARKS))
