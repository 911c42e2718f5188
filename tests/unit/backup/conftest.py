# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sites that the tests of backups work on."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from backup_site import Site, restic


@pytest.fixture(scope="session")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one repository, since making its key takes a second, and let each site have a copy."""
    folder = tmp_path_factory.mktemp("template") / "repository"
    restic(folder, "init").check_returncode()
    return folder


@pytest.fixture
def site() -> Iterator[Site]:
    """Give a site without a repository, in a folder that other users may enter."""
    base = Path(tempfile.mkdtemp(prefix="site-")).resolve()
    base.chmod(0o755)
    yield Site(base)
    subprocess.run(["chmod", "-R", "u+rwX", str(base)], check=False)
    shutil.rmtree(base)


@pytest.fixture
def ready(site: Site, empty_repository: Path) -> Site:
    """Give a site whose repository has been made and whose source holds three files."""
    shutil.copytree(empty_repository, site.repository)
    for name in ("a", "b", "c"):
        (site.source / name).write_text(f"content of {name}\n")
    return site
