# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's archive: what is in it, and what is not."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import environment
import pytest

TOP = {
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "README.zh-CN.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "ansible.cfg",
    "bindep.txt",
    "changelogs",
    "docs",
    "inventories",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the archive, built from the checkout as a release is."""
    folder = tmp_path_factory.mktemp("build")
    command = [str(Path(sys.executable).parent / "ansible-galaxy"), "collection", "build", "--output-path", str(folder)]
    subprocess.run(command, cwd=environment.ROOT, stdout=subprocess.DEVNULL, check=True)
    return next(folder.glob("egov-ops-*.tar.gz"))


def test_the_archive_has_what_a_site_uses_and_nothing_else(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        top = {name.split("/")[0] for name in opened.getnames()}
    assert top <= TOP
    assert {"plugins", "meta", "README.md", "LICENSE"} <= top


def test_the_archive_is_lean(archive: Path) -> None:
    assert archive.stat().st_size < 1_000_000


def test_the_archive_has_no_links_and_no_leftovers(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
    assert [member.name for member in members if not (member.isfile() or member.isdir())] == []
    assert [member.name for member in members if "__pycache__" in member.name or member.name.endswith(".pyc")] == []
