# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a ledger holds and answers with: stored records, runs, artefacts, and the head of its chain."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast, final

#: The facts of a record, by name. Any: each kind has facts of its own, and what reads one knows its type.
Detail = Mapping[str, Any]


@final
class Record(TypedDict):
    """A record as it is stored: one observation, and which run made it, when, on which host.

    Times are in UTC, as `iso` writes them. `via` tells how the host half travelled.
    """

    schema: int
    id: str
    run: str
    procedure: str
    host: str
    domain: str
    kind: str
    subject: str
    status: str
    reason: str
    clauses: list[str]
    started: str
    finished: str
    attempt: int
    via: str
    detail: Detail


@dataclass(frozen=True)
class Head:
    """The end of the chain: number and hash of the last record; 0 and "" for an empty ledger."""

    count: int
    hash: str
    algorithm: str


@dataclass(frozen=True)
class Stored:
    """A record with its place in the chain."""

    seq: int
    hash: str
    body: str
    algorithm: str

    @functools.cached_property
    def record(self) -> Record:
        """Return the record itself."""
        return cast("Record", dict(json.loads(self.body)))


@dataclass(frozen=True)
class Run:
    """A run as its begin and seal records tell it; `finished` and `status` are "" while it is not sealed."""

    run: str
    procedure: str
    started: str
    finished: str
    status: str
    reason: str
    detail: Detail


@dataclass(frozen=True)
class Artefact:
    """A document kept by its digest: plan, manifest, report."""

    digest: str
    name: str
    media_type: str
    created: str
    content: bytes
