# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of a set in other repositories: made from the first one, each with its own record, in no backup's way."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import copies as module
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.copies import missing
from ansible_collections.egov.ops.plugins.module_utils.backup.run import run as module_run

from tests.support.backup_site import REPOSITORY, RESTIC, Site, restic
from tests.support.rest_server import SECRET, USER, rest_server

LATER, LAST = "2026-05-20T02:00:00Z", "2026-05-20T03:00:00Z"

pytestmark = [pytest.mark.programs("restic"), pytest.mark.slow]


@pytest.fixture
def copied(ready: Site) -> Site:
    """Give a site whose set has a copy in a second repository on the machine."""
    shutil.copytree(REPOSITORY, ready.base / "second")
    ready.repositories["second"] = {"location": str(ready.base / "second"), "create": True}
    ready.sets["pages"].update({"copies": ["second"], "incremental": "change", "incremental_since": None})
    return ready


def records(result: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the one backup's and the one copy's record."""
    backup, copy = result["evidence"]
    assert (backup["kind"], copy["kind"]) == ("backup", "copy")
    return backup, copy


def test_a_snapshot_is_copied_in_the_same_trip_and_restores_without_the_first(copied: Site) -> None:
    result = copied.back_up()
    backup, copy = records(result)
    assert (backup["status"], copy["status"]) == ("ok", "ok")
    assert copy["subject"] == "pages to second"
    assert copy["detail"]["copied"] == 1
    assert "1 of 1 copies are complete" in result["msg"]
    shutil.rmtree(copied.repository)
    target = copied.base / "restored"
    assert restic(copied.base / "second", "restore", "--target", str(target), "latest").returncode == 0
    assert (Path(f"{target}{copied.source}") / "a").read_text() == "content of a\n"


def test_the_next_run_copies_only_what_is_new(copied: Site) -> None:
    copied.back_up()
    assert records(copied.back_up(LATER))[1]["detail"]["copied"] == 0
    (copied.source / "new").write_text("new")
    result = copied.back_up(LAST)
    assert records(result)[1]["detail"]["copied"] == 1
    listed = restic(copied.base / "second", "--json", "snapshots").stdout
    assert listed.count(b'"original"') == 2


def test_the_source_is_not_read_for_a_copy(copied: Site) -> None:
    copied.sets["pages"]["copies"] = []
    copied.back_up()
    copied.sets["pages"]["copies"] = ["second"]
    (copied.source / "a").write_text("changed afterwards, and not due")
    copied.sets["pages"].update({"incremental": "daily", "incremental_since": "2026-05-20T00:00:00Z"})
    assert records(copied.back_up(LATER))[1]["detail"]["copied"] == 1
    dumped = restic(copied.base / "second", "dump", "latest", str(copied.source / "a"))
    assert dumped.stdout.endswith(b"content of a\n")


@pytest.mark.programs("ssh")
def test_a_copy_that_cannot_be_reached_fails_alone_and_in_the_tool_s_words(copied: Site) -> None:
    copied.repositories["second"] = {"location": "sftp:nobody@127.0.0.1:/nowhere", "create": False}
    backup, copy = records(copied.back_up())
    assert backup["status"] == "ok"
    assert copy["status"] == "failed"
    assert "restic could not list the snapshots" in copy["detail"]["message"]
    # What ssh said before is there or not: restic ends without waiting for it.
    assert "unable to start the sftp session" in copy["detail"]["message"]


def test_a_server_that_is_down_is_no_missing_repository(copied: Site) -> None:
    copied.repositories["second"] = {"location": "rest:http://127.0.0.1:9/", "create": True}
    backup, copy = records(copied.back_up())
    assert backup["status"] == "ok"
    assert (copy["status"], copy["reason"]) == ("failed", "error")
    assert "connection refused" in copy["detail"]["message"]
    assert "restic could not list the snapshots" in copy["detail"]["message"]  # and did not try to make one


def test_a_place_that_never_answers_is_given_up(copied: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        copied.repositories["second"] = {"location": f"rest:http://127.0.0.1:{silent.getsockname()[1]}/"}
        backup, copy = records(copied.back_up())
    assert backup["status"] == "ok"
    assert (copy["status"], copy["reason"]) == ("failed", "timeout")


def test_why_a_copy_s_password_is_not_there_is_its_own_failure(copied: Site) -> None:
    copied.repositories["second"]["trouble"] = "The password file /x does not exist on the controller."
    backup, copy = records(copied.back_up())
    assert (backup["status"], copy["status"]) == ("ok", "failed")
    assert "/x does not exist" in copy["detail"]["message"]


def test_a_copy_in_the_set_s_own_repository_is_refused(copied: Site) -> None:
    copied.repositories["second"]["location"] = str(copied.repository)
    assert records(copied.back_up())[1]["reason"] == "refused"
    copied.sets["pages"]["copies"] = ["local"]
    assert records(copied.back_up(LATER))[1]["reason"] == "refused"


def test_a_lost_copy_is_not_made_anew(copied: Site) -> None:
    copied.sets["pages"]["known_copies"] = ["second"]
    shutil.rmtree(copied.base / "second")
    copy = records(copied.back_up())[1]
    assert copy["status"] == "failed"
    assert "held snapshots of this host before" in copy["detail"]["message"]
    assert not (copied.base / "second").exists()


def test_check_mode_says_what_it_would_copy_and_writes_nothing(copied: Site) -> None:
    copied.sets["pages"]["copies"] = []
    copied.back_up()
    copied.sets["pages"]["copies"] = ["second"]
    before = sorted(copied.base.rglob("*"))
    copy = records(copied.back_up(LATER, check_mode=True))[1]
    assert copy["detail"]["message"] == "Would copy 1 snapshots of set pages to second."
    assert sorted(copied.base.rglob("*")) == before


def test_a_copy_that_is_cut_off_is_gone_on_with(copied: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8):
        (copied.source / f"large{number}").write_bytes(os.urandom(8 * 1024 * 1024))
    wrapper = copied.base / "tools" / "restic"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\ncase "$*" in *" copy "*) exec "{RESTIC}" --limit-upload 12000 "$@";; esac\nexec "{RESTIC}" "$@"\n'
    )
    wrapper.chmod(0o755)
    argument = {"copy_seconds": 4.0}
    tool = {"tool_path": [str(wrapper.parent)]}
    backup, copy = records(copied.answer(module_run, argument, "2026-05-20T01:00:00Z", tool))
    assert backup["status"] == "ok"
    assert (copy["status"], copy["reason"]) == ("failed", "timeout")
    assert "the next run goes on" in copy["detail"]["message"]
    for hour in range(2, 9):
        copy = records(copied.answer(module_run, argument, f"2026-05-20T0{hour}:00:00Z", tool))[1]
        if copy["status"] == "ok":
            break
    assert copy["status"] == "ok"
    assert restic(copied.base / "second", "check", "--read-data").returncode == 0


def test_a_rest_server_takes_a_copy_and_its_password_is_seen_by_nobody(copied: Site) -> None:
    wrapper = copied.base / "tools" / "restic"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho "$*" >> "{copied.base}/arguments"\nexec "{RESTIC}" "$@"\n')
    wrapper.chmod(0o755)
    shutil.copytree(REPOSITORY, copied.base / "served")
    copied.secrets.update(
        {"credentials:second:RESTIC_REST_USERNAME": USER, "credentials:second:RESTIC_REST_PASSWORD": SECRET}
    )
    with rest_server(copied.base / "served") as location:
        copied.repositories["second"] = {"location": location, "create": False}
        result = copied.back_up(tool_path=[str(wrapper.parent)])
    assert records(result)[1]["status"] == "ok"
    assert restic(copied.base / "served", "--json", "snapshots").stdout.count(b'"original"') == 1
    refused = {**copied.secrets, "credentials:second:RESTIC_REST_PASSWORD": "wrong-and-secret"}
    copied.secrets = refused
    with rest_server(copied.base / "served") as location:
        copied.repositories["second"] = {"location": location, "create": False}
        failed = copied.back_up(LATER)
    assert records(failed)[1]["status"] == "failed"
    written = [path.read_bytes() for path in copied.state.rglob("*") if path.is_file()]
    for place in (str(result), str(failed), (copied.base / "arguments").read_text(), repr(written)):
        for secret in (SECRET, "s3cret", "wrong-and-secret"):
            assert secret not in place


def test_two_places_that_need_one_variable_with_two_values_are_refused(copied: Site) -> None:
    copied.secrets = {"credentials:local:AWS_ACCESS_KEY_ID": "one", "credentials:second:AWS_ACCESS_KEY_ID": "two"}
    copy = records(copied.back_up())[1]
    assert (copy["status"], copy["reason"]) == ("failed", "not_supported")


def test_what_is_missing_is_told_by_the_original() -> None:
    first, second = (Snapshot(name, f"2026-05-2{name}T00:00:00Z", "pages", "full", []) for name in "12")
    copy = Snapshot("9", first.time, "pages", "full", [], "1")
    assert missing([first, second], []) == [second, first]
    assert missing([first, second], [copy]) == [second]
    assert missing([copy], [first]) == []
