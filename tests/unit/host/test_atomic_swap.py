# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The laws of a swap: whatever moment a crash takes, nothing is lost, and calling again ends with the new in place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.atomic_swap import (
    EXCHANGE,
    KEEP,
    PUT,
    Swap,
    inode,
    next_move,
)
from ansible_collections.egov.ops.plugins.module_utils.host.files import CheckModeWrite, Files
from hypothesis import given
from hypothesis import strategies as st


class Crash(BaseException):
    """The process dies here."""


class CrashingFiles(Files):
    """The files of a host on which the process dies after so many moves."""

    def __init__(self, moves: int, can_exchange: bool) -> None:
        super().__init__(check_mode=False)
        self._left = moves
        self._can_exchange = can_exchange

    def move(self, source: bytes, target: bytes) -> None:
        self._step()
        super().move(source, target)

    def exchange(self, one: bytes, other: bytes) -> bool:
        if not self._can_exchange:
            return False
        self._step()
        return bool(super().exchange(one, other))

    def _step(self) -> None:
        if self._left == 0:
            raise Crash
        self._left -= 1


@contextmanager
def place_with(old: bool, folder: bool) -> Iterator[tuple[Path, Swap]]:
    """Give a folder in which new data waits to take the place of old data, or of nothing."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        make(base / "source", "new", folder)
        if old:
            make(base / "place", "old", folder)
        paths = [os.fsencode(base / word) for word in ("source", "place", "kept")]
        yield base, Swap(*paths, inode(paths[0]))


def make(path: Path, content: str, folder: bool) -> None:
    if folder:
        path.mkdir()
        path = path / "inside"
    path.write_text(content)


def content(path: Path) -> str | None:
    if path.is_dir():
        path = path / "inside"
    return path.read_text() if path.exists() else None


crashes = st.lists(st.integers(0, 3), max_size=4)


@given(crashes, st.booleans(), st.booleans(), st.booleans())
def test_after_any_crashes_the_new_is_in_place_and_the_old_is_kept(
    points: list[int], old: bool, folder: bool, can_exchange: bool
) -> None:
    with place_with(old, folder) as (base, swap):
        for point in points:
            with suppress(Crash):
                swap.complete(CrashingFiles(point, can_exchange))
            everything = sorted(filter(None, (content(base / name) for name in ("source", "place", "kept"))))
            assert everything == (["new", "old"] if old else ["new"])
            if old and can_exchange:
                assert content(base / "place") in ("new", "old")
        swap.complete(CrashingFiles(-1, can_exchange))
        assert content(base / "place") == "new"
        assert content(base / "kept") == ("old" if old else None)
        assert inode(swap.source) == 0


@given(crashes, st.booleans(), st.booleans())
def test_swapping_back_restores_the_old(points: list[int], folder: bool, can_exchange: bool) -> None:
    with place_with(True, folder) as (base, swap):
        swap.complete(CrashingFiles(-1, can_exchange))
        back = Swap(swap.kept, swap.place, os.fsencode(base / "undone"), inode(swap.kept))
        for point in points:
            with suppress(Crash):
                back.complete(CrashingFiles(point, can_exchange))
        back.complete(CrashingFiles(-1, can_exchange))
        assert content(base / "place") == "old"
        assert content(base / "undone") == "new"


@given(st.integers(0, 2), st.booleans(), st.booleans())
def test_a_swap_is_begun_as_soon_as_anything_was_moved(point: int, old: bool, can_exchange: bool) -> None:
    with place_with(old, False) as (base, swap):
        with suppress(Crash):
            swap.complete(CrashingFiles(point, can_exchange))
        untouched = content(base / "place") == ("old" if old else None) and content(base / "source") == "new"
        assert swap.begun is not untouched


@given(st.booleans(), st.booleans())
def test_nothing_is_moved_where_the_source_is_gone(place_taken: bool, kept_taken: bool) -> None:
    assert next_move(0, 7, place_taken, kept_taken) == ""


@pytest.mark.parametrize(
    ("found", "place_taken", "kept_taken", "move"),
    [(7, True, False, EXCHANGE), (7, False, False, PUT), (7, False, True, PUT), (8, True, False, KEEP)],
)
def test_the_next_move_follows_from_what_is_there(found: int, place_taken: bool, kept_taken: bool, move: str) -> None:
    assert next_move(found, 7, place_taken, kept_taken) == move


def test_what_has_appeared_in_the_place_meanwhile_is_not_overwritten() -> None:
    with place_with(True, False) as (base, swap):
        with suppress(Crash):
            swap.complete(CrashingFiles(1, can_exchange=False))
        (base / "place").write_text("somebody's")
        with pytest.raises(FileExistsError):
            swap.complete(CrashingFiles(-1, can_exchange=False))
        assert content(base / "place") == "somebody's"


def test_nothing_is_moved_in_check_mode() -> None:
    with place_with(True, False) as (base, swap):
        with pytest.raises(CheckModeWrite):
            swap.complete(Files(check_mode=True))
        assert content(base / "place") == "old"
