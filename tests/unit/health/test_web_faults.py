# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Web pages and certificates, served by real servers on loopback."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.health.tls import not_after, pem_certificates
from hypothesis import given
from hypothesis import strategies as st

from tests.support import servers
from tests.support.planted import fault, look, one


@fault("http")
def test_a_page_that_answers_with_an_error_is_found() -> None:
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}/health?full=1"
    with servers.web(503, port=port):
        assert one("http", url=url)["detail"]["message"] == (
            f"http://127.0.0.1:{port}/health?full=*** answers with status 503 and not 200."
        )
    with servers.web(port=port):
        one("http", url=url)


@fault("http")
def test_a_page_without_its_text_is_found() -> None:
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    with servers.web(body="数据库不可用".encode(), port=port):
        one("http", url=url, contains="正常")
    with servers.web(body="一切正常".encode(), port=port):
        one("http", url=url, contains="正常")


@fault("http")
def test_a_page_that_comes_byte_by_byte_is_cut_off_at_the_deadline() -> None:
    port = servers.free_port()
    with servers.talking(servers.dripping, port):
        found = one("http", url=f"http://127.0.0.1:{port}", timeout=1.5)
        assert (found["status"], found["reason"]) == ("critical", "timeout")
        assert found["duration"] < 2
    with servers.web(port=port):
        one("http", url=f"http://127.0.0.1:{port}", timeout=1.5)


def test_a_slow_page_is_judged_by_its_limit() -> None:
    with servers.web() as port:
        found = one("http", url=f"http://127.0.0.1:{port}", warning="~:-1")
    assert (found["status"], found["detail"]["unit"]) == ("warning", "s")


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{servers.free_port()}")
    with servers.web() as port:
        assert one("http", url=f"http://127.0.0.1:{port}")["status"] == "ok"


def test_several_statuses_can_be_right() -> None:
    with servers.web(401) as port:
        assert one("http", url=f"http://127.0.0.1:{port}", status=[200, 401])["status"] == "ok"


def _certificate(folder: Path, days: int, name: str = "localhost") -> Path:
    """Make a key and a self-signed certificate for a name and some days, in one PEM file."""
    key, certificate, both = folder / "key.pem", folder / "certificate.pem", folder / "both.pem"
    options = f"-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} -days {days} "
    options += f"-addext subjectAltName=DNS:{name}"
    subprocess.run(
        ["openssl", "req", "-x509", *options.split(), "-keyout", key, "-out", certificate],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


@fault("certificate_served")
def test_a_served_certificate_that_ends_soon_is_found(tmp_path: Path) -> None:
    port = servers.free_port()
    settings = {"address": f"localhost:{port}", "ca_file": str(tmp_path / "certificate.pem"), "critical": "30:"}
    with servers.web(port=port, certificate=_certificate(tmp_path, 5)):
        found = one("certificate_served", **settings)
        assert found["detail"]["value"] == pytest.approx(5, abs=0.1)
    with servers.web(port=port, certificate=_certificate(tmp_path, 90)):
        one("certificate_served", **settings)


@fault("certificate_served")
def test_a_certificate_of_another_name_is_found(tmp_path: Path) -> None:
    port = servers.free_port()
    settings = {"address": f"localhost:{port}", "ca_file": str(tmp_path / "certificate.pem"), "critical": "30:"}
    with servers.web(port=port, certificate=_certificate(tmp_path, 90, name="other.example.org")):
        message = one("certificate_served", **settings)["detail"]["message"]
        assert message.startswith(f"Clients do not trust the certificate of localhost:{port}: Hostname mismatch")
    with servers.web(port=port, certificate=_certificate(tmp_path, 90)):
        one("certificate_served", **settings)


def test_a_certificate_that_nobody_signed_passes_where_trust_is_not_asked_for(tmp_path: Path) -> None:
    with servers.web(certificate=_certificate(tmp_path, 90)) as port:
        address = f"localhost:{port}"
        assert one("certificate_served", address=address, critical="30:")["status"] == "critical"
        assert one("certificate_served", address=address, critical="30:", verify=False)["status"] == "ok"


def test_a_service_without_tls_is_found() -> None:
    with servers.web() as port:
        found = one("certificate_served", address=f"localhost:{port}", critical="30:")
    assert "shows no certificate that clients accept" in found["detail"]["message"]


#: A self-signed certificate for expired.example.org that ended on 2 January 2020.
EXPIRED = Path(__file__).parent / "fixtures" / "expired.pem"


@fault("certificate_stored")
def test_an_expired_certificate_in_a_file_is_found(tmp_path: Path) -> None:
    file = tmp_path / "portal.pem"
    file.write_bytes(EXPIRED.read_bytes())
    (found,) = look("certificate_stored", paths=[str(tmp_path / "*.pem")], warning="30:", critical="7:")
    assert found["subject"] == str(file)
    assert found["detail"]["message"].startswith(f"The certificate of {file} expired ")
    file.write_bytes(_certificate(tmp_path, 90).read_bytes())
    look("certificate_stored", paths=[str(file)], warning="30:", critical="7:")


def test_of_a_chain_the_first_to_end_counts(tmp_path: Path) -> None:
    chain = _certificate(tmp_path, 90)
    chain.write_bytes(chain.read_bytes() + EXPIRED.read_bytes())
    assert one("certificate_stored", paths=[str(chain)], critical="7:")["status"] == "critical"


def test_a_key_is_no_certificate(tmp_path: Path) -> None:
    _certificate(tmp_path, 90)
    assert one("certificate_stored", paths=[str(tmp_path / "key.pem")], critical="7:")["status"] == "skipped"


def test_a_file_of_rubbish_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("no certificate\n")
    found = one("certificate_stored", paths=[str(tmp_path / "a.pem")], critical="7:")
    assert found["detail"]["message"] == f"{tmp_path}/a.pem cannot be read: this is no X.509 certificate."


def test_the_end_of_a_certificate_is_read_from_pem_and_der_alike() -> None:
    (der,) = pem_certificates(EXPIRED.read_bytes())
    assert pem_certificates(der) == [der]
    assert not_after(der) == 1577923200


@given(st.binary(max_size=64))
def test_any_bytes_give_a_date_or_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no X\.509 certificate"):
        not_after(data)


@given(st.integers(0, 400))
def test_a_cut_certificate_is_an_error(length: int) -> None:
    (der,) = pem_certificates(EXPIRED.read_bytes())
    with pytest.raises(ValueError, match=r"no X\.509 certificate"):
        not_after(der[: min(length, len(der) - 1)])
