# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The logs of crashes: the stacks of what broke, one file for each run, for whoever maintains the collection.

No record and no report holds a stack. A log may be removed at any time.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timezone
from pathlib import Path

from ansible_collections.egov.ops.plugins.module_utils.host.record import TRACEBACK_LIMIT
from ansible_collections.egov.ops.plugins.plugin_utils.common import (
    OpsError,
    StateDir,
    append_lines,
    hold,
    make_private,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import iso
from ansible_collections.egov.ops.plugins.plugin_utils.runs import Run

#: What is said of a stack that is in no log.
NOT_KEPT = "Run it with -vvv to see the whole stack."
#: Bytes of one run's log, and how many logs are kept.
LOG_LIMIT, LOGS = 1024 * 1024, 50
_PLUGINS = Path(__file__).parents[2]
_LOCK_SECONDS = 5.0


def keep(state: StateDir, subject: str, stack: str) -> str:
    """Append a stack, harmless and without secrets, to the log of the run; subject is one line on what broke.

    Returns the sentence that says where it is, or why it is nowhere: no fault of the disk hides the crash itself.
    """
    now = datetime.now(timezone.utc)
    try:
        state.prepare()
        run = Run.of_this_process(state)
        path = state.crashes / f"{run.id if run else f'{now:%Y%m%d}-no-run'}.log"
        make_private(state.crashes)
        # What breaks is indented, so that no text of a host looks like the heading of another entry.
        lines = [f"{iso(now)} {subject} release {release_digest()}", *(f"    {line}" for line in _end_of(stack))]
        if not _append(path, lines):
            return f"{path} is full, so the stack is not there. {NOT_KEPT}"
        for old in sorted(state.crashes.glob("*.log"))[:-LOGS]:
            if old != path:
                old.unlink(missing_ok=True)
    except OSError as error:
        return f"The stack cannot be kept in {state.crashes} ({error.strerror or error}). {NOT_KEPT}"
    except OpsError as error:
        return f"{error} {NOT_KEPT}"
    return f"The whole stack is in {path}."


def release_digest() -> str:
    """Return 16 hexadecimal digits that tell the code of one release from another's: all plugins, by path."""
    hasher = hashlib.sha256()
    for path in sorted(_PLUGINS.rglob("*.py"), key=lambda path: path.relative_to(_PLUGINS).as_posix()):
        hasher.update(path.read_bytes())
    return hasher.hexdigest()[:16]


def _end_of(stack: str) -> list[str]:
    """Return the last lines of a stack: those of a host are bounded already, ours may hold any text."""
    data = stack.encode("utf-8")
    return data[-TRACEBACK_LIMIT:].decode("utf-8", "ignore").splitlines()


def _append(path: Path, lines: list[str]) -> bool:
    """Append lines to a log, and tell whether there was place for them. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if not hold(descriptor, _LOCK_SECONDS):
            raise OSError(0, "another process keeps it locked", str(path))
        size = sum(len(line.encode("utf-8")) + 1 for line in lines)
        if os.fstat(descriptor).st_size + size + 1 > LOG_LIMIT:
            return False
        append_lines(descriptor, lines)
        return True
    finally:
        os.close(descriptor)
