# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folder of the spools: which files are spools, whose they are, and who may change that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.egov.ops.plugins.plugin_utils.common import folder_held, is_ours
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import SpoolError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity

#: Seconds to wait for another process that appends to, or drains, the same spool.
PATIENCE = 60.0


def named_as_spools(folder: Path) -> list[tuple[Path, bool]]:
    """Return what is named as a spool, oldest first, each with whether it is a file of ours (`is_ours`)."""
    with folder_lock(folder), os.scandir(folder) as entries:
        found, owner = [], folder.stat()
        for entry in sorted(entries, key=lambda entry: entry.name):
            is_file = entry.is_file(follow_symlinks=False) and is_ours(entry.stat(follow_symlinks=False), owner)
            if entry.name.endswith(".jsonl"):
                found.append((folder / entry.name, is_file))
            elif entry.name.endswith(".new") and not entry.is_dir(follow_symlinks=False):
                (folder / entry.name).unlink()
        return found


def spools_of(folder: Path, process: Identity) -> list[Path]:
    """Return the spools of a process, oldest first; pathlib's own patterns cost each task a compilation."""
    if not folder.is_dir():
        return []
    ending = f"-{process.hash}.jsonl"
    return sorted(path for path in folder.iterdir() if path.name.endswith(ending))


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Keep other processes from changing which spools there are; raises SpoolError."""
    with folder_held(folder, PATIENCE) as held:
        if not held:
            raise SpoolError(
                f"The folder {folder} is held by another process since {PATIENCE:.0f} s; end that process."
            )
        yield


def is_at(path: Path, descriptor: int) -> bool:
    """Tell whether an open file is the one that a path names now."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def without_waiting(path: str, flags: int) -> int:
    """Open a file that may be a pipe put in a spool's place, for which nobody would ever write."""
    return os.open(path, flags | os.O_NONBLOCK)
