# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an operation that is asked for may hold: typed fields, and the sentence for each fault of one.

An operation comes from outside and is hostile: nothing of it is used before each of its fields was checked here.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ansible_collections.egov.ops.plugins.module_utils.host.identity import DIGITS, MACHINE, MARKS
from ansible_collections.egov.ops.plugins.plugin_utils.common import inert

Operation = Mapping[str, Any]
#: A text in each language, `{"en": ..., "zh": ...}`.
Texts = Mapping[str, str]
#: A label and a text for each line that an approver reads.
Lines = list[tuple[str, str]]

#: Characters of one text.
TEXT_LIMIT = 1000
#: Hosts of one operation: an approver is shown each of them.
HOSTS_LIMIT = 5000

_HEX = re.compile(r"[0-9a-f]+")
_UNIT = re.compile(r"[\w@.:\\-]+\.\w+")

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80


class Field(NamedTuple):
    """One key of an operation: which values it takes, and these in words, as the end of "it must be ..."."""

    fits: Callable[[Any], bool]
    allowed: str
    #: Whether an operation may lack it.
    optional: bool = False


class Snapshot(NamedTuple):
    """A snapshot that must be proved: the host whose it is ("" for that of the operation), its set, and its ids."""

    host: str
    set: str
    ids: tuple[str, ...]


def fault_of(what: str, fields: Mapping[str, Field], source: str, operation: object) -> str:
    """Return what is wrong with an operation as one sentence, "" for nothing.

    `what` names the operation at the sentence's begin, `source` says where a right one is to be had.
    """
    if not isinstance(operation, Mapping):
        return f"{what} is {_shown(operation)}, but must be a dictionary; {source}."
    for key in [*fields, *operation]:
        if key not in operation:
            if not fields[key].optional:
                return f"{what} lacks {key}; {source}."
        elif key not in fields:
            return f"{what} has a key {inert(_shown(key))}, which there is not; known are {', '.join(fields)}."
        elif not fields[key].fits(operation[key]):
            value, allowed = inert(_shown(operation[key])), fields[key].allowed
            return f"{what} has a {key} that cannot be: {value}; it must be {allowed}."
    return ""


def plain_lines(operation: Operation, _language: str) -> Lines:
    """Return each field but the hosts as a line: what an approver reads of an action without words of its own."""
    return [
        (key, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for key, value in operation.items()
        if key not in ("host", "hosts")
    ]


def no_fault(_operation: Operation) -> str:
    """Return that the fields of an operation do not contradict each other: an action without such a rule."""
    return ""


def is_text(value: Any) -> bool:
    """Tell whether a value is a text of a line that shows as it is."""
    return isinstance(value, str) and 0 < len(value) <= TEXT_LIMIT and inert(value) == value


def is_digest(value: Any) -> bool:
    """Tell whether a value is a SHA-256 digest in hexadecimal digits."""
    return isinstance(value, str) and len(value) == 64 and bool(_HEX.fullmatch(value))


def is_path(value: Any) -> bool:
    """Tell whether a value is an absolute path without "." and ".."."""
    parts = value.split("/")[1:] if isinstance(value, str) else []
    whole = bool(parts) and value.startswith("/") and "\0" not in value
    return whole and (value == "/" or not {"", ".", ".."} & set(parts))


def is_amount(value: Any) -> bool:
    """Tell whether a value is a whole number, 0 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_seconds(value: Any) -> bool:
    """Tell whether a value is a finite number, 0 or more."""
    return type(value) in (int, float) and 0 <= value < float("inf")


def is_time(value: Any) -> bool:
    """Tell whether a text is a moment as an engine writes it: with fractions of a second and an offset, or without."""
    try:
        text = re.sub(r"\.\d+", "", value).replace("Z", "+00:00")
        return datetime.fromisoformat(text).tzinfo is not None
    except (TypeError, ValueError):
        return False


def are_hosts(value: Any) -> bool:
    """Tell whether a value is a list of hosts' names, sorted, each once."""
    listed = isinstance(value, list) and 0 < len(value) <= HOSTS_LIMIT and all(map(is_text, value))
    return listed and value == sorted(set(value))


def are_paths(value: Any) -> bool:
    """Tell whether a value is a list of absolute paths, sorted, each once."""
    return isinstance(value, list) and all(map(is_path, value)) and value == sorted(set(value))


def are_marks(value: Any) -> bool:
    """Tell whether a value is the marks of a machine, its own among them (module_utils/host/identity.py)."""
    return (
        isinstance(value, dict)
        and MACHINE in value
        and value.keys() <= set(MARKS)
        and all(isinstance(mark, str) and len(mark) == DIGITS and bool(_HEX.fullmatch(mark)) for mark in value.values())
    )


def are_units(value: Any) -> bool:
    """Tell whether a value is a list of names of systemd units."""
    return isinstance(value, list) and all(isinstance(unit, str) and bool(_UNIT.fullmatch(unit)) for unit in value)


def one_of(*names: str) -> Field:
    """Return a field that takes one of some names."""
    return Field(lambda value: isinstance(value, str) and value in names, f"one of {', '.join(names)}")


TEXT = Field(is_text, f"a text of 1 to {TEXT_LIMIT} visible characters")
DIGEST = Field(is_digest, "64 hexadecimal digits")
PATHS = Field(are_paths, "a list of absolute paths, sorted, each once")
AMOUNT = Field(is_amount, "a whole number, 0 or more")
SECONDS = Field(is_seconds, "a number of seconds, 0 or more")
TIME = Field(is_time, "a moment with its offset, such as 2026-01-02T03:04:05Z")
MACHINE_MARKS = Field(are_marks, "the marks of a machine, as egov.ops.request fills them in", optional=True)
UNITS = Field(are_units, "a list of systemd units such as nginx.service")
HOST = Field(is_text, "the name of a host in the inventory")
HOSTS = Field(are_hosts, f"a list of 1 to {HOSTS_LIMIT} hosts of the inventory, sorted, each once")


def _shown(value: object) -> str:
    """Return a value for a sentence: however deep or long it is, short."""
    return _REPR.repr(value)[:80]
