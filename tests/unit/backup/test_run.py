# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backup that goes well, with restic: what it makes, when it makes nothing, and what it says of odd files."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.run import run

from tests.support.backup_site import NOBODY, RESTIC, Site, as_nobody, only

ODD_NAMES = [b"a\nb", b"\xff\xfe", "中 文".encode(), b"*?[x]\\", b" spaced ", b"-rf", b"!not", b"$HOME", b"#c"]


def tree(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


def test_the_first_run_makes_the_repository_and_a_full_snapshot(site: Site) -> None:
    (site.source / "file").write_text("x")
    result = site.back_up()
    found = only(result)
    assert result["changed"]
    assert (found["kind"], found["subject"], found["status"], found["reason"]) == ("backup", "pages", "ok", "")
    assert found["clauses"] == ["S6.1.1-5", "S6.1.2-5"]
    (snapshot,) = site.snapshots()
    assert snapshot["id"].startswith(found["detail"]["snapshot"])
    assert snapshot["hostname"] == "web1"
    assert snapshot["time"] == "2026-05-20T01:00:00Z"
    assert sorted(snapshot["tags"]) == ["egov-ops", "kind=full", "run=test-run", "set=pages"]


def test_a_second_run_makes_no_second_snapshot(ready: Site) -> None:
    ready.back_up()
    result = ready.back_up("2026-05-20T09:00:00Z")
    assert not result["changed"]
    assert only(result)["reason"] == "not_due"
    assert only(result)["status"] == "ok"
    assert len(ready.snapshots()) == 1


def test_the_next_day_makes_an_incremental_and_the_next_week_a_full_one(ready: Site) -> None:
    ready.back_up()
    ready.sets["pages"]["incremental_since"] = "2026-05-21T00:00:00Z"
    assert only(ready.back_up("2026-05-21T01:00:00Z"))["detail"]["backup"] == "incremental"
    ready.sets["pages"]["full_since"] = "2026-05-25T00:00:00Z"
    assert only(ready.back_up("2026-05-25T01:00:00Z"))["detail"]["backup"] == "full"
    assert [snapshot["tags"][2] for snapshot in ready.snapshots()] == ["kind=full", "kind=incremental", "kind=full"]


def test_on_change_makes_a_snapshot_only_of_a_change(ready: Site) -> None:
    ready.sets["pages"].update({"class": "config", "incremental": "change", "incremental_since": None})
    assert only(ready.back_up())["clauses"] == ["S6.1.1-3", "S6.1.2-3"]
    unchanged = only(ready.back_up("2026-05-20T02:00:00Z"))
    assert (unchanged["status"], unchanged["reason"]) == ("ok", "not_due")
    assert unchanged["detail"]["message"].startswith("Unchanged: snapshot")
    (ready.source / "a").chmod(0o600)
    assert only(ready.back_up("2026-05-20T03:00:00Z"))["detail"]["backup"] == "change"
    assert len(ready.snapshots()) == 2


def test_a_change_is_backed_up_even_if_the_host_forgot_its_manifest(ready: Site) -> None:
    ready.sets["pages"].update({"incremental": "change", "incremental_since": None})
    ready.back_up()
    for path in (ready.state / "backup" / "manifests").iterdir():
        path.unlink()
    assert only(ready.back_up("2026-05-20T02:00:00Z"))["detail"]["backup"] == "change"


def test_two_inventory_names_of_one_machine_keep_their_own_snapshots(ready: Site) -> None:
    ready.back_up()
    other = ready.answer(run, {"host_name": "web2"}, "2026-05-20T02:00:00Z", {})
    assert only(other)["detail"]["backup"] == "full"
    assert [snapshot["hostname"] for snapshot in ready.snapshots()] == ["web1", "web2"]


def test_odd_names_excludes_and_links_are_in_manifest_and_snapshot_alike(ready: Site) -> None:
    source = os.fsencode(ready.source)
    (ready.source / "*").mkdir()
    (ready.source / "*" / "out").write_text("x")
    (ready.source / "x" / "build").mkdir(parents=True)
    (ready.source / "x" / "build" / "out").write_text("x")
    (ready.source / "x" / "y.pyc").write_text("x")
    for name in ODD_NAMES:
        Path(os.fsdecode(source + b"/" + name)).write_text("odd")
    (ready.source / "link").symlink_to("a")
    os.link(ready.source / "a", ready.source / "hard link")
    os.mkfifo(ready.source / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(ready.source / "socket"))
        ready.sets["pages"]["exclude"] = [f"{ready.source}/*", "build", "*.pyc"]
        found = only(ready.back_up())
    assert found["status"] == "ok"
    assert found["detail"]["special"]["first"] == [f"{ready.source}/fifo", f"{ready.source}/socket"]
    restored = ready.base / "restored"
    ready.restic("restore", "latest", "--target", str(restored))
    inside = Path(f"{restored}{ready.source}")
    names = {os.fsencode(path.name) for path in inside.iterdir()} - {b"fifo", b"socket"}
    assert names == {*ODD_NAMES, b"a", b"b", b"c", b"link", b"hard link", b"x"}
    manifest = (ready.state / "backup" / "manifests" / "pages@web1.jsonl").read_text().splitlines()
    listed = {json.loads(line)["path"].encode("utf-8", "surrogateescape") for line in manifest}
    assert listed == {source} | {source + b"/" + name for name in names}
    assert list((inside / "x").iterdir()) == []


def test_the_manifest_is_in_the_snapshot_even_if_its_folder_is_excluded(ready: Site) -> None:
    ready.state = ready.source / "var" / "host"
    ready.sets["pages"]["exclude"] = [str(ready.source / "var")]
    assert only(ready.back_up())["detail"]["files"] == 3
    listed = ready.restic("ls", "latest").stdout.decode()
    assert f"{ready.state}/backup/manifests/pages@web1.jsonl\n" in listed
    assert only(ready.prove())["status"] == "ok"


def test_a_state_folder_inside_the_set_is_no_change_of_it(ready: Site) -> None:
    ready.state = ready.source / "host"
    ready.sets["pages"].update({"incremental": "change", "incremental_since": None})
    assert only(ready.back_up())["status"] == "ok"
    ready.back_up("2026-05-20T02:00:00Z")
    assert only(ready.back_up("2026-05-20T03:00:00Z"))["detail"]["backup"] == "none"


def test_a_file_that_moves_meanwhile_is_named_and_backed_up_next_time(ready: Site, tmp_path: Path) -> None:
    moving = ready.source / "b"
    wrapper = tmp_path / "restic"
    wrapper.write_text(f'#!/bin/sh\ncase "$*" in *backup*) echo more >> "{moving}";; esac\nexec "{RESTIC}" "$@"\n')
    wrapper.chmod(0o755)
    found = only(ready.back_up(tool_path=[str(tmp_path)]))
    assert (found["status"], found["reason"]) == ("warning", "changed_during_backup")
    assert found["detail"]["changed_during_backup"]["first"] == [str(moving)]
    assert only(ready.prove())["status"] == "ok"
    ready.sets["pages"].update({"incremental": "change", "incremental_since": None})
    assert only(ready.back_up("2026-05-20T02:00:00Z"))["detail"]["backup"] == "change"


def test_a_set_that_shrank_is_a_warning(ready: Site) -> None:
    ready.back_up()
    (ready.source / "a").unlink()
    ready.sets["pages"]["incremental_since"] = "2026-05-21T00:00:00Z"
    found = only(ready.back_up("2026-05-21T01:00:00Z"))
    assert (found["status"], found["reason"]) == ("warning", "size_drift")
    assert "only 2 files where there were 3" in found["detail"]["message"]


@pytest.mark.root
def test_an_ordinary_user_backs_up_what_it_may_read_names_the_rest_and_proves_it(ready: Site) -> None:
    for path in (ready.base, ready.repository, ready.source, *ready.repository.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    (ready.source / "b").chmod(0o600)
    os.setxattr(ready.source / "a", "user.note", b"x")
    before = set(tree(Path(os.environ.get("HOME", "/root")) / ".cache" / "restic"))

    def work() -> list[Any]:
        made, again = ready.back_up(), ready.back_up("2026-05-20T02:00:00Z")
        return [only(made), only(again), only(ready.prove())]

    made, again, proof = as_nobody(work)
    assert (made["status"], made["reason"]) == ("warning", "unreadable_files")
    (member,) = made["detail"]["members"]
    assert member.startswith("unreadable: ")
    assert made["detail"]["unreadable"] == {"count": 1, "first": [str(ready.source / "b")]}
    assert "1 could not be read" in made["detail"]["message"]
    assert (again["status"], again["reason"]) == ("warning", "unreadable_files")
    assert (again["detail"]["members"], again["detail"]["more_members"]) == ([member], 0)
    assert (proof["status"], proof["detail"]["files"]) == ("ok", 2)
    assert proof["detail"]["not_compared"] == {"owner": 2}
    assert set(tree(Path(os.environ.get("HOME", "/root")) / ".cache" / "restic")) == before


def test_check_mode_says_what_it_would_do_and_writes_nothing(site: Site) -> None:
    (site.source / "file").write_text("x")
    result = site.back_up(check_mode=True, diff=True)
    assert "Would make a snapshot (full) of 1 files" in only(result)["detail"]["message"]
    assert result["diff"][0]["prepared"] == f"+ {site.source}\n+ {site.source}/file\n"
    assert only(site.prove(check_mode=True))["status"] == "skipped"
    assert tree(site.base) == [str(site.source), str(site.source / "file")]


def test_check_mode_on_a_repository_leaves_it_as_it_is(ready: Site) -> None:
    ready.back_up()
    (ready.source / "new").write_text("x")
    ready.sets["pages"].update({"incremental": "change", "incremental_since": None})
    before = tree(ready.base)
    result = ready.back_up("2026-05-20T02:00:00Z", check_mode=True, diff=True)
    assert result["changed"]
    assert result["diff"][0]["prepared"] == f"+ {ready.source}/new\n"
    assert tree(ready.base) == before
