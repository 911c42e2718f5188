# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find snapshots and paths of a host in one trip, and estimate what a restore of them takes."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.module_utils.backup.options import ANY, LIST, NO_TIME, TIME_FORMS
from ansible_collections.egov.ops.plugins.plugin_utils.actions import BackupTask
from ansible_collections.egov.ops.plugins.plugin_utils.actions import wanted as names_of
from ansible_collections.egov.ops.plugins.plugin_utils.backup import Sets, estimate, repositories_of
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, inert_value
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.transport import (
    Check,
    Expected,
    Fault,
    digest,
    fields,
    integer,
    line,
    list_of,
    one_of,
    path,
    same,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import ListArguments
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import HostResult, TaskVars

#: Snapshots and paths printed; the result has more.
PRINTED = 20


class ActionModule(BackupTask["ListArguments"]):
    """See plugins/modules/backup_list.py."""

    HALF = ("backup.restores.listing", "listing")
    ARGUMENTS = LIST
    COPIES = True
    KINDS = ()
    RESULTS = {
        "snapshots": list_of(fields(dict.fromkeys(("snapshot", "time", "set", "kind", "repository"), line())), 200),
        "snapshot_count": integer,
        "paths": list_of(fields({**dict.fromkeys(("path", "type", "modified"), line()), "size": integer}), 200),
        "path_count": integer,
    }

    def expected(self, given: ListArguments) -> Expected:
        """Expect results alone, and an operation that is the one that was asked for."""
        return self._expected(results={**self.RESULTS, "operation": _operation_of(given)})

    def prepare(
        self, arguments: ListArguments, plan: Plan, host: str, now: datetime
    ) -> tuple[ListArguments, dict[str, str]]:
        """Take from the run options what is not given; refuse what cannot be before the host is touched."""
        options: ListArguments = {
            **arguments,
            "set": arguments["set"] or plan["egov_ops_restore_set"],
            "paths": arguments["paths"] or plan["egov_ops_restore_paths"],
            "at": arguments["at"] or plan["egov_ops_restore_at"],
            "mode": arguments["mode"] or plan["egov_ops_restore_mode"],
            "destination": arguments["destination"] or plan["egov_ops_restore_destination"],
            "from_repository": arguments["from_repository"] or plan["egov_ops_restore_from"],
        }
        owner = arguments["of"] or plan["egov_ops_restore_of"] or host
        if owner != host:
            plan = self.plan_of_other(owner)
            options["target"] = host
        _refuse_time(options["at"])
        filled, secrets = super().prepare(options, plan, owner, now)
        _refuse_names(options["from_repository"], options["set"], filled["sets"])
        return filled, secrets

    def perform(self, arguments: ListArguments, task_vars: TaskVars) -> HostResult:
        """Add the estimate to the operation, and print what was found."""
        result = super().perform(arguments, task_vars)
        returned = result.get("operation")
        operation = None if isinstance(returned, str) else returned  # only the last lines make a text of it
        if operation:
            state = StateDir.resolve(self.plan_of(task_vars["inventory_hostname"])["egov_ops_state_dir"])
            owner = operation.get("of", operation["host"])
            seconds, by = estimate(state, owner, operation["set"], operation["bytes"])
            operation["seconds"] = seconds
            result["estimated"] = by
            result["msg"] += f" A restore may take {seconds:.0f} s, {by}."
        for entry in result.get("snapshots", [])[:PRINTED]:
            self.say(f"{entry['time']}  {entry['snapshot'][:8]}  {entry['set']:<16} {entry['kind']}")
        for row in result.get("paths", [])[:PRINTED]:
            self.say(f"  {row['size']:>12}  {row['modified']}  {row['path']}")
        if operation:
            self.say(f"operation: {json.dumps(operation, ensure_ascii=True, sort_keys=True)}")
            if inert_value(operation) != operation:
                result["operation"] = json.dumps(operation, sort_keys=True)  # a terminal would obey its paths
        return result


def _operation_of(given: ListArguments) -> Check:
    """Return the check of the operation: what was asked for is as it was asked, and the rest is of its type."""
    sets: Sets = {name: given["sets"][name] for name in names_of(given["sets"])}
    owner, target, mode = given["host_name"], given.get("target"), given["mode"]
    known: dict[str, Check] = {
        "host": same(target or owner),
        "set": same(given["set"]) if given["set"] else one_of(sets),
        "repository": one_of(repositories_of(sets)),
        "snapshot": digest,
        "snapshot_time": line(),
        "paths": list_of(path, 100_000) if given["paths"] else same([]),
        "mode": same(mode),
        "destination": path if mode == "beside" else same(""),
        "files": integer,
        "bytes": integer,
        "stop": list_of(line(), 1000),
    }
    if mode == "beside" and given["destination"]:
        known["destination"] = one_of(("", given["destination"]))
    more: dict[str, Check] = {"original": digest, **({"of": same(owner)} if target else {})}
    shape = fields({**known, **more}, needed=known)

    def check(value: Any) -> Fault | None:
        if value == {}:  # snapshots of several sets
            return None
        fault = shape(value)
        if fault:
            return fault
        stopped = list(sets[value["set"]].get("stop") or []) if mode == "in_place" else []
        return None if value["stop"] == stopped else (".stop", "must be the units of the plan")

    return check


def _refuse_time(text: str) -> None:
    """Refuse what is no moment; raises OpsError."""
    for form in [form for form, _rest in TIME_FORMS] if text else ():
        with suppress(ValueError):
            datetime.strptime(text, form)
            return
    if text:
        raise OpsError(NO_TIME % text)


def _refuse_names(name: str, wanted: str, sets: Sets) -> None:
    """Refuse a set that there is not, and a repository that takes none of the wanted sets; raises OpsError."""
    if wanted and wanted not in sets:
        raise OpsError(f"Set {wanted} is not in the plan of this host: it has {', '.join(sorted(sets)) or 'none'}.")
    asked = {name: entry for name, entry in sets.items() if not wanted or name == wanted}
    known = repositories_of(asked)
    if name and name != ANY and asked and name not in known:
        raise OpsError(
            f"Repository {name} takes no copy of {wanted or 'any set'}; egov_ops_restore_from may be {ANY} or one of "
            f"{', '.join(known)}."
        )
