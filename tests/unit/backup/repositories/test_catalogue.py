# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue of all repositories, and whether a set's copies are enough: a model says what the judge must find."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.catalogue import catalogue, judge, medium
from hypothesis import given
from hypothesis import strategies as st

from tests.support.backup_site import NOW, REPOSITORY, Site
from tests.support.rest_server import SECRET, USER, rest_server

CREDENTIALS = {"USERNAME": USER, "PASSWORD": SECRET}
SITES = st.sampled_from(["", "north", "south"])
PLACE = st.fixed_dictionaries(
    {
        "repository": st.sampled_from(["a", "b", "c"]),
        "medium": st.sampled_from(["host", "sftp", "s3"]),
        "site": SITES,
        "immutable": st.booleans(),
        "holds": st.booleans(),
        "newest": st.just(""),
        "checked": st.sampled_from(["", "ok", "warning", "critical"]),
        "proved": st.booleans(),
        "trouble": st.sampled_from(["", "it is away."]),
    }
)
#: Enough: two copies elsewhere, one at another site that no client can remove, all sound and one proved.
ENOUGH: list[dict[str, Any]] = [
    {
        "repository": name,
        "medium": kind,
        "site": site,
        "immutable": kind == "s3",
        "holds": True,
        "newest": "2026-05-20T01:00:00Z",
        "checked": "ok",
        "proved": kind == "host",
        "trouble": "",
    }
    for name, kind, site in (("local", "host", "north"), ("cloud", "s3", "south"))
]


def test_what_is_enough_lacks_nothing() -> None:
    assert judge(ENOUGH, "north") == []


@pytest.mark.parametrize(
    ("number", "change", "word"),
    [
        (1, {"holds": False}, "2 copies of 3"),
        (1, {"holds": False}, "cloud does not hold the newest snapshot"),
        (1, {"medium": "host"}, "all on one kind of place"),
        (1, {"site": ""}, "none known to be at another site"),
        (1, {"site": "north"}, "none known to be at another site"),
        (1, {"immutable": False}, "none that a client could not remove"),
        (0, {"trouble": "It is away."}, "local: It is away"),
        (0, {"checked": ""}, "local has not been read again without error"),
        (0, {"checked": "warning"}, "local has not been read again without error"),
        (0, {"proved": False}, "not proved by a restore"),
    ],
)
def test_each_part_of_the_rule_is_missed_by_its_own_words(number: int, change: dict[str, Any], word: str) -> None:
    places = [dict(place) for place in ENOUGH]
    places[number].update(change)
    assert any(word in lacking for lacking in judge(places, "north"))


def test_a_host_that_has_no_site_has_nothing_off_site() -> None:
    assert judge(ENOUGH, "") == ["none known to be at another site"]


@given(st.lists(PLACE, max_size=4), SITES)
def test_nothing_lacks_only_where_every_part_of_the_rule_is_met(places: list[dict[str, Any]], site: str) -> None:
    sound = [place for place in places if place["holds"] and not place["trouble"] and place["checked"] == "ok"]
    enough = (
        len(sound) == len(places) >= 2
        and any(place["medium"] != "host" for place in sound)
        and bool(site)
        and any(place["site"] not in ("", site) for place in sound)
        and any(place["immutable"] for place in sound)
        and any(place["proved"] for place in sound)
    )
    assert (judge(places, site) == []) == enough


@given(st.lists(PLACE, max_size=4), st.sampled_from(["north", "south"]), PLACE)
def test_a_sound_copy_more_never_makes_it_worse(places: list[dict[str, Any]], site: str, more: dict[str, Any]) -> None:
    more = {**more, "holds": True, "trouble": "", "checked": "ok"}
    assert set(judge([*places, more], site)) <= {
        *judge(places, site),
        *(f"{count} copies of 3, the original counted" for count in (1, 2)),
    }


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("/srv/r", "host"),
        ("repository", "host"),
        ("sftp:u@h:/r", "sftp"),
        ("s3:https://h/b", "s3"),
        ("rest:http://h", "rest"),
    ],
)
def test_the_kind_of_a_place(location: str, kind: str) -> None:
    assert medium(location) == kind


def only(result: dict[str, Any]) -> dict[str, Any]:
    """Return the one observation of copies of a result."""
    (found,) = [record for record in result["evidence"] if record["kind"] == "copies"]
    return dict(found)


