# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Days on which nothing is wrong: a set that lives is backed up, proved and checked, and no run finds anything."""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs.integrity_check import check

from tests.support.backup_site import Site, only

pytestmark = [pytest.mark.programs("restic"), pytest.mark.slow]


def live(folder: Path, chance: random.Random, day: int) -> None:
    """Do what users do on a day: add, change, move and remove a few files, and now and then a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for number in range(chance.randint(1, 6)):
        path = folder / chance.choice(["", "letters", "letters/旧", "plans"]) / f"{day}-{number} 申请.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(chance.randint(0, 20_000)))
    for path in chance.sample(files, min(3, len(files))):
        action = chance.choice(["append", "append", "rewrite", "move", "chmod", "touch"])
        if action == "append":
            path.write_bytes(path.read_bytes() + chance.randbytes(100))
        elif action == "rewrite":
            path.write_bytes(chance.randbytes(500))
        elif action == "move":
            path.rename(path.with_name(f"{day}-moved-{path.name}"[:200]))
        elif action == "chmod":
            path.chmod(chance.choice([0o600, 0o644]))
        else:
            path.touch()
    if len(files) > 30:
        files[0].unlink(missing_ok=True)


@pytest.mark.parametrize("days", [20, pytest.param(200, marks=pytest.mark.long)])
def test_clean_runs_raise_no_alarm(ready: Site, days: int) -> None:
    chance = random.Random(f"{os.environ['EGOV_OPS_SEED']} {days}")
    # Of a few files, one rewritten short is half the set: that is the alarm, not a clean day.
    for number in range(20):
        (ready.source / f"{number}.pdf").write_bytes(chance.randbytes(20_000))
    begin = datetime(2026, 5, 20, 1, tzinfo=timezone.utc)
    for day in range(days):
        live(ready.source, chance, day)
        now = f"{begin + timedelta(days=day):%Y-%m-%dT%H:%M:%SZ}"
        week = begin + timedelta(days=day - day % 7)
        ready.sets["pages"].update(full_since=f"{week:%Y-%m-%dT%H:%M:%SZ}", incremental_since=now)
        made = only(ready.back_up(now))
        assert (made["status"], made["reason"]) == ("ok", ""), made
        assert made["detail"]["backup"] == ("incremental" if day % 7 else "full")
        proved = only(ready.prove(now))
        assert (proved["status"], proved["reason"]) == ("ok", ""), proved
        if day % 7 == 6:
            checked = only(ready.answer(check, {"data": "new"}, now, {}))
            assert (checked["status"], checked["reason"]) == ("ok", ""), checked
    assert len(ready.snapshots()) == days


def test_four_hosts_at_once_in_one_repository_leave_it_whole(ready: Site) -> None:
    sites = []
    for number in range(4):
        base = ready.base / f"host{number}"
        base.mkdir()
        other = Site(base)
        other.repositories = {"local": {"location": str(ready.repository), "create": True}}
        for file in range(20):
            (other.source / str(file)).write_text(f"{number} {file}" * 100)
        sites.append(other)
    with ThreadPoolExecutor(4) as pool:
        found = [only(result) for result in pool.map(Site.back_up, sites)]
    assert [entry["status"] for entry in found] == ["ok"] * 4
    assert ready.restic("check", "--read-data").returncode == 0
