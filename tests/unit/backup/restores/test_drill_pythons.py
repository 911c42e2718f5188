# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new version of the configuration and its drill as they travel, on each Python of a host, work beside the trip."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.backup_site import Site
from tests.support.restore_site import trip

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "version", ["3.6", *(pytest.param(version, marks=pytest.mark.long) for version in ("3.7", "3.8", "3.13"))]
)
def test_a_backup_its_version_and_its_drill_run_on_each_python(
    ready: Site, interpreter: Callable[[str], str], version: str
) -> None:
    python = interpreter(version)
    ready.sets["pages"].update({"class": "config", "incremental": "change", "incremental_since": None})
    (ready.source / "a").chmod(0o644)
    ready.back_up()
    (ready.source / "a").write_text("another\n")
    asserted = {"there": {"set": "pages", "paths": [str(ready.source / "a")], "command": ["true"]}}
    made = trip(ready, python, ("backup.run", "backup"), ready.arguments(copy_seconds=60.0, job=""))
    (change,) = made["evidence"][0]["detail"]["version"]["changes"]
    assert change["diff"][1:] == ["-content of a", "+another"]
    drilled = trip(ready, python, ("backup.restores.drill", "drill"), ready.arguments(assertions=asserted, job=""))
    assert drilled["evidence"][0]["status"] == "ok", drilled
    assert drilled["python"].startswith(f"{version}.")
    assert list((ready.state / "watched").iterdir()) == []
