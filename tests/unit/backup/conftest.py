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
from backup_site import Site

#: As restic makes it, but for a key that costs no work to derive (scrypt with N=2): half a second less for each call.
REPOSITORY = Path(__file__).with_name("repository")


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
