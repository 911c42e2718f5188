# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parameters of probes that may hold a secret: they are used, and never leave the host."""

from __future__ import annotations

import base64
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.health import prober, registry
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema

from tests.support import servers
from tests.support.planted import host, look, one

#: Parameters of other kinds that take a text of the plan, and why none is a secret: they name what is looked at.
PUBLIC = {
    "address",
    "allowed",
    "ca_file",
    "exclude",
    "expected",
    "hours",
    "name",
    "path",
    "paths",
    "port",
    "query",
    "resource",
    "seconds",
    "server",
    "server_name",
    "status",
    "unit",
    "verify",
}


def test_each_parameter_is_marked_or_named_as_public_and_the_schema_says_the_same() -> None:
    secret = {name for kind in registry.KINDS.values() for name in kind.secret}
    every = {name for kind in registry.KINDS.values() for name in kind.parameters()}
    assert every - secret == PUBLIC, "a new parameter needs a decision"
    assert set(load_schema().variables["egov_ops_probes"].secret_others) == secret


@contextmanager
def remembering(status: int = 200, **headers: str) -> Iterator[tuple[int, list[Any]]]:
    """Run a web server; give its port and the requests that came, each as path and headers."""
    seen: list[Any] = []

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, dict(self.headers)))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1], seen
        server.shutdown()


@pytest.mark.parametrize(
    ("login", "sent"),
    [
        ("mon:hunter22", "mon:hunter22"),
        ("mon:p%2Fw%40%3A%23", "mon:p/w@:#"),
        ("a:b@c:d", "a:b@c:d"),
        ("%E7%94%A8:密码", "用:密码"),
        ("token-alone", "token-alone:"),
        ("mon:100%25", "mon:100%"),
        ("mon:twice%252F", "mon:twice%2F"),
    ],
)
def test_user_and_password_of_an_address_are_sent_and_not_shown(login: str, sent: str) -> None:
    with remembering() as (port, seen):
        found = one("http", url=f"http://{login}@127.0.0.1:{port}/a?token=longtoken")
    assert found["status"] == "ok"
    ((path, headers),) = seen
    assert path == "/a?token=longtoken"
    assert base64.b64decode(headers["Authorization"].partition(" ")[2]).decode() == sent
    assert headers["Host"] == f"127.0.0.1:{port}"
    assert found["subject"] == f"http://127.0.0.1:{port}/a?token=*** (probe)"
    assert login not in json.dumps(found, ensure_ascii=False)
    assert "longtoken" not in json.dumps(found)


def test_a_header_of_the_plan_goes_before_the_login_of_the_address() -> None:
    with remembering() as (port, seen):
        one("http", url=f"http://mon:hunter22@127.0.0.1:{port}/", headers={"authorization": "Bearer x"})
    assert [value for name, value in seen[0][1].items() if name.lower() == "authorization"] == ["Bearer x"]


def test_a_redirect_to_another_host_is_not_followed_with_the_login() -> None:
    with remembering() as (other, elsewhere), remembering(302, Location=f"http://127.0.0.1:{other}/") as (port, seen):
        found = one("http", url=f"http://mon:hunter22@127.0.0.1:{port}/")
    assert (len(seen), elsewhere) == (1, [])
    assert found["detail"]["http_status"] == 302
    assert found["detail"]["next"] == (
        f"A probe follows no redirect. It leads to http://127.0.0.1:{other}/: if that is right, give it as url, or 302 "
        "as status."
    )


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/login?next=/a&sid=abcdefgh", "/login?next=***&sid=***"),
        ("login;jsessionid=abcdefgh#top", "login;jsessionid=***"),
        ("//u:abcdefgh@other/x?abcdefgh", "//other/x?***"),
        ("https://u:abcdefgh@other/hunter22", "https://other/********"),
        ("http://mon:hunter22@other/?token=longtoken", "http://other/?token=***"),
    ],
)
def test_where_a_redirect_leads_is_told_without_what_an_address_must_not_show(location: str, shown: str) -> None:
    with remembering(301, Location=location) as (port, seen):
        found = one("http", url=f"http://mon:hunter22@127.0.0.1:{port}/?token=longtoken")
    assert len(seen) == 1
    assert f"It leads to {shown}: if that is right" in found["detail"]["next"]
    assert not [text for text in ("abcdefgh", "hunter22", "longtoken") if text in json.dumps(found)]


def test_a_redirect_that_the_plan_expects_is_good() -> None:
    with remembering(301, Location="https://127.0.0.1/") as (port, seen):
        assert one("http", url=f"http://mon:hunter22@127.0.0.1:{port}/", status=301)["status"] == "ok"
    assert len(seen) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://mon:hunter22/x@127.0.0.1/",
        "http://mon:hunter22#x@127.0.0.1/",
        "http://mon:hunter22?x@127.0.0.1/",
        "http://mon:hunter22@127.0.0.1:port/",
        "http://mon:hunter22@[::1/",
        "ftp://mon:hunter22@127.0.0.1/",
        "mon:hunter22@127.0.0.1/",
        "http://mon:hunter22@",
        "http://mon:hunter22@127.0.0.1:1/",
        "http://mon:hunter22@127.0.0.1:99999/",
        "http://mon:hunter22@host name/",
        "http://mon:hunter22@127.0.0.1:1/\r\nX: y",
        ["http://mon:hunter22@127.0.0.1/"],
        {"hunter22": 1},
    ],
)
def test_an_address_that_is_none_is_told_without_its_password(url: Any) -> None:
    found = one("http", url=url, headers={"X-Token": "hunter22"})
    assert found["status"] in ("unknown", "critical")
    assert "hunter22" not in json.dumps(found)
    assert found["detail"]["message"]


