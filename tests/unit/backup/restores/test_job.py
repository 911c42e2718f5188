# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore with restic: what comes back is what was backed up, what it replaced can be had again, once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.job import restore
from ansible_collections.egov.ops.plugins.module_utils.host.half import perform

from tests.support.backup_site import PASSWORD, RESTIC, Site, only
from tests.support.restore_site import (
    call,
    carry_out,
    journal,
    left_out,
    leftovers,
    recorded,
    request,
    settle,
    spoil,
    tree,
    with_units,
)

pytestmark = pytest.mark.slow


def test_a_restore_in_place_brings_back_what_was_backed_up(saved: Site) -> None:
    before = tree(saved.source)
    spoil(saved)
    result = carry_out(saved, request(saved))
    assert not result.get("failed"), result
    assert tree(saved.source) == before
    record = only(result)
    assert (record["kind"], record["subject"], record["status"]) == ("restore", "pages", "ok")
    assert record["detail"]["approvers"] == ["wang@example.org"]
    assert record["detail"]["bytes_per_second"] > 0


def test_a_restore_beside_leaves_the_source_alone(saved: Site) -> None:
    before = tree(saved.source)
    now = spoil(saved)
    wanted = saved.base / "beside"
    result = carry_out(saved, request(saved, mode="beside", destination=str(wanted)))
    assert not result.get("failed"), result
    assert tree(saved.source) == now
    assert tree(Path(f"{wanted}{saved.source}")) == before


def test_one_file_is_restored_and_no_other(saved: Site) -> None:
    spoil(saved)
    result = carry_out(saved, request(saved, paths=[str(saved.source / "a")]))
    assert not result.get("failed"), result
    assert (saved.source / "a").read_text() == "content of a\n"
    assert not (saved.source / "b").exists()
    assert (saved.source / "extra").exists()


def test_names_with_signs_of_patterns_are_taken_as_they_stand(saved: Site) -> None:
    odd, other = saved.source / "folder" / "*?[x]\\", saved.source / "folder" / "-rf"
    odd.write_text("spoilt")
    other.write_text("spoilt")
    assert not carry_out(saved, request(saved, paths=[str(odd)])).get("failed")
    assert (odd.read_text(), other.read_text()) == ("odd", "spoilt")


def test_what_is_gone_altogether_comes_back(saved: Site) -> None:
    before = tree(saved.source)
    shutil.rmtree(saved.source)
    assert not carry_out(saved, request(saved)).get("failed")
    assert tree(saved.source) == before


def test_several_paths_are_switched_in_one_restore(saved: Site) -> None:
    paths = [str(saved.source / name) for name in ("a", "b", "folder")]
    before = tree(saved.source)
    spoil(saved)
    shutil.rmtree(saved.source / "folder")
    arguments = request(saved, paths=paths)
    assert not carry_out(saved, arguments).get("failed")
    (saved.source / "extra").unlink()
    after = tree(saved.source)
    assert {name: after[name] for name in before if name != "."} == {
        name: before[name] for name in before if name != "."
    }


def test_undo_puts_back_exactly_what_was_there(saved: Site) -> None:
    now = spoil(saved)
    arguments = request(saved)
    carry_out(saved, arguments)
    result = settle(saved, "undo", arguments)
    assert not result.get("failed"), result
    assert tree(saved.source) == now
    assert leftovers(saved) == []
    assert (only(result)["kind"], only(result)["detail"]["person"]) == ("restore_undo", "zhao")


def test_undo_of_several_paths_puts_back_each_and_removes_what_was_not_there(saved: Site) -> None:
    now = spoil(saved)
    arguments = request(saved, paths=[str(saved.source / name) for name in ("a", "b")])
    carry_out(saved, arguments)
    assert (saved.source / "b").exists()
    assert not settle(saved, "undo", arguments).get("failed")
    seen = tree(saved.source)
    assert {**seen, ".": None} == {**now, ".": None}


def test_undo_of_a_restore_beside_removes_its_folder(saved: Site) -> None:
    arguments = request(saved, mode="beside", destination=str(saved.base / "beside"))
    carry_out(saved, arguments)
    assert not settle(saved, "undo", arguments).get("failed")
    assert not (saved.base / "beside").exists()
    assert leftovers(saved) == []


