# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only way in which a host half writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.files import CheckModeWrite, Files


def test_a_folder_is_made_with_its_parents_for_its_owner_alone(tmp_path: Path) -> None:
    Files(check_mode=False).folder(str(tmp_path / "host/backup"))
    assert (tmp_path / "host/backup").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_another_process_makes_at_the_same_moment_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = os.mkdir

    def overtaken(path: str, mode: int = 0o777) -> None:
        make(path, mode)
        make(path, mode)

    monkeypatch.setattr(os, "mkdir", overtaken)
    Files(check_mode=False).folder(str(tmp_path / "backup"))
    assert (tmp_path / "backup").is_dir()


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "backup").write_text("")
    with pytest.raises(FileExistsError):
        Files(check_mode=False).folder(str(tmp_path / "backup"))


def test_no_folder_is_made_in_check_mode(tmp_path: Path) -> None:
    with pytest.raises(CheckModeWrite):
        Files(check_mode=True).folder(str(tmp_path / "backup"))
    assert not (tmp_path / "backup").exists()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """Give what was fsynced and renamed, in this order, and how many bytes each file had then."""
    noted: list[tuple[str, str, int]] = []
    sync, rename = os.fsync, os.rename

    def noted_sync(descriptor: int) -> None:
        noted.append(("fsync", str(Path(f"/proc/self/fd/{descriptor}").readlink()), os.fstat(descriptor).st_size))
        sync(descriptor)

    def noted_rename(source: str, target: str) -> None:
        noted.append(("rename", target, Path(source).stat().st_size))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "rename", noted_rename)
    return noted


def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_name_afterwards(
    tmp_path: Path, calls: list[tuple[str, str, int]]
) -> None:
    path = str(tmp_path / "state.json")
    Files(check_mode=False).write(path, b"content")
    (first, second, third) = calls
    assert (first[0], first[2], first[1].startswith(f"{path}.new.")) == ("fsync", 7, True)
    assert second == ("rename", path, 7)
    assert third[:2] == ("fsync", str(tmp_path))


def test_a_line_is_on_the_disk_before_it_counts_as_written(tmp_path: Path, calls: list[tuple[str, str, int]]) -> None:
    path = str(tmp_path / "journal")
    Files(check_mode=False).append(path, b"line")
    assert [call[:2] for call in calls] == [("fsync", path), ("fsync", str(tmp_path))]
    assert calls[0][2] == 5


def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        Files(check_mode=False).write(str(tmp_path / "taken"), b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
