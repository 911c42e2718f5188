# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of paths: each byte is kept, and people can read them."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import (
    NAMED_LIMIT,
    Named,
    order,
    remove_tree,
    shown,
    to_bytes,
    to_text,
    within,
)
from hypothesis import given
from hypothesis import strategies as st

names = st.binary(min_size=1, max_size=6).map(lambda raw: raw.replace(b"/", b"_").replace(b"\0", b"_"))
paths = st.lists(names, max_size=5).map(lambda parts: b"/" + b"/".join(parts))


@given(st.binary())
def test_any_bytes_survive_as_text(raw: bytes) -> None:
    assert to_bytes(to_text(raw)) == raw


@given(st.lists(paths))
def test_order_is_that_of_the_components(found: list[bytes]) -> None:
    assert sorted(found, key=order) == sorted(found, key=lambda path: path.split(b"/"))


@given(st.binary(max_size=400))
def test_what_is_shown_is_one_short_printable_line(raw: bytes) -> None:
    text = shown(raw)
    assert text.isprintable()
    assert len(text) <= 120
    text.encode("utf-8")


def test_chinese_names_are_shown_as_they_are() -> None:
    assert shown("/政务/报告 1.txt".encode()) == "/政务/报告 1.txt"


def test_within_does_not_take_a_longer_name_for_a_child() -> None:
    assert within(b"/etc/ssh", b"/etc")
    assert within(b"/etc", b"/")
    assert not within(b"/etcetera", b"/etc")


def test_all_paths_are_counted_and_the_first_named() -> None:
    found = Named(b"/f%d" % number for number in range(1000))
    assert found.count == 1000
    assert found.first == [f"/f{number}" for number in range(NAMED_LIMIT)]


def test_long_names_leave_room_for_the_rest_of_the_record() -> None:
    found = Named(("/" + "政" * 100).encode() for _ in range(50))
    assert found.count == 50
    assert len(str(found.first).encode("ascii", "backslashreplace")) < 2500


def test_a_tree_with_closed_folders_is_removed(tmp_path: Path) -> None:
    closed = tmp_path / "tree" / "closed"
    closed.mkdir(parents=True)
    (closed / "file").write_text("x")
    (tmp_path / "tree" / "link").symlink_to(tmp_path)
    closed.chmod(0o000)
    remove_tree(to_bytes(str(tmp_path / "tree")))
    assert list(tmp_path.iterdir()) == []
