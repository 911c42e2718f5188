# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Thirty hosts at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .lab import Lab, leaks


@pytest.mark.long
def test_thirty_light_hosts_stand_on_one_machine() -> None:
    lab = Lab("many")
    lab.down()
    lab.up([f"n{number}" for number in range(1, 31)])
    state = lab.state
    try:
        ansible = str(Path(sys.executable).with_name("ansible"))
        ping = [ansible, "all", "-i", str(lab.folder / "hosts.yml"), "-f", "10", "-m", "ansible.builtin.ping"]
        done = subprocess.run(ping, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.stdout.count("SUCCESS") == 30, done.stdout + done.stderr
        assert set(lab.status().values()) == {"running"}
    finally:
        lab.down()
    assert leaks(lab, state) == []
