# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's business system: citizens' applications are filed and listed, and kept in the database.

GET /health says whether the database answers, POST /applications files the body, GET /applications lists what is filed.
"""

from __future__ import annotations

import json
import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg2


def ask(statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run a statement in a transaction of its own and return its rows."""
    connection = psycopg2.connect(os.environ["PORTAL_DATABASE"], connect_timeout=3)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return rows
    finally:
        connection.close()


class Portal(BaseHTTPRequestHandler):
    """What the balancer and the web server send here."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Say how it is, or what is filed."""
        if self.path == "/health":
            self.answer(lambda: {"host": socket.gethostname(), "database": bool(ask("SELECT 1"))})
        elif self.path == "/applications":
            self.answer(lambda: [text for (text,) in ask("SELECT text FROM applications ORDER BY id")])
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """File an application."""
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer(lambda: ask("INSERT INTO applications (text) VALUES (%s) RETURNING id", text)[0][0])

    def answer(self, work: Any) -> None:
        """Answer with what some work gives, or say that the database is away."""
        try:
            status, body = 200, work()
        except psycopg2.Error as error:
            status, body = 503, {"host": socket.gethostname(), "database": False, "why": str(error).strip()}
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 8000), Portal).serve_forever()
