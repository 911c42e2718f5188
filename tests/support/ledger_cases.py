# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the ledger share: records, headers, processes that live or are dead, and a child to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity, identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import Header
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
TIME = "2026-03-04T05:06:07Z"


def make_record(**given: Any) -> dict[str, Any]:
    """Return a record of a health probe, or what is given instead."""
    observed = {"kind": "probe", "subject": "disk:/", "status": "ok", "reason": "", "detail": {"value": 12.5}}
    observed.update({name: given.pop(name) for name in list(given) if name in observed})
    context = {"run": "r1", "procedure": "daily", "host": "web1", "domain": "health", "started": TIME, "finished": TIME}
    return record(observation=observed, **{**context, **given})


def append(spool: Spool, records: list[dict[str, Any]]) -> None:
    """Append records to a spool, of whose run they become."""
    for item in records:
        item["run"] = spool.run
    spool.append(records)


def make_header(**given: Any) -> Header:
    """Return the header of a run that announced two steps on two hosts, or what is given instead."""
    header: Header = {
        "procedure": "daily",
        "begun": TIME,
        "hosts": ["db1", "web1"],
        "steps": [
            {"module": "health_probe", "domain": "health", "clauses": ["S3.1-1"]},
            {"module": "backup_run", "domain": "backup", "clauses": []},
        ],
        "longest": 3600.0,
    }
    return {**header, **given}  # type: ignore[typeddict-item]


def make_state(folder: Path) -> StateDir:
    """Return a prepared state folder."""
    state = StateDir(folder / "state")
    state.prepare()
    return state


def fill(ledger: Ledger, count: int, **given: Any) -> None:
    """Append some records with ids 1 to count."""
    ledger.append(make_record(identifier=str(number), **given) for number in range(1, count + 1))


def dead_process(number: int = 0) -> Identity:
    """Return a process of our boot and namespace that is gone: our own number, started at another time."""
    mine = identity(os.getpid())
    return Identity(mine.boot, mine.namespace, mine.pid, number)


@contextmanager
def living_process() -> Iterator[tuple[Identity, Callable[[], None]]]:
    """Give the identity of a process that lives, and the function that kills it and waits for its end."""
    child = subprocess.Popen(["sleep", "600"])

    def end() -> None:
        child.kill()
        child.wait()

    try:
        yield identity(child.pid), end
    finally:
        end()


def start_child(work: Callable[[], object]) -> int:
    """Do some work in a forked child and return its number without waiting."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def end_of(child: int) -> int:
    """Wait for a child; return its exit code, negative for the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_child(work: Callable[[], object]) -> int:
    """Do some work in a forked child and return how that ended."""
    return end_of(start_child(work))


def kill_here() -> None:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)
