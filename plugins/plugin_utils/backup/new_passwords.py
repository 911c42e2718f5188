# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The passwords that we have created, until a test of their key in escrow shows that there is another copy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Ledger

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

CLAUSES = ("S6.2.2-4",)

#: The stage of a key's record by which its password was created.
CREATED = "create"


def creations(files: Mapping[str, Path]) -> list[Observation]:
    """Return an observation for each password file that was created, by repository."""
    return [
        observation(
            "key",
            name,
            "ok",
            clauses=CLAUSES,
            message=f"The password of repository {name} was created in {file}, its only copy.",
            stage=CREATED,
            file=str(file),
        )
        for name, file in sorted(files.items())
    ]


def only_copies(ledger: Ledger) -> dict[str, str]:
    """Return the files of passwords that we have created and nobody has shown to be in escrow since, by repository.

    Where hosts have files of their own for a repository of one name, the name carries the host's. Raises LedgerError.
    """
    made: dict[tuple[str, str], tuple[str, set[str]]] = {}
    changed: dict[tuple[str, str], str] = {}
    for stored in ledger.records(domain="backup", kind="key", status="ok"):
        entry = stored.record
        stage, name = entry["detail"].get("stage"), entry["subject"]
        if stage == CREATED:
            finished, hosts = made.get((name, entry["detail"]["file"]), ("", set()))
            made[name, entry["detail"]["file"]] = (max(finished, entry["finished"]), hosts | {entry["host"]})
        elif stage == "remove":
            changed[name, entry["host"]] = max(changed.get((name, entry["host"]), ""), entry["finished"])
    if not made:
        return {}
    tested: dict[tuple[str, str], str] = {}
    for stored in ledger.records(domain="backup", kind="escrow", status="ok"):
        entry = stored.record
        if "tested" not in entry["detail"]:
            where = (entry["subject"], entry["host"])
            tested[where] = max(tested.get(where, ""), entry["finished"])
    found = {}
    for (name, file), (finished, hosts) in made.items():
        shared = sum(other == name for other, _file in made) == 1
        places = [host for other, host in {**tested, **changed} if other == name and (shared or host in hosts)]
        since = max([finished, *(changed.get((name, host), "") for host in places)])
        if not any(tested.get((name, host), "") >= since for host in places):
            found[name if shared else f"{name} of {', '.join(sorted(hosts))}"] = file
    return found
