# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the report of a run, or of a range of days, from the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.plugin_utils.actions import Task
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, terminal
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Ledger, open_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.report import (
    Shelf,
    build,
    build_period,
    choice_of,
    facts_of,
    gather,
    gather_period,
    render_period_text,
    render_text,
    span_of,
    write_period_report,
    write_report,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars
    from ansible_collections.egov.ops.plugins.plugin_utils.report import PeriodReport, RunReport

#: Options that say which days and what of them; each is a run option of the plan too.
RANGE_OPTIONS = ("period", "from", "to", "group", "team")

_ENDINGS = {"html": ".html", "json": ".json", "markdown": ".md", "lines": ".txt"}


class ActionModule(Task["Mapping[str, str | None]"]):
    """See plugins/modules/report.py."""

    ARGUMENTS = {
        "run": {"type": "str"},
        "procedure": {"type": "str"},
        "language": {"type": "str", "choices": ["en", "zh"]},
        "folder": {"type": "path"},
        **{name: {"type": "str"} for name in RANGE_OPTIONS},
    }

    def perform(self, arguments: Mapping[str, str | None], task_vars: TaskVars) -> Mapping[str, object]:
        """Choose the run or the range, build its report, show the summary and write the files."""
        plan = self.plan_of(task_vars["inventory_hostname"])
        state = StateDir.resolve(plan["egov_ops_state_dir"])
        language = arguments["language"] or plan["egov_ops_report_language"]
        wanted = arguments["run"] or plan["egov_ops_report_run"]
        asked = {name: arguments[name] or plan[f"egov_ops_report_{name}"] for name in RANGE_OPTIONS}
        folder = Path(arguments["folder"] or state.reports)
        data: RunReport | PeriodReport
        if any(asked.values()):
            if wanted:
                raise OpsError(f"run is {wanted[:60]!r} beside a range of days; leave out one of them.")
            data = self._range(asked, arguments["procedure"] or "", plan, state, task_vars["groups"])
            summary = render_period_text(data, language, terminal.width())
            page = None if self._task.check_mode else write_period_report(data, folder, language)
        else:
            data, is_newest = self._run(wanted, arguments["procedure"], plan, state)
            summary = render_text(data, language, width=terminal.width())
            newest = is_newest and not arguments["folder"]
            page = None if self._task.check_mode else write_report(data, folder, language, newest=newest, short=True)
        self.say(summary)
        if page:
            self.say(f"Report: {page}")
        files = {name: str(page.with_suffix(ending)) if page else "" for name, ending in _ENDINGS.items()}
        verdict = data["verdict"]
        return {"verdict": verdict, "summary": summary, "changed": bool(page), "msg": verdict["sentence"], **files}

    def _run(
        self, wanted: str, procedure: str | None, plan: Mapping[str, Any], state: StateDir
    ) -> tuple[RunReport, bool]:
        """Return the data of one run, and whether it is the newest."""
        with open_ledger(state, read_only=True) as ledger:
            shelf = self._shelf(ledger, state)
            runs = [run.run for run in ledger.runs(procedure, limit=1)]
            if not wanted and not runs:
                raise OpsError(f"The ledger {state.ledger} holds no run of that kind; run a procedure first.")
            try:
                data = build(gather(ledger, wanted or runs[0], facts_of(plan, state), shelf))
            except LookupError as error:
                raise OpsError(str(error)) from None
        return data, wanted in ("", *runs)

    def _range(
        self,
        asked: Mapping[str, str],
        procedure: str,
        plan: Mapping[str, Any],
        state: StateDir,
        groups: Mapping[str, list[str]],
    ) -> PeriodReport:
        """Return the data of a range of days."""
        if not (asked["period"] or asked["from"] or asked["to"]):
            raise OpsError("group and team narrow the report of a range; give period, or from and to.")
        now = datetime.now(timezone.utc)
        span = span_of(asked["period"], asked["from"], asked["to"], plan["egov_ops_timezone"], now)
        choice = choice_of(asked["group"], asked["team"], procedure, groups)
        with open_ledger(state, read_only=True) as ledger:
            shelf = self._shelf(ledger, state)
            return build_period(gather_period(ledger, shelf, span, choice, facts_of(plan, state)))

    def _shelf(self, ledger: Ledger, state: StateDir) -> Shelf:
        """Return the roll-ups; in check mode none is kept."""
        return Shelf(ledger, None if self._task.check_mode else state.rollups)
