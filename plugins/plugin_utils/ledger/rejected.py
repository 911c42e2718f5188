# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a drain cannot take into the ledger: set aside as it is, in a file that a record names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common import (
    OpsError,
    file_digest,
    make_private,
    sync_folder,
    write_whole,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import (
    CONTROLLER,
    EARLIEST,
    REJECTED,
    iso,
    record,
    stable_id,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import BadLine
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record

#: Bytes of a file up to which its digest is worth its time.
_DIGEST_LIMIT = 1 << 30

_MOMENTS: tuple[Literal["started", "finished"], ...] = ("started", "finished")
_DIGITS = 16
_NAME_LIMIT = 80

_ODD = re.compile(r"[^0-9A-Za-z._-]")


@dataclass(frozen=True)
class Actor:
    """The run that drains: its id and procedure."""

    run: str
    procedure: str


def set_aside(folder: Path, lines: list[BadLine], of: str, by: Actor, now: datetime) -> Record:
    """Write lines of the spool of a run into a file, each with a line's end, and return the record that names it.

    The file is on the disk when this returns, and the same lines make the same file and id. Raises OpsError.
    """
    content = b"".join(line.content + b"\n" for line in lines)
    path = folder / f"{plain(of)}-{digest(content)[:_DIGITS]}.jsonl"
    try:
        make_private(folder)
        write_whole(path, path.with_suffix(".new"), [content])
    except OSError as error:
        raise LedgerError(
            f"What the ledger cannot hold of the run {plain(of)} cannot be set aside in {path} ({error.strerror}); "
            "free space or mend its permissions"
        ) from None
    lines_are = "1 line" if len(lines) == 1 else f"{len(lines)} lines"
    message = (
        f"{lines_are} in the spool of the run {plain(of)} cannot be taken into the ledger (first cause: "
        f"{lines[0].cause}) and were set aside in {path}; find out who wrote there, and keep that file as evidence."
    )
    return _record(path, of, by, now, message, len(lines), digest(content), lines[0].cause)


def keep_whole(folder: Path, spool: Path, lines: list[BadLine], of: str, by: Actor, now: datetime) -> Record:
    """Keep a spool, whose bad lines are too large to be copied, under a second name; return the record that names it.

    Its first name is removed as that of any drained spool. Raises OpsError.
    """
    try:
        state = spool.lstat()
        mark = digest(f"{state.st_ino} {state.st_size} {state.st_mtime_ns}".encode())[:_DIGITS]
        path = folder / f"{plain(of)}-{mark}.jsonl"
        make_private(folder)
        with suppress(FileExistsError):  # a drain that was killed has done it
            path.hardlink_to(spool)
        sync_folder(folder)
        content = file_digest(path) if state.st_size <= _DIGEST_LIMIT else ""
    except OSError as error:
        raise LedgerError(
            f"The spool of the run {plain(of)} cannot be kept in {folder} ({error.strerror}); mend that folder, or "
            f"move {spool} away by hand"
        ) from None
    message = (
        f"The spool of the run {plain(of)} holds what cannot be taken into the ledger (first cause: {lines[0].cause}) "
        f"and was kept whole as {path}; find out who wrote there, and keep that file as evidence."
    )
    return _record(path, of, by, now, message, len(lines), content, lines[0].cause)


def note_untold(folder: Path, items: Iterable[Record]) -> None:
    """Note what records of what was set aside say, so that a later run ends with it if this one dies.

    A note that cannot be written stops nothing: only that death would leave its sentence unsaid.
    """
    for item in items:
        path = folder / f"{item['subject']}.txt"
        with suppress(OSError, OpsError):
            make_private(folder)
            write_whole(path, path.with_suffix(".new"), [str(item["detail"]["message"]).encode()])


def untold(folder: Path) -> list[str]:
    """Return the sentences with which no run has ended yet."""
    with suppress(OSError):
        return [path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("*.txt"))]
    return []


