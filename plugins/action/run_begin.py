# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Begin a run, or refuse it before any host is touched."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypedDict

from ansible import constants
from ansible import context as cli
from ansible.release import __version__ as ansible_version
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.actions import Task
from ansible_collections.egov.ops.plugins.plugin_utils.common import (
    OpsError,
    StateDir,
    persistence,
    printed_commands,
    user_name,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import (
    CONTROLLER,
    Actor,
    Header,
    LedgerError,
    Record,
    Spool,
    clock,
    continuity,
    controller,
    drain_spools,
    iso,
    open_ledger,
    record,
    run_id,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan import (
    Memory,
    Plan,
    check,
    load_schema,
    merge,
    role_options,
)
from ansible_collections.egov.ops.plugins.plugin_utils.runs import (
    begin,
    check_folder,
    check_spool,
    interrupted,
    targets,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions import TaskVars

    class Options(TypedDict):
        """What the task takes; wait is in seconds."""

        procedure: str
        observes: bool | None
        steps: list[begin.AnnouncedStep] | None
        wait: int


class ActionModule(Task["Options"]):
    """See plugins/modules/run_begin.py."""

    ARGUMENTS = {
        "procedure": {"type": "str", "required": True},
        "observes": {"type": "bool"},
        "steps": {
            "type": "list",
            "elements": "dict",
            "options": {
                "module": {"type": "str", "required": True},
                "domain": {"type": "str", "required": True},
                "clauses": {"type": "list", "elements": "str", "default": []},
            },
        },
        "wait": {"type": "int", "default": 60},
    }

    def perform(self, arguments: Options, task_vars: TaskVars) -> Mapping[str, object]:
        """Refuse what cannot work, then open the spool; in check mode only the first."""
        begin.refuse_settings(str(self.play().strategy), str(constants.DEFAULT_HASH_BEHAVIOUR))
        tags, skip_tags = list(cli.CLIARGS.get("tags") or []), list(cli.CLIARGS.get("skip_tags") or [])
        targets.refuse_unparsed(self._task.get_variable_manager()._inventory)
        hosts = list(task_vars["ansible_play_hosts_all"])
        plan, foreign = self._check_plan(hosts)
        name, catalogue = arguments["procedure"], plan["egov_ops_procedures"]
        procedure = begin.described(name, catalogue, arguments["steps"], arguments["observes"])
        announced = list({step["domain"]: None for step in procedure["steps"]})
        selected = begin.selected_domains(announced, tags, skip_tags)
        steps = begin.steps_of(procedure["steps"], selected)
        state = StateDir.resolve(plan["egov_ops_state_dir"], group=plan["egov_ops_state_group"])
        self.say(f"egov.ops keeps its state in {state.path}")
        warning = persistence.words_of_state(state.path, plan["egov_ops_ephemeral"])
        if warning:
            self.say(warning)
        now, checks = datetime.now(timezone.utc), bool(self._task.check_mode)
        if checks:
            kept, spool = check_folder(), check_spool(now)
        else:
            state.prepare()
            kept, spool = state, self._spool(state, now, name, plan)
        self._say_clock(state, now)
        # Without `serial` all hosts, those too that an earlier play has lost and Ansible no longer names.
        batch = list(task_vars["ansible_play_batch"]) if self.play().serial else hosts
        ahead = hosts[hosts.index(batch[0]) :]  # under serial, earlier batches are sealed
        header: Header = {
            "procedure": name,
            "begun": iso(now),
            "hosts": [host for host in ahead if host not in foreign],
            "not_ours": [host for host in ahead if host in foreign],
            "batch": batch,
            "steps": steps,
            "longest": procedure["longest"],
            "tags": selected if len(selected) < len(announced) else [],
            "limit": cli.CLIARGS.get("subset") or "",
            "user": user_name(os.geteuid()),
            "observes": procedure["observes"],
            "waiting": False,
        }
        header = begin.announce(kept, spool, header, arguments["wait"])
        spool.append([_record(spool.run, header, list(task_vars["groups"]["all"]))])
        message = f"Run {spool.run}: {len(hosts)} hosts, {len(steps)} steps each."
        if header["busy"]:
            other = ", ".join(header["others"])
            message = f"Run {spool.run} does nothing: {other} is still running; wait for it, or end its process."
        if checks:
            message = f"Check mode: {len(hosts)} hosts, {len(steps)} steps each; nothing is recorded."
        run = "" if checks else spool.run
        return {"changed": False, "msg": message, "run": run, "hosts": len(hosts), "not_ours": foreign}

    def _spool(self, state: StateDir, now: datetime, procedure: str, plan: Plan) -> Spool:
        """Return the spool of this process's run, made where there is none."""
        spool = Spool.find(state.spool, controller())
        if spool:
            return spool
        header: Header = {"run": self._settled(state, now, procedure, plan), "procedure": "standalone"}
        return Spool.find_or_create(state.spool, controller(), header, now, state.witness)

    def _check_plan(self, hosts: list[str]) -> tuple[Plan, list[str]]:
        """Return the plan of the first host, and the hosts that are not ours; refuse a fault in any host's plan."""
        reader, schema, extra = self.inventory_plan(), load_schema(), self.extra_variables()
        plans: list[Plan] = []
        foreign: list[str] = []
        warned: set[str] = set()
        for host in hosts:
            variables = reader.variables(host)
            memory = Memory()  # so that the plan is read once
            for problem in check(variables, schema, extra, role_options(), memory):
                if problem.fatal:
                    raise OpsError(f"{host}: {problem.message}")
                if problem.message not in warned:
                    warned.add(problem.message)
                    self._display.warning(problem.message)
            begin.refuse_role_values(variables, role_options())
            plan = merge(variables, schema, extra, memory)
            if begin.is_foreign(plan, variables):
                foreign.append(host)
            plans.append(plan)
            first, here = plans[0]["egov_ops_state_dir"], plan["egov_ops_state_dir"]
            if here != first:
                raise OpsError(
                    f"egov_ops_state_dir is {here!r} for {host} and {first!r} for {hosts[0]}, but must be the same for "
                    "all hosts of a run; set it in group_vars/all."
                )
        return plans[0], foreign

    def _say_clock(self, state: StateDir, now: datetime) -> None:
        """Say that the clock is behind the ledger, where it is; the gates refuse then."""
        if not state.ledger.exists():
            return
        try:
            with open_ledger(state, read_only=True) as ledger:
                fault = clock.fault(ledger, now)
        except LedgerError:  # in an emergency and in check mode the run goes on; others were refused by now
            return
        if fault:
            accept = printed_commands.playbook("accept_clock", egov_ops_reason="WHY")
            self.say(f"{fault} Hosts are not changed until the clock is set right or accepted: {accept}")

    def _settled(self, state: StateDir, now: datetime, procedure: str, plan: Plan) -> str:
        """Return what `_settle` does; in an emergency a ledger that is away keeps nothing from being begun."""
        try:
            return self._settle(state, now, procedure, plan)
        except LedgerError as error:
            if not plan["egov_ops_override"]:
                raise
            self._display.warning(f"{error} The run goes on because of egov_ops_override.")
            return ""

    def _settle(self, state: StateDir, now: datetime, procedure: str, plan: Plan) -> str:
        """Drain what runs that died have left; return the run that this process is: one it has sealed, else a new one.

        What cannot be taken is set aside by this run, whose seal then fails with a sentence.
        """
        if not state.ledger.exists() and not state.witness.exists() and not any(state.spool.iterdir()):
            return ""
        with open_ledger(state) as ledger:
            if loss := continuity.loss_in(state, ledger):
                self.say(loss)
            run = ledger.run_of(controller().hash) or run_id(controller(), now)
            if any(state.spool.iterdir()):
                drained = drain_spools(state, ledger, now, actor=Actor(run, procedure))
                reports = interrupted.report(drained, ledger, state, plan)
                for sentence in [*reports, *drained.unreadable, *drained.rejected]:
                    self._display.warning(sentence)
            return run


def _record(run: str, header: Header, inventory: list[str]) -> Record:
    begun = observation(
        "begin",
        header["procedure"],
        "skipped" if header["busy"] else "ok",
        "busy" if header["busy"] else "",
        hosts=header["hosts"],
        not_ours=header["not_ours"],
        inventory=inventory if header["limit"] else [],
        steps=[{"module": step["module"], "domain": step["domain"]} for step in header["steps"]],
        limit=header["limit"],
        tags=header["tags"],
        user=header["user"],
        ansible=ansible_version,
    )
    return record(
        run=run,
        procedure=header["procedure"],
        host=CONTROLLER,
        domain="run",
        observation=begun,
        started=header["begun"],
        finished=header["begun"],
    )
