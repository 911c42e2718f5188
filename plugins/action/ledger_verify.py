# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check that the ledger still says what it said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.actions import Task
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import unauthorised
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import (
    open_ledger,
    read_witnesses,
    redaction,
    verify_export,
    verify_ledger,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

    class Options(TypedDict):
        """What the task takes."""

        witness: str | None
        signers: str | None
        export: str | None


class ActionModule(Task["Options"]):
    """See plugins/modules/ledger_verify.py."""

    ARGUMENTS = {"witness": {"type": "path"}, "signers": {"type": "path"}, "export": {"type": "path"}}

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Walk the chain, compare it with the witnesses, and fail with what is wrong."""
        plan = self.plan_of(task_vars["inventory_hostname"])
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        signers = arguments["signers"] or plan["egov_ops_witness_signers"]
        with open_ledger(state, read_only=True) as ledger:
            if arguments["export"]:
                verdict = verify_export(Path(arguments["export"]), ledger)
            else:
                witnesses = read_witnesses(Path(arguments["witness"] or state.witness))
                verdict = verify_ledger(ledger, witnesses, Path(signers) if signers else None, state.exports)
                fault = unauthorised(ledger, state, plan) if verdict.ok else None
                if fault:
                    verdict = replace(verdict, ok=False, first_bad=fault[0], kind="forged", message=fault[1])
        waiting = redaction.waits(state)
        if waiting:
            verdict = replace(verdict, message=f"{verdict.message} {waiting}")
        result = {"ok": verdict.ok, "tail": verdict.tail, "msg": verdict.message, "changed": False}
        if verdict.ok:
            self.say(verdict.message)
            return result
        return {**result, "failed": True, "first_bad": verdict.first_bad, "kind": verdict.kind}
