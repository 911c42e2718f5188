# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a restore refuses before it writes: one sentence each, and nothing changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.job import work

from tests.support.backup_site import Site, as_nobody
from tests.support.restore_site import carry_out, found, journal, leftovers, now, request, spoil, tree

pytestmark = pytest.mark.slow


def refused(site: Site, arguments: dict[str, Any], reason: str = "refused") -> str:
    """Carry out a request that must be refused with nothing changed, and return the sentence."""
    before = tree(site.source)
    result = carry_out(site, arguments)
    assert (result["failed"], result["reason"]) == (True, reason), result
    assert tree(site.source) == before
    assert leftovers(site) == []
    message = str(result["msg"])
    assert message.endswith(".")
    assert "\n" not in message
    return message


def beside(site: Site, destination: Path | str) -> dict[str, Any]:
    return request(site, mode="beside", destination=str(destination))


def test_a_destination_that_is_there(saved: Site) -> None:
    (saved.base / "there").mkdir()
    assert "is there already" in refused(saved, beside(saved, saved.base / "there"))


def test_a_destination_whose_folder_is_missing(saved: Site) -> None:
    assert "is not there: make it" in refused(saved, beside(saved, saved.base / "none" / "x"))


@pytest.mark.parametrize("destination", ["here", "/", "/tmp/../srv", "/tmp/x/"])
def test_a_destination_that_is_no_plain_absolute_path(saved: Site, destination: str) -> None:
    arguments = request(saved, mode="beside")
    arguments["operation"]["destination"] = destination
    assert "no plain absolute path" in refused(saved, arguments)


def test_a_destination_behind_a_link(saved: Site) -> None:
    (saved.base / "link").symlink_to(saved.base)
    assert f"name its target {saved.base}" in refused(saved, beside(saved, saved.base / "link" / "x"))


def test_a_link_where_a_folder_was(saved: Site) -> None:
    arguments = request(saved)
    saved.source.rename(saved.base / "moved")
    saved.source.symlink_to(saved.base / "moved")
    assert "is a symbolic link now" in refused(saved, arguments)


@pytest.mark.root
def test_a_mount_point_in_what_is_replaced(saved: Site) -> None:
    arguments = request(saved)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(saved.source / "folder")], check=True)
    try:
        assert f"{saved.source}/folder is a mount point inside {saved.source}" in refused(saved, arguments)
    finally:
        subprocess.run(["umount", str(saved.source / "folder")], check=True)


@pytest.mark.root
def test_too_little_space(saved: Site) -> None:
    small = saved.base / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=True)
    try:
        assert "bytes free and the restore needs" in refused(saved, beside(saved, small / "x"))
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.root
def test_another_file_system_is_restored_to_like_any_other(saved: Site) -> None:
    other = saved.base / "other"
    other.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=99m", "tmpfs", str(other)], check=True)
    try:
        assert not carry_out(saved, beside(saved, other / "x")).get("failed")
        assert (Path(f"{other}/x{saved.source}") / "a").exists()
    finally:
        subprocess.run(["umount", str(other)], check=True)


@pytest.mark.root
def test_files_of_others_without_root(saved: Site) -> None:
    arguments = request(saved)
    saved.base.chmod(0o777)
    subprocess.run(["chown", "-R", "65534:65534", str(saved.state), str(saved.repository)], check=True)

    def as_job() -> Any:
        work(arguments, saved.host(now()))
        return journal(saved, arguments)[-1]

    end = as_nobody(as_job)
    assert end["event"] == "failed"
    assert "which only root can restore: run the restore with become" in end["message"]


def test_a_folder_that_holds_the_repository(site: Site) -> None:
    site.source.joinpath("a").write_text("a")
    site.repositories["local"]["location"] = str(site.source / "repository")
    site.repository = site.source / "repository"
    site.sets["pages"]["exclude"] = [str(site.repository)]
    site.back_up()
    result = carry_out(site, request(site))
    assert "which the restore itself needs" in result["msg"]
    assert leftovers(site) == []


def test_a_path_that_the_snapshot_lacks_is_refused_with_the_nearest(saved: Site) -> None:
    result = found(saved, paths=[f"{saved.source}/folder/rf"])
    assert result["failed"]
    assert f"the nearest is {saved.source}/folder/-rf" in result["msg"]


def test_a_request_for_other_files_than_the_snapshot_has(saved: Site) -> None:
    arguments = request(saved)
    arguments["operation"]["files"] += 1
    assert "make a new request" in refused(saved, arguments)


def test_a_snapshot_that_is_gone(saved: Site) -> None:
    arguments = request(saved)
    arguments["operation"]["snapshot"] = "0" * 64
    assert "holds no snapshot 00000000" in refused(saved, arguments)


def test_a_snapshot_of_another_host(saved: Site) -> None:
    arguments = request(saved)
    arguments["operation"]["host"] = "web2"
    assert "of web2" in refused(saved, arguments)


def test_a_folder_in_the_way_of_the_staging(saved: Site) -> None:
    arguments = request(saved)
    (saved.base / f".egov-ops-{arguments['operation_id'][:16]}").mkdir()
    result = carry_out(saved, arguments)
    assert "is in the way" in result["msg"]


def test_a_file_that_is_in_the_snapshot_and_not_in_the_manifest_ends_the_restore(ready: Site) -> None:
    """What was written between the walk and the snapshot is no part of what the manifest proves."""
    ready.back_up()
    manifest = next((ready.state / "backup" / "manifests").glob("*.jsonl"))
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join(line for line in lines if b'/a"' not in line))
    tags = ["--tag", "egov-ops,set=pages,kind=full", "--host", "web1"]
    assert ready.restic("backup", *tags, str(ready.source), str(manifest)).returncode == 0
    spoil(ready)
    assert "not in the manifest" in refused(ready, request(ready), "mismatch")


def test_an_id_that_is_none(saved: Site) -> None:
    arguments = {**request(saved), "operation_id": "../../../etc"}
    assert "is not the id of an operation" in carry_out(saved, arguments)["msg"]


def test_a_state_folder_that_cannot_be_made(saved: Site) -> None:
    arguments = request(saved)
    shutil.rmtree(saved.state)
    saved.state.write_text("a file")
    result = carry_out(saved, arguments)
    assert (result["failed"], result["reason"]) == (True, "permission")


def test_a_repository_that_is_gone(saved: Site) -> None:
    arguments = request(saved)
    shutil.rmtree(saved.repository)
    assert "There is no repository" in refused(saved, arguments, "not_ours")
