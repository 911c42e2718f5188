# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A set that is read from a snapshot of its btrfs: all of one moment, nothing hidden, nothing left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots.btrfs import Btrfs
from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots.mount_namespace import Namespace
from ansible_collections.egov.ops.plugins.module_utils.backup.run import run
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError, perform

from tests.support.backup_site import RESTIC, Site, as_nobody, only
from tests.support.restore_site import trip

pytestmark = [
    pytest.mark.root,
    pytest.mark.programs("restic", "sh", "btrfs", "mkfs.btrfs", "fsfreeze", "nsenter"),
    pytest.mark.slow,
]

BTRFS = shutil.which("btrfs") or ""


def call(*words: str | Path) -> str:
    """Run a tool, which must do it, and return what it says."""
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def frozen(ready: Site) -> Iterator[Site]:
    """Give a site whose set is read from a snapshot: a subvolume of a btrfs, with three files."""
    image, top = ready.base / "image", ready.base / "top"
    with image.open("wb") as file:
        file.truncate(128 << 20)
    top.mkdir()
    call("mkfs.btrfs", "-q", image)
    call("mount", "-o", "loop", image, top)
    try:
        call("btrfs", "subvolume", "create", top / "data")
        for name in ("a", "b", "c"):
            (top / "data" / name).write_text(f"content of {name}\n")
        for when in ("pre", "post"):
            ready.sets["pages"][when] = ["sh", "-c", f"echo {when} >>{ready.base}/log"]
        ready.sets["pages"].update(paths=[str(top / "data")], hook_timeout=5, snapshot=True)
        ready.source = top / "data"
        yield ready
    finally:
        subprocess.run(["umount", "--recursive", "--lazy", top], check=True)


def tool(site: Site, name: str, script: str) -> dict[str, Any]:
    """Let a script stand before a tool of the host; return what a run has to be given so."""
    path = site.base / "tools" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"tool_path": [str(path.parent), str(Path(RESTIC).parent)]}


