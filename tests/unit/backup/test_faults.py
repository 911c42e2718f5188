# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups that cannot go well: each is an observation with one clear sentence, never a green tick."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup import run as module
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.catalogue import catalogue
from ansible_collections.egov.ops.plugins.module_utils.backup.run import run
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import Memory, hold
from ansible_collections.egov.ops.plugins.module_utils.host.half import perform

from tests.support.backup_site import NOBODY, NOW, PASSWORD, RESTIC, Site, as_nobody, only

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


def test_a_set_that_a_live_run_of_ours_holds_is_skipped_as_busy(ready: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.3)
    memory = Memory("pages", "web1", ready.host())
    assert memory.lock(1)
    found = only(ready.back_up())
    memory.unlock()
    assert (found["status"], found["reason"]) == ("skipped", "busy")
    assert "run test-run is at work on it (" in found["detail"]["message"]
    assert f"(pid {os.getpid()}) on {os.uname()[1]}, " in found["detail"]["message"]
    assert only(ready.back_up())["status"] == "ok"


@pytest.mark.parametrize("signature", ["", "4194304 run1", "{pid} run1", "damaged"])
def test_a_set_that_something_else_holds_fails_and_names_it(
    ready: Site, monkeypatch: pytest.MonkeyPatch, signature: str
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.3)
    lock = ready.state / "backup" / "locks" / "pages@web1"
    lock.parent.mkdir(parents=True)
    lock.write_text(signature.format(pid=os.getpid()))
    # A tool that outlives its run holds the lock like this too.
    with subprocess.Popen(["flock", "-F", str(lock), "sleep", "60"]) as other:
        try:
            wait_for(lambda: b"sleep" in Path(f"/proc/{other.pid}/comm").read_bytes())
            found = only(ready.back_up())
        finally:
            other.kill()
    assert (found["status"], found["reason"]) == ("failed", "busy")
    assert f"held by sleep (pid {other.pid}) on {os.uname()[1]}, " in found["detail"]["message"]
    assert " s old, which is no live run of egov.ops" in found["detail"]["message"]
    assert only(ready.back_up())["status"] == "ok"


def wait_for(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.02)


@contextmanager
def exclusively_locked(site: Site, *prefix: str) -> Iterator[int]:
    """Hold the exclusive lock of a site's repository with a restic that waits for its index; yield its pid."""
    site.back_up()
    site.sets["pages"]["incremental_since"] = "2026-05-21T00:00:00Z"
    password, index = site.base / "password", site.repository / "index" / ("0" * 64)
    password.write_text(PASSWORD)
    os.mkfifo(index)
    words = [RESTIC, "--no-cache", "--repo", str(site.repository), "--password-file", str(password), "check"]
    with subprocess.Popen([*prefix, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        writers: list[int] = []
        try:
            wait_for(lambda: opened(index, writers))
            index.unlink()  # others do not wait for it
            yield other.pid
        finally:
            other.kill()
            for writer in writers:
                os.close(writer)


def opened(pipe: Path, writers: list[int]) -> bool:
    """Add the open end of a pipe for writing, as soon as somebody reads from it."""
    with suppress(OSError):
        writers.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    return bool(writers)


ELSEWHERE = ("unshare", "--uts", "sh", "-c", 'echo elsewhere > /proc/sys/kernel/hostname && exec "$@"', "sh")


@pytest.mark.parametrize(
    ("host", "prefix"),
    [(os.uname()[1], ()), pytest.param("elsewhere", ELSEWHERE, marks=pytest.mark.root)],
    ids=["here", "elsewhere"],
)
def test_a_repository_that_somebody_else_locks_fails_its_sets_run_after_run(
    ready: Site, host: str, prefix: tuple[str, ...]
) -> None:
    # Runs in processes of their own: none of them has started the restic that holds the lock.
    with exclusively_locked(ready, *prefix) as pid, ProcessPoolExecutor(1) as runs:
        for _run in range(2):
            found = only(runs.submit(ready.back_up, "2026-05-21T01:00:00Z").result())
            assert (found["status"], found["reason"]) == ("failed", "busy")
            assert f"exclusive lock of process {pid} on {host}, " in found["detail"]["message"]
            assert " s old" in found["detail"]["message"]
        listed = {one["kind"]: one for one in runs.submit(ready.answer, catalogue, {}, NOW, {}).result()["evidence"]}
        assert (listed["copies"]["status"], listed["copies"]["reason"]) == ("failed", "busy")
        assert f"exclusive lock of process {pid} on {host}, " in listed["lock"]["detail"]["locks"][0]
    assert len(list((ready.repository / "snapshots").iterdir())) == 1
    # Only of its own host a run knows that the holder is gone.
    after = only(ready.back_up("2026-05-21T01:00:00Z"))
    assert after["status"] == ("failed" if prefix else "ok")


def test_a_repository_that_a_live_run_of_ours_locks_is_busy(ready: Site) -> None:
    ready.back_up()
    descriptor = hold(ready.host(), "prune of local", 0)
    with exclusively_locked(ready):
        found = only(ready.back_up("2026-05-21T01:00:00Z"))
    os.close(descriptor)
    assert (found["status"], found["reason"]) == ("skipped", "busy")
    assert "Another run of this host is at work in repository local" in found["detail"]["message"]
    assert only(ready.back_up("2026-05-21T01:00:00Z"))["status"] == "ok"


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
