# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the plan and the ledger say of a host's backup: its sets with what is due, its repositories, their passwords."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils import lasting
from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan, password
from ansible_collections.egov.ops.plugins.plugin_utils.schedule.due import boundaries
from ansible_collections.egov.ops.plugins.plugin_utils.shape import fields, line, list_of, text
from ansible_collections.egov.ops.plugins.plugin_utils.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.task import HostTask

Sets = dict[str, dict[str, Any]]

#: The results of a half that shows differences: each with a line of its own above it.
DIFF = {"diff": list_of(fields({"header": line(), "prepared": text}), 10_000)}

#: What a restore takes however small it is, bytes per second where nothing is known, and how many records tell a rate.
FIXED_SECONDS = 5.0
ASSUMED_RATE = 20e6
RATE_RECORDS = 5

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


def sets_of(plan: Plan, given: Mapping[str, Any], state: StateDir, host: str, now: datetime) -> Sets:
    """Return a host's sets, those given or else the plan's, each with from when on a snapshot counts.

    `known` tells that the ledger holds a backup of the set, so that its repository must exist. Raises OpsError.
    """
    found: Sets = {}
    for name, entry in (given or plan["egov_ops_backup_sets"]).items():
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


def passwords_of(sets: Sets, plan: Plan, state: StateDir, check_mode: bool) -> dict[str, str]:
    """Return the passwords of the repositories that the sets use, as the half's secrets; raises OpsError.

    A missing one is made where the plan lets the repository be created and the ledger knows of no backup in it.
    """
    found = {}
    for name in sorted({str(entry["repository"]) for entry in sets.values() if entry.get("repository")}):
        known = any(entry["known"] for entry in sets.values() if entry["repository"] == name)
        found.update(secrets_of(name, known, plan, state, check_mode))
    return found


def passwords_of_copies(
    sets: Sets, plan: Plan, state: StateDir, check_mode: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the passwords of the repositories that take copies, and why one has none: that stops no backup."""
    found, troubles = {}, {}
    own = {entry.get("repository") for entry in sets.values()}
    for name in sorted({str(copy) for entry in sets.values() for copy in entry.get("copies") or ()} - own):
        known = any(name in entry.get("known_copies", ()) for entry in sets.values())
        try:
            found.update(secrets_of(name, known, plan, state, check_mode))
        except OpsError as error:
            troubles[name] = str(error)
    return found, troubles


def secrets_of_entry(name: str, entry: Mapping[str, Any], state: StateDir, check_mode: bool) -> dict[str, str]:
    """Return the password and credentials of a repository, as the half's secrets; raises OpsError.

    In check mode, which makes none, any password serves where the repository's was not made yet.
    """
    found = password.given(entry)
    if not found:
        path = Path(entry["password_file"] or state.path / "passwords" / name)
        unmade = check_mode and entry["create"] and not path.exists()
        found = secrets.token_urlsafe() if unmade else password.read(path)
    return {f"repository:{name}": found, **_credentials(name, entry["credentials_file"])}


def secrets_of(name: str, known: bool, plan: Plan, state: StateDir, check_mode: bool) -> dict[str, str]:
    """Return the password of a repository and the credentials of its place, as the half's secrets; raises OpsError."""
    repository = plan["egov_ops_backup_repositories"].get(name)
    if repository is None:
        raise OpsError(f"Repository {name} is not in the plan; add it to egov_ops_backup_repositories.")
    path = Path(repository["password_file"] or state.path / "passwords" / name)
    found = password.given(repository)
    if found:
        pass
    elif path.exists() or not repository["create"]:
        found = password.read(path)
    elif known:
        raise OpsError(
            f"The password file {path} of repository {name} is gone, and its backups cannot be read without it; "
            "bring it back from where you keep a copy."
        )
    else:
        lasting.refuse_only_copy(name, path, plan["egov_ops_ephemeral"])
        found = secrets.token_urlsafe() if check_mode else password.read_or_create(path)
    return {f"repository:{name}": found, **_credentials(name, repository["credentials_file"])}


def public(repositories: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the plan's repositories as a half is given them: what lets anybody in is a secret, and no option."""
    return {
        name: {key: value for key, value in entry.items() if key not in _OF_CONTROLLER}
        for name, entry in repositories.items()
    }


def _credentials(name: str, file: str) -> dict[str, str]:
    """Return what lets an engine in at a repository's place, as the half's secrets; raises OpsError."""
    found = password.variables(Path(file)) if file else {}
    return {f"credentials:{name}:{variable}": value for variable, value in found.items()}


def estimate(state: StateDir, host: str, set_name: str, size: int) -> tuple[float, str]:
    """Return the seconds that a restore of so many bytes may take, and by what that is told; raises LedgerError.

    The newest restores of the set say most, then its proofs; where the ledger has neither, a slow disk is assumed.
    """
    for kind, seconds, words in (("restore", "seconds", "restores"), ("proof", "restore_seconds", "proofs")):
        found = _rates(state, host, set_name, kind, seconds)
        if found:
            rate = sum(found) / len(found)
            return round(FIXED_SECONDS + size / rate, 1), f"by {len(found)} {words} of the set ({rate / 1e6:.1f} MB/s)"
    return (
        round(FIXED_SECONDS + size / ASSUMED_RATE, 1),
        f"assumed ({ASSUMED_RATE / 1e6:.0f} MB/s), since the ledger knows no restore and no proof of the set",
    )


def _rates(state: StateDir, host: str, set_name: str, kind: str, seconds: str) -> list[float]:
    """Return the bytes per second of the newest good records of a kind."""
    if not state.ledger.exists():
        return []
    with Ledger(state.ledger, read_only=True) as ledger:
        stored = ledger.records(
            host=host, kind=kind, subject=set_name, status="ok", newest_first=True, limit=RATE_RECORDS
        )
        details = [entry.record["detail"] for entry in stored]
    return [detail["bytes"] / detail[seconds] for detail in details if detail.get("bytes") and detail.get(seconds)]


class BackupTask(HostTask):
    """An action over a half of the backup room: its sets, repositories and passwords come from plan and ledger."""

    DOMAIN = "backup"
    #: Whether the half also works on the repositories that take copies.
    COPIES = False
    #: The password files that this task has created, by repository.
    created: Mapping[str, Path] = MappingProxyType({})

    def prepare(
        self, arguments: dict[str, Any], plan: Plan, host: str, now: datetime
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Fill in sets with what is due, repositories and the inventory's name of the host; find the passwords."""
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        sets = sets_of(plan, arguments["sets"], state, host, now)
        filled = {
            **arguments,
            "sets": sets,
            "repositories": public(plan["egov_ops_backup_repositories"]),
            "host_name": arguments["host_name"] or host,
        }
        check_mode = bool(self._task.check_mode)
        absent = _absent_files(repositories_of(sets), plan, state)
        found = passwords_of(sets, plan, state, check_mode)
        if self.COPIES:
            more, troubles = passwords_of_copies(sets, plan, state, check_mode)
            found |= more
            if troubles:
                known = filled["repositories"]
                broken = {name: {**known.get(name, {}), "trouble": why} for name, why in troubles.items()}
                filled["repositories"] = {**known, **broken}
        self.created = {name: file for name, file in absent.items() if file.exists()}
        return filled, found


def _absent_files(names: list[str], plan: Plan, state: StateDir) -> dict[str, Path]:
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
    with Ledger(state.ledger, read_only=True) as ledger:
        last = ledger.last_success(domain="backup", kind=kind, host=host, subject=name)
    return last is not None and last.record["detail"].get("repository" if kind == "backup" else kind) == repository
