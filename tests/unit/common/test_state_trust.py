# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may write the state folder: what is made, what is refused by name, and what a declared group may."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.durable import open_private
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_trust import StateDirError, make_folder
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.drain import drain_spools
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import publish_head
from ansible_collections.egov.ops.plugins.plugin_utils.plan import password

from tests.support.ledger_cases import append, in_child, make_record

#: A group that nobody on the machine that runs the tests is in, and users without a name.
GROUP, FIRST_USER, SECOND_USER = 54321, 54322, 54323


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Set the umask of this process for a while."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "state")
    made.prepare()
    for path in (made.ledger, made.witness, made.locks / "seal"):
        os.close(open_private(path, os.O_RDWR | os.O_CREAT))
    return made


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o022, 0o077, 0o277, 0o777])
def test_folder_and_parents_are_the_owners_alone_under_any_umask(tmp_path: Path, mask: int) -> None:
    made = StateDir(tmp_path / "a" / "b" / "c")
    with umask(mask):
        made.prepare()
        with made.lock("seal"):
            pass
    for folder in (made.path.parent.parent, made.path.parent, made.path, made.spool, made.reports, made.locks):
        assert folder.stat().st_mode & 0o7777 == 0o700, folder
    assert (made.locks / "seal").stat().st_mode & 0o7777 == 0o600


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_the_folders_of_a_password_are_the_owners_alone_under_any_umask(tmp_path: Path, mask: int) -> None:
    path = tmp_path / "a" / "b" / "password"
    with umask(mask):
        make_folder(path.parent)
        if mask != 0o777:  # its file would be nobody's to read
            password.read_or_create(path)
    for folder in (path.parent.parent, path.parent):
        assert folder.stat().st_mode & 0o7777 == 0o700, folder


def test_parents_that_were_there_stay_as_they_are(tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    above.chmod(0o755)
    StateDir(above / "state").prepare()
    assert above.stat().st_mode & 0o7777 == 0o755


FOLDERS = (".", "spool", "rejected", "untold", "reports", "rollups", "exports", "requests", "crashes", "locks")
FILES = (
    *("ledger.sqlite3", "ledger.sqlite3-journal", "witness.jsonl", "locks/seal", "requests/1.json", "exports/1.jsonl"),
    *("rollups/1.json", "untold/1.txt", "reports/1.html", "crashes/1.log", "passwords/main"),
)


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702, 0o770, 0o720])
@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_others_can_write_is_refused_by_name(state: StateDir, name: str, mode: int) -> None:
    path = state.path / name
    path.mkdir(exist_ok=True)
    path.chmod(mode)
    who = "everybody" if mode & 0o002 else "the group"
    with pytest.raises(StateDirError) as caught:
        state.prepare()
    assert str(caught.value).startswith(f"{path} can be written by {who}")
    assert f"`chmod {'o' if mode & 0o002 else 'g'}-w {path}`" in str(caught.value)


@pytest.mark.parametrize("mode", [0o602, 0o666, 0o620])
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_others_can_write_is_refused_by_name(state: StateDir, name: str, mode: int) -> None:
    path = state.path / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch()
    path.chmod(mode)
    with pytest.raises(StateDirError, match=f"^{path} can be written by .*mode {mode:04o}.*chmod"):
        state.prepare()


@pytest.mark.parametrize("points_at", ["a file of ours", "nothing", "a folder"])
@pytest.mark.parametrize("name", [*FILES, *FOLDERS[1:]])
def test_a_symlink_in_the_place_of_ours_is_refused_by_name(state: StateDir, name: str, points_at: str) -> None:
    path, target = state.path / name, state.path.parent / "elsewhere"
    if points_at == "a folder":
        target.mkdir(mode=0o700)
    elif points_at == "a file of ours":
        target.write_text("mine")
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if path.is_dir():
        for inner in path.iterdir():
            inner.unlink()
        path.rmdir()
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    with pytest.raises(StateDirError) as caught:
        state.prepare()
    assert str(caught.value).startswith(f"{path} is a symlink to {target} in the place of")
    assert not target.is_file() or target.read_text() == "mine"


def test_the_folder_itself_may_be_a_link_to_another_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "state").symlink_to(tmp_path / "disk")
    StateDir(tmp_path / "state").prepare()
    assert (tmp_path / "disk" / "spool").is_dir()


def test_the_links_to_the_newest_report_are_ours(state: StateDir) -> None:
    (state.reports / "1.html").touch(0o600)
    (state.reports / "latest.html").symlink_to("1.html")
    state.prepare()


