# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reports of runs that died and that another run has moved into the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import NOT_LOGGED, Drained, Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan


def report(drained: Drained, ledger: Ledger, state: StateDir, plan: Plan) -> Iterator[str]:
    """Write the report of each dead run that was drained, and yield a sentence for each; `latest` stays as it is."""
    for run in drained.orphans:
        sentence = f"The run {run} was interrupted; what it had recorded is now in the ledger."
        if run in drained.unlogged:
            sentence += NOT_LOGGED
        if plan["egov_ops_report"]:
            sentence += f" {_written(run, ledger, state, plan)}"
        yield sentence


def _written(run: str, ledger: Ledger, state: StateDir, plan: Plan) -> str:
    # Imported here: a run that finds no dead one needs none of it.
    from ansible_collections.egov.ops.plugins.plugin_utils.report import Shelf, build, facts_of, gather, write_report

    data = build(gather(ledger, run, facts_of(plan, state), Shelf(ledger, state.rollups)))
    try:
        return f"Its report: {write_report(data, state.reports, plan['egov_ops_report_language'], newest=False)}"
    except OpsError as error:
        return str(error)
