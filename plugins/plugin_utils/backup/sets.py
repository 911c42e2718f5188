# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the plan and the ledger say of a host's backup: its sets with what is due, its repositories, their passwords."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import open_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.schedule import boundaries
from ansible_collections.egov.ops.plugins.plugin_utils.transport import fields, line, list_of, text

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Repository
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import BackupSet
    from ansible_collections.egov.ops.plugins.plugin_utils.backup.types import PlannedRepository

Sets = Mapping[str, "BackupSet"]

#: The results of a half that shows differences: each with a line of its own above it.
DIFF = {"diff": list_of(fields({"header": line(), "prepared": text}), 10_000)}

#: What of a repository is for the controller alone: where its secrets are, and the access that no client is given.
_OF_CONTROLLER = (
    "password",
    "password_command",
    "password_file",
    "escrow_file",
    "credentials_file",
    "prune_location",
    "prune_credentials_file",
)


def sets_of(plan: Plan, given: Sets, state: StateDir, host: str, now: datetime) -> Sets:
    """Return a host's sets, those given or else the plan's, each with from when on a snapshot counts.

    `known` tells that the ledger holds a backup of the set, so that its repository must exist. Raises OpsError.
    """
    wanted: Sets = given or plan["egov_ops_backup_sets"]
    found: dict[str, BackupSet] = {}
    for name, entry in wanted.items():
        due = boundaries(entry, now, plan["egov_ops_timezone"])
        found[name] = {**entry, **due, "known": _is_known(state, host, name, entry.get("repository"))}
        copies = [
            copy for copy in entry.get("copies") or () if _is_known(state, host, f"{name} to {copy}", copy, "copy")
        ]
        if copies:
            found[name]["known_copies"] = copies
    return found


def repositories_of(sets: Sets) -> list[str]:
    """Return the names of the repositories that some sets and their copies lie in."""
    return sorted({name for entry in sets.values() for name in (entry["repository"], *(entry.get("copies") or ()))})


def public(repositories: Mapping[str, PlannedRepository]) -> dict[str, Repository]:
    """Return the plan's repositories as a half is given them: what lets anybody in is a secret, and no option."""
    return {
        name: cast("Repository", {key: value for key, value in entry.items() if key not in _OF_CONTROLLER})
        for name, entry in repositories.items()
    }


def absent_files(names: list[str], plan: Plan, state: StateDir) -> dict[str, Path]:
    """Return the password files of the controller that are not there, by repository."""
    repositories = plan["egov_ops_backup_repositories"]
    files = {
        name: Path(repositories[name]["password_file"] or state.path / "passwords" / name)
        for name in names
        if name in repositories and not (repositories[name]["password"] or repositories[name]["password_command"])
    }
    return {name: file for name, file in files.items() if not file.exists()}


def _is_known(state: StateDir, host: str, name: str, repository: str | None, kind: str = "backup") -> bool:
    if not state.ledger.exists():
        return False
    with open_ledger(state, read_only=True) as ledger:
        last = ledger.last_success(domain="backup", kind=kind, host=host, subject=name)
    return last is not None and last.record["detail"].get("repository" if kind == "backup" else kind) == repository
