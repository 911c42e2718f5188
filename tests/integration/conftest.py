# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The site on which the integration tests run."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.sites import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site of three local hosts with two probes and one backup set of five files."""
    return make_site(tmp_path)


@pytest.fixture(scope="session")
def site_in() -> Callable[[Path], Site]:
    """Give what makes such a site in a folder, for tests that share one."""
    return make_site


def make_site(tmp_path: Path) -> Site:
    data = tmp_path / "data"
    data.mkdir()
    for number in range(5):
        (data / f"file{number}").write_text(f"content {number}\n" * 100)
    local = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
    return Site(
        folder=tmp_path,
        bin=Path(sys.executable).parent,
        hosts={name: dict(local) for name in ("web1", "web2", "db1")},
        variables={
            "egov_ops_state_dir": str(tmp_path / "state"),
            "egov_ops_ephemeral": "accept",  # the tests may run in a container
            "egov_ops_host_state_dir": str(tmp_path / "host"),
            "egov_ops_tool_path": [str(Path(shutil.which("restic") or "/usr/bin/restic").parent)],
            "egov_ops_backup_repositories": {"local": {"location": str(tmp_path / "repository"), "create": True}},
            "egov_ops_backup_sets": {
                "config": {"state": "absent"},
                "data": {"class": "other", "paths": [str(data)], "full": "weekly", "incremental": "daily"},
            },
        },
    )


@pytest.fixture(params=["stream", pytest.param("module", marks=pytest.mark.slow)])
def either(site: Site, request: pytest.FixtureRequest) -> Site:
    """The site over each of the two ways in which a half travels."""
    site.variables["egov_ops_transport"] = request.param
    return site
