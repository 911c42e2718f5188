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
