# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a drain takes of one spool, and what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.egov.ops.plugins.plugin_utils.ledger import system_log
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_chain import split
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_contents import Contents
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import BadLine, Header

#: What is said of a dead run that could only be compared with itself.
NOT_LOGGED = " The system's log has nothing of it to compare."


@dataclass
class Load:
    """What a drain takes of one spool: lines that are records, records that it makes itself, and the other lines."""

    spool: Spool
    header: Header
    lines: list[tuple[Record, str]]
    made: list[Record]
    bad: list[BadLine]
    is_vast: bool
    #: Whether the system's log has lines of the spool, with which it was compared.
    is_logged: bool = False

    def _compare_with_log(self, contents: Contents) -> None:
        """Count what the system's log has of the spool and the spool has not; raises OSError."""
        kept = system_log.logged(self.spool.run)
        if kept is None or contents.is_vast:  # one that is vast is kept whole
            return
        self.is_logged = True
        if kept.header != contents.header_hash:
            self.bad.append(BadLine(b"", "its header is not the one that the system's log has"))
            return
        with self.spool.path.open("rb") as stream:
            there = {split(line.rstrip(b"\n"))[1].decode() for line in stream}
        lost = sum(its_hash not in there for its_hash in kept.hashes)
        if lost:
            cause = f"{lost} of {len(kept.hashes)} appends that the system's log has are not in it"
            self.bad.append(BadLine(b"", cause))

    def compare(self, contents: Contents, header_hashes: list[str], with_log: bool) -> None:
        """Count what the witness file, and if wanted the system's log, know otherwise; raises OSError.

        Where the header is not the newest one that was noted, nothing is proved without running hashes.
        """
        if with_log:
            self._compare_with_log(contents)
        if header_hashes and header_hashes[-1] != contents.header_hash:
            self.bad.append(BadLine(b"", "its header is not the one that the witness file knows"))
            if not contents.is_chained:
                cause = "its running hash was removed"
                self.reject({body: cause for item, body in self.lines if item["domain"] != "run"})

    def reject(self, causes: Mapping[str, str]) -> None:
        """Count lines among the bad ones, by their text and cause."""
        self.bad += [BadLine(body.encode(), causes[body]) for _item, body in self.lines if body in causes]
        self.lines = [(item, body) for item, body in self.lines if body not in causes]
