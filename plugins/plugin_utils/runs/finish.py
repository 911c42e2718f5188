# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a run: fill what is missing, store, publish the head, render."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.backup import new_passwords, test_command
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, terminal, transient_here
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import (
    CONTROLLER,
    Actor,
    Head,
    Header,
    Ledger,
    LedgerError,
    continuity,
    drain_spools,
    iso,
    missing,
    open_ledger,
    record,
    sentences,
    untold,
    witness,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.report import (
    Language,
    build,
    facts_of,
    gather,
    render_text,
    write_report,
)
from ansible_collections.egov.ops.plugins.plugin_utils.runs import interrupted
from ansible_collections.egov.ops.plugins.plugin_utils.runs.current import Run
from ansible_collections.egov.ops.plugins.plugin_utils.runs.verdict import judge

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record


@dataclass(frozen=True)
class Batch:
    """The hosts that a seal answers for, and the play's rules for going on to the next ones."""

    all_hosts: list[str]
    hosts: list[str]
    alive: set[str]
    any_errors_fatal: bool = False
    max_fail_percentage: float | None = None

    def ahead(self) -> list[str]:
        """Return the hosts of later batches."""
        return self.all_hosts[self.all_hosts.index(self.hosts[-1]) + 1 :]

    def is_last_with(self, bad: set[str]) -> bool:
        """Return whether the play ends after this batch, of whose hosts some are bad."""
        if not bad:
            return False
        share = 100 * len(bad) / len(self.hosts)
        limit = self.max_fail_percentage
        return len(bad) == len(self.hosts) or self.any_errors_fatal or (limit is not None and share > limit)


@dataclass
class Sealed:
    """What came of a seal: `fault` is a sentence when the evidence is stored but something after it failed."""

    records: int
    head: Head
    report: str = ""
    text: str = ""
    fault: str = ""
    warnings: list[str] = field(default_factory=list)


def seal(run: Run, state: StateDir, plan: Plan, batch: Batch, now: datetime) -> Sealed:
    """Complete a run's spool and store it; raises OpsError, naming the spool, when it cannot be stored."""
    try:
        records, goes_on = complete(run, plan, batch, now)
        with open_ledger(state) as ledger:
            actor = Actor(run.id, run.procedure)
            drained = drain_spools(state, ledger, now, current=run.spool, goes_on=goes_on, actor=actor)
            sealed = Sealed(records, drained.head)
            sealed.warnings += [
                *interrupted.report(drained, ledger, state, plan),
                *drained.unreadable,
                *drained.rejected,
            ]
            if goes_on is None:  # a fault would end the play before the hosts ahead have had their turn
                said = [continuity.loss_in(state, ledger), *sentences(ledger, run.id), *untold(state.untold)]
                sealed.fault = " ".join(dict.fromkeys(said)).strip()
            try:
                key = plan["egov_ops_witness_key"]
                witness.publish_head(state.witness, drained.head, run.id, iso(now), Path(key) if key else None)
            except OpsError as error:
                sealed.fault = f"{sealed.fault} {error}".strip()
            _render(sealed, ledger, run, state, plan)
    except LedgerError as error:
        kept = run.spool.path
        if not kept.exists():
            raise
        where = "" if str(kept) in str(error) else f" Its evidence is kept in the spool {kept}."
        raise OpsError(f"The run is not sealed: {error}{where}") from None
    return sealed


def complete(run: Run, plan: Plan, batch: Batch, now: datetime, checks: bool = False) -> tuple[int, Header | None]:
    """Append what the run lacks: a record for each step without one, and the seal's own.

    Return how many records the spool then holds, and the header with which the run goes on if later hosts follow.
    """
    contents = run.spool.read()
    header, records = contents.header, contents.records
    unbuilt: Header = {**header, "steps": [step for step in header.get("steps", []) if not step.get("built", True)]}
    not_built = {step["module"] for step in unbuilt["steps"]}
    message = "This version of egov.ops does not have this step yet."
    added = missing(unbuilt, records, now, hosts=batch.hosts, reason="not_built", message=message)
    added += missing(header, [*records, *added], now, hosts=batch.hosts)
    by_host: dict[str, list[Record]] = defaultdict(list)
    for entry in [*records, *added]:
        by_host[entry["host"]].append(entry)
    lost = set(batch.hosts) - batch.alive - set(header.get("not_ours", []))
    bad = {host for host in batch.hosts if host in lost or judge(by_host[host], plan["egov_ops_fail_on"], checks)}
    ahead = set(batch.ahead())
    ends = batch.is_last_with(bad)
    if ends:
        message = "The run ended before this host's turn came."
        added += missing(header, records, now, hosts=batch.ahead(), reason="not_started", message=message)
    incomplete = [entry for entry in added if entry["reason"] != "not_ours"]
    statuses = Counter(entry["status"] for entry in [*records, *added] if entry["domain"] != "run")
    end = observation(
        "seal",
        run.procedure,
        "failed" if bad else "ok",
        "busy" if header.get("busy") else "",
        statuses=dict(statuses),
        hosts=len(batch.hosts),
        bad=len(bad),
        not_built=sorted(not_built),
        filled=len(incomplete),
        records=len(records) + len(added) + 1,
    )
    sealed = record(
        run=run.id,
        procedure=run.procedure,
        host=CONTROLLER,
        domain="run",
        observation=end,
        started=header["begun"],
        finished=iso(now),
    )
    run.append([*added, sealed])
    goes_on: Header = {
        **header,
        "hosts": [host for host in header.get("hosts", []) if host in ahead],
        "not_ours": [host for host in header.get("not_ours", []) if host in ahead],
        "batch": [],
        "waiting": True,
    }
    return len(records) + len(added) + 1, goes_on if ahead and not ends else None


def _render(sealed: Sealed, ledger: Ledger, run: Run, state: StateDir, plan: Plan) -> None:
    """Render the run's summary and report from the ledger; what fails here cannot harm the evidence."""
    language = plan["egov_ops_report_language"]
    shelf = None
    if plan["egov_ops_report"]:
        # Imported here: a summary needs none of it.
        from ansible_collections.egov.ops.plugins.plugin_utils.report import Shelf

        shelf = Shelf(ledger, state.rollups)
    data = build(gather(ledger, run.id, facts_of(plan, state), shelf))
    sealed.text = "\n".join([render_text(data, language, width=terminal.width()), *_only_copies(ledger, plan)])
    if not plan["egov_ops_report"]:
        return
    try:
        sealed.report = str(write_report(data, state.reports, language))
    except OpsError as error:
        sealed.fault = f"{sealed.fault} {error}".strip()


def _only_copies(ledger: Ledger, plan: Plan) -> Iterator[str]:
    """Yield a line for each password that we have created and that nobody has shown to be in escrow."""
    words, test = Language(plan["egov_ops_report_language"]), test_command(plan)
    for name, file in sorted(new_passwords.only_copies(ledger).items()):
        fleeting = words.text("text.only_copy_ends") if transient_here(Path(file)) else ""
        yield words.text("text.only_copy", name=name, file=file, ends=fleeting, command=test)
