# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the lab's mail and webhooks end: each message is a file in the folder that is given, mail-N or webhook-N."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

FOLDER = Path(sys.argv[1])
NUMBERS = itertools.count(len(list(FOLDER.iterdir())) + 1)


def keep(kind: str, message: bytes) -> None:
    """Keep a message; it is whole as soon as it is seen."""
    new = FOLDER / ".new"
    new.write_bytes(message)
    new.replace(FOLDER / f"{kind}-{next(NUMBERS)}")


async def mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take mail, whoever it is for."""

    async def say(words: str) -> None:
        writer.write(f"{words}\r\n".encode())
        await writer.drain()

    await say("220 mon1 ESMTP")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            await say("354 end with a dot")
            lines = []
            while (line := await reader.readline()) not in (b".\r\n", b""):
                lines.append(line[1:] if line.startswith(b".") else line)
            keep("mail", b"".join(lines))
            await say("250 kept")
        elif verb == b"QUIT":
            await say("221 goodbye")
            break
        else:
            await say("250 mon1")
    writer.close()


async def webhook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the body of a request, whatever its address."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    keep("webhook", await reader.readexactly(int(lengths[0]) if lengths else 0))
    writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


async def main() -> None:
    """Serve both for ever."""
    servers = [await asyncio.start_server(mail, "", 25), await asyncio.start_server(webhook, "", 8080)]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main())
