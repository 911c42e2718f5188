# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network, names and time: what does not listen, answer, accept, resolve or keep time."""

from __future__ import annotations

import ctypes
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.health.sockets import split_address

from tests.support import servers
from tests.support.planted import fault, host, look, one


@fault("tcp")
def test_a_port_on_which_nobody_listens_is_found() -> None:
    port = servers.free_port()
    found = one("tcp", address=f"127.0.0.1:{port}")
    assert found["detail"]["message"] == f"127.0.0.1:{port} takes no connection: Connection refused."
    with servers.talking(servers.silent, port):
        one("tcp", address=f"127.0.0.1:{port}")


@fault("tcp")
def test_a_port_that_accepts_and_keeps_silent_is_found_where_an_answer_is_expected() -> None:
    port = servers.free_port()
    with servers.talking(servers.silent, port):
        found = one("tcp", address=f"127.0.0.1:{port}", expect="220 ", timeout=0.5)
        assert (found["status"], found["reason"]) == ("critical", "timeout")
    with servers.talking(lambda link: link.sendall(b"220 mail.example.org ESMTP\r\n"), port):
        one("tcp", address=f"127.0.0.1:{port}", expect="220 ")


def test_a_wrong_answer_is_shown() -> None:
    with servers.talking(lambda link: link.sendall(b"554 no\r\n")) as address:
        message = one("tcp", address=address, expect="220 ")["detail"]["message"]
    assert message == f"{address} answers '554 no\\r\\n', which is not what is expected."


@pytest.mark.parametrize(
    ("text", "pair"),
    [("db:5432", ("db", 5432)), ("[::1]:22", ("::1", 22)), ("[::1]", ("::1", 443)), ("portal", ("portal", 443))],
)
def test_an_address_is_split_into_host_and_port(text: str, pair: tuple[str, int]) -> None:
    assert split_address(text, 443) == pair


def test_an_address_without_a_port_is_a_mistake_in_the_plan() -> None:
    found = one("tcp", address="db")
    assert (found["status"], found["reason"]) == ("unknown", "error")
    assert "'db' is no address; write host:port" in found["detail"]["message"]


@fault("listening_ports")
def test_an_expected_port_without_a_service_is_found() -> None:
    port = servers.free_port()
    look("listening_ports", expected=[port])
    with servers.talking(servers.silent, port):
        look("listening_ports", expected=[port])


@fault("listening_ports")
def test_a_service_on_a_port_that_is_not_in_the_plan_is_found() -> None:
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()
        port = server.getsockname()[1]
        found = one("listening_ports", allowed=[])
        assert f"tcp/{port}" in found["detail"]["message"]
        others = [int(name[4:]) for name in found["detail"]["message"][:-1].split(": ")[1].split(", ")]
        one("listening_ports", allowed=others)


def test_a_service_on_loopback_alone_needs_no_permission() -> None:
    with servers.listening() as server:
        assert f"tcp/{server.getsockname()[1]}" not in one("listening_ports", allowed=[])["detail"]["message"]


@fault("listen_queue")
def test_a_service_that_does_not_accept_is_found() -> None:
    with servers.listening(backlog=2) as server:
        clients = [socket.create_connection(server.getsockname()) for _ in range(2)]
        found = one("listen_queue", warning="70")
        assert found["detail"]["port"] == server.getsockname()[1]
        for client in clients:
            server.accept()[0].close()
            client.close()
        one("listen_queue", warning="70")


@fault("dns")
def test_a_name_that_does_not_resolve_is_found() -> None:
    found = one("dns", name="no-such-host.invalid")
    assert found["detail"]["message"].startswith("no-such-host.invalid does not resolve: ")
    one("dns", name="localhost")


def test_a_name_with_another_address_is_found() -> None:
    found = one("dns", name="127.0.0.1", address="192.0.2.1")
    assert found["detail"]["message"] == "127.0.0.1 resolves to 127.0.0.1 and not to 192.0.2.1."


@pytest.mark.root
@fault("nameservers")
def test_a_silent_name_server_is_found(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").write_text("search example.org\nnameserver 127.0.0.77\n")
    with servers.datagrams(lambda question: b"", "127.0.0.77", 53):
        found = one("nameservers", root=tmp_path, timeout=0.5)
        assert (found["subject"], found["reason"]) == ("127.0.0.77", "timeout")
    assert one("nameservers", root=tmp_path)["status"] == "critical"
    with servers.datagrams(lambda question: question, "127.0.0.77", 53):
        one("nameservers", root=tmp_path)


@fault("ntp_offset")
def test_a_clock_far_from_the_time_servers_is_found() -> None:
    with servers.datagrams(servers.time_server(-42.5)) as port:
        found = one("ntp_offset", server="127.0.0.1", port=port, warning="0.5", critical="5")
        assert found["detail"]["offset"] == pytest.approx(-42.5, abs=0.2)
    with servers.datagrams(servers.time_server(0)) as port:
        one("ntp_offset", server="127.0.0.1", port=port, warning="0.5", critical="5")


def test_a_time_server_without_time_is_found() -> None:
    with servers.datagrams(lambda question: bytes(48)) as port:
        assert one("ntp_offset", server="127.0.0.1", port=port, warning="1")["status"] == "critical"


@fault("clock_skew")
def test_a_clock_far_from_the_controllers_is_found() -> None:
    then = time.strftime("%Y-%m-%dT%H:%M:%S.5Z", time.gmtime(time.time() - 400))
    found = one("clock_skew", on=host(now=then), warning="60", critical="300")
    assert found["status"] == "critical"
    one("clock_skew", warning="60", critical="300")


class _Clock:
    """The status word of the kernel's clock; changing it moves no time."""

    _STATUS, _UNSYNCHRONISED = 0x10, 0x40

    def __init__(self) -> None:
        self._adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
        self.before = self._call(0, 0)

    def set(self, synchronised: bool) -> None:
        self._call(self._STATUS, 0 if synchronised else self._UNSYNCHRONISED)

    def restore(self) -> None:
        self._call(self._STATUS, self.before)

    def _call(self, modes: int, status: int) -> int:
        import struct

        timex = ctypes.create_string_buffer(512)
        struct.pack_into("@Illlli", timex, 0, modes, 0, 0, 0, 0, status)
        if self._adjtimex(timex) < 0:
            pytest.skip("the kernel's clock may not be set here")
        return int(struct.unpack_from("@Illlli", timex)[5])


@pytest.fixture
def clock() -> Iterator[_Clock]:
    clock = _Clock()
    yield clock
    clock.restore()


@pytest.mark.root
@fault("time_sync")
def test_a_clock_that_no_service_keeps_is_found(clock: _Clock) -> None:
    clock.set(synchronised=False)
    one("time_sync")
    clock.set(synchronised=True)
    one("time_sync")
