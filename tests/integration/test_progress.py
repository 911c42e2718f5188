# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that takes long is told by a line at least every 15 seconds, in Ansible's plain output."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.sites import Site

pytestmark = [pytest.mark.programs("restic"), pytest.mark.slow]


@pytest.mark.parametrize("transport", ["module", pytest.param("stream", marks=pytest.mark.long)])
def test_a_long_backup_and_its_copy_say_how_far_they_are(site: Site, transport: str) -> None:
    site.hosts = {"web1": site.hosts["web1"]}
    site.variables["egov_ops_transport"] = transport
    site.variables["egov_ops_backup_repositories"]["vault"] = {
        "location": str(site.folder / "vault"),
        "create": True,
    }
    site.variables["egov_ops_backup_sets"]["data"]["copies"] = ["vault"]
    tools = site.folder / "tools"
    tools.mkdir()
    real = Path(site.variables["egov_ops_tool_path"][-1]) / "restic"
    slow = tools / "restic"
    slow.write_text(
        '#!/bin/sh\nstatus() { echo \'{"message_type":"status","total_bytes":8000,"bytes_done":2000}\'; sleep 12; }\n'
        f'case "$*" in *" backup "*) status;; *" copy "*) sleep 9;; esac\nexec "{real}" "$@"\n'
    )
    slow.chmod(0o755)
    site.variables["egov_ops_tool_path"].insert(0, str(tools))
    site.has_repository()
    process = site.start("ansible-playbook", "egov.ops.backup")
    assert process.stdout
    lines, times = [], []
    for line in process.stdout:
        if "Back up what is due" in line:
            times.append(time.monotonic())
        if line.startswith(("web1: backup of set data", "web1: copy of set data")):
            lines.append(line)
            times.append(time.monotonic())
    assert process.wait() == 0, lines
    assert re.search(r"sending to local for \d+ s, 2.0 kB of 8.0 kB \(25 %\), .*/s, about \d+ s left", lines[0]), lines
    assert "copy of set data to vault: snapshot 1 of 1 for " in lines[-1]
    assert max(later - earlier for earlier, later in pairwise(times)) <= 15, times
    assert [record["status"] for record in site.records(kind="copy")] == ["ok"]
    assert [record["status"] for record in site.records(kind="backup")] == ["ok"]
    assert list((site.folder / "host" / "watched").iterdir()) == []
