# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The system's log as a second witness."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

SYSLOG = Path("/dev/log")

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
