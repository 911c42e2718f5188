# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A REST server of restic's protocol in one folder, with a user and a password: what a copy elsewhere is sent to."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

USER, SECRET = "web1", "s3cret/with:signs@and space"


@contextmanager
def rest_server(folder: Path, append_only: bool = False) -> Iterator[str]:
    """Serve a folder on a free port of this machine and give its location for restic.

    Append only, nothing but locks can be removed, as restic's own server has it.
    """
    wanted = "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, code: int, body: bytes = b"", kind: str = "application/octet-stream") -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def path_of(self) -> Path | None:
            if self.headers.get("Authorization") != wanted:
                self.answer(401)
                return None
            return folder / urlsplit(self.path).path.strip("/")

        def do_GET(self) -> None:
            path = self.path_of()
            if path is None:
                return
            if self.path.endswith("/") and path != folder:
                files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else []
                listed = [{"name": file.name, "size": file.stat().st_size} for file in files]
                self.answer(200, json.dumps(listed).encode(), "application/vnd.x.restic.rest.v2")
            elif not path.is_file():
                self.answer(404)
            else:
                body = path.read_bytes()
                first, dash, last = self.headers.get("Range", "").partition("bytes=")[2].partition("-")
                if dash:
                    self.answer(206, body[int(first) : int(last) + 1 if last else len(body)])
                else:
                    self.answer(200, body)

        do_HEAD = do_GET

        def do_POST(self) -> None:
            path = self.path_of()
            if path is None:
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "create=true" not in self.path:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(body)
            self.answer(200)

        def do_DELETE(self) -> None:
            path = self.path_of()
            if path is not None and append_only and path.parent.name != "locks":
                self.answer(403)
            elif path is not None:
                path.unlink(missing_ok=True)
                self.answer(200)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"rest:http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
