# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state folder: where it is, and when it is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import (
    StateDir,
    file_system,
)
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_trust import StateDirError, user_name

from tests.support.ledger_cases import end_of, start_child

MOUNTS = r"""
22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:40 / /srv rw - nfs4 server:/srv rw
31 30 0:41 / /srv/local\040disk rw shared:7 master:1 - xfs /dev/sdb rw
32 22 0:42 / /mnt rw - xfs /dev/sdc rw
33 22 0:43 / /mnt rw - fuse.sshfs user@host: rw
""".strip()


@pytest.mark.parametrize(
    ("configured", "environment", "user", "expected"),
    [
        ("", {}, 0, "/var/lib/egov-ops/controller"),
        ("", {"HOME": "/home/ops"}, 1000, "/home/ops/.local/state/egov-ops/controller"),
        ("", {"HOME": "/home/ops", "XDG_STATE_HOME": "/state"}, 1000, "/state/egov-ops/controller"),
        ("/srv/运维 var", {}, 1000, "/srv/运维 var"),
        ("", {"HOME": "/home/ops", "EGOV_OPS_STATE_DIR": "/srv/state"}, 1000, "/srv/state"),
        ("", {"EGOV_OPS_STATE_DIR": "/srv/state"}, 0, "/srv/state"),
        ("", {"EGOV_OPS_STATE_DIR": ""}, 0, "/var/lib/egov-ops/controller"),
        ("/srv/plan", {"EGOV_OPS_STATE_DIR": "/srv/state"}, 0, "/srv/plan"),
    ],
)
def test_the_folder_is_the_configured_one_or_the_users_own(
    configured: str, environment: dict[str, str], user: int, expected: str
) -> None:
    assert StateDir.resolve(configured, environment, user).path == Path(expected)


@pytest.mark.parametrize(("configured", "environment"), [("var", {}), ("", {"XDG_STATE_HOME": "state"})])
def test_a_folder_that_depends_on_the_working_directory_is_refused(
    configured: str, environment: dict[str, str]
) -> None:
    with pytest.raises(StateDirError, match=r"relative; set egov_ops_state_dir"):
        StateDir.resolve(configured, environment, 1000)


def test_a_relative_folder_of_the_environment_is_refused_by_the_name_of_its_variable() -> None:
    with pytest.raises(StateDirError, match=r"state is relative; set EGOV_OPS_STATE_DIR to an absolute path"):
        StateDir.resolve("", {"EGOV_OPS_STATE_DIR": "state"}, 0)


def test_prepare_makes_folders_that_only_the_owner_may_enter(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "a" / "b")
    state.prepare()
    state.prepare()
    for folder in (state.path, state.spool, state.reports, state.exports, state.locks):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_state_folder_below_one_that_all_can_write_is_used(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(0o777)
    with pytest.raises(StateDirError, match="can be written by everybody"):
        StateDir(volume).prepare()
    StateDir(volume / "egov-ops").prepare()
    assert (volume / "egov-ops").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", [".", "spool", "ledger.sqlite3"])
def test_state_of_another_user_is_refused_with_owner_and_remedy(tmp_path: Path, place: str) -> None:
    if os.geteuid() != 0:
        state, owner = StateDir(Path("/usr")), "root"  # an ordinary user finds root's folder
    else:
        state, owner = StateDir(tmp_path), "user 54321"
        path = tmp_path / place
        if place == "ledger.sqlite3":
            path.touch()
        elif place == "spool":
            path.mkdir()
        os.chown(path, 54321, -1)
    with pytest.raises(StateDirError, match=f"belongs to {owner} and this run is .*'s; run as .*egov_ops_state_dir"):
        state.prepare()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateDirError, match=r"cannot be written \(Not a directory\); .*egov_ops_state_dir"):
        StateDir(tmp_path / "file" / "state").prepare()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/srv/egov", "nfs4"),
        ("/srv/local disk/egov", "xfs"),
        ("/srv/local", "nfs4"),
        ("/srvother", "ext4"),
        ("/mnt/x", "fuse.sshfs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


def test_a_network_file_system_is_refused_by_its_type(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 0:1 / {tmp_path} rw - nfs4 server:/ rw\n")
    with pytest.raises(StateDirError, match=r"network file system \(nfs4\)"):
        StateDir(tmp_path / "state").prepare(mounts)


def test_a_lock_is_waited_for_and_then_told_by_name(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    state.prepare()
    with state.lock("seal"):

        def work() -> None:
            with pytest.raises(StateDirError, match=r"locks/seal is held by another process"), state.lock("seal", 0.1):
                pass

        assert end_of(start_child(work)) == 0
    with state.lock("seal", 0):
        pass


def test_a_user_without_a_name_is_a_number() -> None:
    assert user_name(os.geteuid())
    assert user_name(4_000_000) == "user 4000000"
