# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# To isinstance a bool is an int: types are compared. pylint: disable=unidiomatic-typecheck

"""Witnesses: heads of the chain, published outside the database after each seal.

A chain alone cannot show that its tail was cut or that all of it was written anew; a head kept elsewhere can.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.common import append_lines, hold, open_private, ssh_keygen
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Head
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.system_log import log

SCHEMA = 1

#: What a signature is for, so that one made over something else is no witness.
NAMESPACE = "egov-ops-witness"

_PATIENCE = 10.0


@dataclass(frozen=True)
class Witness:
    """A head as it was published: when, by which run, and signed or not; export is the digest of what a purge wrote."""

    time: str
    run: str
    count: int
    hash: str
    algorithm: str
    signature: str = ""
    export: str = ""

    @property
    def statement(self) -> str:
        """Return what a signature is made over."""
        return replace(self, signature="").line

    @property
    def line(self) -> str:
        """Return what stands in the file. Earlier releases read it too unless it names an export."""
        fields = asdict(self)
        return canonical(
            {"schema": SCHEMA, **{name: fields[name] for name in fields if name != "export" or fields[name]}}
        )


def publish_head(
    path: Path,
    head: Head,
    run: str,
    time: str,
    key: Path | None = None,
    syslog: Path | None = None,
    export: str = "",
) -> Witness:
    """Append the head to the witness file, and tell the system's log where there is one; return what was written.

    With a key (an SSH private key without a passphrase, or the public half of one in an agent) it is signed.
    Raises LedgerError if it cannot be signed or written; the records themselves are safe then.
    """
    witness = Witness(time, run, head.count, head.hash, head.algorithm, export=export)
    if key:
        witness = replace(witness, signature=_sign(witness.statement, key))
    try:
        append_line(path, witness.line)
    except OSError as error:
        raise LedgerError(
            f"The head of the ledger cannot be written to the witness file {path} ({error.strerror}); free space or "
            "mend its permissions and run again."
        ) from None
    exported = f" export={export}" if export else ""
    log(f"ledger head count={head.count} {head.algorithm}={head.hash} run={run}{exported}", syslog)
    return witness


def append_line(path: Path, line: str) -> None:
    """Append a line to the witness file. Raises LedgerError if another process keeps it for too long, and OSError."""
    descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
    try:
        if not hold(descriptor, _PATIENCE):
            raise LedgerError(f"The witness file {path} is held by another process; end it and seal again.")
        append_lines(descriptor, [line])
    finally:
        os.close(descriptor)


def read_witnesses(path: Path) -> list[Witness]:
    """Return the witnesses of a file in the order in which they were written; none where there is no file.

    Lines that are no witness, such as one torn by a crash, prove nothing and are left out. Raises LedgerError if
    the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerError(f"The witness file {path} cannot be read ({error.strerror}); mend its permissions.") from None
    found = []
    for line in text.split("\n"):
        with suppress(ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
            item = json.loads(line)
            if item.pop("schema") <= SCHEMA and _is_witness(item):
                found.append(Witness(**item))
    return found


def _is_witness(item: Mapping[str, Any]) -> bool:
    """Tell whether the fields of a line hold what a witness holds."""
    texts = all(isinstance(value, str) for name, value in item.items() if name != "count")
    return texts and type(item["count"]) is int and 0 <= item["count"] < 2**63


def signer(witness: Witness, allowed_signers: Path) -> str:
    """Return who signed a witness, by the allowed_signers file; "" if its signature is not valid or not allowed.

    Raises OpsError if ssh-keygen or the file is missing.
    """
    if not allowed_signers.is_file():
        raise LedgerError(
            f"The allowed_signers file {allowed_signers} does not exist; make it, with the witness key and its name."
        )
    with tempfile.NamedTemporaryFile("w", encoding="ascii", errors="replace", suffix=".sig") as signature:
        signature.write(witness.signature)
        signature.flush()
        common = ["-f", str(allowed_signers), "-s", signature.name]
        found = ssh_keygen(["-Y", "find-principals", *common], "")
        principal = found.stdout.splitlines()[0] if found.returncode == 0 and found.stdout else ""
        if not principal:
            return ""
        checked = ssh_keygen(["-Y", "verify", *common, "-I", principal, "-n", NAMESPACE], witness.statement)
    return principal if checked.returncode == 0 else ""


def _sign(statement: str, key: Path) -> str:
    signed = ssh_keygen(["-Y", "sign", "-f", str(key), "-n", NAMESPACE], statement)
    if signed.returncode != 0:
        said = (signed.stderr.strip() or "no reason given").splitlines()[-1]
        raise LedgerError(
            f"The head of the ledger cannot be signed with the key {key} ({said}); give a key without passphrase or "
            "one in an agent in egov_ops_witness_key."
        )
    return signed.stdout
