# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repositories read again: damage is critical in restic's own words, and time that is too short is gone on with."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs import integrity_check as module
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs.integrity_check import (
    PARTS,
    check,
    repositories_of,
)

from tests.support.backup_site import NOW, PASSWORD, REPOSITORY, RESTIC, Site, only

pytestmark = [pytest.mark.programs("restic"), pytest.mark.slow]


def check_again(site: Site, data: str = "all", **context: Any) -> dict[str, Any]:
    """Return the one record of a check."""
    return only(site.answer(check, {"data": data}, NOW, context))


def flip(path: Path) -> None:
    """Change a byte of a file and keep its times."""
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(content))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_sound_repository_is_read_as_a_whole(ready: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARTS", 2)
    ready.back_up()
    found = check_again(ready)
    assert (found["status"], found["subject"], found["detail"]["read"]) == ("ok", "local", 2)
    assert found["detail"]["hashed"] == len(ready.packs())


@pytest.mark.parametrize("data", ["new", "all"])
def test_a_flipped_bit_is_critical_in_restic_s_own_words(ready: Site, data: str) -> None:
    ready.back_up()
    pack = max(ready.packs(), key=lambda path: path.stat().st_size)
    flip(pack)
    found = check_again(ready, data)
    assert (found["status"], found["reason"]) == ("critical", "mismatch")
    assert pack.name in found["detail"]["message"]
    assert "; restic: " in found["detail"]["message"]
    assert "Pack ID does not match" in found["detail"]["message"]
    assert check_again(ready, data)["status"] == "critical"  # until it is mended


def test_old_data_is_read_by_part_and_its_damage_is_found(ready: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARTS", 1)
    ready.back_up()
    for pack in ready.packs():
        os.utime(pack, (time.time() - 9e6, time.time() - 9e6))
    assert check_again(ready)["status"] == "ok"
    for memory in (ready.state / "backup" / "checks").iterdir():
        memory.write_text(memory.read_text().replace('"hashed": ', '"hashed": 9'))
    flip(ready.packs()[0])
    found = check_again(ready)
    assert (found["status"], found["detail"]["hashed"]) == ("critical", 0)
    assert "Pack ID does not match" in found["detail"]["message"]


def test_what_does_not_fit_is_gone_on_with(ready: Site) -> None:
    ready.back_up()
    assert check_again(ready, "new")["detail"]["first"] == 1
    assert check_again(ready, "new")["detail"]["first"] == 3
    wrapper = slow(ready, 'case "$*" in *"check --read-data-subset 6/"*) sleep 20;; esac')
    found = check_again(ready, "new", tool_path=[wrapper], timeout=5)
    assert (found["status"], found["reason"], found["detail"]["read"]) == ("warning", "timeout", 1)
    assert "the next run goes on with part 6" in found["detail"]["message"]
    assert check_again(ready, "new")["detail"]["first"] == 6


def slow(site: Site, line: str) -> str:
    """Return a folder with a restic that first does something else."""
    wrapper = site.base / "tools" / "restic"
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(f'#!/bin/sh\n{line}\nexec "{RESTIC}" "$@"\n')
    wrapper.chmod(0o755)
    return str(wrapper.parent)


@pytest.mark.parametrize(
    "line",
    ['echo "no errors were found"; echo "error: pack 12 is damaged" >&2; exit 0', "exit 0"],
    ids=["error", "mute"],
)
def test_an_engine_that_ends_with_0_and_does_not_say_that_all_is_well_is_not_believed(ready: Site, line: str) -> None:
    ready.back_up()
    found = check_again(ready, tool_path=[slow(ready, f'case "$*" in *check*) {line};; esac')])
    assert (found["status"], found["reason"]) == ("critical", "mismatch")


def test_a_pack_that_is_gone_is_critical(ready: Site) -> None:
    ready.back_up()
    max(ready.packs(), key=lambda path: path.stat().st_size).unlink()
    found = check_again(ready, timeout=8)
    assert (found["status"], found["reason"]) == ("critical", "mismatch")
    assert "does not exist" in found["detail"]["message"]


def test_a_repository_that_is_away_is_failed_and_no_damage(ready: Site) -> None:
    ready.repositories["local"] = {"location": "rest:http://127.0.0.1:9/"}
    found = check_again(ready)
    assert (found["status"], found["reason"]) == ("failed", "error")
    assert "connection refused" in found["detail"]["message"]


def test_each_repository_and_copy_has_one_record(ready: Site) -> None:
    shutil.copytree(REPOSITORY, ready.base / "second")
    ready.repositories["second"] = {"location": str(ready.base / "second")}
    ready.sets["pages"]["copies"] = ["second"]
    ready.sets["more"] = dict(ready.sets["pages"])
    result = ready.answer(check, {"data": "new"}, NOW, {})
    assert [entry["subject"] for entry in result["evidence"]] == ["local", "second"]
    assert repositories_of({"gone": {"repository": "x", "state": "absent"}}) == []


def test_check_mode_reads_and_writes_nothing(ready: Site) -> None:
    found = check_again(ready, check_mode=True)
    assert (found["status"], found["detail"]["message"]) == (
        "skipped",
        f"Would read {PARTS} of {PARTS} parts of repository local again.",
    )
    assert not ready.state.exists()


@pytest.mark.parametrize(
    ("key", "trouble", "status", "word"),
    [
        (PASSWORD, "", "ok", "The key in escrow opens repository local."),
        ("another", "", "critical", "The key in escrow does not open repository local."),
        ("", "The password file /e does not exist on the controller.", "critical", "/e does not exist"),
    ],
)
def test_the_key_in_escrow_is_tried_and_the_check_goes_on(
    ready: Site, key: str, trouble: str, status: str, word: str
) -> None:
    ready.back_up()
    ready.secrets["escrow:local"] = key
    result = ready.answer(check, {"data": "new", "escrow": {"local": trouble}}, NOW, {})
    checked, escrow = result["evidence"]
    assert (checked["kind"], checked["status"]) == ("check", "ok")
    assert (escrow["kind"], escrow["subject"], escrow["status"]) == ("escrow", "local", status)
    assert word in escrow["detail"]["message"]
    assert not key or key not in str(result)


def test_a_repository_that_is_away_tells_nothing_of_its_key_in_escrow(ready: Site) -> None:
    ready.secrets["escrow:local"] = PASSWORD
    shutil.rmtree(ready.repository)
    _checked, escrow = ready.answer(check, {"data": "new", "escrow": {"local": ""}}, NOW, {})["evidence"]
    assert escrow["status"] == "unknown"
