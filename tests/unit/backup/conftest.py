# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sites that the tests of backups work on."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backup_site import REPOSITORY, Site


@pytest.fixture
def site() -> Iterator[Site]:
    """Give a site without a repository, in a folder that other users may enter."""
    base = Path(tempfile.mkdtemp(prefix="site-")).resolve()
    base.chmod(0o755)
    yield Site(base)
    subprocess.run(["chmod", "-R", "u+rwX", str(base)], check=False)
    shutil.rmtree(base)


@pytest.fixture
def ready(site: Site) -> Site:
    """Give a site whose repository has been made and whose source holds three files."""
    shutil.copytree(REPOSITORY, site.repository)
    for name in ("a", "b", "c"):
        (site.source / name).write_text(f"content of {name}\n")
    return site


@pytest.fixture
def saved(ready: Site) -> Site:
    """Give a site that was backed up, with all that a file system can hold, and has changed since."""
    folder = ready.source / "folder"
    folder.mkdir(mode=0o2750)
    for name in (b"a\nb", b"\xff\xfe", "中 文".encode(), b"*?[x]\\", b"-rf"):
        (folder / os.fsdecode(name)).write_bytes(b"odd")
    (ready.source / "link").symlink_to("nowhere")
    os.setxattr(ready.source / "b", "user.note", b"\x00\xff")
    (ready.source / "c").chmod(0o4750)
    if os.geteuid() == 0:
        os.chown(ready.source / "a", 1234, 4321)
        os.utime(ready.source / "a", ns=(1, 987654321012345678))
    ready.back_up()
    return ready
