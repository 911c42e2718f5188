# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sample of a proof: what is always in it, and that a seed decides the rest."""

from __future__ import annotations

from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.backup.sample import choose
from hypothesis import given
from hypothesis import strategies as st

MANY = 1 << 40


def entry(number: int, size: int = 10, mtime: int = 0, **more: Any) -> dict[str, Any]:
    return {"path": f"/f{number}", "type": "file", "size": size, "mtime": mtime, "xattrs": {}, **more}


def paths(entries: list[dict[str, Any]], seed: str = "s", files: int = 20, max_bytes: int = MANY) -> list[str]:
    return [chosen["path"] for chosen in choose(entries, seed, files, max_bytes).entries]


def test_a_small_set_is_chosen_whole() -> None:
    assert sorted(paths([entry(number) for number in range(20)])) == sorted(f"/f{number}" for number in range(20))


def test_the_seed_decides() -> None:
    entries = [entry(number) for number in range(500)]
    assert paths(entries, "one") == paths(entries, "one")
    assert set(paths(entries, "one")) != set(paths(entries, "two"))


def test_over_many_seeds_each_file_is_chosen_sometimes() -> None:
    entries = [entry(number) for number in range(100)]
    seen = {path for seed in range(100) for path in paths(entries, str(seed))}
    assert len(seen) == 100


def test_folders_and_unread_files_are_no_candidates() -> None:
    entries = [entry(1, type="dir"), entry(2, unreadable=True), entry(3)]
    assert paths(entries) == ["/f3"]


def test_files_that_moved_are_not_chosen() -> None:
    assert choose([entry(1), entry(2)], "s", 20, MANY, without={"/f1"}).entries == [entry(2)]


def test_a_file_beyond_the_bound_is_counted_and_the_next_largest_taken() -> None:
    sample = choose([entry(1, size=26), entry(2, size=25), entry(3, size=1)], "s", 1, 100)
    # By chance the one file is f2 or f3; the largest that fits, f2, comes first of those that are added.
    assert "/f2" in [chosen["path"] for chosen in sample.entries]
    assert "/f1" not in [chosen["path"] for chosen in sample.entries]
    assert sample.too_large == 1
    assert sample.candidates == 3


entries_of_any_kind = st.lists(
    st.builds(
        lambda size, mtime, marked: {"size": size, "mtime": mtime, "xattrs": {"user.a": "eA=="} if marked else {}},
        st.integers(0, 1000),
        st.integers(0, 1000),
        st.booleans(),
    ),
    min_size=1,
    max_size=200,
).map(lambda found: [{**entry(number), **some} for number, some in enumerate(found)])


@given(entries_of_any_kind, st.text(max_size=5), st.integers(20, 40))
def test_newest_largest_and_one_with_attributes_are_always_there(
    entries: list[dict[str, Any]], seed: str, files: int
) -> None:
    chosen = choose(entries, seed, files, MANY).entries
    assert len({one["path"] for one in chosen}) == len(chosen) == min(files, len(entries))
    assert max(one["mtime"] for one in chosen) == max(one["mtime"] for one in entries)
    assert max(one["size"] for one in chosen) == max(one["size"] for one in entries)
    assert any(one["xattrs"] for one in chosen) == any(one["xattrs"] for one in entries)


@given(entries_of_any_kind, st.text(max_size=5), st.integers(1, 20_000))
def test_the_bytes_are_never_exceeded(entries: list[dict[str, Any]], seed: str, max_bytes: int) -> None:
    sample = choose(entries, seed, 20, max_bytes)
    assert sum(one["size"] for one in sample.entries) == sample.bytes <= max_bytes
