# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pruning is told by plan and controller: repositories as they are pruned, rules, holds, and what is known.

The controller remembers beside its ledger when it first saw each snapshot, and whether a run of ours made it, so that a
purge of the ledger takes nothing from that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, make_private, write_whole
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import digest
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan, read_moment

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Hold
    from ansible_collections.egov.ops.plugins.plugin_utils.backup.types import PlannedRepository

Known = dict[str, tuple[str, bool]]

NO_ACCESS = (
    "it is elsewhere, and the plan has no access to it that its clients do not have; set prune_credentials_file or "
    "prune_location."
)

_ELSEWHERE = re.compile(r"[a-z][a-z0-9]*:")


def repositories(plan: Plan, names: list[str], elsewhere: bool) -> dict[str, PlannedRepository]:
    """Return the repositories of a host that are pruned on the host itself, or those that are pruned from elsewhere.

    Their location and credentials are those with which they are pruned; `unprunable` says why one cannot be.
    """
    found: dict[str, PlannedRepository] = {}
    for name in names:
        entry = plan["egov_ops_backup_repositories"].get(name)
        if entry is None or elsewhere != is_elsewhere(entry):
            continue
        own = entry["prune_location"] or entry["prune_credentials_file"]
        found[name] = {
            **entry,
            "location": entry["prune_location"] or entry["location"],
            "credentials_file": entry["prune_credentials_file"] or entry["credentials_file"],
            **({"unprunable": NO_ACCESS} if elsewhere and not own else {}),
        }
    return found


def is_elsewhere(entry: Mapping[str, Any]) -> bool:
    """Tell whether a repository is not pruned on the host whose it is."""
    return bool(entry["prune_location"]) or bool(_ELSEWHERE.match(entry["location"]))


def holds(plan: Plan, now: datetime) -> list[Hold]:
    """Return the legal holds in force, each with set, snapshot ("" for all of the set) and ticket."""
    return [
        {"set": entry["set"], "snapshot": entry["snapshot"], "ticket": entry["ticket"], "until": entry["until"]}
        for entry in plan["egov_ops_backup_holds"].values()
        if not entry["until"] or now < read_moment(entry["until"])
    ]


def remembered(state: StateDir, host: str) -> Known:
    """Return what the controller remembers of a host's snapshots.

    Raises OpsError for what cannot be read; a file that is damaged is then set aside, so that this is said once.
    """
    path = _path(state, host)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise OpsError(
            f"What is known of the snapshots of {host} cannot be read from {path} ({error.strerror}); mend its "
            "permissions or its disk."
        ) from None
    try:
        return {name: (str(seen), bool(made)) for name, (seen, made) in json.loads(content).items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        target = state.rejected / f"seen-{digest(content)[:16]}.json"
        try:
            make_private(target.parent)
            path.rename(target)
        except OSError as error:
            raise OpsError(f"{path} is damaged and cannot be moved to {target} ({error.strerror}).") from None
        raise OpsError(
            f"What is known of the snapshots of {host} in {path} is damaged and was set aside as {target}; run again: "
            "each snapshot then counts from now on, unless you bring that file back from a backup of the controller."
        ) from None


def remember(state: StateDir, host: str, told: Mapping[str, Any]) -> None:
    """Keep what a host's pruning has seen for the first time; raises OpsError."""
    if not told:
        return
    path = _path(state, host)
    try:
        make_private(path.parent)
        with state.lock("seen"):
            known = {
                **remembered(state, host),
                **{name: (str(seen), bool(made)) for name, (seen, made) in told.items()},
            }
            body = json.dumps(known, sort_keys=True, separators=(",", ":")).encode()
            write_whole(path, path.with_suffix(".new"), [body])
    except OSError as error:
        raise OpsError(
            f"What was seen of {host} cannot be kept in {path} ({error.strerror}); free space there."
        ) from None


def _path(state: StateDir, host: str) -> Path:
    return state.path / "seen" / f"{quote(host, safe='')}.json"
