# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a spool holds, read whole, and how it is read in pieces."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import BadLine, Header, data_after

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record


class Contents(NamedTuple):
    """What stands in a spool: the last word of its header, the records in order, lines torn by a writer's death,
    whether a seal record follows the last announcement, each record's line, and the lines that are none of these;
    where they are too large to hold, without content and to be kept with the whole file."""

    header: Header
    records: list[Record]
    torn: int
    sealed: bool
    bodies: list[str]
    bad: list[BadLine]
    is_vast: bool


@contextmanager
def without_collections() -> Iterator[None]:
    """Keep Python from looking for garbage while thousands of records are made, of which none is: it costs a fifth."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def end_of_line(descriptor: int, place: int, at_once: int) -> int:
    """Return where the line ends, its end included, in which a place lies; holes are not read, the rest in pieces."""
    while piece := os.pread(descriptor, at_once, place):
        line_end = piece.find(b"\n") + 1
        if line_end:
            return place + line_end
        place = data_after(descriptor, place + len(piece))
    return place
