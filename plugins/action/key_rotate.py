# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rotate the keys of a host's repositories, stage by stage."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.backup.options import ROTATE
from ansible_collections.egov.ops.plugins.plugin_utils.actions import ChangingTask, outcome_of
from ansible_collections.egov.ops.plugins.plugin_utils.backup import (
    Place,
    Rotation,
    public,
    repositories_of,
    secrets_of_entry,
)
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan, password
from ansible_collections.egov.ops.plugins.plugin_utils.transport import Expected

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Repositoried, RotateArguments
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Detail
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import Outcome, TaskVars


class ActionModule(ChangingTask["RotateArguments"]):
    """See plugins/modules/key_rotate.py."""

    DOMAIN = "backup"
    HALF = ("backup.repositories.key_rotation", "rotate")
    ARGUMENTS = ROTATE
    KINDS = ("key",)

    def expected(self, given: RotateArguments) -> Expected:
        """Expect each repository of the operation."""
        return self._expected(subjects={"key": given["operation"]["repositories"]})

    def operation(self, arguments: RotateArguments, plan: Plan, host: str) -> Repositoried:
        """Return the repositories whose keys are rotated."""
        return {"repositories": sorted(_rotations(plan, arguments["stage"], host))}

    def prepare(
        self, arguments: RotateArguments, plan: Plan, host: str, now: datetime
    ) -> tuple[RotateArguments, dict[str, str]]:
        """Bring the present and the new password of each repository, and what earlier stages have told of its keys."""
        state, check_mode = StateDir.resolve(plan["egov_ops_state_dir"]), bool(self._task.check_mode)
        entries = plan["egov_ops_backup_repositories"]
        found: dict[str, str] = {}
        known: dict[str, dict[str, str]] = {}
        rotations = _rotations(plan, arguments["stage"], host)
        for name, rotation in rotations.items():
            found |= secrets_of_entry(name, entries[name], state, check_mode)
            new = rotation.password(make=arguments["stage"] == "add" and not check_mode)
            found[f"next:{name}"] = new or _of_check_mode()
            known[name] = rotation.progress().get(host, {}).get(name, {})
        repositories = public({name: entries[name] for name in rotations})
        return {**arguments, "repositories": repositories, "known": known, "host_name": host}, found

    def _attempt(
        self, arguments: RotateArguments, plan: Plan, host: str, run_id: str, now: datetime, task_vars: TaskVars
    ) -> Outcome:
        """Switch the sources that are ready before an old key goes, and remember what the stage has done."""
        state, stage = StateDir.resolve(plan["egov_ops_state_dir"]), arguments["stage"]
        rotations = _rotations(plan, stage, host)
        if not rotations:
            return outcome_of("ok", "", f"No key of a repository of {host} is being rotated.")
        users = self._users(rotations, state, task_vars) if stage == "remove" else {}
        if stage == "remove" and not self._task.check_mode:
            try:
                with state.lock("rotation"):
                    waiting = [_switched(name, found, users[name], plan) for name, found in rotations.items()]
            except OpsError as error:
                return outcome_of("failed", "refused", str(error))
            if any(waiting):
                return outcome_of("failed", "refused", " ".join(filter(None, waiting)))
        outcome = super()._attempt(arguments, plan, host, run_id, now, task_vars)
        if not self._task.check_mode:
            with state.lock("rotation"):
                for record in outcome["evidence"]:
                    name = record["subject"]
                    if record["status"] == "ok":
                        _note(rotations[name], stage, host, name, record["detail"], users.get(name, []))
                    elif record["reason"] == "not_supported":
                        why = str(record["detail"].get("message") or "not supported")
                        rotations[name].note(host, name, unsupported=why)
        return outcome

    def _users(self, rotations: dict[str, Rotation], state: StateDir, task_vars: TaskVars) -> dict[str, list[Place]]:
        """Return by repository who else has its password from the same source; raises OpsError."""
        found: dict[str, list[Place]] = {name: [] for name in rotations}
        by_key = {rotation.key: name for name, rotation in rotations.items()}
        for host in task_vars["groups"]["all"]:
            plan = self.plan_of(host)
            if not plan["egov_ops_managed"]:
                continue
            for name in repositories_of(plan["egov_ops_backup_sets"]):
                key = Rotation(name, plan["egov_ops_backup_repositories"][name], state).key
                if key in by_key:
                    found[by_key[key]].append((host, name))
        return found


def _rotations(plan: Plan, stage: str, host: str) -> dict[str, Rotation]:
    """Return the rotations of a host's repositories; the later stages go on with those that were begun.

    Not with those whose engine has said that it cannot change a key: their password stays the one that they have.
    """
    state, entries = StateDir.resolve(plan["egov_ops_state_dir"]), plan["egov_ops_backup_repositories"]
    found = {name: Rotation(name, entries[name], state) for name in repositories_of(plan["egov_ops_backup_sets"])}
    return {
        name: rotation
        for name, rotation in found.items()
        if stage == "add" or (rotation.begun and not rotation.unsupported(host, name))
    }


def _of_check_mode() -> str:
    """Return a password that is none: in check mode no new one is made."""
    return secrets.token_urlsafe()


def _switched(name: str, rotation: Rotation, users: list[Place], plan: Plan) -> str:
    """Switch a source whose users are all ready, and return why it is not, "" where it is; raises OpsError."""
    lacking = rotation.lacking(users)
    if lacking:
        some = ", ".join(f"{place} of {host}" for host, place in lacking[:5])
        return (
            f"The new password is not proved on all repositories that take it, {some}: run the stage add there, and "
            "give a repository whose engine cannot change its key a password_file of its own."
        )
    if rotation.source:
        rotation.switch()
    elif password.given(plan["egov_ops_backup_repositories"][name]) != rotation.password(make=False):
        return (
            f"Put the password in {rotation.file} in place of that of egov_ops_backup_repositories.{name} (encrypt it "
            "with ansible-vault), or where its command finds it, and run egov.ops.key_rotate again."
        )
    return ""


def _note(rotation: Rotation, stage: str, host: str, name: str, detail: Detail, users: list[Place]) -> None:
    """Remember what a stage has done with a repository; raises OpsError."""
    if stage == "add":
        rotation.note(host, name, old=str(detail.get("old", "")), new=str(detail.get("new", "")), unsupported="")
    elif stage == "remove":
        rotation.note(host, name, removed="yes")
        rotation.finish(users)
    else:
        rotation.note(host, name, new="")
        if not any(entry.get("new") for own in rotation.progress().values() for entry in own.values()):
            rotation.forget()
