# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a drain takes of one spool, and what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_contents import Contents
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import BadLine, Header


@dataclass
class Load:
    """What a drain takes of one spool: lines that are records, records that it makes itself, and the other lines."""

    spool: Spool
    header: Header
    lines: list[tuple[Record, str]]
    made: list[Record]
    bad: list[BadLine]
    is_vast: bool

    def compare(self, contents: Contents, header_hashes: list[str]) -> None:
        """Count a header that is not the newest one that was noted; without running hashes nothing is proved then."""
        if header_hashes and header_hashes[-1] != contents.header_hash:
            self.bad.append(BadLine(b"", "its header is not the one that the witness file knows"))
            if not contents.is_chained:
                cause = "its running hash was removed"
                self.reject({body: cause for item, body in self.lines if item["domain"] != "run"})

    def reject(self, causes: Mapping[str, str]) -> None:
        """Count lines among the bad ones, by their text and cause."""
        self.bad += [BadLine(body.encode(), causes[body]) for _item, body in self.lines if body in causes]
        self.lines = [(item, body) for item, body in self.lines if body not in causes]
