# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What backup_list finds: the snapshot of a time, the paths of a pattern, and the operation that restores them."""

from __future__ import annotations

import pytest

from tests.support.backup_site import Site
from tests.support.restore_site import found, tree


@pytest.fixture
def twice(saved: Site) -> Site:
    """Give a site with a second snapshot, of the next day, in which one file differs."""
    (saved.source / "a").write_text("the next day, and longer")
    saved.sets["pages"]["incremental_since"] = "2026-05-21T00:00:00Z"
    saved.back_up("2026-05-21T01:00:00Z")
    return saved


def test_without_a_time_it_is_the_newest_snapshot(twice: Site) -> None:
    result = found(twice)
    assert [entry["time"] for entry in result["snapshots"]] == ["2026-05-21T01:00:00Z", "2026-05-20T01:00:00Z"]
    assert result["operation"]["snapshot_time"] == "2026-05-21T01:00:00Z"
    assert result["operation"]["snapshot"] == twice.snapshots()[-1]["id"]


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-05-20", 20),
        ("2026-05-21", 21),
        ("2026-05-21T00:59:59Z", 20),
        ("2026-05-21T01:00:00Z", 21),
        ("2026-05-20T01:00Z", 20),
    ],
)
def test_it_is_the_newest_that_is_not_later_than_the_time(twice: Site, at: str, day: int) -> None:
    assert found(twice, at=at)["operation"]["snapshot_time"] == f"2026-05-{day}T01:00:00Z"


def test_before_the_first_snapshot_there_is_none(twice: Site) -> None:
    result = found(twice, at="2026-05-19")
    assert result["failed"]
    assert "no snapshot of set pages of web1 up to 2026-05-19" in result["msg"]


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01", "2026-05-20T01:00:00+08:00"])
def test_what_is_no_time_is_refused(twice: Site, at: str) -> None:
    assert "is no time" in found(twice, at=at)["msg"]


def test_the_operation_says_how_much_a_restore_is(twice: Site) -> None:
    operation = found(twice, paths=[f"{twice.source}/a", f"{twice.source}/folder"])["operation"]
    assert operation == {
        "host": "web1",
        "set": "pages",
        "repository": "local",
        "snapshot": twice.snapshots()[-1]["id"],
        "snapshot_time": "2026-05-21T01:00:00Z",
        "paths": [f"{twice.source}/a", f"{twice.source}/folder"],
        "mode": "in_place",
        "destination": "",
        "files": 6,
        "bytes": len("the next day, and longer") + 5 * len("odd"),
        "stop": [],
    }


def test_a_pattern_finds_paths_and_what_lies_below_them(twice: Site) -> None:
    assert found(twice, paths=[f"{twice.source}/[ab]"])["operation"]["paths"] == [
        f"{twice.source}/a",
        f"{twice.source}/b",
    ]
    assert found(twice, paths=["*/fold?r"])["operation"]["files"] == 5


def test_a_name_with_signs_of_a_pattern_is_found_as_it_stands(twice: Site) -> None:
    odd = f"{twice.source}/folder/*?[x]\\"
    assert found(twice, paths=[odd])["operation"]["paths"] == [odd]


def test_a_pattern_that_finds_nothing_is_told(twice: Site) -> None:
    assert "Nothing in the snapshot matches *.php" in found(twice, paths=["*.php"])["msg"]


def test_beside_has_a_destination_of_its_own(twice: Site) -> None:
    operation = found(twice, mode="beside")["operation"]
    assert operation["destination"] == f"{twice.base}/pages.restored-{operation['snapshot'][:8]}"


def test_more_sets_than_one_have_no_operation(twice: Site) -> None:
    twice.sets["other"] = {**twice.sets["pages"]}
    twice.back_up("2026-05-21T02:00:00Z")
    result = found(twice, set="")
    assert result["operation"] == {}
    assert "name a set" in result["msg"]


def test_an_unknown_set_is_refused_with_those_there_are(twice: Site) -> None:
    assert "it has pages" in found(twice, set="page")["msg"]


def test_nothing_is_written(twice: Site) -> None:
    before = tree(twice.base)
    found(twice)
    after = tree(twice.base)
    locks = {name for name in {*before, *after} if name.startswith("repository/locks") or name == "."}  # restic's own
    assert {name: after[name] for name in after if name not in locks} == {
        name: before[name] for name in before if name not in locks
    }
