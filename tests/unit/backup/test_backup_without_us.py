# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of docs/backup.md restore a set without the collection, as they stand."""

from __future__ import annotations

import os
import re
import subprocess

import environment
import pytest
from backup_site import PASSWORD, Site


@pytest.mark.programs("restic", "sh")
def test_the_page_s_commands_restore_a_set(ready: Site) -> None:
    ready.sets["config"] = ready.sets.pop("pages")
    ready.back_up()
    password = ready.base / "password"
    password.write_text(f"{PASSWORD}\n")
    page = (environment.ROOT / "docs/backup.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    for written, here in (
        ("/var/lib/egov-ops/host/repository", ready.repository),
        ("/root/repository.password", password),
        ("/srv/restored", ready.base / "restored"),
    ):
        assert written in commands
        commands = commands.replace(written, str(here))
    place = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(ready.base / "cache")}
    done = subprocess.run(["sh", "-eu"], input=commands, env=place, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    restored = ready.base / "restored" / str(ready.source).lstrip("/")
    assert {path.name: path.read_text() for path in restored.iterdir()} == {
        name: f"content of {name}\n" for name in ("a", "b", "c")
    }