@pytest.fixture
def two(ready: Site) -> Site:
    """Give a site that was backed up, with a copy."""
    shutil.copytree(REPOSITORY, ready.base / "second")
    ready.repositories["second"] = {"location": str(ready.base / "second"), "site": "south"}
    ready.sets["pages"]["copies"] = ["second"]
    ready.back_up()
    return ready


@pytest.mark.programs("restic")
def test_all_repositories_are_gathered_in_one_shape(two: Site) -> None:
    (snapshot,) = two.snapshots()
    proofs = {"pages": {"snapshot": snapshot["id"], "time": "2026-05-20T01:10:00Z"}}
    result = two.answer(catalogue, {"site": "north", "proofs": proofs, "checks": {"local": "ok"}}, NOW, {})
    assert result["snapshot_count"] == 2
    assert {entry["copy"] for entry in result["snapshots"]} == {"local", "second"}
    assert {entry["chain"] for entry in result["snapshots"]} == {snapshot["id"]}
    assert {entry["proved"] for entry in result["snapshots"]} == {"2026-05-20T01:10:00Z"}
    assert {(entry["class"], entry["host"], entry["set"]) for entry in result["snapshots"]} == {
        ("other", "web1", "pages")
    }
    found = only(result)
    assert (found["kind"], found["subject"], found["status"]) == ("copies", "pages", "warning")
    assert [place["holds"] for place in found["detail"]["places"]] == [True, True]
    assert found["detail"]["lacking"] == [
        "all on one kind of place",
        "none that a client could not remove",
        "second has not been read again without error",
    ]


@pytest.mark.programs("restic")
def test_a_copy_that_is_behind_or_away_is_named(two: Site) -> None:
    two.sets["pages"].update({"copies": [], "incremental": "change", "incremental_since": None})
    (two.source / "new").write_text("x")
    two.back_up("2026-05-20T02:00:00Z")
    two.sets["pages"]["copies"] = ["second"]
    found = only(two.answer(catalogue, {}, "2026-05-20T03:00:00Z", {}))
    assert "second does not hold the newest snapshot" in found["detail"]["lacking"]
    shutil.rmtree(two.base / "second")
    found = only(two.answer(catalogue, {}, "2026-05-20T03:00:00Z", {}))
    assert "second: There is no repository at" in found["detail"]["message"]


@pytest.mark.programs("restic")
def test_a_set_without_copies_is_one_finding_that_says_what_to_do(ready: Site) -> None:
    ready.back_up()
    found = only(ready.answer(catalogue, {}, NOW, {}))
    assert found["status"] == "warning"
    assert found["detail"]["next"].startswith("Give the set copies (egov_ops_backup_sets, copies)")


@pytest.mark.programs("restic")
@pytest.mark.parametrize("append_only", [True, False])
def test_a_store_that_is_called_immutable_is_asked(ready: Site, append_only: bool) -> None:
    folder = ready.base / "remote"
    shutil.copytree(REPOSITORY, folder)
    with rest_server(folder, append_only) as location:
        ready.repositories["remote"] = {"location": location, "immutable": True}
        ready.secrets = {f"credentials:remote:RESTIC_REST_{key}": value for key, value in CREDENTIALS.items()}
        ready.sets["pages"]["copies"] = ["remote"]
        ready.back_up()
        found = only(ready.answer(catalogue, {}, NOW, {}))["detail"]
    remote = next(place for place in found["places"] if place["repository"] == "remote")
    assert (remote["holds"], remote["immutable"]) == (True, append_only)
    assert ("none that a client could not remove" in found["lacking"]) is not append_only
    assert ("remote is not immutable, its server lets a client delete (200)" in found["lacking"]) is not append_only


def test_what_a_repository_uses_and_has_free_is_measured_and_its_locks_are_told(two: Site) -> None:
    two.repositories["second"]["location"] = "/nonexistent/second"
    result = two.answer(catalogue, {}, NOW, {})
    used = sum(path.stat().st_size for path in two.repository.rglob("*") if path.is_file())
    assert result["measured"]["local"]["used"] == used
    assert 0 < result["measured"]["local"]["free"] < result["measured"]["local"]["total"]
    assert "second" not in result["measured"]
    (lock,) = [record for record in result["evidence"] if record["kind"] == "lock"]
    assert (lock["subject"], lock["status"]) == ("local", "ok")
    assert lock["detail"]["message"] == "Repository local has no lock."
