# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# To isinstance a bool is an int: types are compared. pylint: disable=unidiomatic-typecheck

"""What a ledger can hold: the values that SQLite's and PostgreSQL's JSON take, with limits well below theirs.

SQLite's JSON functions refuse a nesting deeper than 1,000 or 2,000 and end a text at a NUL; PostgreSQL's refuse NUL,
half characters and a nesting deeper than its stack. Neither knows NaN, and SQLite makes a larger integer inexact.
"""

from __future__ import annotations

import math
from typing import Any

#: Lists and mappings inside each other, the outermost one included.
DEPTH_LIMIT = 32

#: Entries of one list or mapping.
ENTRIES_LIMIT = 100_000

#: Integers of 64 bits.
INTEGER_LIMIT = 2**63

_SHOWN = 80


def flaw_of(value: Any, where: str) -> str:
    """Return why a ledger cannot hold a value, with the place in it and what is allowed; "" for one that it can."""
    flaw = None if type(value) is dict and is_usual(value) else _flaw(value, 1)
    if flaw is None:
        return ""
    path, sentence = flaw
    return f"{where}{path[:_SHOWN]} {sentence}"


def is_usual(value: dict[Any, Any] | list[Any], depth: int = 1) -> bool:
    """Tell whether `flaw_of` finds nothing, at a third of its cost; of types that JSON does not make it says no."""
    if type(value) is dict:
        for key in value:
            if type(key) is not str or "\0" in key:
                return False
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is str:
            if "\0" in item:
                return False
        elif kind is int:
            if not -INTEGER_LIMIT <= item < INTEGER_LIMIT:
                return False
        elif kind is float:
            if not math.isfinite(item):
                return False
        elif kind is dict or kind is list:
            if depth == DEPTH_LIMIT or (item and not is_usual(item, depth + 1)):
                return False
        elif item is not None and kind is not bool:
            return False
    return len(value) <= ENTRIES_LIMIT


def shown(value: Any) -> str:
    """Return the beginning of a value, for a sentence; of one that cannot be written its type."""
    try:
        return repr(value)[:_SHOWN]
    except (RecursionError, ValueError):  # nested too deep, or an integer of some thousand digits
        return f"a {type(value).__name__}"


def _flaw(value: Any, depth: int) -> tuple[str, str] | None:
    """Return where below a value something cannot be held, and why; None for nothing."""
    kind = type(value)
    if kind is str:
        return ("", "holds a NUL character, which no text may hold") if "\0" in value else None
    if kind is int:
        if -INTEGER_LIMIT <= value < INTEGER_LIMIT:
            return None
        return "", f"is an integer of {value.bit_length()} bits, but 64 with the sign are allowed"
    if kind is float:
        return None if math.isfinite(value) else ("", f"is {value}, but only finite numbers are allowed")
    if kind is bool or value is None:
        return None
    if isinstance(value, (dict, list, tuple)):
        return _flaw_of_many(value, depth)
    for base in (str, int, float):
        if isinstance(value, base):  # as Ansible's own texts are
            return _flaw(base(value), depth)
    return "", f"is a {kind.__name__}, which cannot be written as JSON"


def _flaw_of_many(value: dict[Any, Any] | list[Any] | tuple[Any, ...], depth: int) -> tuple[str, str] | None:
    if depth > DEPTH_LIMIT:
        return "", f"is nested deeper than the {DEPTH_LIMIT} levels that are allowed"
    if len(value) > ENTRIES_LIMIT:
        return "", f"has {len(value)} entries, but {ENTRIES_LIMIT} are allowed"
    if not isinstance(value, dict):
        for number, item in enumerate(value):
            if flaw := _flaw(item, depth + 1):
                return f"[{number}]{flaw[0]}", flaw[1]
        return None
    for key, item in value.items():
        if not isinstance(key, str):
            return "", f"has the key {shown(key)}, but only texts are allowed as keys"
        if "\0" in key:
            return "", "has a key with a NUL character, which no text may hold"
        if flaw := _flaw(item, depth + 1):
            return f".{key}{flaw[0]}", flaw[1]
    return None
