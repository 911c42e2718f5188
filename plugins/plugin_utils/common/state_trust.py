# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may write the state folder: its owner alone, or also the one group that the plan declares.

What lies above the folder is not judged: who can write there can move the folder away, but not forge what is in it.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError

_GROUP, _WORLD = stat.S_IWGRP, stat.S_IWOTH


class StateDirError(OpsError):
    """The state folder cannot be used. The message is one sentence with the path, what is wrong and the remedy."""


def group_id(name: str) -> int | None:
    """Return the number of a group, given its name or number, None for ""; raises StateDirError for one unknown."""
    if not name:
        return None
    if name.isascii() and name.isdigit():
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise StateDirError(
            f"There is no group {name} on this controller; set egov_ops_state_group to a group's name or number."
        ) from None


def make_folder(folder: Path, group: int | None = None) -> None:
    """Make a folder and its missing parents for this user alone, under any umask; share the folder with a group.

    Only folders of this user are changed, and none that was there loses or gains anything without a group.
    Raises OSError.
    """
    missing = []
    for path in (folder, *folder.parents):
        if path.exists() or path.is_symlink():
            break
        missing.append(path)
    for path in reversed(missing):
        with suppress(FileExistsError):  # another run was faster
            path.mkdir(0o700)
            path.chmod(0o700)
    if group is None:
        return
    status = folder.stat()
    shared = status.st_gid == group and status.st_mode & 0o070 == 0o070
    if status.st_uid == os.geteuid() and not shared:
        os.chown(folder, -1, group)
        folder.chmod(0o2770)  # what is made in it gets the group too


def refuse_untrusted(folder: Path, folders: Iterable[Path], files: Iterable[Path], group: int | None) -> None:
    """Refuse what somebody else could have written: the state folder, its folders, what lies in these, its files.

    Paths that do not exist are passed over. Raises StateDirError, which names the first bad path.
    """
    try:
        status = folder.stat()  # it may itself be a link, by which an administrator puts it onto another disk
    except OSError:
        return
    _refuse(folder, status, group)
    for path in files:
        _refuse_there(path, group)
    for inner in folders:
        if _refuse_there(inner, group):
            for path in _entries(inner):
                _refuse_there(path, group)


def user_name(number: int) -> str:
    """Return the name of a user, or its number where the system has no name for it, as in some containers."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _entries(folder: Path) -> Iterator[Path]:
    """Yield what lies in a folder, without the links to a report beside them, which we make."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                path = folder / entry.name
                if not (entry.is_symlink() and folder.name == "reports" and len(path.readlink().parts) == 1):
                    yield path
    except OSError:
        return  # one that cannot be read is refused where it is used


def _refuse_there(path: Path, group: int | None) -> bool:
    """Refuse a path that is not as we make it, and tell whether it is a folder; False for one that is not there."""
    try:
        status = path.lstat()
    except OSError:
        return False
    _refuse(path, status, group)
    return stat.S_ISDIR(status.st_mode)


def _refuse(path: Path, status: os.stat_result, group: int | None) -> None:
    kind, mode, owner = stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode), status.st_uid
    if kind == stat.S_IFLNK:
        raise StateDirError(
            f"{path} is a symlink to {_target(path)} in the place of a file or folder of the state; find out who made "
            "it, and put the file itself there or remove the link."
        )
    if kind not in (stat.S_IFREG, stat.S_IFDIR):
        raise StateDirError(
            f"{path} is neither a file nor a folder; find out who made it in the state folder, and remove it."
        )
    is_of_group = group is not None and status.st_gid == group
    if owner != os.geteuid() and not is_of_group:
        its, ours = user_name(owner), user_name(os.geteuid())
        raise StateDirError(
            f"The state in {path} belongs to {its} and this run is {ours}'s; run as {its}, give it away with "
            "`chown -R`, or set egov_ops_state_dir to another folder."
        )
    if mode & _WORLD:
        raise StateDirError(
            f"{path} can be written by everybody (mode {mode:04o}); check what it holds, and run `chmod o-w {path}`."
        )
    if mode & _GROUP and not is_of_group:
        its = _group_name(status.st_gid)
        raise StateDirError(
            f"{path} can be written by the group {its} (mode {mode:04o}), which egov_ops_state_group does not name; "
            f"run `chmod g-w {path}`, or set egov_ops_state_group: {its} in the inventory."
        )


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return "an unknown place"


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
