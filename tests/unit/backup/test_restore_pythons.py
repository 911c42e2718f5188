# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore and its undoing as they travel, on each Python of a host: the job runs on the Python of the trip."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils import stream
from backup_site import NOBODY, PASSWORD, RESTIC, Site
from restore_site import leftovers, now, request, spoil, tree

pytestmark = pytest.mark.slow


def trip(
    site: Site, python: str, half: tuple[str, str], arguments: dict[str, Any], user: int | None = None
) -> dict[str, Any]:
    """Send a half to a Python as the action does, and return its result; as another user if one is named."""
    context = {
        "now": now(),
        "timeout": 60,
        "tool_path": [RESTIC.rpartition("/")[0]],
        "state_dir": str(site.state),
        "program": stream.program("backup.restore"),
    }
    data, nonce = stream.envelope(half, arguments, context, {"repository:local": PASSWORD})
    line = stream.command(python)
    rights: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    done = subprocess.run(["sh", "-c", line], input=data, stdout=subprocess.PIPE, timeout=90, check=False, **rights)
    return stream.parse(done.stdout.decode(), nonce, {})


@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.13"])
def test_a_restore_runs_on_each_python(saved: Site, interpreter: Callable[[str], str], version: str) -> None:
    python = interpreter(version)
    new = tree(saved.source)
    old = spoil(saved)
    arguments = request(saved)
    result = trip(saved, python, ("backup.restore", "restore"), arguments)
    while result.get("running"):
        result = trip(saved, python, ("backup.restore", "restore"), {**arguments, "attach": True})
    assert result["evidence"][0]["status"] == "ok", result
    assert result["python"].startswith(f"{version}.")
    assert tree(saved.source) == new
    named = {"operation_id": arguments["operation_id"], "person": "zhao"}
    result = trip(saved, python, ("backup.settle", "undo"), named)
    assert not result.get("failed"), result
    assert tree(saved.source) == old
    assert leftovers(saved) == []


@pytest.mark.root
def test_an_ordinary_user_restores_what_is_theirs_and_nothing_else(ready: Site) -> None:
    give = ["chown", "-R", f"{NOBODY}:{NOBODY}"]
    subprocess.run([*give, str(ready.source)], check=True)
    ready.back_up()
    before = tree(ready.source)
    spoil(ready)
    arguments = request(ready)
    subprocess.run([*give, str(ready.base)], check=True)
    result = trip(ready, "/usr/bin/python3", ("backup.restore", "restore"), arguments, NOBODY)
    assert not result.get("failed"), result
    assert tree(ready.source) == before
    named = {"operation_id": arguments["operation_id"], "person": "zhao"}
    assert not trip(ready, "/usr/bin/python3", ("backup.settle", "accept"), named, NOBODY).get("failed")
    assert leftovers(ready) == []
