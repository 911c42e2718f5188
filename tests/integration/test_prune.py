# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pruning as an operator runs it: the host's own repository there, one elsewhere from the controller."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.sites import Site

pytestmark = [pytest.mark.slow, pytest.mark.programs("restic")]


def restic(site: Site, repository: str, *arguments: str) -> str:
    """Run restic itself on a repository of the site."""
    password = site.state / "passwords" / repository
    command = ["restic", "--no-cache", "-r", str(site.folder / repository), "--password-file", str(password)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=True).stdout


def snapshots(site: Site, repository: str) -> list[str]:
    """Return the ids of a repository's snapshots, oldest first."""
    listed = json.loads(restic(site, repository, "snapshots", "--json"))
    return [entry["id"] for entry in sorted(listed, key=lambda entry: entry["time"])]


@pytest.fixture
def backed_up(site: Site) -> Site:
    """Give a site with one host, whose set has a copy that is pruned from the controller."""
    site.hosts = {"web1": site.hosts["web1"]}
    place = str(site.folder / "far")
    site.variables["egov_ops_backup_repositories"] = {
        "repository": {"location": str(site.folder / "repository"), "create": True},
        "far": {"location": place, "create": True, "prune_location": place},
    }
    entry = site.variables["egov_ops_backup_sets"]["data"]
    entry.update({"full": "daily", "repository": "repository", "copies": ["far"]})
    site.variables["egov_ops_backup_retention"] = {"other": {"days": 1, "weeks": 0, "months": 0, "years": 0}}
    site.has_repository("repository")
    done = site.play("egov.ops.backup")
    assert done.rc == 0, done.output
    return site


def add(site: Site, repository: str, day: str) -> str:
    """Make a snapshot with the tags of ours and the time that it says, and return its id."""
    before = snapshots(site, repository)
    tags = "egov-ops,set=data,kind=full,run=r"
    restic(site, repository, "backup", "--host", "web1", "--tag", tags, "--time", f"{day} 01:00:00", str(site.state))
    (name,) = set(snapshots(site, repository)) - set(before)
    return name


def test_what_is_expired_goes_from_both_places_and_a_forged_snapshot_is_told(backed_up: Site) -> None:
    kept = {name: snapshots(backed_up, name) for name in ("repository", "far")}
    old = {name: add(backed_up, name, "2020-01-01") for name in kept}
    forged = add(backed_up, "repository", "2099-01-01")
    seen = backed_up.state / "seen" / "web1.json"
    seen.parent.mkdir(mode=0o700)
    seen.write_text(json.dumps({name: ["2020-01-01T01:00:00Z", True] for name in old.values()}))
    planned = backed_up.play("egov.ops.backup_prune", "--check", "--diff")
    assert planned.rc == 0, planned.output
    assert "- data" in planned.output, planned.output
    assert {name: len(snapshots(backed_up, name)) for name in kept} == {"repository": 3, "far": 2}
    assert forged not in seen.read_text()
    done = backed_up.play("egov.ops.backup_prune")
    assert done.rc == 0, done.output
    assert snapshots(backed_up, "repository") == [*kept["repository"], forged]
    assert snapshots(backed_up, "far") == kept["far"]
    found = {entry["subject"]: entry for entry in backed_up.records(kind="prune")}
    assert {name: entry["status"] for name, entry in found.items()} == {"repository": "warning", "far": "ok"}
    assert found["repository"]["detail"]["strange_first"] == [forged[:8]]
    steps = [(step["status"], step["detail"].get("delegated_to")) for step in backed_up.records(kind="step")][-2:]
    assert steps == [("ok", None), ("ok", "localhost")]
    remembered = json.loads(seen.read_text())
    assert remembered[forged][1] is False
    assert all(remembered[name][1] for name in (*kept["repository"], *kept["far"]))
    assert [entry["status"] for entry in backed_up.records(kind="gate", domain="gate")] == ["ok", "ok"]


@pytest.mark.long
def test_a_gate_that_the_plan_asks_for_refuses_and_nothing_goes(backed_up: Site) -> None:
    backed_up.variables["egov_ops_gates"] = {"backup_prune": {"gates": ["freeze", "lock"]}}
    freeze = {"from": "2020-01-01 00:00 UTC", "to": "2099-01-01 00:00 UTC", "reason": "Congress"}
    backed_up.variables["egov_ops_freezes"] = {"congress": freeze}
    before = snapshots(backed_up, "repository")
    done = backed_up.play("egov.ops.backup_prune")
    assert done.rc != 0
    assert "backup_prune on web1 is refused. freeze: web1 is frozen until" in " ".join(done.output.split())
    assert snapshots(backed_up, "repository") == before


@pytest.mark.long
def test_a_controller_that_lost_what_it_knew_lets_nothing_go(backed_up: Site) -> None:
    for day in ("2020-01-01", "2021-01-01"):
        add(backed_up, "repository", day)
    before = snapshots(backed_up, "repository")
    ledger = Path(backed_up.state)
    shutil.copytree(ledger / "passwords", backed_up.folder / "envelope")
    shutil.rmtree(ledger)
    ledger.mkdir(mode=0o700)
    shutil.copytree(backed_up.folder / "envelope", ledger / "passwords")
    for procedure in ("backup_prune", "backup", "backup_prune"):
        done = backed_up.play(f"egov.ops.{procedure}")
        assert done.rc == 0, done.output
    assert set(snapshots(backed_up, "repository")) >= set(before)
