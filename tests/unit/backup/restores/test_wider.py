# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore from any copy, as of a time, and onto another host: resolved from the catalogue, then compared."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.support.backup_site import REPOSITORY, Site
from tests.support.restore_site import carry_out, found, left_out, request, tree

pytestmark = [pytest.mark.programs("restic"), pytest.mark.slow]

FIRST, SECOND = "2026-05-20T01:00:00Z", "2026-05-21T01:00:00Z"


@pytest.fixture
def copied(saved: Site) -> Site:
    """Give a site with two snapshots of its set, each in a vault too."""
    shutil.copytree(REPOSITORY, saved.base / "vault")
    saved.repositories["vault"] = {"location": str(saved.base / "vault")}
    saved.sets["pages"]["copies"] = ["vault"]
    saved.sets["pages"]["incremental_since"] = "2026-05-21T00:00:00Z"
    (saved.source / "a").write_text("the next day")
    saved.back_up(SECOND)
    return saved


def test_a_time_takes_the_newest_snapshot_that_is_not_later(copied: Site) -> None:
    assert found(copied, at="2026-05-20T23:00:00Z")["operation"]["snapshot_time"] == FIRST
    assert found(copied)["operation"]["snapshot_time"] == SECOND
    assert found(copied, at="2026-05-20T23:00:00Z", from_repository="vault")["operation"]["snapshot_time"] == FIRST


def test_a_time_before_all_is_refused_with_the_choices_there_are(copied: Site) -> None:
    said = found(copied, at="2026-05-01")
    assert said["failed"]
    assert said["msg"] == (
        "There is no snapshot of set pages of web1 up to 2026-05-01T23:59:59Z; the nearest is of 2026-05-20T01:00:00Z, "
        "the newest of 2026-05-21T01:00:00Z: name one of these times."
    )


def test_any_copy_within_reach_does_where_the_first_repository_is_lost(copied: Site) -> None:
    assert found(copied, from_repository="any")["operation"]["repository"] == "local"
    original = found(copied)["operation"]["snapshot"]
    shutil.rmtree(copied.repository)
    assert "There is no repository at local" in found(copied)["msg"]
    operation = found(copied, from_repository="any")["operation"]
    assert (operation["repository"], operation["original"]) == ("vault", original)
    assert operation["snapshot"] != original


def test_with_no_copy_within_reach_each_is_named(copied: Site) -> None:
    shutil.rmtree(copied.repository)
    shutil.rmtree(copied.base / "vault")
    said = found(copied, from_repository="any")["msg"]
    assert "no repository at local" in said
    assert "no repository at vault" in said


def test_a_set_is_restored_in_its_place_from_a_copy(copied: Site) -> None:
    before = tree(copied.source)
    (copied.source / "a").write_text("spoilt")
    shutil.rmtree(copied.repository)
    done = carry_out(copied, request(copied, from_repository="any"))
    assert not done.get("failed"), done
    assert tree(copied.source) == before
    assert done["evidence"][0]["detail"]["repository"] == "vault"


def test_a_copy_of_another_original_than_the_one_that_was_approved_is_refused(copied: Site) -> None:
    asked = request(copied, from_repository="vault")
    asked["operation"]["original"] = "0" * 64
    done = carry_out(copied, asked)
    assert done["failed"]
    assert "holds no snapshot" in done["msg"]


def test_a_set_of_one_host_is_restored_on_another(copied: Site) -> None:
    """The other has its own state folder and inventory name; only the vault is within its reach."""
    before = tree(copied.source)
    other = Site.__new__(Site)
    other.__dict__.update(copied.__dict__, state=copied.base / "other-state")
    shutil.rmtree(copied.repository)
    place = copied.base / "taken over"
    asked = request(other, mode="beside", destination=str(place), from_repository="any", target="web2")
    assert (asked["operation"]["host"], asked["operation"]["of"]) == ("web2", "web1")
    done = carry_out(other, asked)
    assert not done.get("failed"), done
    assert tree(place / str(copied.source).lstrip("/")) == before
    assert done["evidence"][0]["detail"]["of"] == "web1"


def test_what_changed_during_the_backup_is_known_on_another_host_by_the_ledger(ready: Site) -> None:
    ready.back_up()
    manifest = ready.state / "backup" / "manifests" / "pages@web1.jsonl"
    line = next(line for line in manifest.read_text().splitlines() if f'"path":"{ready.source}/b"' in line)
    digest = line.partition('"sha256":"')[2][:64]
    manifest.write_text(manifest.read_text().replace(digest, "0" * 64))
    ready.restic(
        *("backup", "--host", "web1", "--time", "2026-05-20 01:30:00", "--tag", "egov-ops,set=pages,kind=full"),
        *(os.fspath(ready.source), os.fspath(manifest)),
    )
    asked = request(ready, mode="beside", destination=str(ready.base / "one"))
    assert "b (content)" in carry_out(ready, asked)["msg"]
    told = {"snapshot": asked["operation"]["snapshot"][:8], "paths": [f"{ready.source}/b"]}
    asked = {**request(ready, mode="beside", destination=str(ready.base / "two")), "moved": told}
    done = carry_out(ready, asked)
    assert not done.get("failed"), done
    assert left_out(done["evidence"][0]) == {"changed during the backup": 1}
