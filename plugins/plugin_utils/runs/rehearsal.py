# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run in check mode: it says what a run would say, and its evidence ends with the process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir, terminal
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import (
    Ledger,
    LedgerError,
    continuity,
    open_ledger,
    suppose,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.report import build, facts_of, gather, render_text
from ansible_collections.egov.ops.plugins.plugin_utils.runs.current import Run, check_folder
from ansible_collections.egov.ops.plugins.plugin_utils.runs.finish import Batch, Sealed, complete
from ansible_collections.egov.ops.plugins.plugin_utils.runs.verdict import judge

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record


def seal(run: Run, state: StateDir, plan: Plan, batch: Batch, now: datetime) -> Sealed:
    """Return the summary of a check beside what the ledger knows, of which nothing is changed; raises OpsError."""
    count, _goes_on = complete(run, plan, batch, now, checks=True)
    records = run.spool.read().records
    with _ledger(state, records) as (ledger, fault):
        data = build(gather(ledger, run.id, facts_of(plan, state)))
        text = render_text(data, plan["egov_ops_report_language"], checks=True, width=terminal.width())
        return Sealed(count, ledger.head(), text="\n".join([text, *_refusals(records)]), fault=fault)


def _refusals(records: Sequence[Record]) -> Iterator[str]:
    """Yield what the gates of each host say: in a check that is shown, and fails nothing."""
    for item in records:
        if item["reason"] == "refused":
            yield f"{item['host']}: {item['detail'].get('message', '')}"


def reasons(run: Run, host: str, fail_on: str) -> list[str]:
    """Return why a check of a host is not good, as `judge` does."""
    mark = f'"host":{json.dumps(host, ensure_ascii=False)}'.encode("utf-8", "backslashreplace")
    return judge([item for item in run.spool.holding(mark) if item["host"] == host], fail_on, checks=True)


@contextmanager
def _ledger(state: StateDir, records: Sequence[Record]) -> Iterator[tuple[Ledger, str]]:
    """Give a ledger that shows some records after its own, and what is wrong with the real one, "" for nothing."""
    made, fault = check_folder(), ""
    with ExitStack() as opened:
        ledger = None
        if state.ledger.exists():
            try:
                ledger = opened.enter_context(open_ledger(state, read_only=True))
                fault = continuity.loss_in(state, ledger)
                suppose(ledger, records)
            except LedgerError as error:
                ledger, fault = None, str(error)
        if ledger is None:
            ledger = opened.enter_context(open_ledger(made))
            if not state.ledger.exists():
                fault = continuity.loss_in(state, ledger).replace(str(made.ledger), str(state.ledger))
            ledger.append(records)
        yield ledger, fault
