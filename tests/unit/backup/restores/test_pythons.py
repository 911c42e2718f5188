# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore and its undoing as they travel, on each Python of a host: the job runs on the Python of the trip."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.support.backup_site import NOBODY, Site
from tests.support.restore_site import leftovers, request, spoil, tree, trip

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.13"])
def test_a_restore_runs_on_each_python(saved: Site, interpreter: Callable[[str], str], version: str) -> None:
    python = interpreter(version)
    new = tree(saved.source)
    old = spoil(saved)
    arguments = request(saved)
    result = trip(saved, python, ("backup.restores.job", "restore"), arguments)
    while result.get("running"):
        result = trip(saved, python, ("backup.restores.job", "restore"), {**arguments, "attach": True})
    assert result["evidence"][0]["status"] == "ok", result
    assert result["python"].startswith(f"{version}.")
    assert tree(saved.source) == new
    named = {"operation_id": arguments["operation_id"], "person": "zhao"}
    result = trip(saved, python, ("backup.restores.accept_undo", "undo"), named)
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
    result = trip(ready, "/usr/bin/python3", ("backup.restores.job", "restore"), arguments, NOBODY)
    assert not result.get("failed"), result
    assert tree(ready.source) == before
    named = {"operation_id": arguments["operation_id"], "person": "zhao"}
    assert not trip(ready, "/usr/bin/python3", ("backup.restores.accept_undo", "accept"), named, NOBODY).get("failed")
    assert leftovers(ready) == []
