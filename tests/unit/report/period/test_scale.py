# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reports of long ledgers cost, and that a ledger written in bulk is the one that runs would have written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import environment
import ledgers
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

pytestmark = pytest.mark.slow

#: Seconds and MiB that a report may take.
OF_200 = (5, 300)
OF_1000 = (30, 600)


def cost(folder: Path, *options: str) -> dict[str, Any]:
    """Write a report of a state folder in a process of its own, and return what it cost."""
    argv = [sys.executable, str(environment.ROOT / "tools/ledgers.py"), "measure", str(folder), *options]
    return dict(json.loads(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout))


@contextmanager
def written(hosts: int, days: int, folder: Path, thin: bool = False) -> Iterator[Path]:
    """Give the state folder of a platform with daily runs, written in bulk."""
    made = ledgers.make(replace(ledgers.many(hosts, days), in_bulk=True, thin=thin), folder / "state")
    try:
        yield made.state.path
    finally:
        made.state.ledger.unlink()  # gigabytes, of which pytest would keep three


def test_a_ledger_written_in_bulk_is_the_same_to_the_last_hash(tmp_path: Path) -> None:
    story = ledgers.many(10, 4)
    made = [ledgers.make(replace(story, in_bulk=bulk), tmp_path / str(bulk)) for bulk in (False, True)]
    heads = []
    for each in made:
        with Ledger(each.state.ledger, read_only=True) as ledger:
            heads.append(ledger.head())
    assert heads[0] == heads[1]


def test_reports_of_10_hosts_and_20_days_are_made_in_a_moment(tmp_path: Path) -> None:
    with written(10, 20, tmp_path) as folder:
        run, days = cost(folder), cost(folder, "--days", "20")
    assert max(run["seconds"], days["seconds"]) <= OF_200[0]
    assert max(run["mib"], days["mib"]) <= OF_200[1]
    assert days["hosts"] == 10
    assert days["days"] == 20


@pytest.mark.long
def test_reports_of_200_hosts_and_90_days_are_made_within_their_limits(tmp_path: Path) -> None:
    with written(200, 90, tmp_path) as folder:
        run, days = cost(folder), cost(folder, "--days", "90")
    for found in (run, days):
        assert found["hosts"] == 200
        assert found["seconds"] <= OF_200[0]
        assert found["mib"] <= OF_200[1]


@pytest.mark.long
def test_a_quarter_of_1000_hosts_is_made_of_its_roll_ups_within_its_limit(tmp_path: Path) -> None:
    with written(1000, 90, tmp_path, thin=True) as folder:
        days = cost(folder, "--days", "90")
    assert days["hosts"] == 1000
    assert days["days"] == 90
    assert days["seconds"] <= OF_1000[0]
    assert days["mib"] <= OF_1000[1]
