# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small servers on loopback, each in a thread: web pages, time, names, and some that misbehave."""

from __future__ import annotations

import http.server
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def listening(backlog: int = 5) -> Iterator[socket.socket]:
    """Give a TCP socket that listens on a free port of 127.0.0.1."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(backlog)
        yield server


def address(server: socket.socket) -> str:
    """Return where a socket listens as host:port."""
    host, port = server.getsockname()
    return f"{host}:{port}"


def free_port() -> int:
    """Return a TCP port on which nobody listens."""
    with listening() as server:
        return int(server.getsockname()[1])


@contextmanager
def talking(talk: Callable[[socket.socket], None], port: int = 0) -> Iterator[str]:
    """Run a TCP server that hands each connection to a function, and give its address."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    link, _ = server.accept()
                except OSError:
                    return  # the test is over
                threading.Thread(target=_handle, args=(talk, link), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield address(server)
        server.shutdown(socket.SHUT_RDWR)


def _handle(talk: Callable[[socket.socket], None], link: socket.socket) -> None:
    with link:
        try:
            talk(link)
        except OSError:
            return  # the other side has gone


def silent(link: socket.socket) -> None:
    """Accept and never say anything."""
    link.recv(65536)
    time.sleep(30)


def dripping(link: socket.socket) -> None:
    """Answer a web request with one byte a second, each in time for a timeout that starts anew with each byte."""
    link.recv(65536)
    for byte in b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(1000):
        link.sendall(bytes([byte]))
        time.sleep(1)


class _Page(http.server.BaseHTTPRequestHandler):
    status = 200
    body = b"ready"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def web(status: int = 200, body: bytes = b"ready", port: int = 0, certificate: Path | None = None) -> Iterator[int]:
    """Run a web server and give its port; with a PEM file of key and certificate it speaks TLS."""
    page = type("Page", (_Page,), {"status": status, "body": body})
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), page) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextmanager
def datagrams(answer: Callable[[bytes], bytes], host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Run a UDP server that answers each question by a function, b"" for silence, and give its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((host, port))

        def serve() -> None:
            while True:
                question, sender = server.recvfrom(4096)
                if question == b"end":
                    return
                if answered := answer(question):
                    server.sendto(answered, sender)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", server.getsockname())
        thread.join()


def time_server(offset: float) -> Callable[[bytes], bytes]:
    """Return the answers of a time server whose clock is some seconds from ours."""

    def answer(_question: bytes) -> bytes:
        seconds = time.time() + offset + 2208988800
        stamp = struct.pack("!II", int(seconds), int(seconds % 1 * 2**32))
        return b"\x24\x02" + bytes(30) + stamp + stamp

    return answer
