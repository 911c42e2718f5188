# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace a secret that got into the evidence, when two people have approved it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.actions import SigningTask, ask
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import SHORT, Request, evidence
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import (
    Actor,
    Eraser,
    carried_out,
    controller,
    drain_spools,
    iso,
    open_ledger,
    redaction,
    run_id,
    witness,
)
from ansible_collections.egov.ops.plugins.plugin_utils.operations import registry
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan, password

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

    class Options(TypedDict):
        """What the task takes."""

        what: str | None
        request: str | None
        file: str | None


class ActionModule(SigningTask["Options"]):
    """See plugins/modules/ledger_redact.py."""

    ARGUMENTS = {name: {"type": "str"} for name in ("what", "request")} | {"file": {"type": "path"}}

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Say where the value stands; with an approved request replace it, unless in check mode."""
        now, options = datetime.now(timezone.utc), self.run_options()
        given = {"file": arguments["file"], "what": arguments["what"], **options["egov_ops_redact"]}
        if given.keys() != {"file", "what"}:
            raise OpsError(f"egov_ops_redact holds {', '.join(sorted(given))}, but file and what are allowed.")
        if not given["file"]:
            raise OpsError(
                "No value is given; write it into a file with mode 0600, and name that in egov_ops_redact: file."
            )
        eraser = Eraser(password.read_whole(Path(str(given["file"])).expanduser()))
        plan = self.plan_of(task_vars["inventory_hostname"])
        state = self.state(plan)
        wanted = arguments["request"] or options["egov_ops_request"]
        if not wanted:
            return self._survey(state, eraser, task_vars["inventory_hostname"], str(given["what"] or ""))
        request = evidence.find(state, wanted)
        if eraser.holds(request.body):
            raise OpsError("The request itself holds the value; make a new one that does not.")
        plan = self.plan_of_other(request.host)
        people = self._approved(state, plan, request, eraser, now)
        if self._task.check_mode:
            return {"changed": True, "msg": "Check mode: nothing is replaced."}
        return self._redact(state, plan, request, eraser, people, now)

    def _survey(self, state: StateDir, eraser: Eraser, host: str, what: str) -> Mapping[str, object]:
        """Say where the value stands, and print the operation that a request for its redaction takes."""
        if not what or eraser.holds(what):
            raise OpsError("Say in one sentence what the value is, without the value itself: egov_ops_redact: what.")
        with open_ledger(state, read_only=True) as ledger:
            found = redaction.survey(state, ledger, eraser)
        if not found.places:
            return {"changed": False, "msg": "The value stands nowhere in the evidence."}
        operation = {
            "host": host,
            "what": what,
            "upto": found.upto,
            "records": len(found.records),
            "artefacts": len(found.artefacts),
            "files": found.files,
            "places": list(found.places[: redaction.PLACES_LIMIT]),
            "digest": found.digest(found.upto),
        }
        self.say("\n".join(found.places[: redaction.PLACES_LIMIT]))
        self.say("To ask for its redaction, save this line as operation.json for egov.ops.request -e @operation.json:")
        options = {"egov_ops_action": registry.REDACTION, "egov_ops_operation": operation}
        self.say(json.dumps(options, ensure_ascii=False))
        message = (
            f"The value stands in {len(found.records)} records, {len(found.artefacts)} documents, {found.files} files."
        )
        return {"changed": False, "msg": message, "operation": operation}

    def _approved(self, state: StateDir, plan: Plan, request: Request, eraser: Eraser, now: datetime) -> list[str]:
        """Return who asked and who approved; raises OpsError where that does not suffice, or the value is another.

        What a killed call has begun is continued whatever the gates say by now: it passed them.
        """
        known = evidence.gather(request, registry.REDACTION, request.host, plan, state, now)
        with open_ledger(state, read_only=True) as ledger:
            begun = carried_out(ledger, request.digest)
        if begun and not known.done:
            return []
        passed = ask(registry.REDACTION, request.digest, request.host, plan, state, "", "", now)
        if not passed.decision.allowed:
            raise OpsError(passed.decision.message)
        if not self._task.check_mode:
            with open_ledger(state) as ledger:
                run = run_id(controller(), now)
                for sentence in drain_spools(state, ledger, now, actor=Actor(run, registry.REDACTION)).unreadable:
                    self._display.warning(sentence)
        with open_ledger(state, read_only=True) as ledger:
            found = redaction.survey(state, ledger, eraser)
        upto = request.operation["upto"]
        if found.digest(upto) != request.operation["digest"]:
            raise OpsError(
                f"The value in the file does not stand where the request {request.digest[:SHORT]} says, up to record "
                f"#{upto}; give the same value, or ask again."
            )
        return [request.requester, *passed.approvers]

    def _redact(
        self, state: StateDir, plan: Plan, request: Request, eraser: Eraser, people: list[str], now: datetime
    ) -> Mapping[str, object]:
        """Replace the value, publish the new head, and note that the request was carried out."""
        run, key = run_id(controller(), now), plan["egov_ops_witness_key"]
        with state.lock("seal"), open_ledger(state) as ledger:
            made = redaction.redact(state, ledger, eraser, request.digest, people, now, run)
            witness.publish_head(state.witness, ledger.head(), run, iso(now), Path(key) if key else None)
        message = str(made["detail"]["message"])
        done = observation(evidence.DONE, request.digest, "ok", action=registry.REDACTION, message=message)
        self.record(plan, [request.host], done, now)
        self.say(message)
        return {"changed": True, "msg": message, "records": made["detail"]["records"]["count"]}