def left(site: Site) -> list[str]:
    """Return what is there of snapshots: names in the top of the file system, journals, and mounts of ours."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    found = [path.name for path in (site.base / "top").iterdir() if path.name.startswith(".egov-ops")]
    found += [path.name for path in (site.state / "backup").glob("frozen/*")]
    return found + [line for line in mounts if f"{site.state}/" in line]


def content(site: Site, name: str, snapshot: str = "latest") -> str:
    """Return what a snapshot of the repository holds of a file of the set."""
    return site.restic("dump", snapshot, str(site.source / name)).stdout.partition(b"\n")[2].decode()


def test_what_is_written_while_the_set_is_read_is_not_in_its_backup(frozen: Site) -> None:
    """Files are written anew before restic reads them; both are of the moment between the two hooks."""
    with subprocess.Popen(["sleep", "60"]) as outside:  # where the snapshot is not seen
        writes = f"cd {frozen.source}; for f in a b c; do echo later >$f; done"
        writes = f"nsenter --target {outside.pid} --mount sh -c '{writes}'"
        context = tool(frozen, "restic", f'case "$*" in *--tag*--time*) {writes};; esac\nexec "{RESTIC}" "$@"')
        frozen.sets["pages"]["pre"] = ["sh", "-c", f"cd {frozen.source}; for f in a b c; do echo dumped >$f; done"]
        found = only(frozen.back_up(**context))
        outside.kill()
    assert (found["status"], found["detail"]["files"]) == ("ok", 3), found
    assert [(frozen.source / name).read_text() for name in "abc"] == ["later\n"] * 3
    assert [content(frozen, name) for name in "abc"] == ["dumped\n"] * 3
    assert only(frozen.prove(files=10, max_bytes=10000))["status"] == "ok"
    assert left(frozen) == []
    again = only(frozen.back_up("2026-05-21T01:00:00Z"))
    assert again["detail"]["message"].startswith("Nothing is due")


@pytest.mark.parametrize("version", ["3.6", pytest.param("3.13", marks=pytest.mark.long)])
def test_it_is_read_from_a_snapshot_on_each_python(
    frozen: Site, interpreter: Callable[[str], str], version: str
) -> None:
    frozen.sets["pages"]["post"] = ["sh", "-c", f"cd {frozen.source}; for f in a b c; do echo later >$f; done"]
    given = frozen.arguments(copy_seconds=60.0, job="")
    made = trip(frozen, interpreter(version), ("backup.run", "backup"), given)
    assert made["evidence"][0]["status"] == "ok", made
    assert made["python"].startswith(f"{version}.")
    assert [content(frozen, name) for name in "abc"] == [f"content of {name}\n" for name in "abc"]
    assert left(frozen) == []


def test_a_restore_of_it_needs_no_snapshot(frozen: Site) -> None:
    frozen.back_up()
    restored = frozen.base / "restored"
    frozen.restic("restore", "latest", "--target", str(restored), "--include", str(frozen.source))
    call("diff", "-r", frozen.source, f"{restored}{frozen.source}")


def test_the_second_hook_runs_when_the_snapshot_stands_and_the_record_tells_how_long_it_took(frozen: Site) -> None:
    context = tool(
        frozen,
        "restic",
        f'case "$*" in *--tag*--time*) cp {frozen.base}/log {frozen.base}/then; esac\nexec "{RESTIC}" "$@"',
    )
    found = only(frozen.back_up(**context))
    assert (frozen.base / "then").read_text().split() == ["pre", "post"]
    told = found["detail"]["file_system_snapshot"]
    assert told["kinds"] == ["btrfs"]
    assert told["of"][0].startswith("/data of /dev/loop")
    assert 0 < told["freeze_seconds"] < 2


def test_what_has_changed_since_the_snapshot_is_in_the_next_backup(frozen: Site) -> None:
    frozen.sets["pages"].update(incremental="change", incremental_since=None)
    frozen.back_up()
    unchanged = only(frozen.back_up("2026-05-20T02:00:00Z"))
    assert unchanged["detail"]["unchanged"] is True
    assert unchanged["detail"]["file_system_snapshot"]["kinds"] == ["btrfs"]
    (frozen.source / "a").write_text("another a\n")
    assert only(frozen.back_up("2026-05-20T03:00:00Z"))["detail"]["backup"] == "change"
    assert content(frozen, "a") == "another a\n"


def test_roots_in_two_subvolumes_and_the_top_itself_are_read_together(frozen: Site) -> None:
    top = frozen.base / "top"
    call("btrfs", "subvolume", "create", top / "more")
    (top / "more/folder").mkdir()
    (top / "more/folder/d").write_text("content of d\n")
    (top / "more/e").write_text("content of e\n")
    frozen.sets["pages"]["paths"] = [str(top / "data"), str(top / "more/folder"), str(top / "more/e")]
    found = only(frozen.back_up())
    assert (found["status"], found["detail"]["files"]) == ("ok", 5), found
    frozen.sets["top"] = dict(frozen.sets["pages"], paths=[str(top)], exclude=[str(top / "data"), str(top / "more")])
    (top / "f").write_text("content of f\n")
    records = {record["subject"]: record for record in frozen.back_up()["evidence"]}
    assert (records["top"]["status"], records["top"]["detail"]["files"]) == ("ok", 1), records["top"]
    listed = frozen.restic("ls", records["top"]["detail"]["snapshot"]).stdout.decode()
    assert f"{top}/f" in listed.splitlines()
    assert ".egov-ops" not in listed
    assert left(frozen) == []


def test_a_subvolume_that_is_mounted_elsewhere_is_found_by_its_own_path(frozen: Site) -> None:
    place = frozen.base / "place"
    place.mkdir()
    device = call("findmnt", "-n", "-o", "SOURCE", frozen.base / "top").strip()
    call("mount", "-o", "subvol=data", device, place)
    try:
        frozen.sets["pages"]["paths"] = [str(place)]
        found = only(frozen.back_up())
        assert (found["status"], found["detail"]["files"]) == ("ok", 3), found
    finally:
        call("umount", place)


def test_a_subvolume_within_the_set_is_refused_until_it_is_excluded(frozen: Site) -> None:
    (frozen.source / "folder").mkdir()
    nested = frozen.source / "folder/nested"
    call("btrfs", "subvolume", "create", nested)
    (nested / "d").write_text("content of d\n")
    for check_mode in (True, False):
        found = only(frozen.back_up(check_mode=check_mode))
        assert (found["status"], found["reason"]) == ("failed", "refused")
        assert f"holds subvolumes of their own ({nested})" in found["detail"]["message"]
    assert not (frozen.base / "log").exists()
    frozen.sets["pages"]["exclude"] = [str(nested)]
    assert only(frozen.back_up())["detail"]["files"] == 3


def test_a_subvolume_that_appears_while_the_set_is_frozen_is_not_lost(frozen: Site) -> None:
    frozen.sets["pages"]["pre"] = ["btrfs", "subvolume", "create", str(frozen.source / "nested")]
    found = only(frozen.back_up())
    assert "holds subvolumes of their own" in found["detail"]["message"]
    assert (frozen.base / "log").read_text().split() == ["post"]
    assert left(frozen) == []


def test_what_is_mounted_within_the_set_is_read_as_it_is_and_named(frozen: Site) -> None:
    point = frozen.source / "mounted"
    point.mkdir()
    call("mount", "-t", "tmpfs", "none", point)
    try:
        (point / "d").write_text("content of d\n")
        found = only(frozen.back_up())
    finally:
        call("umount", point)
    assert found["detail"]["files"] == 4, found
    assert found["detail"]["file_system_snapshot"]["read_live"] == {"count": 1, "first": [str(point)]}
    assert f"read live: {point}" in found["detail"]["message"]
    assert content(frozen, "mounted/d") == "content of d\n"


@pytest.mark.parametrize("what", ["repository", "state"])
def test_what_is_written_during_a_backup_may_not_lie_within_it(frozen: Site, what: str) -> None:
    place = frozen.source / what
    if what == "state":
        frozen.state = place
    else:
        frozen.repository = place
        frozen.repositories["local"]["location"] = str(place)
        frozen.sets["pages"]["exclude"] = [str(place)]
    found = only(frozen.back_up())
    assert (found["status"], found["reason"]) == ("failed", "refused")
    assert f"({place}) lies below {frozen.source}" in found["detail"]["message"]


def test_a_file_system_that_gives_no_snapshot_fails_the_set_in_one_sentence(frozen: Site) -> None:
    plain = frozen.base / "plain"
    plain.mkdir()
    (plain / "a").write_text("content of a\n")
    frozen.sets["pages"]["paths"] = [str(plain)]
    kind = call("findmnt", "-n", "-o", "FSTYPE", "--target", plain).strip()
    for check_mode in (True, False):
        found = only(frozen.back_up(check_mode=check_mode))
        assert (found["status"], found["reason"]) == ("failed", "not_supported")
        message = found["detail"]["message"]
        assert message.startswith(f"No snapshot can be taken of {plain}: its file system is {kind} on ")
        assert "allowed are btrfs, or ext2, ext3, ext4, xfs directly on a logical volume of LVM" in message
    assert not (frozen.base / "log").exists()


def test_a_tool_that_fails_speaks_for_itself_and_the_set_is_let_go(frozen: Site) -> None:
    context = tool(frozen, "btrfs", f'case "$*" in *snapshot*) echo "No space left" >&2; exit 1;; esac; {BTRFS} "$@"')
    found = only(frozen.back_up(**context))
    assert found["detail"]["message"] == "btrfs could not take a snapshot of /data: No space left."
    assert (frozen.base / "log").read_text().split() == ["pre", "post"]
    assert left(frozen) == []
    assert frozen.snapshots() == []


def test_a_file_system_that_a_hook_has_frozen_is_let_go_in_time(frozen: Site) -> None:
    """btrfs waits for it, and cannot even be killed before the second hook has run."""
    for when, option in (("pre", "--freeze"), ("post", "--unfreeze")):
        frozen.sets["pages"][when] = ["fsfreeze", option, str(frozen.base / "top")]
    frozen.sets["pages"]["hook_timeout"] = 1
    found = only(frozen.back_up())
    assert (found["status"], found["reason"]) == ("failed", "timeout")
    assert "btrfs could not take a snapshot of /data: btrfs did not end in time" in found["detail"]["message"]
    (frozen.source / "d").write_text("content of d\n")
    for when in ("pre", "post"):
        del frozen.sets["pages"][when]
    assert only(frozen.back_up("2026-05-20T02:00:00Z"))["detail"]["files"] == 4
    assert left(frozen) == []


def test_a_missing_tool_is_named_with_its_package(frozen: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Btrfs, "TOOLS", {"btrfs-of-nobody": "btrfs-progs"})
    found = only(frozen.back_up())
    assert (found["status"], found["reason"]) == ("failed", "not_supported")
    assert "btrfs-of-nobody is not installed; install btrfs-progs, or set snapshot: false" in found["detail"]["message"]
    assert not (frozen.base / "log").exists()


def test_who_may_not_mount_is_told_so_before_anything_is_frozen(frozen: Site) -> None:
    frozen.repository.chmod(0o755)
    frozen.state.mkdir(mode=0o777)
    frozen.state.chmod(0o777)
    call("chown", "-R", "nobody", frozen.repository)
    found = only(as_nobody(frozen.back_up))
    assert (found["status"], found["reason"]) == ("failed", "permission")
    assert "by root alone" in found["detail"]["message"]
    assert not (frozen.base / "log").exists()

    def refused() -> str:
        with pytest.raises(HalfError, match="does not let us mount") as error:
            Namespace()
        return error.value.reason

    assert as_nobody(refused) == "permission"


def test_a_full_file_system_fails_the_set_or_gives_a_snapshot_and_keeps_nothing(frozen: Site) -> None:
    with pytest.raises(OSError, match="No space left"):
        (frozen.source / "ballast").write_bytes(os.urandom(130 << 20))
    found = only(frozen.back_up())
    assert found["status"] == "ok" or "No space left" in found["detail"]["message"], found
    assert (frozen.base / "log").read_text().split() == ["pre", "post"]
    assert left(frozen) == []


def test_a_snapshot_that_cannot_be_removed_is_a_warning_and_goes_with_the_next_run(frozen: Site) -> None:
    context = tool(frozen, "btrfs", f'case "$*" in *delete*) echo "Busy" >&2; exit 1;; esac; {BTRFS} "$@"')
    found = only(frozen.back_up(**context))
    assert (found["status"], found["reason"]) == ("warning", "error")
    assert "A snapshot of the file system stays: btrfs could not remove a snapshot" in found["detail"]["message"]
    assert len(left(frozen)) == 2
    again = only(frozen.back_up("2026-05-20T02:00:00Z", **context))
    assert again["status"] == "warning"
    assert "of set pages stays: btrfs could not remove" in again["detail"]["message"]
    frozen.back_up("2026-05-20T03:00:00Z")
    assert left(frozen) == []


@pytest.mark.parametrize("stays", [False, True], ids=["removed", "append-only"])
def test_a_backup_of_a_snapshot_that_was_spoiled_does_not_count(
    frozen: Site, monkeypatch: pytest.MonkeyPatch, stays: bool
) -> None:
    """As a thick snapshot of LVM that overflows while restic reads it; btrfs itself has no such thing."""
    with monkeypatch.context() as patch:
        patch.setattr(Btrfs, "spoiled", lambda _volume: "It overflowed." if frozen.snapshots() else "")
        forget = 'case "$*" in *forget*) echo "only appending" >&2; exit 1;; esac' if stays else ":"
        found = only(frozen.back_up(**tool(frozen, "restic", f'{forget}\nexec "{RESTIC}" "$@"')))
    assert (found["status"], found["detail"]["message"]) == ("failed", "It overflowed.")
    assert len(frozen.snapshots()) == int(stays)
    assert left(frozen) == []
    again = only(frozen.back_up("2026-05-20T02:00:00Z"))
    assert (again["status"], again["detail"]["backup"]) == ("ok", "full")
    assert only(frozen.back_up("2026-05-20T03:00:00Z"))["detail"]["backup"] == "none"


def test_in_check_mode_no_snapshot_is_taken(frozen: Site) -> None:
    context = tool(frozen, "btrfs", f'echo "$*" >>{frozen.base}/calls; exec "{BTRFS}" "$@"')
    found = only(frozen.back_up(check_mode=True, **context))
    assert found["detail"]["message"].startswith("Would make a snapshot (full) of 3 files")
    assert (frozen.base / "calls").read_text() == f"subvolume list -o {frozen.source}\n"
    assert not (frozen.base / "log").exists()


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("btrfs", "*snapshot*"),
        ("restic", "*--tag*--time*"),
        ("btrfs", "*delete*"),
    ],
    ids=["snapshot", "read", "delete"],
)
@pytest.mark.parametrize("moment", ["before", pytest.param("after", marks=pytest.mark.long)])
def test_a_run_that_is_killed_leaves_nothing_to_the_next(frozen: Site, name: str, where: str, moment: str) -> None:
    real = {"btrfs": BTRFS, "restic": RESTIC}[name]
    die = "kill -9 $PPID; sleep 0.2"
    steps = f'{die}; {real} "$@"' if moment == "before" else f'{real} "$@"; {die}'
    context = tool(frozen, name, f'case "$*" in {where}) {steps}; exit;; esac\nexec "{real}" "$@"')
    child = os.fork()
    if not child:
        perform(run, frozen.arguments(), frozen.host(**context))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert len(left(frozen)) in (1, 2)
    (frozen.source / "a").write_text("another a\n")
    found = only(frozen.back_up("2026-05-20T02:00:00Z"))
    assert found["status"] == "ok", found
    assert left(frozen) == []
    assert call("btrfs", "subvolume", "list", frozen.base / "top").count("\n") == 1


def test_a_snapshot_that_is_still_read_is_not_taken_away(frozen: Site) -> None:
    """A run is killed, and the restic that it started goes on: the next run waits for it."""
    context = tool(frozen, "restic", f'case "$*" in *--tag*--time*) kill -9 $PPID; sleep 2; esac\nexec "{RESTIC}" "$@"')
    child = os.fork()
    if not child:
        perform(run, frozen.arguments(), frozen.host(**context))
        os._exit(0)
    os.waitpid(child, 0)
    assert len(left(frozen)) == 2
    started = time.monotonic()
    found = only(frozen.back_up("2026-05-20T02:00:00Z"))
    assert found["status"] == "ok", found
    assert time.monotonic() - started > 1
    assert left(frozen) == []
