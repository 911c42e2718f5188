#!/usr/bin/env python3
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write synthetic ledgers: each state that a report must show, through the collection's own spool and drain.

The same state has the same records, hashes and head wherever and whenever it is written, and its chain verifies.
Tests, pictures and measurements share it. On the command line it writes one state and its report, or measures what the
report of one that was written costs.

The collection must be importable (PYTHONPATH, or an installed collection path).
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import environment

sys.path.append(str(environment.link_collection(environment.CACHE / "tree")))

from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import (
    CONTROLLER,
    Header,
    Identity,
    Ledger,
    Record,
    Spool,
    Step,
    drain_spools,
    iso,
    missing,
    open_ledger,
    record,
    run_id,
    stable_id,
    witness,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan import load_schema, merge
from ansible_collections.egov.ops.plugins.plugin_utils.report import (
    Choice,
    Facts,
    Shelf,
    Span,
    build,
    build_period,
    gather,
    gather_period,
    write_period_report,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report import write_report as write

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation
    from ansible_collections.egov.ops.plugins.plugin_utils.report import PeriodReport, RunReport

#: When the last day's run began: 06:00 in the plan's zone.
LAST = datetime(2026, 11, 23, 22, tzinfo=timezone.utc)

PROCEDURE = "daily"

#: Seconds that a run takes, and the longest that one may.
DURATION, LONGEST = 752, 14400.0

#: A platform of a size that is read host by host.
FEW = ("web1", "web2", "web3", "web4", "app1", "app2", "app3", "db1", "db2", "db3", "log1", "mon1", "file1", "gate1")

#: Probes and controls of each host that a thin platform has.
FEW_PROBES = 6

#: What of the ledger's file is lost where its tail cannot be read.
LOST_BYTES = 64 * 1024

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> \u202egnp.exe\x1b[31m\x01{{ 7 * 7 }}"

_UNITS = {"filesystem_space": "%", "filesystem_inodes": "%", "memory": "%", "swap": "%", "cpu_usage": "%"}
_SUBJECTS = {"filesystem_space": "/var", "filesystem_inodes": "/var"}
_SETS = {"config": (1840, 5242880), "data": (48213, 228070000000)}


EVERYTHING = Choice()


@dataclass(frozen=True)
class Fault:
    """What is wrong on hosts from a day to another, counted back from the last run (0): `days` is `(first, last)`."""

    hosts: tuple[str, ...]
    domain: str
    kind: str
    subject: str
    status: str
    message: str
    reason: str = ""
    days: tuple[int, int] = (999, 0)
    detail: dict[str, Any] = field(default_factory=dict)

    def holds(self, host: str, back: int) -> bool:
        """Return whether a host has it so many days before the last run."""
        return host in self.hosts and self.days[1] <= back <= self.days[0]


@dataclass(frozen=True)
class Story:
    """What a platform's daily runs found. `skipped` are days without a run, counted back from the last."""

    hosts: tuple[str, ...]
    days: int = 1
    faults: tuple[Fault, ...] = ()
    dead: tuple[str, ...] = ()
    skipped: tuple[int, ...] = ()
    not_ours: tuple[str, ...] = ()
    limit: tuple[str, ...] = ()
    not_built: tuple[str, ...] = ()
    cut_off_after: int = 0  # hosts after which the last run was killed; 0: it was not
    cannot: str = ""  # why no step could be done on any host in the last run
    loses_tail: bool = False
    in_bulk: bool = False  # days before the last past the spool, which is most of what they cost
    thin: bool = False  # few of the probes and controls that are OK: the roll-ups are as large as of a whole platform


@dataclass(frozen=True)
class Made:
    """A state written to disk: its folder, its last run, and what a report says beside the records."""

    state: StateDir
    run: str
    facts: Facts


FACTS = Facts(
    platform="Harbour City Portal",
    zone="Asia/Shanghai",
    ledger="/var/lib/egov-ops/controller/ledger.sqlite3",
    witness="/var/lib/egov-ops/controller/witness.jsonl",
)

#: Pending updates as a scan lists them, those past their deadline first.
_UPDATES = [
    {"name": name, "installed": old, "candidate": new, "security": safe, **advisories}
    for name, old, new, safe, advisories in (
        (
            "openssl",
            "3.0.13-0ubuntu3.4",
            "3.0.13-0ubuntu3.5",
            True,
            {
                "severities": ["critical"],
                "cves": [f"CVE-2026-{number}" for number in range(2101, 2106)],
                "age_days": 21.4,
            },
        ),
        ("libxml2", "2.9.14-1", "2.9.14-2", True, {"severities": ["high"], "cves": ["CVE-2026-1890"], "age_days": 33}),
        ("sudo", "1.9.15-3", "1.9.15-4", True, {"severities": ["high"], "cves": [], "age_days": 19, "hold": "hold"}),
        ("curl", "8.5.0-2", "8.5.0-3", True, {"severities": ["medium"], "cves": ["CVE-2026-3001"], "age_days": 2}),
        ("vim", "9.1.0016-1", "9.1.0016-2", False, {}),
        ("tzdata", "2026a", "2026b", False, {}),
    )
]

_FAULTS = (
    Fault(
        ("db2",),
        "health",
        "filesystem_space",
        "/var",
        "critical",
        "/var is 91% full (limit 90%).",
        days=(2, 0),
        detail={
            "value": 91,
            "unit": "%",
            "warning": "80",
            "critical": "90",
            "layer": "infrastructure",
            "why": "A full /var stops the database and its logs.",
            "next": "Free space below /var/log, or enlarge the volume.",
        },
    ),
    Fault(
        ("web1", "web2", "web3"),
        "hardening",
        "control",
        "IA-001",
        "warning",
        "Minimum password length is 8, not >=12.",
        detail={
            "next": "Set minlen = 12 in /etc/security/pwquality.conf.",
            "severity": "warning",
            "found": {"minlen": 8},
        },
    ),
    Fault(("app1",), "backup", "proof", "data", "failed", "The restored files differ.", "mismatch", (0, 0)),
    Fault(
        ("mon1",),
        "health",
        "raid",
        "md0",
        "unknown",
        "The state of md0 cannot be read.",
        "permission",
        (5, 0),
        {"layer": "infrastructure"},
    ),
    Fault(("log1",), "health", "zombies", "zombies", "warning", "31 processes are zombies.", days=(3, 1)),
    Fault(
        ("file1",),
        "updates",
        "package_list",
        "pending",
        "critical",
        "3 security updates are past their deadline.",
        detail={"counts": {"pending": 9, "security": 4, "late": 3}, "updates": _UPDATES},
    ),
    Fault(
        ("file1",),
        "updates",
        "reboot",
        "host",
        "warning",
        "The host has to be restarted: kernel 6.8.0-49 is installed, 6.8.0-45 is running.",
        detail={"reasons": ["kernel 6.8.0-49 is installed, 6.8.0-45 is running"]},
    ),
    Fault(
        ("db1",),
        "updates",
        "restarts",
        "processes",
        "warning",
        "2 processes run files that an update has replaced (nginx.service).",
        detail={"counts": {"processes": 2, "hidden": 0, "containers": 0}, "units": ["nginx.service"]},
    ),
    Fault(
        ("log1",),
        "hardening",
        "control",
        "IA-002",
        "unknown",
        "/etc/security/pwquality.conf may not be read.",
        "permission",
    ),
)

_HOSTILE_FAULTS = (
    Fault(("web1",), "health", "raid", HOSTILE[:60], "critical", HOSTILE, detail={"next": HOSTILE, "why": HOSTILE}),
    Fault(("db1",), "backup", "proof", "config", "failed", "\udc80broken \ud800", "mismatch"),
    Fault(("app1",), "health", "swap", "swap", "warning", "x" * 1000000),
    Fault(
        ("db1",),
        "hardening",
        "control",
        "IA-001",
        "critical",
        HOSTILE,
        detail={"title": {"en": HOSTILE, "zh": HOSTILE}, "expected": HOSTILE, "found": {HOSTILE: [HOSTILE]}},
    ),
    Fault(
        ("file1",),
        "updates",
        "package_list",
        "pending",
        "critical",
        HOSTILE,
        detail={
            "counts": {"pending": HOSTILE, "security": -1, "late": 1},
            "updates": [
                {"name": HOSTILE, "installed": HOSTILE, "candidate": HOSTILE, "severities": [HOSTILE]},
                HOSTILE,
            ],
        },
    ),
)


def many(hosts: int = 200, days: int = 2) -> Story:
    """Return a platform of many hosts, with faults that are spread over them."""
    groups = (("web", 8), ("app", 6), ("db", 4), ("file", 2))
    names = [f"{name}{number:03}" for name, share in groups for number in range(1, hosts * share // 20 + 1)]
    chosen = random.Random("faults")
    faults = tuple(replace(fault, hosts=tuple(sorted(chosen.sample(names, max(1, hosts // 12))))) for fault in _FAULTS)
    return Story(tuple(names), days=days, faults=faults, dead=tuple(names[9::90]))


#: Each state that a report must show.
STATES: dict[str, Callable[[], Story]] = {
    "first_run": lambda: Story(FEW, faults=_FAULTS, dead=("gate1",)),
    "all_green": lambda: Story(FEW, days=2),
    "eventful": lambda: Story(FEW, days=14, faults=_FAULTS, dead=("gate1",), skipped=(4, 9), not_ours=("switch1",)),
    "broken": lambda: Story(FEW, days=2, faults=_FAULTS, cannot="The controller has no address for the hosts."),
    "one_host": lambda: Story(("db2",), days=4, faults=_FAULTS),
    "many": many,
    "incomplete": lambda: Story(FEW, days=2, not_built=("hardening_audit",), faults=_FAULTS),
    "partial": lambda: Story(FEW, days=2, limit=("web1", "db2"), faults=_FAULTS),
    "killed": lambda: Story(FEW, days=2, faults=_FAULTS, cut_off_after=5),
    "hostile": lambda: Story(FEW, days=2, faults=_HOSTILE_FAULTS),
    "lost_tail": lambda: Story(FEW, days=2, loses_tail=True),
}


def make(story: Story, folder: Path) -> Made:
    """Write a story into a new state folder, a run each day, and return it."""
    state = StateDir(folder)
    state.prepare()
    run = ""
    for back in range(story.days - 1, -1, -1):
        if back not in story.skipped:
            with open_ledger(state) as ledger:  # one for each day: it keeps what it has appended
                day = _Day(story, back)
                run = day.append(state, ledger) if story.in_bulk and back else day.write(state, ledger)
    if story.loses_tail:
        os.truncate(state.ledger, state.ledger.stat().st_size - LOST_BYTES)
    return Made(state, run, replace(FACTS, procedures={PROCEDURE: _plan()["procedures"][PROCEDURE]}))


@functools.cache
def _plan() -> dict[str, Any]:
    plan = merge({}, load_schema())
    return {name: plan[f"egov_ops_{name}"] for name in ("procedures", "probes", "controls")}


def _steps(not_built: Sequence[str]) -> list[Step]:
    steps = _plan()["procedures"][PROCEDURE]["steps"]
    return [
        {
            "module": step["module"],
            "domain": step["domain"],
            "clauses": step["clauses"],
            "built": step["module"] not in not_built,
        }
        for step in steps
    ]


class _Day:
    """One day's run of a story."""

    def __init__(self, story: Story, back: int) -> None:
        self._story = story
        self._back = back
        self._is_last = back == 0
        self._few = FEW_PROBES if story.thin else None
        self._begun = LAST - timedelta(days=back)
        self._ended = self._begun + timedelta(seconds=DURATION)
        limit = story.limit if self._is_last else ()
        # A process of no boot that ever was: it is never taken for one that lives here.
        self._process = Identity("synthetic", "pid:[0]", 1000 + back, 1)
        self._header: Header = {
            "procedure": PROCEDURE,
            "begun": iso(self._begun),
            "hosts": list(limit or story.hosts),
            "not_ours": [] if limit else list(story.not_ours),
            "steps": _steps(story.not_built),
            "longest": LONGEST,
            "limit": ",".join(limit),
            "tags": [],
            "user": "ops",
            "observes": True,
        }

    def write(self, state: StateDir, ledger: Ledger) -> str:
        """Write the run through its spool into the ledger, publish the head, and return the run's id."""
        spool = Spool.find_or_create(state.spool, self._process, self._header, self._begun)
        records = list(self._records(spool.run))
        if self._is_last and self._story.cut_off_after:
            spool.append(records)
            os.utime(spool.path, times=(self._begun.timestamp(),) * 2)  # silent since then
            drained = drain_spools(state, ledger, self._begun + timedelta(hours=8))
        else:
            records += self._missing(records)
            spool.append([*records, self._seal(spool.run, records)])
            drained = drain_spools(state, ledger, self._ended, current=spool)
        witness.publish_head(state.witness, drained.head, spool.run, iso(self._ended), syslog=state.path / "no-syslog")
        return spool.run

    def append(self, state: StateDir, ledger: Ledger) -> str:
        """Append the run's records to the ledger itself, keep its roll-up as a seal does, and return the run's id."""
        run = run_id(self._process, self._begun)
        records = list(self._records(run))
        records += self._missing(records)
        ledger.append([*records, self._seal(run, records)])
        Shelf(ledger, state.rollups).get(run)
        return run

    def _missing(self, records: list[Record]) -> list[Record]:
        unbuilt: Header = {**self._header, "steps": [step for step in self._header["steps"] if not step["built"]]}
        header: Header = {**self._header, "run": records[0]["run"]}
        unbuilt["run"] = header["run"]
        message = "This version of egov.ops does not have this step yet."
        added = missing(unbuilt, records, self._ended, reason="not_built", message=message)
        return added + missing(header, [*records, *added], self._ended)

    def _records(self, run: str) -> Iterator[Record]:
        yield self._record(run, CONTROLLER, "run", self._begin(), 0)
        hosts = self._header["hosts"]
        done = self._story.cut_off_after if self._is_last and self._story.cut_off_after else len(hosts)
        for number, host in enumerate(hosts[:done]):
            at = 2 + number * (DURATION - 20) // len(hosts)
            for domain, observed in self._host(host):
                yield self._record(run, host, domain, observed, at)

    def _begin(self) -> Observation:
        return observation(
            "begin",
            PROCEDURE,
            "ok",
            hosts=self._header["hosts"],
            not_ours=self._header["not_ours"],
            inventory=list(self._story.hosts) if self._header["limit"] else [],
            steps=[{"module": step["module"], "domain": step["domain"]} for step in self._header["steps"]],
            limit=self._header["limit"],
            tags=[],
            user="ops",
            ansible="2.19.0",
        )

    def _seal(self, run: str, records: Iterable[Record]) -> Record:
        observed = [entry for entry in records if entry["domain"] != "run"]
        bad = {entry["host"] for entry in observed if entry["status"] in ("failed", "unreachable")}
        end = observation(
            "seal",
            PROCEDURE,
            "failed" if bad else "ok",
            statuses=dict(Counter(entry["status"] for entry in observed)),
            hosts=len(self._header["hosts"]),
            bad=len(bad),
            not_built=sorted(self._story.not_built),
            filled=0,
            records=len(observed) + 2,
        )
        return self._record(run, CONTROLLER, "run", end, DURATION)

    def _record(self, run: str, host: str, domain: str, observed: Observation, at: int) -> Record:
        moment = iso(self._begun + timedelta(seconds=at))
        return record(
            run=run,
            procedure=PROCEDURE,
            host=host,
            domain=domain,
            observation=observed,
            started=iso(self._begun) if observed["kind"] == "seal" else moment,
            finished=moment,
            via="controller" if host == CONTROLLER else "stream",
            identifier=stable_id(run, host, domain, observed["kind"], observed["subject"]),
        )

    def _host(self, host: str) -> Iterator[tuple[str, Observation]]:
        """Yield what each step observed on a host, and the step itself."""
        makers = {"health": self._health, "updates": self._updates, "hardening": self._controls}
        for step in self._header["steps"]:
            module, domain = step["module"], step["domain"]
            if not step["built"]:
                continue
            failure = self._failure(host, module)
            if failure:
                yield domain, failure
                continue
            made = self._backup(host, module) if domain == "backup" else makers[domain](host)
            for observed in made:
                yield domain, self._with_fault(host, domain, observed)
            yield domain, observation("step", module, "ok", "", step["clauses"], duration=self._chance(host, module, 3))
            yield from self._other_faults(host, domain, module)

    def _failure(self, host: str, module: str) -> Observation | None:
        """Return the step's record where it could not be done."""
        if self._is_last and self._story.cannot:
            return observation("step", module, "failed", "error", message=self._story.cannot)
        if host in self._story.dead and self._back < 2:
            return observation("step", module, "unreachable", "timeout", message="No answer on port 22.")
        return None

    def _with_fault(self, host: str, domain: str, observed: Observation) -> Observation:
        """Return an observation, or the fault that the story has in its place."""
        for fault in self._story.faults:
            is_same = (fault.domain, fault.kind, fault.subject) == (domain, observed["kind"], observed["subject"])
            if is_same and fault.holds(host, self._back):
                return self._told(fault, observed)
        return observed

    def _other_faults(self, host: str, domain: str, module: str) -> Iterator[tuple[str, Observation]]:
        """Yield, once for each domain, the story's faults of things that not every host has."""
        usual = {"filesystem_space", "zombies", "swap", "control", "package_list", "backup", "proof"}
        for fault in self._story.faults:
            is_first = module != "backup_prove"
            if fault.domain == domain and fault.kind not in usual and is_first and fault.holds(host, self._back):
                yield domain, self._told(fault, observation(fault.kind, fault.subject, "ok"))

    @staticmethod
    def _told(fault: Fault, observed: Observation) -> Observation:
        detail = {**observed["detail"], **fault.detail, "message": fault.message}
        return {**observed, "status": fault.status, "reason": fault.reason, "detail": detail}

    def _chance(self, host: str, name: str, upto: float) -> float:
        """Return a number that is the same in each process."""
        return round(random.Random(f"{host} {name} {self._back}").random() * upto, 2)

    def _health(self, host: str) -> Iterator[Observation]:
        for name, probe in itertools.islice(_plan()["probes"].items(), self._few):
            kind, limit = probe["kind"], str(probe.get("warning") or "")
            detail = {"probe": name, "layer": probe["layer"], "unit": _UNITS.get(kind, "")}
            limits = {"warning": limit, "critical": str(probe.get("critical") or "")}
            if limit.replace(".", "").isdigit():
                room = float(limit)
                # Each host has its own level, and little changes from day to day.
                level = random.Random(f"{host} {name}").random() * 0.8
                detail["value"] = round(room * (level + self._chance(host, name, 0.1)), 1)
            clauses = ["S3.1-1", "S3.1-2"]
            yield observation(kind, _SUBJECTS.get(kind, name), "ok", "", clauses, 0.01, **detail, **limits)

    def _backup(self, host: str, module: str) -> Iterator[Observation]:
        for name, (files, size) in _SETS.items():
            if name == "data" and not host.startswith(("db", "file", "app")):
                continue
            grown = int(size * (1 + (60 - self._back) * 0.002 + self._chance(host, name, 0.01)))
            snapshot = stable_id(host, name, str(self._back))
            detail = {"repository": "local", "snapshot": snapshot, "bytes": grown}
            if module == "backup_run":
                seconds = round(grown / 4e8 + 1, 2)
                yield observation("backup", name, "ok", "", ["S6.1.2-3"], seconds, backup="full", files=files, **detail)
            else:
                yield observation("proof", name, "ok", "", ["S6.2.2-2"], 0.9, files=20, **detail)

    def _updates(self, host: str) -> Iterator[Observation]:
        pending = int(self._chance(host, "pending", 12))
        counts = {"pending": pending, "security": 0, "late": 0}
        message = f"{pending} updates are pending."
        yield observation("package_list", "pending", "ok", "", ["S4.3-4"], counts=counts, message=message)
        installed = {"installed": 842, "broken": 0}
        yield observation("package_list", "installed", "ok", "", ["S4.3-4"], counts=installed)

    def _controls(self, host: str) -> Iterator[Observation]:
        for name, control in itertools.islice(_plan()["controls"].items(), self._few):
            yield observation(
                "control",
                name,
                "ok",
                "",
                control["clauses"],
                title=control["title"],
                severity=control["severity"],
                expected=str(control["expected"]),
                message="As expected.",
            )


def report(made: Made) -> RunReport:
    """Return the data of the report of a state's last run."""
    with open_ledger(made.state, read_only=True) as ledger:
        return build(gather(ledger, made.run, made.facts, Shelf(ledger, made.state.rollups)))


def period(made: Made, span: Span, choice: Choice = EVERYTHING) -> PeriodReport:
    """Return the data of the report of a range of days."""
    facts = replace(made.facts, procedures=_plan()["procedures"])
    with open_ledger(made.state, read_only=True) as ledger:
        return build_period(gather_period(ledger, Shelf(ledger, made.state.rollups), span, choice, facts))


def last_days(days: int) -> Span:
    """Return so many days up to that of the last run."""
    last = LAST.astimezone(ZoneInfo(FACTS.zone)).date()
    return Span("range", last - timedelta(days=days - 1), last, FACTS.zone)


def measure(folder: Path, days: int, language: str) -> dict[str, Any]:
    """Write the report of a folder's last run, or of some days, and return what this process has needed for it."""
    state = StateDir(folder)
    start = time.monotonic()
    with open_ledger(state, read_only=True) as ledger:
        made = Made(state, ledger.runs(limit=1)[0].run, FACTS)
    data: RunReport | PeriodReport
    if days:
        data = period(made, last_days(days))
        page = write_period_report(data, state.reports, language)
    else:
        data = report(made)
        page = write(data, state.reports, language)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "page": str(page),
        "hosts": len(data["hosts"]),
        "days": len(data["days"]),
        "seconds": round(time.monotonic() - start, 2),
        "cpu": round(used.ru_utime + used.ru_stime, 2),
        "mib": _highest() // 1024,
        "bytes": page.stat().st_size,
    }


def _highest() -> int:
    """Return the KiB of memory that this process had at its highest; ru_maxrss knows of the one before exec, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(status.partition("VmHWM:")[2].split()[0])


def main() -> int:
    """Write a state, or measure what the report of one that was written costs; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state", choices=[*sorted(STATES), "measure"], help="the state to write, or measure")
    parser.add_argument("folder", type=Path, help="folder for ledger and report, new unless it is measured")
    parser.add_argument("--language", choices=["en", "zh"], default="en")
    parser.add_argument("--hosts", type=int, default=200, help="hosts of the state many")
    parser.add_argument("--days", type=int, default=0, help="days of the state many, or of the range that is measured")
    options = parser.parse_args()
    folder = options.folder.absolute()
    if options.state != "measure":
        story = many(options.hosts, options.days or 2) if options.state == "many" else STATES[options.state]()
        make(replace(story, in_bulk=True), folder)
    days = options.days if options.state == "measure" else 0
    print(json.dumps(measure(folder, days, options.language)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
