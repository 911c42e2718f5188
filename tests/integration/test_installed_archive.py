# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as a site gets it: an archive, installed by ansible-galaxy into an empty home."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import environment
import pytest

INVENTORY = """\
all:
  hosts:
    localhost:
      ansible_connection: local
  vars:
    egov_ops_state_dir: {state}
    egov_ops_host_state_dir: {state}/host
    egov_ops_tool_path: ["{tools}"]
"""


@pytest.mark.slow
def test_an_installed_archive_runs_the_daily_procedure(ansible_core: Callable[[str], Path], tmp_path: Path) -> None:
    commands, home, state = ansible_core("2.19"), tmp_path / "home", tmp_path / "state"
    home.mkdir()
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(INVENTORY.format(state=state, tools=Path(shutil.which("restic") or "/usr/bin/restic").parent))
    ours = ("ANSIBLE_", "EGOV_OPS_", "PYTHONPATH", "XDG_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env.update(HOME=str(home), LC_ALL="C.UTF-8")

    def call(*command: str, cwd: Path) -> None:
        argv = [str(commands / command[0]), *command[1:]]
        done = subprocess.run(
            argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    call("ansible-galaxy", "collection", "build", "--output-path", str(tmp_path), cwd=environment.ROOT)
    archive = next(tmp_path.glob("egov-ops-*.tar.gz"))
    call("ansible-galaxy", "collection", "install", str(archive), cwd=tmp_path)
    call("ansible-playbook", "egov.ops.daily", "-i", str(inventory), cwd=tmp_path)

    assert json.loads((state / "reports/latest.json").read_text())
