# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Canonical JSON, and the chain of hashes over it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError

ALGORITHMS = ("sha256", "sha512", "sm3")
DEFAULT_ALGORITHM = "sha256"

#: What the first record is chained to.
GENESIS = ""

_SURROGATE = re.compile("[\ud800-\udfff]")


def canonical(value: Any) -> str:
    """Return a value as canonical JSON: keys sorted by code point, no spaces, characters as themselves.

    Half characters, which stand in names that are no UTF-8, are shown as `\\udcff`: neither databases nor other
    languages' JSON take them. Raises ValueError for what JSON has no word for (NaN, infinity).
    """
    text = _encode(value)
    if _SURROGATE.search(text):
        text = _encode(_without_surrogates(value))
    return text


# Made once: json.dumps would make an encoder for each of thousands of records.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(item) for item in value]
    return value


def digest(data: bytes, algorithm: str = DEFAULT_ALGORITHM) -> str:
    """Return the hexadecimal hash of data. Raises LedgerError for an algorithm that is not offered here."""
    try:
        if algorithm not in ALGORITHMS:
            raise ValueError
        return (hashlib.sha256(data) if algorithm == "sha256" else hashlib.new(algorithm, data)).hexdigest()
    except ValueError:
        raise LedgerError(
            f"The hash algorithm {algorithm} is not available on this controller; "
            f"use one of {', '.join(ALGORITHMS)} that its OpenSSL has."
        ) from None


def link(previous: str, body: str, algorithm: str = DEFAULT_ALGORITHM) -> str:
    """Return the hash of a record: over the hash of the record before it and its own canonical JSON."""
    return digest((previous + body).encode("utf-8"), algorithm)


class Row(Protocol):
    """A record as it is stored."""

    @property
    def seq(self) -> int:
        """Its place, counted from 1."""

    @property
    def body(self) -> str:
        """Its canonical JSON."""

    @property
    def hash(self) -> str:
        """The hash over it and the record before it."""

    @property
    def algorithm(self) -> str:
        """What its hash is made with."""


@dataclass(frozen=True)
class Break:
    """Where a chain stops being one: the number of the first bad record, and why."""

    seq: int
    kind: str  # "edited" or "missing"
    previous: str


def first_break(rows: Iterable[Row], first: int = 1, previous: str = GENESIS) -> Break | None:
    """Walk rows in order from the record numbered `first`, chained to `previous`; return the first break, if any."""
    expected = first
    for row in rows:
        if row.seq != expected:
            return Break(expected, "missing", previous)
        if row.algorithm not in ALGORITHMS or link(previous, row.body, row.algorithm) != row.hash:
            return Break(expected, "edited", previous)
        previous = row.hash
        expected += 1
    return None
