# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which kind of backup is due, from the catalogue and the plan's boundaries."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
from ansible_collections.egov.ops.plugins.module_utils.backup.run import due

WEEKLY = {"full_since": "2026-05-18T00:00:00Z", "incremental_since": "2026-05-20T00:00:00Z", "incremental": "daily"}
MONTHLY = {"full_since": "2026-05-01T00:00:00Z", "incremental_since": None, "incremental": "change"}


def catalogue(*entries: tuple[str, str]) -> list[Snapshot]:
    return [Snapshot("id", time, "set", kind, []) for time, kind in entries]


@pytest.mark.parametrize(
    ("backup_set", "snapshots", "kind"),
    [
        (WEEKLY, [], "full"),
        (WEEKLY, [("2026-05-17T23:59:59Z", "full")], "full"),
        (WEEKLY, [("2026-05-18T00:00:00Z", "full")], "incremental"),
        (WEEKLY, [("2026-05-18T00:00:00Z", "full"), ("2026-05-20T00:00:00Z", "incremental")], ""),
        (WEEKLY, [("2026-05-17T00:00:00Z", "full"), ("2026-05-20T03:00:00Z", "incremental")], "full"),
        (WEEKLY, [("2026-05-20T00:00:00Z", "full")], ""),
        (WEEKLY, [("2026-05-20T00:00:00Z", "incremental")], "full"),
        (MONTHLY, [("2026-04-30T00:00:00Z", "full")], "full"),
        (MONTHLY, [("2026-05-02T00:00:00Z", "full")], "change"),
        ({}, [], "full"),
        ({}, [("2020-01-01T00:00:00Z", "full")], ""),
    ],
)
def test_what_is_due(backup_set: dict[str, Any], snapshots: list[tuple[str, str]], kind: str) -> None:
    assert due(catalogue(*snapshots), backup_set) == kind
