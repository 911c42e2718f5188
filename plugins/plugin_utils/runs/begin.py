# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused when a run begins, and what the run then promises to record."""

from __future__ import annotations

import difflib
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import LONGEST, Header, Spool, Step, running
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Opaque, Problem, plain, shown

if TYPE_CHECKING:
    from typing import TypedDict

    from ansible_collections.egov.ops.plugins.plugin_utils.plan import RoleOptions

    class AnnouncedStep(TypedDict):
        """A step of a procedure, as the catalogue or a playbook announces it."""

        module: str
        domain: str
        clauses: list[str]

    class Described(TypedDict):
        """What a procedure promises: longest is in seconds."""

        steps: list[AnnouncedStep]
        observes: bool
        longest: float


#: Tags that Ansible itself gives a meaning.
_SPECIAL_TAGS = {"all", "always", "never", "tagged", "untagged"}
#: Connections whose hosts are not the collection's to manage; they get a row, never absence.
_FOREIGN_CONNECTIONS = ("winrm", "psrp", "network_cli", "netconf", "httpapi")
_ACTIONS = Path(__file__).resolve().parents[2] / "action"


def refuse_settings(strategy: str, hash_behaviour: str) -> None:
    """Refuse what would break the frame: a strategy other than linear, merged dictionaries; raises OpsError."""
    if strategy.rsplit(".", 1)[-1] != "linear":
        raise OpsError(
            f"strategy: {strategy} is refused, because hosts would pass the seal one by one; "
            "use linear, the default (see ANSIBLE_STRATEGY and ansible.cfg)."
        )
    if hash_behaviour != "replace":
        raise OpsError(
            f"hash_behaviour: {hash_behaviour} is refused, because it changes what the plan's layers mean; "
            "use replace, the default (see ANSIBLE_HASH_BEHAVIOUR and ansible.cfg)."
        )


def described(
    procedure: str,
    catalogue: Mapping[str, Described],
    steps: list[AnnouncedStep] | None,
    observes: bool | None,
) -> Described:
    """Return `steps`, `observes` and `longest` of a procedure: the catalogue's, or of one that it lacks the playbook's.

    A playbook that would say otherwise than the catalogue, or a procedure of which nothing is said, raises OpsError.
    """
    entry = catalogue.get(procedure)
    if entry and (steps is not None or observes is not None):
        raise OpsError(
            f"{procedure} is in the catalogue, which alone says what it records; leave out steps and observes, change "
            "egov_ops_procedures, or give the playbook's procedure a name of its own."
        )
    if entry:
        known = entry.copy()
    elif steps:
        known = {"steps": steps, "observes": bool(observes), "longest": LONGEST}
    else:
        near = difflib.get_close_matches(procedure, list(catalogue), n=1)
        hint = f"did you mean {near[0]}?" if near else "add it to egov_ops_procedures, or give run_begin its steps."
        raise OpsError(f"{procedure} is no procedure of the catalogue; {hint}")
    if not known["steps"]:
        raise OpsError(f"{procedure} records nothing of hosts and cannot be begun as a run; give it steps.")
    return known


def selected_domains(domains: Collection[str], tags: Collection[str], skip_tags: Collection[str]) -> list[str]:
    """Return the domains that --tags and --skip-tags leave, in order; an unknown tag raises OpsError."""
    known = set(domains) | _SPECIAL_TAGS
    for option, given in (("--tags", tags), ("--skip-tags", skip_tags)):
        for tag in given:
            if tag not in known:
                near = difflib.get_close_matches(tag, domains, n=1)
                hint = f"; did you mean {near[0]}?" if near else "."
                raise OpsError(
                    f"{option} {tag} is refused: no task of this procedure has that tag{hint} "
                    f"Allowed: {', '.join(sorted(domains))}."
                )
    if "always" in skip_tags:
        raise OpsError("--skip-tags always is refused: it would leave out the records and the seal.")
    everything = not tags or bool({"all", "tagged"} & set(tags))
    return [domain for domain in domains if (everything or domain in tags) and domain not in skip_tags]


def is_foreign(plan: Mapping[str, Any], variables: Mapping[str, Any]) -> bool:
    """Return whether a host is outside what we manage: by the plan, Windows, or a network device."""
    connection = str(variables.get("ansible_connection", "")).rsplit(".", 1)[-1]
    return not plan["egov_ops_managed"] or "ansible_network_os" in variables or connection in _FOREIGN_CONNECTIONS


def refuse_role_values(variables: Mapping[str, Any], roles: RoleOptions) -> None:
    """Refuse a role's variable that its argument spec does not allow, before any host is touched; raises OpsError."""
    for problem in role_value_problems(variables, roles):
        raise OpsError(problem.message)


def role_value_problems(variables: Mapping[str, Any], roles: RoleOptions) -> Iterator[Problem]:
    """Yield the roles' variables whose values the argument specs do not allow.

    A value that holds Jinja is only known when the role runs, and is checked there by the module that takes it.
    """
    for options in roles.values():
        for name, spec in options.items():
            value = variables.get(name)
            if value is None or "{{" in str(value) or isinstance(value, Opaque):
                continue
            errors = ArgumentSpecValidator({name: spec}).validate({name: value}).error_messages
            if errors:
                sentence = f"{name} is {value!r}, but must be of type {spec['type']}: {errors[0]}"
                yield Problem(name, shown(plain(value)), sentence, allowed=f"of type {spec['type']}")


def is_built(module: str) -> bool:
    """Return whether this version of the collection has a module; a later domain's steps are announced before."""
    return (_ACTIONS / f"{module}.py").exists()


def announce(state: StateDir, spool: Spool, header: Header, seconds: float) -> Header:
    """Announce a run as soon as no other live run of its procedure is open, and return the header.

    One that has waited for `seconds` is announced as busy: it does nothing, and says so in the ledger.
    """
    deadline = time.monotonic() + seconds
    while True:
        with state.lock("begin"):
            others = set(running(state, header["procedure"], datetime.now(timezone.utc))) - {spool.run}
            if not others or time.monotonic() >= deadline:
                announced: Header = {**header, "busy": bool(others), "others": sorted(others)}
                spool.announce(announced)
                return announced
        time.sleep(0.2)


def steps_of(announced: Iterable[AnnouncedStep], domains: Collection[str]) -> list[Step]:
    """Return the steps that a run will record for each host: those of the selected domains, built or not."""
    return [
        {
            "module": step["module"],
            "domain": step["domain"],
            "clauses": step["clauses"],
            "built": is_built(step["module"]),
        }
        for step in announced
        if step["domain"] in domains
    ]
