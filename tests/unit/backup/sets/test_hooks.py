# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands around the backup of a set: one that fails fails the set, and the one afterwards always runs."""

from __future__ import annotations

import pytest

from tests.support.backup_site import Site, only

pytestmark = [pytest.mark.programs("restic", "sh"), pytest.mark.slow]


@pytest.fixture
def hooked(ready: Site) -> Site:
    """Give a site whose set has hooks that note when they ran."""
    for when in ("pre", "post"):
        ready.sets["pages"][when] = ["sh", "-c", f"echo {when} >> {ready.base}/log"]
    ready.sets["pages"]["hook_timeout"] = 5
    return ready


def log(site: Site) -> list[str]:
    return (site.base / "log").read_text().split()


def test_hooks_run_around_the_backup_and_what_the_first_makes_is_in_it(hooked: Site) -> None:
    dump = hooked.source / "dump"
    hooked.sets["pages"]["pre"] = ["sh", "-c", f"echo pre >> {hooked.base}/log; echo data > {dump}"]
    hooked.sets["pages"]["post"] = ["sh", "-c", f"echo post >> {hooked.base}/log; rm {dump}"]
    assert only(hooked.back_up())["detail"]["files"] == 4
    assert log(hooked) == ["pre", "post"]
    assert hooked.restic("dump", "latest", str(dump)).stdout.endswith(b"data\n")


def test_without_anything_due_no_hook_runs(hooked: Site) -> None:
    hooked.back_up()
    hooked.back_up("2026-05-20T02:00:00Z")
    hooked.back_up("2026-05-20T03:00:00Z", check_mode=True)
    assert log(hooked) == ["pre", "post"]


@pytest.mark.parametrize(
    ("tail", "reason"), [("echo frozen solid >&2; exit 3", "error"), ("sleep 30", "timeout")], ids=["fails", "hangs"]
)
def test_a_first_hook_that_fails_fails_the_set_and_is_undone(hooked: Site, tail: str, reason: str) -> None:
    hooked.sets["pages"]["hook_timeout"] = 1
    hooked.sets["pages"]["pre"] = ["sh", "-c", f"echo pre >> {hooked.base}/log; {tail}"]
    found = only(hooked.back_up())
    assert (found["status"], found["reason"]) == ("failed", reason)
    assert "The pre hook of the set (sh) failed" in found["detail"]["message"]
    assert log(hooked) == ["pre", "post"]
    assert hooked.snapshots() == []


def test_a_backup_that_fails_is_followed_by_the_second_hook(hooked: Site) -> None:
    hooked.sets["pages"]["exclude"] = ["?"]
    found = only(hooked.back_up())
    assert "holds no file" in found["detail"]["message"]
    assert log(hooked) == ["pre", "post"]


def test_the_second_hook_has_its_time_where_the_backup_took_all(hooked: Site) -> None:
    hooked.sets["pages"]["hook_timeout"] = 2
    wrapper = hooked.base / "tools" / "restic"
    wrapper.parent.mkdir()
    wrapper.write_text('#!/bin/sh\ncase "$*" in *snapshots*) echo "[]";; *) sleep 30;; esac\n')
    wrapper.chmod(0o755)
    found = only(hooked.back_up(tool_path=[str(wrapper.parent)], timeout=4))
    assert (found["status"], found["reason"]) == ("failed", "timeout")
    assert log(hooked) == ["pre", "post"]


def test_a_second_hook_that_fails_fails_the_set(hooked: Site) -> None:
    hooked.sets["pages"]["post"] = ["sh", "-c", "exit 3"]
    found = only(hooked.back_up())
    assert found["status"] == "failed"
    assert "The post hook of the set (sh) failed" in found["detail"]["message"]
    assert len(hooked.snapshots()) == 1
