# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the report of a run from the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.report.build import build
from ansible_collections.egov.ops.plugins.plugin_utils.report.files import facts_of, write
from ansible_collections.egov.ops.plugins.plugin_utils.report.source import gather
from ansible_collections.egov.ops.plugins.plugin_utils.report.text import render_text
from ansible_collections.egov.ops.plugins.plugin_utils.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.task import Task


class ActionModule(Task):
    """See plugins/modules/report.py."""

    ARGUMENTS = {
        "run": {"type": "str"},
        "procedure": {"type": "str"},
        "language": {"type": "str", "choices": ["en", "zh"]},
        "folder": {"type": "path"},
    }

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Choose the run, build its report, show the summary and write the files."""
        plan = self.plan_of(task_vars["inventory_hostname"])
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        language = arguments["language"] or plan["egov_ops_report_language"]
        wanted = arguments["run"] or plan["egov_ops_report_run"]
        with Ledger(state.ledger, read_only=True) as ledger:
            runs = [run.run for run in ledger.runs(arguments["procedure"], limit=1)]
            if not wanted and not runs:
                raise OpsError(f"The ledger {state.ledger} holds no run of that kind; run a procedure first.")
            try:
                data = build(gather(ledger, wanted or runs[0], facts_of(plan, state)))
            except LookupError as error:
                raise OpsError(str(error)) from None
        summary = render_text(data, language)
        self.say(summary)
        result = {"verdict": data["verdict"], "summary": summary, "changed": False, "html": "", "json": ""}
        result.update(markdown="", lines="")
        if not self._task.check_mode:
            folder = Path(arguments["folder"] or state.reports)
            page = write(data, folder, language, newest=not arguments["folder"] and wanted in ("", *runs), short=True)
            self.say(f"Report: {page}")
            endings = {"html": ".html", "json": ".json", "markdown": ".md", "lines": ".txt"}
            result.update(changed=True, **{name: str(page.with_suffix(end)) for name, end in endings.items()})
        return {**result, "msg": data["verdict"]["sentence"]}
