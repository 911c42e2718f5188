# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drill of a restore, with restic: each set whole in a sandbox, compared, asserted, measured, and gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs import proof_age
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.catalogue import catalogue
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.drill import run
from ansible_collections.egov.ops.plugins.module_utils.host.half import perform
from hypothesis import given
from hypothesis import strategies as st

from tests.support.backup_site import REPOSITORY, RESTIC, Site, only
from tests.support.restore_site import left_out

LATER = "2026-05-20T03:00:00Z"


def drilled(site: Site, now: str = LATER, context: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return only(site.answer(run, more, now, context or {}))


def left(site: Site) -> list[Path]:
    top = site.state / "backup" / "drill"
    return list(top.iterdir()) if top.exists() else []


def test_a_set_comes_back_whole_and_is_measured(saved: Site) -> None:
    found = drilled(saved)
    detail = found["detail"]
    assert (found["kind"], found["subject"], found["status"]) == ("drill", "pages", "ok"), detail
    assert (detail["files"], detail["repository"]) == (9, "local")
    assert detail["rpo_seconds"] == 2 * 3600
    assert 0 < detail["restore_seconds"] <= detail["rto_seconds"]
    assert detail["snapshot_id"] == saved.snapshots()[0]["id"]
    assert detail["differences"] == {"count": 0, "first": []}
    assert left(saved) == []


def test_check_mode_says_what_would_be_done_and_writes_nothing(saved: Site) -> None:
    before = sorted(saved.base.rglob("*"))
    found = drilled(saved, context={"check_mode": True})
    assert found["status"] == "skipped"
    assert sorted(saved.base.rglob("*")) == before


@pytest.fixture
def copied(ready: Site) -> Site:
    """Give a site whose set has a copy in a vault."""
    shutil.copytree(REPOSITORY, ready.base / "vault")
    ready.repositories["vault"] = {"location": str(ready.base / "vault")}
    ready.sets["pages"]["copies"] = ["vault"]
    ready.back_up()
    return ready


def test_the_first_copy_is_taken_then_the_set_s_own_repository_and_the_plan_s_choice_before_all(copied: Site) -> None:
    found = drilled(copied)
    assert (found["status"], found["detail"]["repository"]) == ("ok", "vault")
    assert found["detail"]["snapshot_id"] == copied.snapshots()[0]["id"]  # the original's, which gates know
    assert drilled(copied, copy="local")["detail"]["repository"] == "local"
    shutil.rmtree(copied.base / "vault")
    assert drilled(copied)["detail"]["repository"] == "local"
    found = drilled(copied, copy="vault")
    assert found["status"] == "failed"
    assert "There is no repository at vault" in found["detail"]["message"]


def test_a_damaged_pack_fails_the_drill_and_leaves_nothing(ready: Site) -> None:
    (ready.source / "large").write_bytes(os.urandom(2_000_000))
    ready.back_up()
    pack = max(ready.packs(), key=lambda path: path.stat().st_size)
    pack.chmod(0o600)
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.write_bytes(content)
    found = drilled(ready)
    assert (found["status"], found["reason"]) == ("failed", "mismatch")
    assert f"{ready.source}/large" in found["detail"]["message"]
    assert "ciphertext verification failed" in found["detail"]["message"]
    assert left(ready) == []


def test_each_assertion_is_told_by_its_name_in_the_command_s_own_words(ready: Site) -> None:
    ready.back_up()
    (ready.base / "beside").write_text("")
    asserted = {
        "there": {"set": "pages", "paths": [str(ready.source / "a"), str(ready.source)]},
        "whole": {"set": "pages", "command": ["grep", "-q", "content of b", "{sandbox}" + f"{ready.source}/b"]},
        "other": {"set": "another", "command": ["false"]},
        "dropped": {"set": "pages", "command": ["false"], "state": "absent"},
    }
    found = drilled(ready, assertions=asserted)
    assert found["status"] == "ok"
    assert [(entry["name"], entry["status"]) for entry in found["detail"]["assertions"]] == [
        ("there", "ok"),
        ("whole", "ok"),
    ]
    asserted["gone"] = {"set": "pages", "paths": ["/nonexistent"]}
    asserted["slow"] = {"set": "pages", "command": ["sleep", "30"], "timeout": 0.3}
    asserted["wrong"] = {"set": "pages", "command": ["grep", "x", "{sandbox}/nothing"]}
    found = drilled(ready, assertions=asserted)
    assert (found["status"], found["reason"]) == ("failed", "mismatch")
    for words in (
        "gone: /nonexistent is not in the set",
        "slow: sleep did not end in 0 s",
        "grep: ",
        "nothing: No such file",
    ):
        assert words in found["detail"]["message"]
    assert left(ready) == []


def test_an_empty_file_does_not_meet_an_assertion(ready: Site) -> None:
    (ready.source / "dump").write_text("")
    ready.back_up()
    found = drilled(ready, assertions={"dump": {"set": "pages", "paths": [str(ready.source / "dump")]}})
    assert f"dump: {ready.source}/dump is empty" in found["detail"]["message"]


def test_what_a_killed_drill_left_is_removed_with_the_restic_that_works_there(ready: Site) -> None:
    ready.back_up()
    old = ready.state / "backup" / "drill" / "gone@web9" / "tree"
    old.mkdir(parents=True)
    (old / "secret").write_text("left")
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", str(old)])
    arguments, until = Path(f"/proc/{worker.pid}/cmdline"), time.monotonic() + 10
    while os.fsencode(old) not in arguments.read_bytes():  # they come a moment after the start
        assert time.monotonic() < until
        time.sleep(0.01)
    assert drilled(ready)["status"] == "ok"
    assert left(ready) == []
    assert worker.wait(10) != 0


def test_a_drill_killed_in_the_middle_leaves_what_the_next_one_removes(ready: Site, tmp_path: Path) -> None:
    ready.back_up()
    slow = tmp_path / "restic"
    started = tmp_path / "started"
    slow.write_text(
        f'#!/bin/sh\ncase "$*" in *"restore --target"*) touch "{started}"; sleep 30;; esac\nexec "{RESTIC}" "$@"\n'
    )
    slow.chmod(0o755)
    child = os.fork()
    if child == 0:
        perform(run, ready.arguments(), ready.host(LATER, tool_path=[str(tmp_path)]))
        os._exit(0)
    until = time.monotonic() + 30
    # A tool that runs has let go of the lock; between fork and exec it still holds it.
    while not started.exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    assert len(left(ready)) == 1
    assert drilled(ready)["status"] == "ok"
    assert left(ready) == []


@pytest.mark.parametrize(("signature", "status"), [("{pid} run1", "skipped"), ("", "failed")])
def test_a_drill_gives_way_to_a_live_run_and_fails_before_another_holder(
    ready: Site, signature: str, status: str
) -> None:
    import fcntl

    ready.back_up()
    with (ready.state / "backup" / "locks" / "drill of pages@web1").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(signature.format(pid=os.getpid()))
        other.flush()
        found = drilled(ready)
    assert (found["status"], found["reason"]) == (status, "busy")
    assert f"(pid {os.getpid()}) on {os.uname()[1]}, " in found["detail"]["message"]


@pytest.mark.root
def test_too_little_space_is_told_before_anything_is_restored(ready: Site) -> None:
    (ready.source / "large").write_bytes(os.urandom(8_000_000))
    ready.back_up()
    point = ready.base / "disk"
    point.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(point)], check=False).returncode:
        pytest.skip("cannot mount a tmpfs here")
    try:
        found = drilled(ready, folder=str(point))
        assert found["status"] == "failed"
        assert "bytes free and the restore needs" in found["detail"]["message"]
        assert list((point / "drill").iterdir()) == []
    finally:
        subprocess.run(["umount", str(point)], check=True)


