# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The comparison of a restored file: each property that differs is seen, and by its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import manifest
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.comparison import compare
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import resolve
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

ROOT = os.geteuid() == 0


def entry_of(path: Path, state: Path) -> dict[str, Any]:
    host = Host({"state_dir": str(state)})
    listing = state / "manifest"
    state.mkdir()
    with listing.open("wb") as stream:
        manifest.scan(resolve({"paths": [str(path)]}, {}, host), "", 0.0, stream.write, host)
    return dict(list(manifest.entries(str(listing)))[-1])


def differences(path: Path, tmp_path: Path, change: Callable[[], object]) -> list[str]:
    entry = entry_of(path, tmp_path / "state")
    times = path.lstat()
    change()
    if path.exists():
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return compare(entry, bytes(path), ROOT, Host({}))[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "file"
    found.write_text("content")
    os.setxattr(found, "user.a", b"1")
    return found


def test_a_file_that_is_as_it_was_does_not_differ(path: Path, tmp_path: Path) -> None:
    assert differences(path, tmp_path, lambda: None) == []


def test_each_property_is_compared(path: Path, tmp_path: Path) -> None:
    def replace_by_link() -> None:
        path.unlink()
        path.symlink_to("nowhere")

    assert differences(path, tmp_path, lambda: path.write_text("CONTENT")) == ["content"]
    (tmp_path / "state").rename(tmp_path / "state1")
    assert differences(path, tmp_path, lambda: path.write_text("longer content")) == ["size", "content"]
    (tmp_path / "state").rename(tmp_path / "state2")
    assert differences(path, tmp_path, lambda: path.chmod(0o640)) == ["mode"]
    (tmp_path / "state").rename(tmp_path / "state3")
    assert differences(path, tmp_path, lambda: os.setxattr(path, "user.a", b"2")) == ["xattrs"]
    (tmp_path / "state").rename(tmp_path / "state4")
    assert differences(path, tmp_path, replace_by_link) == ["type"]


def test_a_missing_file_differs(path: Path, tmp_path: Path) -> None:
    assert differences(path, tmp_path, path.unlink) == ["missing"]


def test_another_time_differs(path: Path, tmp_path: Path) -> None:
    entry = entry_of(path, tmp_path / "state")
    os.utime(path, (1, 1))
    assert compare(entry, bytes(path), ROOT, Host({}))[0] == ["mtime"]


def test_another_target_of_a_link_differs(tmp_path: Path) -> None:
    link = tmp_path / "folder" / "link"
    link.parent.mkdir()
    link.symlink_to("/etc/hosts")
    entry = entry_of(link.parent, tmp_path / "state")
    assert compare(entry, bytes(link), ROOT, Host({}))[0] == []
    entry["target"] = "/etc/passwd"
    assert compare(entry, bytes(link), ROOT, Host({}))[0] == ["target"]


@pytest.mark.root
def test_another_owner_differs_for_root(path: Path, tmp_path: Path) -> None:
    assert differences(path, tmp_path, lambda: os.chown(path, 1, 1)) == ["owner"]


def test_what_an_ordinary_user_cannot_set_is_listed_and_not_compared(path: Path, tmp_path: Path) -> None:
    entry = entry_of(path, tmp_path / "state")
    entry.update(uid=4711, xattrs={**entry["xattrs"], "security.capability": "AQ=="})
    assert compare(entry, bytes(path), False, Host({})) == ([], ["owner", "system xattrs"])


def test_an_ordinary_user_is_told_that_set_id_bits_are_not_compared(path: Path, tmp_path: Path) -> None:
    path.chmod(0o4750)
    entry = entry_of(path, tmp_path / "state")
    path.chmod(0o750)
    assert compare(entry, bytes(path), False, Host({})) == ([], ["owner", "set-id bits"])


def test_other_bits_beside_the_set_id_bits_are_compared(path: Path, tmp_path: Path) -> None:
    path.chmod(0o4750)
    entry = entry_of(path, tmp_path / "state")
    path.chmod(0o700)
    assert compare(entry, bytes(path), False, Host({}))[0] == ["mode"]


def test_comparing_an_unreadable_file_leaves_it_as_it_is_for_its_other_names(path: Path, tmp_path: Path) -> None:
    os.removexattr(path, "user.a")
    entry = {**entry_of(path, tmp_path / "state"), "mode": 0o200}
    path.chmod(0o200)
    other = tmp_path / "other"
    os.link(path, other)
    assert compare(entry, bytes(path), False, Host({}))[0] == []
    assert compare(entry, bytes(other), False, Host({}))[0] == []
