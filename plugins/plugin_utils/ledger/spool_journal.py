# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which spools there should be: the witness file has a line for each that is made, and one for each that is drained."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.system_log import log
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import append_line

SCHEMA = 1

_BEGUN, _DRAINED = "begun", "drained"
_RUN = re.compile(r"[0-9A-Za-z._-]{1,100}")
_HASH = re.compile(r"[0-9a-f]{64}")


def note_begun(witness: Path, run: str, header_hash: str) -> None:
    """Note a spool that is there, with the hash of its header.

    A note that cannot be written stops no run: only a removal of this spool would not be missed then.
    """
    with suppress(OpsError):
        _note(witness, run, _BEGUN, header_hash)


def note_drained(witness: Path, run: str, header_hash: str) -> None:
    """Note a spool whose records are in the ledger, before it is removed; raises LedgerError."""
    _note(witness, run, _DRAINED, header_hash)


def expected(witness: Path) -> dict[str, list[str]]:
    """Return the runs whose spools were made and not drained, each with the hashes of their headers, oldest first.

    Of a spool that was made again while an earlier one of its run was not drained there are several. A spool that is
    made after this was read is not among them. Raises LedgerError.
    """
    try:
        lines = witness.read_bytes().split(b"\n")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LedgerError(
            f"The witness file {witness} cannot be read ({error.strerror}); mend its permissions."
        ) from None
    headers: dict[str, list[str]] = {}
    for line in lines:
        if b'"spool":' not in line:
            continue
        with suppress(ValueError, TypeError, LookupError, AttributeError, RecursionError):
            item = json.loads(line)
            run, header_hash = item["spool"], item["header"]
            if not _RUN.fullmatch(run) or not _HASH.fullmatch(header_hash):
                continue
            if item["state"] == _BEGUN:
                headers.setdefault(run, []).append(header_hash)
            elif item["state"] == _DRAINED:
                headers[run].remove(header_hash)
    return {run: hashes for run, hashes in headers.items() if hashes}


def lost(headers: Mapping[str, list[str]], present: Collection[str]) -> list[tuple[str, str]]:
    """Return the run and header's hash of each spool that was made, not drained, and is not there.

    headers: see `expected`; present: the runs whose spools are there, each of which is the newest of its run.
    """
    return [
        (run, header_hash)
        for run, hashes in headers.items()
        for header_hash in (hashes[:-1] if run in present else hashes)
    ]


def _note(witness: Path, run: str, state: str, header_hash: str) -> None:
    log(f"spool {state} run={run} header={header_hash}")
    try:
        append_line(witness, canonical({"header": header_hash, "schema": SCHEMA, "spool": run, "state": state}))
    except OSError as error:
        raise LedgerError(
            f"The witness file {witness} cannot be written ({error.strerror}); free space or mend its permissions."
        ) from None
