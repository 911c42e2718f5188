# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask for an operation: make the request, sign it, store it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.actions import SigningTask
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, printed_commands, sign
from ansible_collections.egov.ops.plugins.plugin_utils.gates import (
    REQUEST,
    SHORT,
    Request,
    check_operation,
    evidence,
    hosts_in_words,
    may_approve,
    read_request,
    words_of,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import iso
from ansible_collections.egov.ops.plugins.plugin_utils.machines import memory
from ansible_collections.egov.ops.plugins.plugin_utils.operations import registry

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

    class Options(TypedDict):
        """What the task takes; valid_for is in seconds."""

        action: str | None
        operation: Mapping[str, object] | None
        reason: str | None
        valid_for: int | None
        key: str | None


class ActionModule(SigningTask["Options"]):
    """See plugins/modules/request.py."""

    ARGUMENTS = {
        "action": {"type": "str", "choices": registry.requestable()},
        "operation": {"type": "dict"},
        "reason": {"type": "str"},
        "valid_for": {"type": "int"},
        "key": {"type": "path"},
    }

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Make the request in the name of the key's owner, show it, and unless in check mode sign and store it."""
        now, run_options = datetime.now(timezone.utc), self.run_options()
        action = arguments["action"] or run_options["egov_ops_action"]
        operation = arguments["operation"] or run_options["egov_ops_operation"]
        check_operation(action, operation)
        hosts = Request(action, operation, "", "", "", "", "").hosts
        for host in hosts:
            if host not in task_vars["groups"]["all"]:
                raise OpsError(f"The operation is for {host}, which is not in this inventory.")
        plan = self.plan_of(hosts[0])
        doubt = ""
        if "host" in operation and "machine" in registry.find(action).all_fields:
            known = memory.recall(StateDir.resolve(plan["egov_ops_state_dir"]), hosts[0])
            doubt = known.message
            if known.seen and "machine" not in operation:
                operation = {**operation, "machine": dict(known.seen)}
        reason = arguments["reason"] or plan["egov_ops_reason"]
        if not reason.strip():
            raise OpsError("A request needs a reason, one sentence: give egov_ops_reason.")
        key = self.key_file(arguments["key"], plan)
        person, _public = self.signer(key, plan, now)
        if action not in plan["egov_ops_people"][person]["may_request"]:
            raise OpsError(f"{person} may not ask for {action}; may_request of egov_ops_people says who may.")
        longest = int(plan["egov_ops_request_validity"])
        seconds = min(arguments["valid_for"] or longest, longest)
        not_after = iso(now + timedelta(seconds=seconds))
        made = Request(action, operation, person, reason, iso(now), not_after, os.urandom(16).hex())
        request = read_request(made.body.encode())  # nothing is signed that would not be read again
        for line in words_of(request, plan["egov_ops_report_language"]):
            self.say(line)
        if doubt:
            self.say(f"{doubt} The change is refused until that machine is accepted.")
        result = {"changed": True, "digest": request.digest, "request": request.body}
        if self._task.check_mode:
            return {**result, "msg": "Check mode: the request is neither signed nor stored."}
        signature = sign(request.body, REQUEST, Path(key))
        state = self.state(plan)
        evidence.store(state, request)
        message = f"{person} asks for {action} on {hosts_in_words(request)}: {reason}"
        seen = observation(
            "request",
            request.digest,
            "ok",
            clauses=["S6.3.1-1"],
            message=message,
            signature=signature,
            person=person,
            not_after=not_after,
        )
        self.record(plan, hosts, seen, now)
        able = ", ".join(may_approve(plan, action, person, now)) or "nobody yet (may_approve of egov_ops_people)"
        approve = printed_commands.playbook("approve", egov_ops_request=request.digest[:SHORT])
        self.say(f"To be approved until {not_after} by one of: {able}.\n{approve}")
        return {**result, "msg": f"Request {request.digest[:SHORT]} waits for its approval.", "approve": approve}
