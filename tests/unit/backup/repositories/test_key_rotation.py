# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rotation of a real repository's key: at each moment, killed or not, the password that the plan has opens it."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.key_rotation import rotate

from tests.support.backup_site import NOW, PASSWORD, RESTIC, Site, only

NEW = "nine green lanterns"

pytestmark = [pytest.mark.programs("restic"), pytest.mark.slow]


def opens(site: Site, password: str) -> bool:
    """Ask restic itself."""
    done = subprocess.run(
        ["restic", "--no-cache", "--no-lock", "--repo", str(site.repository), "cat", "config"],
        input=password.encode() + b"\n",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def call(site: Site, stage: str, now: str = PASSWORD, keys: dict[str, Any] | None = None, **context: Any) -> dict:
    site.secrets = {"next:local": NEW, "repository:local": now}
    given = {"stage": stage, "operation": {"repositories": ["local"]}, "known": {"local": keys} if keys else {}}
    result = site.answer(rotate, given, NOW, context)
    assert NEW not in str(result)
    assert PASSWORD not in str(result)
    return result


def added(site: Site) -> dict[str, str]:
    detail = only(call(site, "add"))["detail"]
    return {"old": detail["old"], "new": detail["new"]}


def test_a_new_key_is_added_and_proved_and_the_old_one_goes_only_then(ready: Site) -> None:
    keys = added(ready)
    assert opens(ready, PASSWORD)
    assert opens(ready, NEW)
    result = call(ready, "remove", NEW, keys)
    assert (only(result)["status"], result["changed"]) == ("ok", True)
    assert "escrow" in only(result)["detail"]["next"]
    assert (opens(ready, PASSWORD), opens(ready, NEW)) == (False, True)
    again = call(ready, "remove", NEW, keys)
    assert (only(again)["status"], again["changed"]) == ("ok", False)


@pytest.mark.long
def test_adding_twice_makes_one_key(ready: Site) -> None:
    keys = added(ready)
    assert added(ready) == keys
    assert len(list((ready.repository / "keys").iterdir())) == 2


def test_the_old_key_stays_while_the_plan_has_the_old_password_or_nothing_is_known_of_it(ready: Site) -> None:
    keys = added(ready)
    for now, known in ((PASSWORD, keys), (NEW, None), (NEW, {"old": keys["new"], "new": keys["old"]})):
        found = only(call(ready, "remove", now, known))
        assert found["status"] == "failed"
        assert (opens(ready, PASSWORD), opens(ready, NEW)) == (True, True)


def test_what_was_added_is_taken_back_and_never_after_the_switch(ready: Site) -> None:
    keys = added(ready)
    refused = only(call(ready, "undo", NEW, keys))
    assert (refused["status"], refused["reason"]) == ("failed", "refused")
    assert only(call(ready, "undo"))["status"] == "ok"
    assert (opens(ready, PASSWORD), opens(ready, NEW)) == (True, False)
    assert not call(ready, "undo")["changed"]


def test_check_mode_changes_no_key(ready: Site) -> None:
    assert call(ready, "add", check_mode=True)["changed"]
    assert len(list((ready.repository / "keys").iterdir())) == 1
    keys = added(ready)
    assert call(ready, "remove", NEW, keys, check_mode=True)["changed"]
    assert call(ready, "undo", check_mode=True)["changed"]
    assert (opens(ready, PASSWORD), opens(ready, NEW)) == (True, True)


@pytest.mark.parametrize(
    "delay", [pytest.param(0.02, marks=pytest.mark.long), 0.1, pytest.param(0.3, marks=pytest.mark.long)]
)
@pytest.mark.parametrize("what", ["add", pytest.param("remove", marks=pytest.mark.long)])
def test_one_that_is_killed_locks_nobody_out_and_is_gone_on_with(ready: Site, what: str, delay: float) -> None:
    wrapper = ready.base / "tools" / "restic"
    wrapper.parent.mkdir()
    kill = f'"{RESTIC}" "$@" <&0 & p=$!; sleep {delay}; kill -9 $p; wait $p; exit 137'
    wrapper.write_text(f'#!/bin/sh\ncase "$*" in *"key {what}"*) {kill};; esac\nexec "{RESTIC}" "$@"\n')
    wrapper.chmod(0o755)
    tools = {"tool_path": [str(wrapper.parent)]}
    if what == "add":
        call(ready, "add", **tools)
        assert opens(ready, PASSWORD)
        keys = added(ready)
    else:
        keys = added(ready)
        call(ready, "remove", NEW, keys, **tools)
    assert opens(ready, NEW)
    assert only(call(ready, "remove", NEW, keys))["status"] == "ok"
    assert (opens(ready, PASSWORD), opens(ready, NEW)) == (False, True)
    assert ready.restic("check").returncode != 0, "the old password"


def test_a_wrong_password_of_the_plan_changes_nothing(ready: Site) -> None:
    found = only(call(ready, "add", "another"))
    assert (found["status"], found["reason"]) == ("failed", "not_ours")
    assert len(list((ready.repository / "keys").iterdir())) == 1
