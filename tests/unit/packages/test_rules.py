# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pure rules: the order of versions, the security class, deadlines, and what a record has room for."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
from ansible_collections.egov.ops.plugins.module_utils.host.record import DETAIL_LIMIT
from ansible_collections.egov.ops.plugins.module_utils.packages import scan, security, versions
from ansible_collections.egov.ops.plugins.module_utils.packages.listing import (
    Advisory,
    EngineError,
    Listing,
    Source,
    Update,
)

from tests.support.package_site import DAY, SETTINGS

#: As rpm itself orders them (from the tests of rpmvercmp).
ORDERED = [
    ("1.0", "1.0", 0),
    ("1.0", "2.0", -1),
    ("2.0.1", "2.0", 1),
    ("5.5p1", "5.5p10", -1),
    ("10xyz", "10.1xyz", -1),
    ("xyz10", "xyz10.1", -1),
    ("xyz.4", "8", -1),
    ("1.0010", "1.9", 1),
    ("1.05", "1.5", 0),
    ("1.0~rc1", "1.0", -1),
    ("1.0~rc1", "1.0~rc2", -1),
    ("1.0^", "1.0", 1),
    ("1.0^git1", "1.0.1", -1),
    ("2a", "2.0", -1),
]


@pytest.mark.parametrize(("one", "other", "order"), ORDERED)
def test_versions_are_ordered_as_rpm_orders_them(one: str, other: str, order: int) -> None:
    assert versions.compare(one, other) == order
    assert versions.compare(other, one) == -order


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [("1:1.0-1", "2.0-1", 1), ("0:1.0-1", "1.0-1", 0), ("1.0-1.el8", "1.0-2.el8", -1), ("1.0", "1.0-9", 0)],
)
def test_epochs_come_first_and_a_missing_release_equals_any(one: str, other: str, order: int) -> None:
    assert versions.compare_evr(one, other) == order


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ([("1.1", True), ("1.2", False)], True),
        ([("1.2", True)], True),
        ([("1.2", False)], False),
        ([("1.0", True), ("1.2", False)], False),
        ([("1.2", False), ("1.3", True)], False),
    ],
    ids=["overtaken", "the candidate", "none", "the installed one", "above the candidate"],
)
def test_an_update_is_a_security_update_if_any_version_on_the_way_is(
    published: list[tuple[str, bool]], expected: bool
) -> None:
    assert security.is_security(published, "1.0", "1.2", versions.compare) is expected


@pytest.mark.parametrize(
    ("severity", "days"), [("Critical", 15), ("important", 30), ("High", 30), ("moderate", 90), ("", 90)]
)
def test_each_severity_has_its_deadline(severity: str, days: int) -> None:
    update = Update("openssl", "x86_64", "1", "2", ["update"], True, [Advisory("A", severity, [], 1000.0)])
    deadlines = SETTINGS["deadlines"]
    assert not security.is_late(update, deadlines, 1000.0 + days * DAY)
    assert security.is_late(update, deadlines, 1001.0 + days * DAY)


def test_an_advisory_without_a_date_is_never_late() -> None:
    update = Update("openssl", "x86_64", "1", "2", ["update"], True, [Advisory("A", "critical")])
    assert not security.is_late(update, SETTINGS["deadlines"], 1e12)
    assert security.age_days(update, 1e12) is None


def test_a_thousand_updates_leave_room_for_the_rest_of_a_record_and_the_urgent_ones_stay() -> None:
    listing = Listing(9999)
    listing.sources = [Source("update", time.time())]
    for place in range(1000):
        name = f"package-of-a-long-name-{place:04}"
        listing.updates.append(Update(name, "x86_64", "1.0", "2.0", ["update"], place == 999))
    found = scan._pending(listing, SETTINGS, Host({"now": "2026-11-24T00:00:00Z"}), True, EngineError(""))
    detail = found["detail"]
    assert len(json.dumps(detail)) < DETAIL_LIMIT
    assert detail["updates"][0]["name"].endswith("0999")
    assert len(detail["updates"]) + detail["omitted"] == detail["counts"]["pending"] == 1000
    assert detail["members"] == ["package-of-a-long-name-0999:x86_64 2.0"]
    assert detail["more_members"] == 0


def test_an_error_holds_no_password_of_a_source() -> None:
    assert str(EngineError("https://clerk:hunter2@mirror/x is away.")) == "https://mirror/x is away."
