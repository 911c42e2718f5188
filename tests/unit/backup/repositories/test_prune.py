# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pruning of real repositories: what goes, what never does, whatever a client says and whenever it is killed."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import prune as module
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.prune import prune

from tests.support.backup_site import PASSWORD, REPOSITORY, RESTIC, Site, only, restic
from tests.support.rest_server import SECRET, USER, rest_server

NOW = "2026-05-20T12:00:00Z"
DAYS = ("2026-05-15", "2026-05-16", "2026-05-17", "2026-05-18")

pytestmark = [pytest.mark.programs("restic"), pytest.mark.slow]


def snapshot(site: Site, moment: str, *more: str) -> str:
    """Make a snapshot as a client would, with the time that it says, and return its id."""
    before = {entry["id"] for entry in site.snapshots()}
    tags = "egov-ops,set=pages,kind=full,run=r"
    made = ["backup", "--host", "web1", "--tag", tags, "--time", moment, str(site.source), *more]
    assert site.restic(*made).returncode == 0
    (name,) = {entry["id"] for entry in site.snapshots()} - before
    return str(name)


class Aged(Site):
    """A site with snapshots that runs of ours made, of another content on each day."""

    def __init__(self, base: Path, made_at: Path) -> None:
        super().__init__(base)
        self.made_at = made_at
        self.sets["pages"]["class"] = "config"
        self.known: dict[str, tuple[str, bool]] = {}

    @property
    def by_age(self) -> list[str]:
        """Return the known snapshots, oldest first."""
        return sorted(self.known, key=lambda name: self.known[name])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Aged:
    """Give a site that others are copied from: four snapshots of four days."""
    base = tmp_path_factory.mktemp("aged")
    made = Aged(base, base / "source")
    shutil.copytree(REPOSITORY, made.repository)
    for day in DAYS:
        (made.source / "a").write_text(f"content of {day}\n" * 2000)
        made.known[snapshot(made, f"{day} 01:00:00")] = (f"{day}T01:05:00Z", True)
    return made


@pytest.fixture
def aged(template: Aged, tmp_path: Path) -> Aged:
    """Give a site of one's own like the template."""
    site = Aged(tmp_path, template.made_at)
    shutil.copytree(template.repository, site.repository)
    (site.source / "a").write_text("content of another day\n")
    site.known = dict(template.known)
    return site