def forget_untold(folder: Path, said: str) -> None:
    """Remove the notes whose sentences stand in a message; one that cannot be removed is said again."""
    with suppress(OSError):
        for path in folder.glob("*.txt"):
            if path.read_text(encoding="utf-8", errors="replace") in said:
                path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Stranger:
    """Something in the folder of spools that cannot be read as one, why, and where it is to be moved."""

    path: Path
    cause: str
    target: Path

    @classmethod
    def of(cls, path: Path, cause: str, folder: Path) -> Stranger:
        """Return it with a place of its own below the folder of what is set aside. Raises OSError."""
        state = path.lstat()
        # One name is never taken twice: another thing of the same name has another number or time.
        mark = digest(f"{path.name} {state.st_ino} {state.st_ctime_ns}".encode("utf-8", "surrogateescape"))[:_DIGITS]
        return cls(path, cause, folder / f"{plain(path.name)}-{mark}")

    def record(self, by: Actor, now: datetime) -> Record:
        """Return the record that names it; nothing of its content is known."""
        message = (
            f"What lies as {plain(self.path.name)} among the spools is none ({self.cause}) and was moved to "
            f"{self.target}; find out who put it there, and keep it if it may be evidence."
        )
        return _record(self.target, plain(self.path.name), by, now, message, 0, "", self.cause)

    def move(self) -> None:
        """Move it, after the commit of its record. Raises OSError."""
        make_private(self.target.parent)
        self.path.rename(self.target)
        sync_folder(self.target.parent)


def lost_spool(folder: Path, run: str, header_hash: str, by: Actor, now: datetime) -> Record:
    """Return the record of a spool that was made in a folder, as the witness file knows, and removed undrained."""
    path = folder / f"{plain(run)}.jsonl"
    message = (
        f"The spool {path} of the run {plain(run)} is gone and was never drained, though the witness file knows its "
        "header: what the run recorded is lost; find out who removed it (a state folder that was restored from a "
        "backup lacks it too), and run its procedure again."
    )
    made = _record(path, run, by, now, message, 0, header_hash, "it was removed before it was drained")
    made["id"] = stable_id(REJECTED, path.name, header_hash)
    return {**made, "detail": {**made["detail"], "lost": True}}


def sentences(ledger: Ledger, run: str) -> list[str]:
    """Return what a run has set aside, a sentence for each file."""
    found = ledger.records(run=run, host=CONTROLLER, kind=REJECTED)
    return [str(stored.record["detail"].get("message", "")) for stored in found]


def untimely(entries: Iterable[tuple[Record, str]], latest: str) -> dict[str, str]:
    """Return by their text why lines cannot be stored: those of a time that no controller's clock can have shown."""
    entries = list(entries)
    if all(EARLIEST <= moment <= latest for moment in {item[name] for item, _body in entries for name in _MOMENTS}):
        return {}  # nearly always, and there are few different ones
    return {
        body: f"it is of the time {item['started']} to {item['finished']}, and {EARLIEST} to {latest} is allowed"
        for item, body in entries
        if not (EARLIEST <= item["started"] <= latest and EARLIEST <= item["finished"] <= latest)
    }


def conflicts(entries: Iterable[tuple[Record, str]], stored: Mapping[str, str]) -> dict[str, str]:
    """Return by their text why lines cannot be stored: those with the id of another line, or of a stored record."""
    seen = dict(stored)
    return {
        body: f"it has the id {item['id']} of another record"
        for item, body in entries
        if seen.setdefault(item["id"], body) != body
    }


def plain(name: str) -> str:
    """Return a name as it can stand in a sentence and be a file's: what is odd in it as `_`, and not too long."""
    return _ODD.sub("_", name)[:_NAME_LIMIT]


def _record(
    path: Path, of: str, by: Actor, now: datetime, message: str, count: int, content: str, cause: str
) -> Record:
    advice = f"Look at {path}, find out what wrote there, and keep it as evidence; later runs are not affected."
    seen = observation(
        REJECTED,
        path.name,
        "failed",
        "malformed_answer",
        message=message,
        next=advice,
        count=count,
        digest=content,
        file=str(path),
        cause=cause,
        spool=plain(of),
    )
    return record(
        run=by.run,
        procedure=by.procedure,
        host=CONTROLLER,
        domain="run",
        observation=seen,
        started=iso(now),
        finished=iso(now),
        # The same record if a drain is killed after its commit and the next one makes it again.
        identifier=stable_id(REJECTED, path.name),
    )
