# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab on which these tests run: two hosts, started once, and nothing left of them at the end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.sites import Site

from .lab import Lab, leaks


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this needs root."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.root)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab of two hosts, n1 and n2."""
    lab = Lab("test")
    lab.down()  # of a run that was killed
    lab.up(["n1", "n2"])
    state = lab.state
    yield lab
    lab.down()
    assert leaks(lab, state) == []


@pytest.fixture(scope="session")
def connection(lab: Lab) -> dict[str, Any]:
    """The variables by which Ansible reaches the lab's hosts."""
    found: dict[str, Any] = json.loads((lab.folder / "hosts.yml").read_text())["all"]["vars"]
    return found


@pytest.fixture
def site(tmp_path: Path, connection: dict[str, Any]) -> Site:
    """A site of the lab's two hosts, with a folder of theirs to back up."""
    return Site(
        folder=tmp_path,
        bin=Path(sys.executable).parent,
        hosts={"n1": {}, "n2": {}},
        variables={
            **connection,
            "egov_ops_state_dir": str(tmp_path / "state"),
            "egov_ops_ephemeral": "accept",
            "egov_ops_backup_repositories": {"own": {"location": f"/srv/{tmp_path.name}", "create": True}},
            "egov_ops_backup_sets": {"config": {"repository": "own", "paths": ["/etc/ssh"]}},
        },
    )


def ssh(lab: Lab, host: str, command: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Run a command in a host by ssh as ops and return how it ended."""
    argv = lab.ssh(host, command)
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)