def _pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize("make", [_pipe, _socket])
@pytest.mark.parametrize("name", ["ledger.sqlite3", "witness.jsonl", "locks/seal"])
def test_what_is_no_file_is_refused_and_not_waited_for(
    state: StateDir, name: str, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = state.path / name
    path.unlink()
    monkeypatch.chdir(path.parent)  # the name of a socket is short
    make(Path(path.name))
    with pytest.raises(StateDirError, match=f"^{path} is neither a file nor a folder"):
        state.prepare()


@pytest.mark.root
@pytest.mark.parametrize("name", [*FILES, *FOLDERS])
def test_what_belongs_to_a_stranger_is_refused_by_name(state: StateDir, name: str) -> None:
    path = state.path / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if name in FOLDERS:
        path.mkdir(mode=0o700, exist_ok=True)
    else:
        path.touch(0o600)
    os.chown(path, FIRST_USER, -1)
    with pytest.raises(StateDirError) as caught:
        state.prepare()
    assert str(caught.value).startswith(f"The state in {path.resolve()} belongs to user {FIRST_USER} and this run is")


def test_what_was_opened_once_is_not_opened_through_a_link(state: StateDir, tmp_path: Path) -> None:
    """Between two looks at the folder somebody may have put a link there."""
    target = tmp_path / "elsewhere"
    for path in (state.ledger, state.witness, state.locks / "seal"):
        path.unlink()
        path.symlink_to(target)
    with pytest.raises(StateDirError, match=r"locks/seal cannot be opened"), state.lock("seal"):
        pass
    for read_only in (False, True):
        with pytest.raises(LedgerError, match=str(state.ledger)):
            Ledger(state.ledger, read_only=read_only)
    (tmp_path / "other").mkdir()
    with Ledger(tmp_path / "other" / "ledger.sqlite3") as ledger, pytest.raises(LedgerError, match=str(state.witness)):
        publish_head(state.witness, ledger.head(), "r1", "2026-03-04T05:06:07Z", syslog=tmp_path / "none")
    assert not target.exists()


def test_an_unknown_group_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StateDirError, match=r"no group nobody-has-it .*; set egov_ops_state_group to"):
        StateDir(tmp_path / "state", "nobody-has-it").prepare()


@pytest.fixture
def volume() -> Iterator[Path]:
    """A folder of root and a group, as a pod gets it, below one that each user may enter."""
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o711)
        folder = Path(above, "volume")
        folder.mkdir()
        os.chown(folder, 0, GROUP)
        folder.chmod(0o2770)
        yield folder


@pytest.mark.root
def test_pods_with_random_users_of_one_group_share_a_folder(volume: Path, tmp_path: Path) -> None:
    """One user spools, another drains; without the declared group the second is refused."""
    state = StateDir(volume / "controller", str(GROUP))

    def as_user(user: int, work: Callable[[], None]) -> int:
        def inner() -> None:
            os.setgroups([])
            os.setgid(GROUP)
            os.setuid(user)
            os.umask(0o077)
            work()

        return in_child(inner)

    def spool_one() -> None:
        state.prepare()
        spool = Spool.find_or_create(state.spool, identity(os.getpid()), {"procedure": "standalone", "begun": ""})
        append(spool, [make_record(identifier="1")])

    def drain() -> None:
        state.prepare()
        with Ledger(state.ledger) as ledger:
            drained = drain_spools(state, ledger, datetime.now(timezone.utc))
            assert (drained.moved, drained.rejected, drained.unreadable) == (1, [], [])
            publish_head(state.witness, ledger.head(), "r1", "2026-03-04T05:06:07Z", syslog=volume / "none")

    def read_again() -> None:
        state.prepare()
        with Ledger(state.ledger) as ledger:
            assert ledger.append([make_record(identifier="3")]) == 1
            publish_head(state.witness, ledger.head(), "r1", "2026-03-04T05:06:08Z", syslog=volume / "none")

    def refused() -> None:
        with pytest.raises(StateDirError, match=f"belongs to user {FIRST_USER}"):
            StateDir(state.path).prepare()

    shared, state = state, StateDir(tmp_path / "own")  # once as ourselves: a stranger cannot load Python's modules
    for work in (spool_one, read_again):
        work()
    with Ledger(state.ledger) as ledger:
        drain_spools(state, ledger, datetime.now(timezone.utc))
    state = shared
    assert as_user(FIRST_USER, spool_one) == 0
    assert as_user(SECOND_USER, drain) == 0
    assert as_user(FIRST_USER, read_again) == 0
    assert as_user(SECOND_USER, refused) == 0
    for path in (state.path, *state.path.rglob("*")):
        assert path.stat().st_gid == GROUP, path
        assert not path.stat().st_mode & 0o007, path


@pytest.mark.root
def test_a_declared_group_is_that_one_and_no_other(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state", str(GROUP))
    state.prepare()
    os.chown(state.spool, -1, GROUP + 1)
    with pytest.raises(StateDirError, match=f"^{state.spool} can be written by the group {GROUP + 1} "):
        state.prepare()
