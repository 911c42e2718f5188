# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The members of a finding: sorted, each once, bounded, and harmless to show."""

from __future__ import annotations

import json

from ansible_collections.egov.ops.plugins.module_utils.host.members import (
    MEMBER_LENGTH,
    MEMBERS,
    MEMBERS_ROOM,
    members_of,
)


def test_members_are_sorted_and_stand_once() -> None:
    assert members_of(["b", "a", " ", "b"]) == {"members": ["a", "b"], "more_members": 0}


def test_what_finds_no_room_is_counted() -> None:
    for names in ([str(number) for number in range(1000)], [f"{number} {'名' * 90}" for number in range(100)]):
        found = members_of(names)
        assert 0 < len(found["members"]) <= MEMBERS
        assert len(json.dumps(found["members"])) <= MEMBERS_ROOM
        assert len(found["members"]) + found["more_members"] == len(names)


def test_what_is_known_by_number_alone_is_never_listed() -> None:
    assert members_of([], 3) == {"members": [], "more_members": 3}


def test_two_long_members_that_begin_alike_stay_apart() -> None:
    found = members_of(["x" * 500 + "1", "x" * 500 + "2"])["members"]
    assert len(set(found)) == 2
    assert all(len(name) <= MEMBER_LENGTH for name in found)


def test_a_member_is_one_printable_line_without_credentials() -> None:
    found = members_of(["a\nb\x1b[2J", "https://clerk:hunter2@mirror.example/x"])["members"]
    assert found == ["a b\\x1b[2J", "https://mirror.example/x"]
