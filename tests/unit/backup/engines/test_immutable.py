# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a store would let a client remove a backup: what it answers, and what a broken one does not."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.immutable import ask, signed

from tests.support.rest_server import SECRET, USER, rest_server

LOCK = (
    "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
    "<Mode>{mode}</Mode>{time}</DefaultRetention></Rule></ObjectLockConfiguration>"
)


@contextmanager
def bucket(code: int, body: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Answer each request so, and give the location of a bucket and the headers that were sent."""
    sent: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent.append({"path": self.path, **self.headers})
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"s3:http://127.0.0.1:{server.server_port}/backups/web1", sent
        server.shutdown()


def test_a_server_that_only_appends_holds_and_another_does_not(tmp_path: Path) -> None:
    for append_only in (True, False):
        with rest_server(tmp_path, append_only) as location:
            place = location.replace("//", f"//{USER}:{quote(SECRET, '')}@")
            answer = ask(place, {})
        assert answer.holds is append_only
        assert ("refuses to delete" in answer.words) is append_only


def test_asking_removes_nothing(tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshots" / ("ab" * 32)
    snapshot.parent.mkdir()
    snapshot.write_text("whole")
    with rest_server(tmp_path) as location:
        ask(location.replace("//", f"//{USER}:{quote(SECRET, '')}@"), {})
    assert snapshot.read_text() == "whole"


def test_wrong_credentials_say_nothing_of_the_server_and_are_not_shown(tmp_path: Path) -> None:
    with rest_server(tmp_path, append_only=True) as location:
        answer = ask(location.replace("//", "//web1:wrong-secret@"), {})
    assert answer.holds is None
    assert "401" in answer.words
    assert "wrong-secret" not in answer.words


@pytest.mark.parametrize(
    ("code", "body", "holds", "words"),
    [
        (200, LOCK.format(mode="COMPLIANCE", time="<Days>30</Days>"), True, "for 30 days"),
        (200, LOCK.format(mode="COMPLIANCE", time="<Years>1</Years>"), True, "for 1 years"),
        (200, LOCK.format(mode="GOVERNANCE", time="<Days>30</Days>"), False, "which a client can lift"),
        (200, "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>", False, "no default retention"),
        (200, "<ObjectLockConfiguration/>", False, "no object lock"),
        (404, "<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>", False, "no object lock"),
        (404, "<Error><Code>NoSuchBucket</Code></Error>", None, "404 NoSuchBucket"),
        (403, "<Error><Code>AccessDenied</Code></Error>", None, "403 AccessDenied"),
    ],
)
def test_a_bucket_is_asked_for_its_object_lock(code: int, body: str, holds: bool | None, words: str) -> None:
    secret = "very-secret-key"
    with bucket(code, body) as (location, sent):
        answer = ask(location, {"AWS_ACCESS_KEY_ID": "web1", "AWS_SECRET_ACCESS_KEY": secret})
    assert answer.holds is holds
    assert words in answer.words
    assert sent[0]["path"] == "/backups?object-lock="
    assert secret not in json.dumps(sent) + answer.words


def test_a_store_that_does_not_answer_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        answer = ask(f"s3:http://127.0.0.1:{silent.getsockname()[1]}/backups", {}, seconds=0.3)
    assert answer.holds is None
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("location", ["sftp:egov@backup1:/srv", "/srv/backups", "s3:https://store"])
def test_a_place_that_cannot_be_asked_is_not_known(location: str) -> None:
    assert ask(location, {}).holds is None


def test_the_signature_is_the_one_that_amazons_own_library_makes() -> None:
    names = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "DEFAULT_REGION")
    values = ("web1", "no secret", "session", "eu-west-1")
    keys = {f"AWS_{name}": value for name, value in zip(names, values, strict=True)}
    moment = time.strptime("2026-05-20 01:02:03", "%Y-%m-%d %H:%M:%S")
    headers = signed("store.example.org:9000", "/backups", "object-lock=", keys, moment)
    signature = headers["Authorization"].rpartition("Signature=")[2]
    assert signature == "4c831ff663d47e4f67c0640d1a5acc455adbdc8fa36656a004520f2552ce79bc"  # botocore 1.44
