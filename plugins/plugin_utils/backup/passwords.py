# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The passwords of a host's repositories, and the credentials of its stores."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.backup.sets import Sets
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, persistence
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan, password


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
    return {f"repository:{name}": found, **credentials_of(name, entry["credentials_file"])}


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
        persistence.refuse_only_copy(name, path, plan["egov_ops_ephemeral"])
        found = secrets.token_urlsafe() if check_mode else password.read_or_create(path)
    return {f"repository:{name}": found, **credentials_of(name, repository["credentials_file"])}


def credentials_of(name: str, file: str) -> dict[str, str]:
    """Return what lets an engine in at a repository's place, as the half's secrets; raises OpsError."""
    found = password.variables(Path(file)) if file else {}
    return {f"credentials:{name}:{variable}": value for variable, value in found.items()}
