# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proof, with restic: it finds what is damaged, names what it cannot compare, and leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs.proof import prove

from tests.support.backup_site import RESTIC, Site, only


def leftovers(site: Site) -> list[Path]:
    return list((site.state / "backup" / "proof").iterdir())


def test_odd_sparse_and_linked_files_come_back_as_they_were(ready: Site) -> None:
    for name in (b"a\nb", b"\xff\xfe", "中 文".encode(), b"*?[x]\\", b" spaced ", b"-rf", b"!not"):
        Path(os.fsdecode(os.fsencode(ready.source) + b"/" + name)).write_text("odd")
    (ready.source / "link").symlink_to("nowhere")
    os.link(ready.source / "a", ready.source / "hard")
    os.setxattr(ready.source / "b", "user.note", b"\x00\xff")
    with (ready.source / "sparse").open("wb") as stream:
        stream.truncate(3_000_000)
        stream.seek(1_000_000)
        stream.write(b"data")
    (ready.source / "c").chmod(0o4750)
    ready.back_up()
    found = only(ready.prove())
    assert (found["kind"], found["subject"], found["status"]) == ("proof", "pages", "ok")
    assert found["clauses"] == ["S2.3-B3", "S6.2.2-2"]
    assert found["detail"]["files"] == 13
    assert found["detail"]["seed"] == "test-run"
    assert leftovers(ready) == []


def test_twenty_files_of_many_are_restored_with_the_seed_of_the_call(ready: Site) -> None:
    for number in range(60):
        (ready.source / f"file{number}").write_text(str(number))
    ready.back_up()
    detail = only(ready.prove(more={"seed": "chosen", "files": 0}))["detail"]
    assert (detail["files"], detail["candidates"], detail["seed"]) == (20, 63, "chosen")


def test_files_beyond_the_bound_are_told(ready: Site) -> None:
    (ready.source / "large").write_bytes(b"x" * 4000)
    ready.back_up()
    found = only(ready.prove(more={"max_bytes": 4000}))
    assert found["status"] == "ok"
    assert found["detail"]["too_large"] == 1
    assert "1 too large to try" in found["detail"]["message"]


def damaged_pack(site: Site) -> Path:
    """Back up and return the largest pack of the repository, ready to be damaged."""
    (site.source / "large").write_bytes(os.urandom(2_000_000))
    site.back_up()
    pack = max(site.packs(), key=lambda path: path.stat().st_size)
    pack.chmod(0o600)
    return pack


def test_a_flipped_bit_in_a_pack_is_found(ready: Site) -> None:
    pack = damaged_pack(ready)
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.write_bytes(content)
    found = only(ready.prove())
    assert (found["status"], found["reason"]) == ("failed", "mismatch")
    assert f"{ready.source}/large" in found["detail"]["message"]
    assert "ciphertext verification failed" in found["detail"]["message"]
    assert leftovers(ready) == []


@pytest.mark.long  # restic tries again for 45 s
@pytest.mark.parametrize("length", [0, 1000])
def test_a_truncated_pack_is_found(ready: Site, length: int) -> None:
    os.truncate(damaged_pack(ready), length)
    found = only(ready.prove(timeout=120))
    assert (found["status"], found["reason"]) == ("failed", "mismatch")
    assert leftovers(ready) == []


def test_a_damaged_catalogue_tree_is_found(ready: Site) -> None:
    ready.back_up()
    for pack in ready.packs():
        pack.chmod(0o600)
        pack.write_bytes(b"\0" * pack.stat().st_size)
    found = only(ready.prove())
    assert (found["status"], found["reason"]) == ("failed", "mismatch")
    assert leftovers(ready) == []


def test_a_manifest_that_says_otherwise_is_found(ready: Site) -> None:
    """Another content of the same size, restored without complaint: only the manifest can tell."""
    ready.back_up()
    manifest = ready.state / "backup" / "manifests" / "pages@web1.jsonl"
    line = next(line for line in manifest.read_text().splitlines() if '"path":"' + str(ready.source / "b") in line)
    digest = line.partition('"sha256":"')[2][:64]
    manifest.write_text(manifest.read_text().replace(digest, "0" * 64))
    ready.restic(
        *("backup", "--host", "web1", "--time", "2026-05-20 01:30:00", "--tag", "egov-ops,set=pages,kind=full"),
        *(str(ready.source), str(manifest)),
    )
    found = only(ready.prove("2026-05-20T02:00:00Z"))
    assert (found["status"], found["reason"]) == ("failed", "mismatch")
    assert found["detail"]["differences"] == {"count": 1, "first": [f"{ready.source}/b (content)"]}


def test_a_set_that_was_never_backed_up_fails(ready: Site) -> None:
    found = only(ready.prove())
    assert found["status"] == "failed"
    assert "has no snapshot in repository local" in found["detail"]["message"]


def test_a_missing_repository_fails(site: Site) -> None:
    found = only(site.prove())
    assert found["status"] == "failed"
    assert "There is no repository at local" in found["detail"]["message"]


def test_a_snapshot_without_a_manifest_is_not_ours(ready: Site) -> None:
    tags = ("--tag", "egov-ops,set=pages,kind=full", "--time", "2026-05-20 00:30:00")
    ready.restic("backup", "--host", "web1", *tags, str(ready.source))
    assert only(ready.prove())["reason"] == "not_ours"


def test_the_newest_snapshot_is_the_one_that_is_proved(ready: Site) -> None:
    ready.back_up()
    ready.sets["pages"]["incremental_since"] = "2026-05-21T00:00:00Z"
    newest = only(ready.back_up("2026-05-21T01:00:00Z"))["detail"]["snapshot"]
    assert only(ready.prove("2026-05-21T02:00:00Z"))["detail"]["snapshot"] == newest


def test_what_a_killed_proof_left_is_removed(ready: Site) -> None:
    ready.back_up()
    old = ready.state / "backup" / "proof" / "pages@web1" / "files"
    old.mkdir(parents=True)
    (old / "secret").write_text("left")
    assert only(ready.prove())["status"] == "ok"
    assert leftovers(ready) == []


def test_the_folder_is_removed_when_the_restore_runs_into_the_deadline(ready: Site, tmp_path: Path) -> None:
    ready.back_up()
    wrapper = tmp_path / "restic"
    wrapper.write_text(f'#!/bin/sh\ncase "$*" in *files*) sleep 30;; esac\nexec "{RESTIC}" "$@"\n')
    wrapper.chmod(0o755)
    result = ready.answer(prove, {}, "2026-05-20T02:00:00Z", {"tool_path": [str(tmp_path)], "timeout": 3})
    assert only(result)["reason"] == "timeout"
    assert leftovers(ready) == []
