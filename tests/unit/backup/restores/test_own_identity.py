# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was staged gets the id of the machine that it is restored on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.own_identity import keep


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host's root with an id, and beside it what was staged of another host's /etc."""
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/machine-id").write_text("own\n")
    (tmp_path / "staged/etc/ssh").mkdir(parents=True)
    (tmp_path / "staged/etc/machine-id").write_text("another's\n")
    (tmp_path / "staged/etc/motd").write_text("hello\n")
    return tmp_path / "root"


def kept(root: Path, staged: str, place: str) -> list[bytes]:
    source = root.parent / "staged" / staged
    return keep([(os.fsencode(source), os.fsencode(f"{root}{place}"), b"kept")], os.fsencode(root))


@pytest.mark.parametrize("path", ["etc", "etc/machine-id"])
def test_the_machine_keeps_its_id(root: Path, path: str) -> None:
    assert kept(root, path, f"/{path}") == [b"/etc/machine-id"]
    assert (root.parent / "staged/etc/machine-id").read_text() == "own\n"
    assert (root.parent / "staged/etc/motd").read_text() == "hello\n"


def test_a_machine_without_an_id_gets_none(root: Path) -> None:
    (root / "etc/machine-id").unlink()
    assert kept(root, "etc", "/etc") == [b"/etc/machine-id"]
    assert (root.parent / "staged/etc/machine-id").read_text() == ""


def test_the_same_id_and_other_paths_are_left_alone(root: Path) -> None:
    assert kept(root, "etc/ssh", "/etc/ssh") == []
    assert kept(root, "etc/motd", "/etc/motd") == []
    (root.parent / "staged/etc/machine-id").write_text("own\n")
    assert kept(root, "etc", "/etc") == []


def test_a_link_in_place_of_the_file_is_not_followed(root: Path) -> None:
    staged = root.parent / "staged/etc/machine-id"
    staged.unlink()
    (root.parent / "precious").write_text("precious")
    staged.symlink_to(root.parent / "precious")
    assert kept(root, "etc", "/etc") == []
    assert (root.parent / "precious").read_text() == "precious"