def test_acceptance_removes_what_was_replaced_and_ends_the_way_back(saved: Site) -> None:
    before = tree(saved.source)
    spoil(saved)
    arguments = request(saved)
    carry_out(saved, arguments)
    assert leftovers(saved) != []
    result = settle(saved, "accept", arguments)
    assert (only(result)["kind"], only(result)["subject"]) == ("restore_acceptance", "pages")
    assert leftovers(saved) == []
    assert tree(saved.source) == before
    assert "was accepted" in settle(saved, "undo", arguments)["msg"]
    assert "cannot be accepted" in settle(saved, "accept", arguments)["msg"]


def test_a_request_counts_once(saved: Site) -> None:
    arguments = request(saved)
    carry_out(saved, arguments)
    recorded(saved, arguments)
    (saved.source / "a").write_text("new work")
    result = call(saved, arguments)
    assert (result["failed"], result["reason"]) == (True, "refused")
    assert "counts once" in result["msg"]
    assert (saved.source / "a").read_text() == "new work"


def test_an_end_that_no_controller_has_recorded_is_told_again_and_done_once(saved: Site) -> None:
    arguments = request(saved)
    first = carry_out(saved, arguments)
    (saved.source / "a").write_text("new work")
    again = call(saved, arguments)
    assert again["evidence"] == first["evidence"]
    assert again["changed"] is False
    assert (saved.source / "a").read_text() == "new work"


def test_two_controllers_that_begin_at_once_see_one_restore_and_its_end(saved: Site) -> None:
    before = tree(saved.source)
    spoil(saved)
    arguments = request(saved)
    children = []
    for _controller in range(3):
        child = os.fork()
        if child == 0:
            os._exit(1 if carry_out(saved, arguments).get("failed") else 0)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
    assert tree(saved.source) == before
    assert [event["event"] for event in journal(saved, arguments)].count("done") == 1


def test_an_undone_request_is_spent(saved: Site) -> None:
    arguments = request(saved)
    carry_out(saved, arguments)
    settle(saved, "undo", arguments)
    assert "counts once" in call(saved, arguments)["msg"]


def test_check_mode_shows_the_plan_and_writes_nothing(saved: Site) -> None:
    now = spoil(saved)
    shutil.rmtree(saved.state / "backup" / "locks")
    state = tree(saved.state)
    result = call(saved, request(saved), check_mode=True)
    assert result["msg"].startswith("Would restore 9 files")
    assert str(saved.source) in result["msg"]
    assert tree(saved.source) == now
    assert tree(saved.state) == state


@pytest.mark.parametrize("skew", [-301, 301])
def test_a_clock_that_differs_by_more_than_five_minutes_is_refused(saved: Site, skew: int) -> None:
    arguments = request(saved)
    then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + skew))
    result = perform(restore, arguments, saved.host(then))
    assert (result["failed"], result["reason"]) == (True, "refused")
    assert "set the clocks" in result["msg"]
    assert not (saved.state / "operations").exists()


