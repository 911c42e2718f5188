# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Witnesses: heads kept outside the database."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.durable import hold, open_private
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import witness
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Head
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import publish_head, read_witnesses, signer

from tests.support.ledger_cases import TIME, in_child

HEAD = Head(7, "ab" * 32, "sha256")


def test_what_was_published_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "witness.jsonl"
    written = [publish_head(path, Head(count, "ab", "sha256"), f"r{count}", TIME) for count in (1, 2)]
    assert read_witnesses(path) == written
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_file_is_no_witness(tmp_path: Path) -> None:
    assert read_witnesses(tmp_path / "absent") == []


@pytest.mark.parametrize(
    "line",
    [
        *('{"count":8,"ha', "[]", '{"schema":2,"count":9}', '{"schema":1,"count":9}', "\udcff", "[" * 100_000),
        '{"algorithm":"sha256","count":Infinity,"hash":"a","run":"r","schema":1,"signature":"","time":"t"}',
    ],
)
def test_a_line_that_is_no_witness_is_left_out_and_spoils_no_other(tmp_path: Path, line: str) -> None:
    path = tmp_path / "witness.jsonl"
    first = publish_head(path, HEAD, "r1", TIME)
    with path.open("a", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(line)
    second = publish_head(path, HEAD, "r2", TIME)
    assert read_witnesses(path) == [first, second]


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"witness file .*cannot be written|cannot be written to the witness file"):
        publish_head(tmp_path / "absent" / "witness.jsonl", HEAD, "r1", TIME)


def test_the_system_log_gets_the_head(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(log))
        publish_head(tmp_path / "witness.jsonl", HEAD, "r1", TIME, syslog=log)
        channel.settimeout(5)
        text = channel.recv(1000).decode()
    assert text == f"<86>egov-ops: ledger head count=7 sha256={HEAD.hash} run=r1"


@pytest.mark.programs("ssh-keygen")
def test_a_key_with_a_passphrase_is_refused_without_asking(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", key], check=True)
    with pytest.raises(LedgerError, match="cannot be signed with the key"):
        publish_head(tmp_path / "witness.jsonl", HEAD, "r1", TIME, key)
    assert not (tmp_path / "witness.jsonl").exists()


@pytest.mark.programs("ssh-keygen")
def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=f"key {tmp_path}/absent"):
        publish_head(tmp_path / "witness.jsonl", HEAD, "r1", TIME, tmp_path / "absent")


def test_a_missing_allowed_signers_file_is_named(tmp_path: Path) -> None:
    witness = publish_head(tmp_path / "witness.jsonl", HEAD, "r1", TIME)
    with pytest.raises(LedgerError, match=r"allowed_signers file .* does not exist"):
        signer(witness, tmp_path / "absent")


def test_a_witness_file_that_is_held_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "witness.jsonl"
    monkeypatch.setattr(witness, "_PATIENCE", 0.05)
    descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
    try:
        assert hold(descriptor, 0)

        def write() -> None:
            with pytest.raises(LedgerError, match=f"The witness file {path} is held by another process"):
                witness.append_line(path, "{}")

        assert in_child(write) == 0
    finally:
        os.close(descriptor)
    assert path.read_text() == ""


def test_a_witness_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=f"The witness file {tmp_path} cannot be read"):
        witness.read_witnesses(tmp_path)


@pytest.mark.parametrize(
    ("changed", "is_witness"),
    [
        ({}, True),
        ({"count": 0}, True),
        ({"count": 2**63 - 1}, True),
        ({"count": 2**63}, False),
        ({"count": -1}, False),
        ({"count": True}, False),
        ({"count": 1.0}, False),
        ({"run": 5}, False),
        ({"hash": None}, False),
        ({"export": "e" * 64}, True),
        ({"export": 1}, False),
        ({"signature": ["x"]}, False),
        ({"schema": 2}, False),
        ({"schema": 0}, True),
        ({"other": "x"}, False),
    ],
)
def test_a_line_of_the_file_has_the_fields_of_a_witness(
    tmp_path: Path, changed: dict[str, object], is_witness: bool
) -> None:
    fields = {"schema": 1, "time": "t", "run": "r", "count": 3, "hash": "h", "algorithm": "sha256", "signature": ""}
    path = tmp_path / "witness.jsonl"
    path.write_text(json.dumps({**fields, **changed}) + "\n")
    assert len(witness.read_witnesses(path)) == int(is_witness)
