# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show a request in words, and sign its approval when its digest is confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.actions import SigningTask
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, printed_commands, sign
from ansible_collections.egov.ops.plugins.plugin_utils.gates import (
    APPROVAL,
    SHORT,
    Approval,
    Signed,
    approval_fault,
    evidence,
    hosts_in_words,
    request_fault,
    words_of,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import iso

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

    class Options(TypedDict):
        """What the task takes."""

        request: str | None
        confirm: str | None
        key: str | None


class ActionModule(SigningTask["Options"]):
    """See plugins/modules/approve.py."""

    ARGUMENTS = {"request": {"type": "str"}, "confirm": {"type": "str"}, "key": {"type": "path"}}

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Show what would be approved; with the right digits, and by one who may, sign and store it."""
        now, options = datetime.now(timezone.utc), self.run_options()
        plan = self.plan_of(task_vars["inventory_hostname"])
        state = self.state(plan)
        wanted = arguments["request"] or options["egov_ops_request"]
        request = evidence.find(state, wanted)
        for host in request.hosts:
            if host not in task_vars["groups"]["all"]:
                raise OpsError(f"Request {request.digest[:SHORT]} is for {host}, which is not in this inventory.")
        plans = {host: self.plan_of(host) for host in request.hosts}
        plan = plans[request.host]
        known = evidence.gather(request, request.action, request.host, plan, state, now)
        words = words_of(request, plan["egov_ops_report_language"])
        for line in words:
            self.say(line)
        fault = next(filter(None, (request_fault(request, plans[h], replace(known, host=h), now) for h in plans)), "")
        if fault:
            raise OpsError(f"Request {request.digest[:SHORT]} {fault}; it cannot be approved.")
        confirm = arguments["confirm"] or options["egov_ops_confirm"]
        result = {"changed": False, "digest": request.digest, "words": words}
        digits = request.digest[:SHORT]
        if not confirm:
            key = options["egov_ops_signing_key"] or plan["egov_ops_signing_key"]
            sign_with = {"egov_ops_signing_key": key} if options["egov_ops_signing_key"] else {}
            confirm = printed_commands.playbook(
                "approve", egov_ops_request=digits, egov_ops_confirm=digits, **sign_with
            )
            more = "" if arguments["key"] or key else ", with -e egov_ops_signing_key=FILE of your own key added"
            self.say(f"Nothing is signed yet. If this is what you approve, confirm it{more}:\n{confirm}")
            return {**result, "msg": "Nothing is signed yet.", "confirm": confirm}
        if confirm != digits:
            raise OpsError(
                f"egov_ops_confirm is not {digits}, the first {SHORT} digits of this request; nothing is signed."
            )
        key = self.key_file(arguments["key"], plan)
        person, public = self.signer(key, plan, now)
        approval = Approval(request.digest, person, iso(now))
        signed = Signed(approval, public, True)
        fault = next(filter(None, (approval_fault(signed, request, plans[h], known, now) for h in plans)), "")
        if fault:
            raise OpsError(f"This approval would be ignored: {fault}; nothing is signed.")
        if self._task.check_mode:
            return {**result, "changed": True, "msg": "Check mode: the approval is neither signed nor stored."}
        signature = sign(approval.body, APPROVAL, Path(key))
        document = evidence.store(state, approval)
        message = f"{person} approves {request.action} on {hosts_in_words(request)}, asked for by {request.requester}"
        seen = observation(
            "approval",
            request.digest,
            "ok",
            clauses=["S6.3.1-2"],
            message=message,
            signature=signature,
            person=person,
            document=document,
        )
        self.record(plan, request.hosts, seen, now)
        hosts = ",".join(request.hosts)
        following = printed_commands.playbook(request.action, egov_ops_hosts=hosts, egov_ops_request=digits)
        self.say(f"When it has all its approvals, carry it out:\n{following}")
        return {**result, "changed": True, "msg": f"{message}.", "next": following}
