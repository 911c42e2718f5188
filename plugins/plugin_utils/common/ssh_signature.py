# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures by people's own SSH keys, made and verified by ssh-keygen on the controller."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import tempfile
from pathlib import Path

from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError

_MAGIC = b"SSHSIG"
_PATIENCE = 30.0
#: Bytes of a key file that are read: the largest RSA keys have some 13 KiB.
_SIZE_LIMIT = 64 * 1024
_REFUSED = "No signature can be made with"


class SignatureError(OpsError):
    """Something cannot be signed or verified; the text is one sentence."""


def ssh_keygen(arguments: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
    """Run ssh-keygen, which may ask nobody for anything. Raises SignatureError where it cannot be run."""
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
            # No terminal: a passphrase must not be asked for, neither there nor in a window.
            env={**os.environ, "LC_ALL": "C.UTF-8", "SSH_ASKPASS_REQUIRE": "never"},
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SignatureError(
            f"ssh-keygen could not be run ({error}); install the OpenSSH client, 8.2 or newer."
        ) from None


def public_key(path: Path) -> str:
    """Return the public half, `type base64`, of a key that can sign without asking.

    That is a private key without a passphrase which its owner alone can read, or the public half of one in an agent.
    Raises SignatureError for any other.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SignatureError(f"{_REFUSED} {path}: it is not a regular file.")
        text = path.read_bytes()[:_SIZE_LIMIT].decode("ascii", "replace")
    except OSError as error:
        raise SignatureError(
            f"{_REFUSED} {path} ({error.strerror}); name a key file in egov_ops_signing_key."
        ) from None
    if "PRIVATE KEY" not in text.partition("\n")[0]:
        return _in_agent(path, text)
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise SignatureError(f"{_REFUSED} {path}: others can read it (mode {mode:04o}); run chmod 600 on it.")
    found = ssh_keygen(["-y", "-P", "", "-f", str(path)], "")
    if found.returncode != 0:
        raise SignatureError(
            f"{_REFUSED} {path}, because it has a passphrase or is damaged; load it into ssh-agent (ssh-add {path}) "
            f"and name its public half, {path}.pub."
        )
    return " ".join(found.stdout.split()[:2])


def sign(document: str, namespace: str, key: Path) -> str:
    """Return the signature over a document, armoured, made for one purpose; raises SignatureError."""
    made = ssh_keygen(["-Y", "sign", "-f", str(key), "-n", namespace], document)
    if made.returncode != 0:
        said = (made.stderr.strip() or "no reason given").splitlines()[-1]
        raise SignatureError(f"{_REFUSED} {key} ({said}); load the key into ssh-agent, or name one that can sign.")
    return made.stdout


def key_of(signature: str) -> str:
    """Return the public key, `type base64`, that a signature names as its own; "" for what is no signature.

    That the key has made it is for `verify` to say.
    """
    try:
        lines = signature.strip().splitlines()
        if lines[0] != "-----BEGIN SSH SIGNATURE-----" or lines[-1] != "-----END SSH SIGNATURE-----":
            return ""
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
        if blob[: len(_MAGIC)] != _MAGIC:
            return ""
        key = _string(blob[len(_MAGIC) + 4 :])
        return f"{_string(key).decode('ascii')} {base64.b64encode(key).decode('ascii')}"
    except (ValueError, IndexError):
        return ""


def verify(document: str, signature: str, namespace: str, key: str) -> bool:
    """Tell whether a public key has signed just this document for just this purpose. Raises SignatureError."""
    with tempfile.TemporaryDirectory(prefix="egov-ops-") as folder:
        allowed, signed = Path(folder, "allowed_signers"), Path(folder, "signature")
        allowed.write_text(f'signer namespaces="{namespace}" {key}\n', encoding="ascii")
        signed.write_text(signature, encoding="ascii", errors="replace")
        options = ["-f", str(allowed), "-s", str(signed), "-I", "signer", "-n", namespace]
        return ssh_keygen(["-Y", "verify", *options], document).returncode == 0


def _in_agent(path: Path, text: str) -> str:
    words = text.split()
    if len(words) < 2 or not words[0].startswith(("ssh-", "ecdsa-", "sk-")):
        raise SignatureError(f"{_REFUSED} {path}: it is no SSH key; name a private key, or the public half of one.")
    if not os.environ.get("SSH_AUTH_SOCK"):
        raise SignatureError(
            f"{_REFUSED} {path}: it is a public half and no ssh-agent runs; start one and load the key (ssh-add)."
        )
    return " ".join(words[:2])


def _string(data: bytes) -> bytes:
    """Return the first string in SSH's wire format; raises ValueError for data that ends before it."""
    length = int.from_bytes(data[:4], "big")
    if len(data) < 4 + length:
        raise ValueError("cut")
    return data[4 : 4 + length]