def test_a_file_that_changed_during_the_backup_is_counted_and_no_difference(ready: Site) -> None:
    ready.back_up()
    manifest = ready.state / "backup" / "manifests" / "pages@web1.jsonl"
    line = next(line for line in manifest.read_text().splitlines() if '"path":"' + str(ready.source / "b") in line)
    digest = line.partition('"sha256":"')[2][:64]
    manifest.write_text(manifest.read_text().replace(digest, "0" * 64))
    ready.restic(
        *("backup", "--host", "web1", "--time", "2026-05-20 01:30:00", "--tag", "egov-ops,set=pages,kind=full"),
        *(str(ready.source), str(manifest)),
    )
    assert drilled(ready)["status"] == "failed"
    told = {"pages": {"snapshot": ready.snapshots()[-1]["id"][:8], "paths": [str(ready.source / "b")]}}
    found = drilled(ready, moved=told)
    assert found["status"] == "ok"
    assert left_out(found) == {"changed during the backup": 1}


@pytest.mark.long
def test_a_set_of_a_gigabyte_and_a_half_is_drilled_in_thirty_seconds(ready: Site) -> None:
    for number in range(150):
        (ready.source / f"file{number}").write_bytes(os.urandom(10_000_000))
    ready.back_up(timeout=600)
    found = drilled(ready, context={"timeout": 600})
    print(found["detail"])
    assert found["status"] == "ok"
    assert found["detail"]["rto_seconds"] <= 30


