# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a spool holds, read whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import BadLine, Header

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