def pruned(site: Aged, now: str = NOW, context: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Prune the site's first repository; two days are kept, and the newest known snapshot is proved."""
    known = site.known
    given = {
        "operation": {"repositories": ["local"]},
        "rules": {"config": {"days": 2, "weeks": 0, "months": 0, "years": 0}},
        "holds": [],
        "proofs": {"pages": site.by_age[-1:]},
        "known": {name: list(value) for name, value in known.items()},
        **more,
    }
    return site.answer(prune, given, now, context or {})


def days_left(site: Site) -> list[str]:
    return [entry["time"][:10] for entry in site.snapshots()]


def restores(site: Aged, name: str) -> str:
    """Return the first line of the file of a snapshot, restored by restic itself from a repository that is sound."""
    assert site.restic("check", "--read-data").returncode == 0
    target = site.base / "restored"
    shutil.rmtree(target, ignore_errors=True)
    assert site.restic("restore", "--target", str(target), name).returncode == 0
    return (Path(f"{target}{site.made_at}") / "a").read_text().splitlines()[0]


def test_what_is_expired_goes_with_its_data_and_the_rest_restores(aged: Aged) -> None:
    size = sum(path.stat().st_size for path in aged.packs())
    result = pruned(aged)
    found = only(result)
    assert (found["status"], found["detail"]["removed"], found["detail"]["kept"]) == ("ok", 2, {"days": 1, "proved": 1})
    assert result["changed"]
    assert days_left(aged) == list(DAYS[2:])
    assert sum(path.stat().st_size for path in aged.packs()) < size
    assert restores(aged, aged.snapshots()[0]["id"]) == f"content of {DAYS[2]}"
    again = pruned(aged)
    assert not again["changed"]
    assert only(again)["detail"]["removed"] == 0


def test_check_mode_says_what_would_go_and_why_the_rest_stays_and_changes_nothing(aged: Aged) -> None:
    result = pruned(aged, context={"check_mode": True, "diff": True})
    assert result["msg"] == "2 expired snapshots would be removed from 1 repositories."
    assert days_left(aged) == list(DAYS)
    assert not aged.state.exists()
    lines = result["diff"][0]["prepared"].splitlines()
    assert [line[0] for line in lines] == ["-", "-", " ", " "]
    assert lines[0].startswith("- pages ")
    assert lines[2].endswith("(kept: days)")
    assert lines[3].endswith("(kept: proved)")


def test_what_is_held_and_what_was_proved_last_stay(aged: Aged) -> None:
    first, second, *_rest = aged.by_age
    hold = {"set": "pages", "snapshot": first[:8], "ticket": "4711"}
    found = only(pruned(aged, holds=[hold], proofs={"pages": [second]}))
    assert found["detail"]["kept"] == {"days": 2, "held": 1, "proved": 1}
    assert days_left(aged) == list(DAYS)


def test_a_flood_of_forged_snapshots_lets_no_good_one_expire(aged: Aged) -> None:
    forged = [
        snapshot(aged, moment)
        for moment in ("2099-01-01 01:00:00", "2098-01-01 01:00:00", "1999-01-01 01:00:00", "2026-05-19 01:00:00")
    ]
    result = pruned(aged)
    found = only(result)
    assert found["status"] == "warning"
    assert found["detail"]["strange"] == 4
    left = {entry["id"] for entry in aged.snapshots()}
    good = aged.by_age
    assert left == {*good[2:], *forged}
    assert {name: value for name, value in result["seen"].items() if name in forged} == dict.fromkeys(
        forged, (NOW, False)
    )


def test_one_that_claims_to_be_a_copy_of_a_good_one_takes_no_place_of_its(aged: Aged) -> None:
    good = aged.by_age
    forged = snapshot(aged, "2026-05-19 01:00:00")
    known = {name: list(value) for name, value in aged.known.items()}
    listed = module.Memory(known, [*_listed(good, {}), *_listed([forged], {forged: good[3]})])
    (claiming,) = _listed([forged], {forged: good[3]})
    assert listed.of(claiming) is None
    alone = module.Memory(known, _listed([forged], {forged: good[3]}))
    assert alone.of(claiming) == ("2026-05-18T01:05:00Z", True)


def _listed(names: list[str], originals: dict[str, str]) -> list[Any]:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot

    return [Snapshot(name, NOW, "pages", "full", [], originals.get(name, "")) for name in names]


def test_the_beginning_of_an_id_is_enough_while_only_one_snapshot_has_it(aged: Aged) -> None:
    aged.known = {name[:8]: value for name, value in aged.known.items()}
    proofs = {"pages": [aged.snapshots()[-1]["id"]]}
    result = pruned(aged, proofs=proofs)
    assert only(result)["detail"]["removed"] == 2
    assert len(result["seen"]) == 4
    assert all(made for _seen, made in result["seen"].values())


def test_snapshots_of_another_host_and_of_others_are_left_alone(aged: Aged) -> None:
    aged.restic("backup", "--host", "web2", "--tag", "egov-ops,set=pages", "--time", "2001-01-01 01:00:00", "/bin/true")
    aged.restic("backup", "--host", "web1", "--time", "2001-01-01 01:00:00", "/bin/true")
    pruned(aged)
    assert days_left(aged) == ["2001-01-01", "2001-01-01", *DAYS[2:]]


def wrapped(site: Site, what: str, body: str) -> dict[str, Any]:
    """Return a context in which calls of restic that have this word do something else."""
    wrapper = site.base / "tools" / "restic"
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(f'#!/bin/sh\ncase "$*" in *{what}*) {body};; esac\nexec "{RESTIC}" "$@"\n')
    wrapper.chmod(0o755)
    return {"tool_path": [str(wrapper.parent)]}


@pytest.mark.parametrize("delay", [0.05, pytest.param(0.2, marks=pytest.mark.long)])
@pytest.mark.parametrize("what", ["forget", "prune"])
def test_one_that_was_killed_harms_nothing_and_the_next_goes_on(aged: Aged, what: str, delay: float) -> None:
    size = sum(path.stat().st_size for path in aged.packs())
    kill = f'"{RESTIC}" "$@" <&0 & p=$!; sleep {delay}; kill -9 $p; wait $p; exit 137'
    found = only(pruned(aged, context=wrapped(aged, f" {what}", kill)))
    assert found["status"] == "failed"
    assert set(DAYS[2:]) <= set(days_left(aged))
    result = pruned(aged)
    assert only(result)["status"] == "ok", result
    assert result["changed"]
    assert days_left(aged) == list(DAYS[2:])
    assert not [path for path in (aged.repository / "locks").iterdir() if path.is_file()]
    assert restores(aged, aged.snapshots()[0]["id"]) == f"content of {DAYS[2]}"
    assert sum(path.stat().st_size for path in aged.packs()) < size


def test_a_run_that_died_with_its_lock_is_noticed_by_its_process(aged: Aged) -> None:
    with_lock(aged)
    (lock,) = [path for path in (aged.repository / "locks").iterdir() if path.is_file()]
    found = only(pruned(aged))
    assert found["status"] == "ok"
    assert "lock of process" in found["detail"]["unlocked"][0]
    assert not lock.exists()


@pytest.fixture
def reader(aged: Aged) -> Iterator[Aged]:
    """Give a site of which another restic is reading just now."""
    running = start(aged)
    yield aged
    running.kill()
    running.communicate()


def start(site: Site) -> subprocess.Popen[bytes]:
    """Start a restic that backs up what never ends, and wait for its lock."""
    words = [RESTIC, "--no-cache", "--repo", str(site.repository), "backup", "--stdin"]
    password = site.base / "password"
    password.write_text(PASSWORD)
    running = subprocess.Popen(
        [*words, "--password-file", str(password)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 20
    while not any(len(path.name) == 64 for path in (site.repository / "locks").iterdir()):  # it is renamed once whole
        assert time.monotonic() < until
        time.sleep(0.02)
    return running


def with_lock(site: Site) -> None:
    """Leave the lock of a restic that was killed."""
    running = start(site)
    running.kill()
    running.communicate()


def test_a_repository_that_others_use_is_waited_for_and_then_told(
    reader: Aged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    found = only(pruned(reader, context={"timeout": 5}))
    assert (found["status"], found["reason"]) == ("failed", "busy")
    assert "Others use it (shared lock of process" in found["detail"]["message"]
    assert len([path for path in (reader.repository / "locks").iterdir() if path.is_file()]) == 1


def test_a_client_of_an_append_only_place_cannot_prune_and_the_access_for_pruning_can(aged: Aged) -> None:
    served = aged.base / "served"
    shutil.copytree(aged.repository, served / "web1")
    for pack in [path for path in (served / "web1" / "data").rglob("*") if path.is_file()]:
        pack.rename(served / "web1" / "data" / pack.name)  # this server keeps all of a kind in one folder
    aged.secrets = {
        "credentials:local:RESTIC_REST_USERNAME": USER,
        "credentials:local:RESTIC_REST_PASSWORD": SECRET,
    }
    with rest_server(served, append_only=True) as location:
        aged.repositories["local"]["location"] = f"{location}web1/"
        found = only(pruned(aged, context={"timeout": 4}))  # restic tries for most of a minute
    assert found["status"] == "failed"
    assert restic(served / "web1", "--json", "--no-lock", "snapshots").stdout.count(b'"short_id"') == 4
    assert SECRET not in json.dumps(found)
    with rest_server(served) as location:
        aged.repositories["local"]["location"] = f"{location}web1/"
        found = only(pruned(aged))
    assert (found["status"], found["detail"]["removed"]) == ("ok", 2), found


def test_a_repository_that_is_missing_or_has_no_access_of_its_own_is_told_and_the_next_is_pruned(aged: Aged) -> None:
    shutil.copytree(REPOSITORY, aged.base / "empty")
    aged.repositories.update(
        {
            "away": {"location": str(aged.base / "nowhere")},
            "cloud": {"location": "s3:https://objects.example/web1", "unprunable": "it is elsewhere."},
        }
    )
    result = pruned(aged, operation={"repositories": ["away", "cloud", "local"]})
    assert [(found["subject"], found["status"], found["reason"]) for found in result["evidence"]] == [
        ("away", "failed", "not_ours"),
        ("cloud", "warning", "not_supported"),
        ("local", "ok", ""),
    ]
    assert result["msg"] == "2 expired snapshots were removed from 3 repositories; 1 could not be pruned."
