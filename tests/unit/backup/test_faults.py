# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups that cannot go well: each is an observation with one clear sentence, never a green tick."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup import run as module
from ansible_collections.egov.ops.plugins.module_utils.backup.run import run
from ansible_collections.egov.ops.plugins.module_utils.host.half import perform

from tests.support.backup_site import NOBODY, PASSWORD, RESTIC, Site, as_nobody, only

pytestmark = pytest.mark.slow


def failure(result: dict[str, Any]) -> str:
    """Return the sentence of a failed set."""
    found = only(result)
    assert found["status"] == "failed", found
    assert not result["changed"]
    return str(found["detail"]["message"])


def test_a_set_whose_files_are_all_excluded_fails(ready: Site) -> None:
    ready.sets["pages"]["exclude"] = ["?"]
    assert "holds no file that the set could back up" in failure(ready.back_up())
    assert ready.snapshots() == []


def test_an_empty_folder_beside_a_full_one_fails(ready: Site) -> None:
    (ready.base / "unmounted").mkdir()
    ready.sets["pages"]["paths"].append(str(ready.base / "unmounted"))
    assert f"{ready.base}/unmounted holds no file" in failure(ready.back_up())


def test_one_of_two_paths_missing_fails_even_when_nothing_is_due(ready: Site) -> None:
    ready.back_up()
    ready.sets["pages"]["paths"].append("/nonexistent")
    assert "/nonexistent of the set cannot be backed up" in failure(ready.back_up("2026-05-20T02:00:00Z"))


def test_one_bad_set_does_not_stop_the_others(ready: Site) -> None:
    ready.sets["absent"] = {**ready.sets["pages"], "paths": ["/nonexistent"]}
    result = ready.back_up()
    assert {found["subject"]: found["status"] for found in result["evidence"]} == {"absent": "failed", "pages": "ok"}
    assert result["summary"] == {"failed": 1, "ok": 1}


def test_a_repository_inside_its_own_source_fails_unless_excluded(site: Site) -> None:
    (site.source / "file").write_text("x")
    site.repositories["local"]["location"] = str(site.source / "backups")
    assert f"exclude {site.source}/backups" in failure(site.back_up(check_mode=True))
    site.sets["pages"]["exclude"] = ["backups"]
    assert only(site.back_up())["status"] == "ok"


def test_a_wrong_password_is_one_sentence_without_the_password(ready: Site) -> None:
    result = ready.answer(run, {}, "2026-05-20T01:00:00Z", {"password": "wrong-and-secret"})
    assert "The password of repository local" in failure(result)
    assert only(result)["reason"] == "not_ours"
    assert "wrong-and-secret" not in str(result)


def test_without_a_password_nothing_is_tried(ready: Site) -> None:
    result = ready.answer(run, {}, "2026-05-20T01:00:00Z", {"password": ""})
    assert "has no password" in failure(result)


def test_a_folder_with_other_files_is_no_repository(site: Site) -> None:
    (site.source / "file").write_text("x")
    site.repository.mkdir()
    (site.repository / "thesis.doc").write_text("precious")
    result = site.back_up()
    assert "holds other files and no repository" in failure(result)
    assert [path.name for path in site.repository.iterdir()] == ["thesis.doc"]


def test_a_missing_repository_is_not_made_without_being_asked(site: Site) -> None:
    (site.source / "file").write_text("x")
    site.repositories["local"]["create"] = False
    assert "let it be made with create: true" in failure(site.back_up())
    assert not site.repository.exists()


def test_a_missing_repository_is_not_made_anew_if_the_ledger_knows_it(site: Site) -> None:
    (site.source / "file").write_text("x")
    site.sets["pages"]["known"] = True
    assert "held snapshots of this host before" in failure(site.back_up())
    assert not site.repository.exists()


def test_a_missing_repository_is_not_made_anew_if_the_host_knows_it(ready: Site) -> None:
    ready.back_up()
    shutil.rmtree(ready.repository)
    assert "bring it back" in failure(ready.back_up("2026-05-20T02:00:00Z"))
    assert not ready.repository.exists()


def test_a_set_that_moves_to_a_new_repository_begins_there_with_a_full_one(ready: Site) -> None:
    ready.back_up()
    ready.repositories["local"]["location"] = str(ready.base / "elsewhere")
    assert only(ready.back_up("2026-05-20T02:00:00Z"))["detail"]["backup"] == "full"


def test_an_unknown_repository_and_engine_are_named(ready: Site) -> None:
    ready.sets["pages"]["repository"] = "tape"
    assert "Repository tape is not in the plan" in failure(ready.back_up())
    ready.repositories["tape"] = {**ready.repositories["local"], "engine": "floppy"}
    assert "Engine floppy of repository tape is none of restic" in failure(ready.back_up())