def test_a_path_with_the_text_of_the_password_is_not_shown_either() -> None:
    found = one("http", url="http://mon:hunter22@127.0.0.1:1/api/hunter22/x")
    assert found["subject"] == "http://127.0.0.1:1/api/********/x (probe)"
    assert "hunter22" not in json.dumps(found)


@pytest.mark.parametrize(
    "headers", [{"X-Token": "hunter22\nX: y"}, {"hunter22\n": "x"}, {"X": {"hunter22": 1}}, "hunter22", ["hunter22"]]
)
def test_headers_that_are_none_are_told_without_their_values(headers: Any) -> None:
    with remembering() as (port, _seen):
        found = one("http", url=f"http://127.0.0.1:{port}/", headers=headers)
    assert (found["status"], found["reason"]) == ("unknown", "error")
    assert "hunter22" not in json.dumps(found)


def test_probes_that_differ_by_what_is_not_shown_have_subjects_that_last() -> None:
    with remembering() as (port, _seen):
        page: dict[str, Any] = {"kind": "http", "layer": "application"}
        probes = {name: {**page, "url": f"http://127.0.0.1:{port}/a?token={name}"} for name in ("one", "two")}
        probes["bare"] = {**page, "url": f"http://127.0.0.1:{port}/a"}
        both = prober.probe({"probes": probes}, host())["evidence"]
        alone = prober.probe({"probes": {"two": probes["two"]}}, host())["evidence"]
    shown = f"http://127.0.0.1:{port}/a"
    assert {item["subject"] for item in both} == {shown, f"{shown}?token=*** (one)", f"{shown}?token=*** (two)"}
    assert {item["subject"] for item in alone} <= {item["subject"] for item in both}


def _plugin(folder: Path, body: str) -> str:
    path = folder / "check_echo"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_a_plugin_is_named_without_its_arguments_and_its_echo_is_scrubbed(tmp_path: Path) -> None:
    command = [_plugin(tmp_path, 'echo "BAD $*|x=1;$2"; exit 2'), "-p", 'it\'s "hunter 22"', "-H", "portal", "-w", "5"]
    found = one("nagios_plugin", command=command)
    assert found["subject"] == "probe"
    assert found["detail"]["message"] == "BAD -p ******** -H portal -w 5"
    assert found["detail"]["performance"] == "x=1;********"
    assert found["detail"]["next"] == "Run check_echo by hand on the host, as the plan has it in probe probe."
    assert "hunter" not in json.dumps(found)


@pytest.mark.parametrize("command", ["check_x -p hunter22", ["check_x -p hunter22"], {"hunter22": 1}, []])
def test_a_command_that_is_none_is_told_without_its_arguments(command: Any) -> None:
    found = one("nagios_plugin", command=command)
    assert found["status"] in ("unknown", "skipped")
    assert "hunter22" not in json.dumps(found)


def test_a_plugin_that_does_not_end_is_named_alone(tmp_path: Path) -> None:
    found = one("nagios_plugin", command=[_plugin(tmp_path, "sleep 9"), "-p", "hunter22"], timeout=0.5)
    assert found["detail"]["message"].startswith("Probe probe was not finished: check_echo did not end within")
    assert "hunter22" not in json.dumps(found)


def test_what_is_sent_to_a_port_and_expected_of_it_is_not_shown() -> None:
    def echo(link: socket.socket) -> None:
        link.sendall(b"-ERR " + link.recv(100) + b"x" * 60)

    with servers.talking(echo) as address:
        found = one("tcp", address=address, send="AUTH hunter22\r\n", expect="+secretly OK")
    assert found["detail"]["message"].startswith(f"{address} answers '-ERR ********xx")
    assert not {"hunter22", "secretly"} & set(json.dumps(found).replace("'", " ").split())


def test_an_address_of_a_port_with_a_login_is_told_without_it() -> None:
    found = one("tcp", address="http://mon:hunter22@127.0.0.1/")
    assert "hunter22" not in json.dumps(found["detail"])


@pytest.mark.parametrize("stream", ["", " >&2"])
def test_a_secret_with_the_sign_that_parts_message_and_values_is_taken_out_whole(tmp_path: Path, stream: str) -> None:
    on = Host({"timeout": 30}, {"hidden:0": "first|second"})
    command = [_plugin(tmp_path, f'echo "CRITICAL $1|time=1"{stream}; exit 2'), "first|second"]
    (found,) = look("nagios_plugin", on=on, command=command)
    assert (found["detail"]["message"], found["detail"]["performance"]) == ("CRITICAL ********", "time=1")
