# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a set covers, and the sets that must not pass for backed up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.source import Source, resolve
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError, Host


def of(tmp_path: Path, paths: list[str], exclude: list[str] | None = None) -> Source:
    host = Host({"state_dir": str(tmp_path / "state")})
    return resolve({"paths": paths, "exclude": exclude or []}, {}, host)


def test_a_missing_path_is_an_error_even_beside_one_that_exists(tmp_path: Path) -> None:
    with pytest.raises(HalfError, match=r"/gone of the set cannot be backed up: No such file"):
        of(tmp_path, [str(tmp_path), str(tmp_path / "gone")])


def test_a_path_through_a_symbolic_link_names_its_target(tmp_path: Path) -> None:
    (tmp_path / "real" / "below").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(HalfError, match=r"leads through a symbolic link: name its target .*/real/below\."):
        of(tmp_path, [str(tmp_path / "link" / "below")])


@pytest.mark.parametrize("paths", [[], None])
def test_a_set_without_paths_is_an_error(tmp_path: Path, paths: Any) -> None:
    with pytest.raises(HalfError, match="no paths"):
        of(tmp_path, paths)


def test_a_relative_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HalfError, match="'etc' of the set is not absolute"):
        of(tmp_path, ["etc"])


def test_a_relative_exclude_with_folders_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HalfError, match="'var/cache' is neither"):
        of(tmp_path, [str(tmp_path)], ["var/cache"])


def test_paths_inside_each_other_are_walked_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    source = of(tmp_path, [str(tmp_path / "sub"), str(tmp_path) + "/", str(tmp_path)])
    assert source.roots == [bytes(tmp_path)]


def test_a_path_of_the_set_that_is_excluded_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    source = of(tmp_path, [str(tmp_path / "data")], [str(tmp_path / "data")])
    assert not source.contains(bytes(tmp_path / "data"))
    assert not source.contains(bytes(tmp_path / "data" / "below"))


def test_an_absolute_exclude_is_no_pattern(tmp_path: Path) -> None:
    source = of(tmp_path, [str(tmp_path)], [f"{tmp_path}/[ab]*"])
    assert source.contains(bytes(tmp_path / "a1"))
    assert not source.contains(bytes(tmp_path / "[ab]*" / "below"))


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("*.tmp", b"x.tmp", False),
        ("*.tmp", b"x.tmp2", True),
        ("core.?", b"core.1", False),
        ("core.?", b"core.12", True),
        ("[ab]", b"a", True),
        ("[ab]", b"[ab]", False),
        ("a.b", b"axb", True),
        ("*.tmp", b"\xff\n.tmp", False),
        (".cache", b".cache", False),
    ],
)
def test_a_name_pattern_knows_star_and_question_mark_alone(
    tmp_path: Path, pattern: str, name: bytes, covered: bool
) -> None:
    source = of(tmp_path, [str(tmp_path)], [pattern])
    assert source.contains(bytes(tmp_path) + b"/sub/" + name) is covered


def test_a_name_pattern_says_nothing_of_the_folders_above_the_set(tmp_path: Path) -> None:
    (tmp_path / "build" / "ops").mkdir(parents=True)
    source = of(tmp_path, [str(tmp_path / "build" / "ops")], ["build"])
    assert source.contains(bytes(tmp_path / "build" / "ops" / "file"))


def test_the_folder_of_our_own_work_is_never_part_of_a_set(tmp_path: Path) -> None:
    source = of(tmp_path, [str(tmp_path)])
    assert not source.contains(bytes(tmp_path / "state" / "backup" / "locks"))