def test_a_destroyed_pack_ends_the_restore_with_nothing_changed(saved: Site) -> None:
    now = spoil(saved)
    arguments = request(saved)
    for pack in saved.packs():
        pack.chmod(0o600)
        content = bytearray(pack.read_bytes())
        if len(content) > 3000:
            continue
        content[len(content) // 3] ^= 1
        pack.write_bytes(content)
    result = carry_out(saved, arguments)
    assert result["failed"], result
    assert tree(saved.source) == now
    assert leftovers(saved) == []


def test_a_byte_that_restic_got_wrong_without_a_word_ends_the_restore_with_nothing_changed(saved: Site) -> None:
    now = spoil(saved)
    arguments = request(saved)
    tools = saved.base / "tools"
    tools.mkdir()
    program = tools / "restic"
    program.write_text(
        f"""#!/bin/sh
        "{RESTIC}" "$@" || exit
        case "$*" in *"restore --target"*)
            wrong=$(echo {saved.base}/.egov-ops-*/tree{saved.source}/a)
            touch -r "$wrong" {tools}/time
            printf '\001' | dd of="$wrong" bs=1 count=1 conv=notrunc status=none
            touch -r {tools}/time "$wrong"
        esac
        """
    )
    program.chmod(0o755)
    result = carry_out(saved, arguments, tool_path=[str(tools)])
    assert result["failed"], result
    assert f"1 paths differ ({saved.source}/a (content))" in result["msg"]
    assert tree(saved.source) == now
    assert leftovers(saved) == []


def test_a_failed_restore_can_be_tried_again(saved: Site) -> None:
    before = tree(saved.source)
    spoil(saved)
    arguments = request(saved)
    saved.repository.rename(saved.base / "away")
    result = carry_out(saved, arguments)
    assert result["failed"]
    assert only(result)["status"] == "failed"
    recorded(saved, arguments)
    (saved.base / "away").rename(saved.repository)
    result = carry_out(saved, arguments)
    assert not result.get("failed"), result
    assert tree(saved.source) == before
    assert only(result)["detail"]["failures"]


def test_active_units_are_stopped_for_the_switch_and_started_again(saved: Site) -> None:
    before = tree(saved.source)
    spoil(saved)
    arguments, log, context = with_units(saved, 'case "$*" in *is-active*idle*) exit 3;; esac')
    result = carry_out(saved, arguments, **context)
    assert not result.get("failed"), result
    assert [line.split()[1::2] for line in log.read_text().splitlines()] == [
        ["is-active", "web.service"],
        ["is-active", "idle.service"],
        ["stop", "web.service"],
        ["start", "web.service"],
    ]
    assert tree(saved.source) == before


def test_a_unit_that_does_not_start_on_the_new_data_gets_the_old_back(saved: Site) -> None:
    now = spoil(saved)
    arguments, log, context = with_units(
        saved, f'case "$*" in *start*) grep -q spoilt {saved.source}/a || exit 1;; esac'
    )
    result = carry_out(saved, arguments, **context)
    assert result["failed"]
    assert "could not start web.service" in result["msg"]
    assert "in its place again" in result["msg"]
    assert tree(saved.source) == now
    assert leftovers(saved) == []
    assert log.read_text().splitlines()[-2].split()[1] == "start"


def test_a_unit_that_cannot_be_stopped_leaves_the_old_in_place(saved: Site) -> None:
    now = spoil(saved)
    arguments, _log, context = with_units(saved, 'case "$*" in *stop*) exit 1;; esac')
    result = carry_out(saved, arguments, **context)
    assert result["failed"]
    assert tree(saved.source) == now


def test_what_cannot_be_put_back_is_told_and_the_next_call_goes_on(saved: Site) -> None:
    now = spoil(saved)
    arguments, _log, context = with_units(saved, f'case "$*" in *start*) test -e {saved.base}/mended;; esac')
    result = carry_out(saved, arguments, **context)
    assert result["failed"]
    assert "could not be put back" in result["msg"]
    (saved.base / "mended").touch()
    result = carry_out(saved, arguments, **context)
    assert "in its place again" in result["msg"]
    assert tree(saved.source) == now
    assert [event["event"] for event in journal(saved, arguments)].count("stuck") == 1


def test_another_unfinished_restore_of_the_host_is_named(saved: Site) -> None:
    first = request(saved, nonce="first")
    folder = saved.state / "operations" / first["operation_id"]
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text('{"event": "staging", "holdings": [], "time": ""}\n')
    result = carry_out(saved, request(saved, nonce="second"))
    assert result["reason"] == "busy"
    assert first["operation_id"][:8] in result["msg"]


def test_no_password_lies_in_the_state_folder(saved: Site) -> None:
    carry_out(saved, request(saved))
    found = subprocess.run(["grep", "-rl", PASSWORD, str(saved.state)], capture_output=True, check=False)
    assert (found.returncode, found.stdout) == (1, b"")


def test_the_folders_of_operations_are_closed_to_others(saved: Site) -> None:
    arguments = request(saved)
    carry_out(saved, arguments)
    top = saved.state / "operations"
    for path in (top, top / arguments["operation_id"], *saved.base.glob(".egov-ops-*")):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.root
@pytest.mark.programs("setfacl")
def test_access_lists_come_back(ready: Site) -> None:
    subprocess.run(["setfacl", "-m", "u:1234:r--", str(ready.source / "a")], check=True)
    (ready.source / "folder").mkdir()
    subprocess.run(["setfacl", "-m", "d:u:1234:rwx", str(ready.source / "folder")], check=True)
    ready.back_up()
    before = tree(ready.source)
    assert "system.posix_acl_access" in before["a"][4]
    spoil(ready)
    subprocess.run(["setfacl", "-R", "-b", str(ready.source)], check=True)
    assert not carry_out(ready, request(ready)).get("failed")
    assert tree(ready.source) == before


def test_a_file_that_changed_during_the_backup_is_restored_and_not_compared(saved: Site) -> None:
    memory = next((saved.state / "backup" / "manifests").glob("*.state.json"))
    state = json.loads(memory.read_text())
    memory.write_text(json.dumps({**state, "moved": [f"{saved.source}/a"]}))
    result = carry_out(saved, request(saved))
    assert left_out(only(result)) == {"changed during the backup": 1}