DAY = 86400.0


def test_the_catalogue_judges_a_set_by_the_age_of_its_proof(copied: Site) -> None:
    def status(now: str, **more: Any) -> tuple[str, str]:
        result = copied.answer(catalogue, {"unproved": [7 * DAY, 30 * DAY], **more}, now, {})
        (found,) = [record for record in result["evidence"] if record["kind"] == "copies"]
        return found["status"], found["detail"]["message"]

    assert "no restore has proved it" not in status(LATER)[1]
    assert status("2026-05-28T03:00:00Z")[0] == "warning"
    assert status("2026-06-20T03:00:00Z")[0] == "critical"
    assert "no restore has proved it for 31 days" in status("2026-06-20T03:00:00Z")[1]
    proofs = {"pages": {"snapshot": "x", "time": "2026-06-19T00:00:00Z"}}
    assert status("2026-06-20T03:00:00Z", proofs=proofs)[0] == "warning"  # of its copies alone


@pytest.mark.parametrize(
    ("proved", "oldest", "status"),
    [
        ("2026-05-19T00:00:00Z", "2020-01-01T00:00:00Z", ""),
        ("2026-05-10T00:00:00Z", "2020-01-01T00:00:00Z", "warning"),
        ("2026-04-01T00:00:00Z", "2020-01-01T00:00:00Z", "critical"),
        ("", "2026-05-19T00:00:00Z", ""),
        ("", "2026-05-01T00:00:00Z", "warning"),
        ("", "2026-01-01T00:00:00Z", "critical"),
        ("", "", ""),
    ],
)
def test_a_set_without_a_proof_turns_warning_and_then_critical(proved: str, oldest: str, status: str) -> None:
    assert proof_age.severity(proved, oldest, "2026-05-20T00:00:00Z", [7 * DAY, 30 * DAY])[0] == status


@given(first=st.integers(0, 10**9), second=st.integers(0, 10**9), warning=st.floats(1, 1e8), more=st.floats(0, 1e8))
def test_a_set_that_is_longer_unproved_is_never_told_to_be_better(
    first: int, second: int, warning: float, more: float
) -> None:
    grades = ["", "warning", "critical"]
    times = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(10**9 - age)) for age in sorted((first, second))]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(10**9))
    found = [grades.index(proof_age.severity(text, "", now, [warning, warning + more])[0]) for text in times]
    assert found == sorted(found)