def test_without_restic_the_sentence_says_how_to_install_it(ready: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.egov.ops.plugins.module_utils.host.run.PATH", "/nonexistent")
    assert "apt-get install restic" in failure(ready.back_up(tool_path=[]))


def test_a_snapshot_of_the_future_does_not_keep_a_set_from_being_due(ready: Site) -> None:
    ready.back_up("2026-06-30T00:00:00Z")
    assert only(ready.back_up())["detail"]["backup"] == "full"


def test_a_set_that_another_run_holds_is_skipped_as_busy(ready: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.3)
    lock = ready.state / "backup" / "locks" / "pages@web1"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        found = only(ready.back_up())
    assert (found["status"], found["reason"]) == ("skipped", "busy")
    assert only(ready.back_up())["status"] == "ok"


def test_restic_killed_in_the_middle_is_reported_and_the_next_run_works(ready: Site, tmp_path: Path) -> None:
    ready.sets["pages"].update({"incremental": "change", "incremental_since": None})
    ready.back_up()
    (ready.source / "large").write_bytes(os.urandom(32 * 1024 * 1024))
    wrapper = tmp_path / "restic"
    wrapper.write_text(
        '#!/bin/sh\ncase "$*" in *backup*) (sleep 0.6; kill -9 $$) & ;; esac\n'
        f'exec "{RESTIC}" --limit-upload 4096 "$@"\n'
    )
    wrapper.chmod(0o755)
    found = only(ready.back_up("2026-05-20T02:00:00Z", tool_path=[str(tmp_path)]))
    assert found["status"] == "failed"
    assert "restic could not back up set pages" in found["detail"]["message"]
    again = only(ready.back_up("2026-05-20T03:00:00Z"))
    assert (again["status"], again["detail"]["backup"]) == ("ok", "change")
    assert only(ready.prove())["status"] == "ok"


def test_the_deadline_ends_restic(ready: Site, tmp_path: Path) -> None:
    wrapper = tmp_path / "restic"
    wrapper.write_text("#!/bin/sh\nsleep 30\n")
    wrapper.chmod(0o755)
    found = only(ready.back_up(tool_path=[str(tmp_path)], timeout=0.5))
    assert (found["status"], found["reason"]) == ("failed", "timeout")


@pytest.fixture
def small_disk(site: Site) -> Iterator[Path]:
    point = site.base / "disk"
    point.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(point)], check=False).returncode:
        pytest.skip("cannot mount a tmpfs here")
    yield point
    subprocess.run(["umount", str(point)], check=True)


@pytest.mark.root
def test_a_full_disk_of_the_repository_is_told_in_the_tool_s_words(ready: Site, small_disk: Path) -> None:
    ready.repository.rename(ready.base / "unused")
    shutil.copytree(ready.base / "unused", small_disk / "repository")
    ready.repositories["local"]["location"] = str(small_disk / "repository")
    (ready.source / "large").write_bytes(os.urandom(8 * 1024 * 1024))
    result = ready.answer(run, {}, "2026-05-20T01:00:00Z", {"timeout": 30})
    assert "no space left on device" in failure(result)
    (ready.source / "large").unlink()
    for path in (small_disk / "repository" / "data").rglob("*"):
        if path.is_file():
            path.unlink()
    assert only(ready.back_up("2026-05-20T02:00:00Z"))["status"] == "ok"


@pytest.mark.root
def test_a_state_folder_that_cannot_be_written_is_one_sentence(ready: Site) -> None:
    said = as_nobody(lambda: perform(run, ready.arguments(), ready.host()))
    assert said["failed"]
    assert said["reason"] == "permission"
    assert "egov_ops_host_state_dir" in said["msg"]


@pytest.mark.root
def test_a_repository_that_the_user_may_not_open_is_one_sentence(ready: Site) -> None:
    ready.state.mkdir()
    os.chown(ready.state, NOBODY, NOBODY)
    found = as_nobody(lambda: only(ready.back_up()))
    assert (found["status"], found["reason"]) == ("failed", "permission")
    assert "is not open to the user" in found["detail"]["message"]


def test_a_name_that_could_leave_the_state_folder_is_refused(ready: Site) -> None:
    ready.sets["../pages"] = ready.sets.pop("pages")
    result = perform(run, ready.arguments(), ready.host())
    assert "cannot be used for a backup" in result["msg"]


def test_the_password_reaches_restic_by_its_standard_input_alone(ready: Site, tmp_path: Path) -> None:
    wrapper, seen = tmp_path / "restic", tmp_path / "seen"
    wrapper.write_text(f'#!/bin/sh\n(env; echo "$@") >> {seen}\nexec "{RESTIC}" "$@"\n')
    wrapper.chmod(0o755)
    result = ready.back_up(tool_path=[str(tmp_path)])
    assert only(result)["status"] == "ok"
    assert PASSWORD not in seen.read_text() + str(result)
    for path in (ready.state).rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()


def test_credentials_of_a_location_are_not_shown(ready: Site) -> None:
    ready.repositories["local"] = {"location": "rest:http://user:hidden@127.0.0.1:9/repository", "create": False}
    result = ready.answer(run, {}, "2026-05-20T01:00:00Z", {"timeout": 3})
    assert only(result)["status"] == "failed"
    assert "hidden" not in str(result)
