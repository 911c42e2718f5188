# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger that shows what a check would add: to one connection, and never in its file."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, link
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.supposing import suppose

from tests.support.ledger_cases import fill, make_record


def test_what_is_supposed_is_read_after_the_stored_records_and_is_in_no_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with Ledger(path) as ledger:
        fill(ledger, 3)
    before, head = path.read_bytes(), 3
    items = [make_record(identifier=f"s{number}", run="check", host=f"web{number}") for number in range(2)]
    with Ledger(path, read_only=True) as ledger:
        real = ledger.head()
        suppose(ledger, items)
        assert [(row.seq, row.record["id"]) for row in ledger.records()] == [
            *((number, str(number)) for number in range(1, head + 1)),
            *((4, "s0"), (5, "s1")),
        ]
        assert [row.seq for row in ledger.records(run="check", host="web1")] == [5]
        first = link(real.hash, canonical(items[0]))
        assert [row.hash for row in ledger.records(run="check")] == [first, link(first, canonical(items[1]))]
        assert ledger.head().count == 5
        with pytest.raises(LedgerError):
            ledger.append([make_record()])
        with Ledger(path, read_only=True) as other:
            assert other.head() == real
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_may_be_supposed(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        fill(ledger, 1)
    with Ledger(tmp_path / "ledger.sqlite3", read_only=True) as ledger:
        suppose(ledger, [])
        assert ledger.head().count == 1
