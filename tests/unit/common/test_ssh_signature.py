# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys and signatures, by the real ssh-keygen."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.ssh_signature import (
    SignatureError,
    key_of,
    public_key,
    sign,
    verify,
)

from tests.support.gate_cases import folder, key

NAMESPACE = "egov.ops.request@1"


pytestmark = pytest.mark.programs("ssh-keygen")


def test_a_signature_names_its_key_and_holds_for_its_document_and_purpose_alone() -> None:
    made = sign("text", NAMESPACE, folder() / "li_1")
    assert key_of(made) == key("li_1") == " ".join((folder() / "li_1.pub").read_text().split()[:2])
    assert verify("text", made, NAMESPACE, key("li_1"))
    assert not verify("text\n", made, NAMESPACE, key("li_1"))
    assert not verify("text", made, "file", key("li_1"))
    assert not verify("text", made, NAMESPACE, key("li_2"))


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_other_kinds_of_keys_sign_too(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-m", "PEM", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    made = sign("text", NAMESPACE, path)
    assert key_of(made) == public_key(path)
    assert verify("text", made, NAMESPACE, public_key(path))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no signature",
        "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----",
        "-----BEGIN SSH SIGNATURE-----\n!!!\n-----END SSH SIGNATURE-----",
        "-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQAAADM=\n-----END SSH SIGNATURE-----",
        "-----BEGIN SSH SIGNATURE-----\n门户\n-----END SSH SIGNATURE-----",
    ],
)
def test_what_is_no_signature_names_no_key(text: str) -> None:
    assert key_of(text) == ""


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes((folder() / "li_1").read_bytes())
    path.chmod(0o640)
    with pytest.raises(SignatureError, match=r"others can read it \(mode 0640\); run chmod 600 on it\.$"):
        public_key(path)


def test_a_key_with_a_passphrase_is_refused_and_the_agent_named(tmp_path: Path) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", "secret", "-f", str(path)], check=True, stdin=subprocess.DEVNULL)
    with pytest.raises(
        SignatureError, match=r"load it into ssh-agent \(ssh-add .*\) and name its public half, .*\.pub\.$"
    ):
        public_key(path)


def test_a_public_half_needs_an_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(SignatureError, match="no ssh-agent runs"):
        public_key(folder() / "li_1.pub")


def test_an_agent_that_does_not_hold_the_key_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "no agent"))
    alone = tmp_path / "li.pub"
    alone.write_bytes((folder() / "li_1.pub").read_bytes())
    with pytest.raises(SignatureError, match=r"load the key into ssh-agent, or name one that can sign\.$"):
        sign("text", NAMESPACE, alone)


@pytest.mark.parametrize("make", ["nothing", "a folder", "a pipe", "no key"])
def test_what_is_no_key_is_refused_in_one_sentence(make: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    if make == "a folder":
        path.mkdir()
    elif make == "a pipe":
        os.mkfifo(path)
    elif make == "no key":
        path.write_text("hunter2\n")
    with pytest.raises(SignatureError, match=r"^No signature can be made with .*\.$") as caught:
        public_key(path)
    assert "hunter2" not in str(caught.value)
