# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run that this controller process is: its spool, and what it has promised to record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ansible import constants
from ansible import context as cli
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, make_private
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Header, Record, Spool, controller


def check_folder() -> StateDir:
    """Return where the evidence of a check lies: in Ansible's private temporary folder, which ends with the process."""
    return StateDir(Path(constants.DEFAULT_LOCAL_TMP) / "egov-ops-check")


def check_spool(now: datetime) -> Spool:
    """Return the spool of this process's check, made where there is none; raises OSError, OpsError."""
    made = check_folder()
    for path in (made.path, made.spool, made.locks):
        make_private(path)
    header: Header = {"run": "", "procedure": "standalone"}
    return Spool.find_or_create(made.spool, controller(), header, now, logs=False)


@dataclass(frozen=True)
class Run:
    """One controller process and its open spool."""

    spool: Spool
    header: Header

    @classmethod
    def of_this_process(cls, state: StateDir, logs: bool = True) -> Run | None:
        """Return the run of this process, None where none is open."""
        spool = Spool.find(state.spool, controller(), logs)
        return cls(spool, spool.header()) if spool else None

    @classmethod
    def standalone(cls, state: StateDir) -> Run:
        """Return a run for a module that is used outside any procedure; it is not begun and expects nothing.

        Raises OpsError where the caller has told Ansible to leave out what begins a procedure.
        """
        if "always" in (cli.CLIARGS.get("skip_tags") or ()):
            raise OpsError("--skip-tags always is refused: it would leave out the records and the seal.")
        state.prepare()
        spool = Spool.find_or_create(
            state.spool, controller(), {"procedure": "standalone", "begun": ""}, witness=state.witness
        )
        return cls(spool, spool.header())

    @classmethod
    def of_this_check(cls) -> Run | None:
        """Return the run in check mode that this process has begun, None where it has begun none."""
        run = cls.of_this_process(check_folder(), logs=False)
        return run if run and run.header.get("begun") else None

    @property
    def id(self) -> str:
        """The run's id: UTC start and a hash of the process's identity."""
        return self.header["run"]

    @property
    def procedure(self) -> str:
        """The procedure's short name."""
        return self.header["procedure"]

    @property
    def observes(self) -> bool:
        """Whether a failed host is a record here and not a failed task."""
        return bool(self.header.get("observes"))

    def clauses_of(self, module: str) -> list[str]:
        """Return the clauses that a step of this run serves, as it was announced."""
        announced = self.header.get("steps", ())
        return [clause for step in announced if step["module"] == module for clause in step["clauses"]]

    def append(self, records: Iterable[Record]) -> None:
        """Write records to the spool, fsynced; raises SpoolError when that cannot be done."""
        self.spool.append(list(records))

    def steps(self, host: str) -> list[Record]:
        """Return the step records of a host so far; none where another process has sealed the run."""
        return self.spool.steps(host) if self.spool.path.exists() else []
