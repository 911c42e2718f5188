# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The system's log as a second witness."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SYSLOG = Path("/dev/log")
#: Folders of the journal, and the files into which other system logs write, the likeliest first.
JOURNALS = (Path("/var/log/journal"), Path("/run/log/journal"))
FILES = tuple(map(Path, ("/var/log/auth.log", "/var/log/secure", "/var/log/syslog", "/var/log/messages")))

_BEGUN = re.compile(r"egov-ops(?:\[\d+\])?: spool begun run=(\S+) header=([0-9a-f]{64})\s*$")
_LINES = re.compile(r"egov-ops(?:\[\d+\])?: spool run=(\S+) lines=\d+ sha256=([0-9a-f]{64})\s*$")
#: Bytes of a log file, its newest, that are searched, and seconds that reading may take.
_SEARCHED, _READING = 64 * 1024 * 1024, 20

#: Facility authpriv, severity info: where such a line is kept longest and read by fewest.
_PRIORITY = 10 * 8 + 6

#: Seconds that a log which takes nothing may cost a task.
_PATIENCE = 0.2


def log(text: str, syslog: Path | None = None) -> None:
    """Tell the system's log, `SYSLOG` or another socket; a machine without one has only the witness file."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(_PATIENCE)
        channel.connect(str(syslog or SYSLOG))
        channel.send(f"<{_PRIORITY}>egov-ops: {text}".encode())


@dataclass(frozen=True)
class Logged:
    """What the system's log holds of a spool since it was last begun: the hash of its header, and running hashes."""

    header: str
    hashes: tuple[str, ...]


def logged(run: str) -> Logged | None:
    """Return what the log of this machine has kept of a run's spool; None where it has nothing, or cannot be read."""
    header, hashes = "", list[str]()
    for line in _lines(run):
        if (begun := _BEGUN.search(line)) and begun[1] == run:
            header, hashes = begun[2], []
        elif (found := _LINES.search(line)) and found[1] == run:
            hashes.append(found[2])
    return Logged(header, tuple(hashes)) if header else None


def _lines(run: str) -> Iterator[str]:
    """Yield the lines of the journal, or else of the first log file that has any, in which a run's name stands."""
    with suppress(OSError, subprocess.SubprocessError):
        journalctl = shutil.which("journalctl")
        if journalctl and any(folder.is_dir() and any(folder.iterdir()) for folder in JOURNALS):
            command = [journalctl, "--quiet", "--no-pager", "--output=short", "--identifier=egov-ops"]
            done = subprocess.run(command, capture_output=True, timeout=_READING, check=False)
            yield from _holding(done.stdout, run)
            return
    for file in FILES:
        with suppress(OSError), file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - _SEARCHED))
            found = list(_holding(stream.read(_SEARCHED), run))
            if found:
                yield from found
                return


def _holding(text: bytes, run: str) -> Iterator[str]:
    needle = f"run={run} ".encode()
    for line in text.splitlines():
        if needle in line:
            yield line.decode("utf-8", "replace")
