# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The validation of an inventory: from a path to what is wrong with it, and what a change of it means."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check import accepted, explain, output
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.earlier_state import Base, earlier_state
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.findings import Checked, examine
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.site import UNREADABLE, Site
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.source_lines import Finding, Place, shown_path
from ansible_collections.egov.ops.plugins.plugin_utils.plan import (
    Change,
    Memory,
    Opaque,
    Plans,
    Problem,
    Schema,
    difference,
    load_schema,
)
from ansible_collections.egov.ops.plugins.plugin_utils.runs import is_foreign

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.types import (
        Explanation,
        Validation,
    )


class Wanted(NamedTuple):
    """What is to be validated."""

    inventory: str
    base: str = ""
    explain: str = ""


def validate(wanted: Wanted) -> Validation:
    """Return all that is wrong with an inventory as data; raises OpsError where there is none to look at."""
    refuse_missing(wanted.inventory)
    base = earlier_state(wanted.base, wanted.inventory) if wanted.base else None
    return report(wanted, Site(wanted.inventory), base, Site)


def report(
    wanted: Wanted, site: Site, earlier_base: AbstractContextManager[Base] | None, load: Callable[[str], Site]
) -> Validation:
    """Return all that is wrong with a loaded inventory; load makes a site of the earlier state's path."""
    schema, memory = load_schema(), Memory()
    checked = examine(site, schema, memory)
    data = output.blank(wanted.inventory, wanted.base)
    data["loaded"], data["hosts"] = site.is_loaded, len(site.hosts)
    data["files"], data["not_checked"] = site.places.files, list(site.places.encrypted)
    findings = list(checked.findings)
    if earlier_base and site.is_loaded:
        with earlier_base as base:
            path = base.earlier / base.inventory
            earlier = load(str(path)) if path.exists() else None
            changes, more = _compare(base, site, earlier, checked, schema, memory)
            data["changes"] = [output.change_data(*change) for change in changes]
            known = earlier if earlier and earlier.is_loaded else None
            findings = [*site.settled(findings, known, lambda value: _mapped(value, base)), *more]
    elif site.is_loaded:
        findings = list(site.settled(findings, None, lambda value: value))
    if wanted.explain and site.is_loaded:
        data["explain"] = _explain(site, wanted.explain, checked, schema)
    data["unknown"] = site.unknown_values()
    data["problems"] = [output.problem_data(finding) for finding in findings]
    return data


def refuse_missing(inventory: str) -> None:
    """Refuse a path at which there is no inventory; raises OpsError."""
    if not inventory:
        raise OpsError("No inventory is named; give inventory: or -e egov_ops_validate_inventory=PATH.")
    if not Path(inventory).exists():
        raise OpsError(f"The inventory {inventory} does not exist; give the path of a file or folder.")


def _explain(site: Site, host: str, checked: Checked, schema: Schema) -> Explanation:
    if host not in site.hosts:
        near = difflib.get_close_matches(host, list(site.hosts), n=1)
        hint = f"did you mean {near[0]}?" if near else "name a host of the inventory."
        raise OpsError(f"explain is {host}, which the inventory does not have; {hint}")
    plan = checked.plans[host]
    if plan is None:
        return {}  # its problems are told
    return explain.explain(site, host, checked.variables[host], plan, schema)


def _compare(
    base: Base, site: Site, earlier: Site | None, checked: Checked, schema: Schema, memory: Memory
) -> tuple[list[tuple[Change, Place, accepted.Acceptance | None]], list[Finding]]:
    """Return what a change means, each effect with its place and who accepts it, and what is wrong with the change."""
    findings: list[Finding] = []
    if earlier and not earlier.is_loaded:
        fault = next(fault for fault in earlier.faults if fault.problem.rule in UNREADABLE)
        why = base.in_present(fault.problem.message)
        sentence = f"Nothing can be compared, because the base cannot be loaded: {why}"
        return [], [Finding(Place(), Problem("", "", sentence, fatal=False, rule="base"))]
    before, broken = _plans(earlier, examine(earlier, schema, memory), schema, base) if earlier else ({}, [])
    after, unsound = _plans(site, checked, schema, None)
    if broken:
        sentence = "The base has a plan that cannot be followed, so that what changes there cannot be told."
        findings.append(Finding(Place(), Problem("", "", sentence, fatal=False, rule="base"), tuple(broken)))
    findings += _hidden(site, earlier, base)
    left_out = {*broken, *unsound}
    changes = difference(
        {host: plan for host, plan in before.items() if host not in left_out},
        {host: plan for host, plan in after.items() if host not in left_out},
        schema,
    )
    acceptances, faults = _acceptances(base, changes)
    findings += [Finding(fault.place, fault.problem) for fault in faults]
    told: list[tuple[Change, Place, accepted.Acceptance | None]] = []
    for change in changes:
        place = _place(change, site, earlier, base)
        acceptance = acceptances.get(change.digest) if change.weakens else None
        told.append((change, place, acceptance))
        if change.weakens and not acceptance:
            sentence = (
                f"{change.sentence}; undo it, or accept {change.digest} with reason and person in {accepted.FILE} of "
                "this change."
            )
            problem = Problem(change.variable, "", sentence, path=change.path, rule="weakening")
            findings.append(Finding(place, problem, change.hosts))
    return told, findings


def _hidden(site: Site, earlier: Site | None, base: Base) -> Iterator[Finding]:
    """Yield a warning for each encrypted file that has changed: it may hold a part of the plan."""
    now, places = site.places.encrypted, earlier.places.encrypted if earlier else {}
    then = {shown_path(Path(base.in_present(file))): digest for file, digest in places.items()}
    for file in sorted({*now, *then}):
        if now.get(file) != then.get(file):
            what = "has changed" if file in now and file in then else "is new" if file in now else "is gone"
            sentence = f"{file} is encrypted and {what}; what that means cannot be told."
            yield Finding(Place(file), Problem("", "", sentence, fatal=False, rule="base"))


def _plans(site: Site, checked: Checked, schema: Schema, base: Base | None) -> tuple[Plans, list[str]]:
    """Return the plan of each host, None where it is not looked after, and the hosts whose plan cannot be followed."""
    plans: dict[str, Mapping[str, Any] | None] = {}
    broken: list[str] = []
    for host, plan in checked.plans.items():
        if plan is None:
            broken.append(host)
            continue
        values = dict(_with_signers(plan, schema, base, site))
        if base:
            values = {name: _mapped(value, base) for name, value in values.items()}
        plans[host] = None if is_foreign(plan, checked.variables[host]) else values
    return plans, broken


def _with_signers(plan: Mapping[str, Any], schema: Schema, base: Base | None, site: Site) -> Iterator[tuple[str, Any]]:
    """Yield a plan's values; of a file of signers also those that it names, None where it cannot be read."""
    for name, value in plan.items():
        if schema.variables[name].weaker != "signers":
            yield name, value
            continue
        if isinstance(value, Opaque):
            yield name, value
            continue
        lines: list[str] | None = []
        if value:
            try:
                text = site.read_text(base.in_earlier(value) if base else value)
                lines = sorted(line.strip() for line in text.splitlines() if line.strip() and line[0] != "#")
            except (OSError, UnicodeDecodeError):
                lines = None
        yield name, {"file": value, "signers": lines}


def _mapped(value: Any, base: Base) -> Any:
    """Return a value of the earlier state as it would be in the present one: its paths lie there."""
    if isinstance(value, str):
        return base.in_present(value)
    if isinstance(value, Opaque):
        return Opaque(base.in_present(value.ciphertext))
    if isinstance(value, Mapping):
        return {key: _mapped(inner, base) for key, inner in value.items()}
    return [_mapped(inner, base) for inner in value] if isinstance(value, list) else value


def _acceptances(base: Base, changes: list[Change]) -> tuple[Mapping[str, accepted.Acceptance], list[Any]]:
    """Return what this very change accepts: an entry that the base had already belongs to an earlier one."""
    now, then = (accepted_file(folder, base) for folder in (base.present, base.earlier))
    found = accepted.read(now)
    old = accepted.read(then).by_digest if then.resolve() != now.resolve() else {}
    new = {digest: entry for digest, entry in found.by_digest.items() if digest not in old}
    return new, [*found.faults, *accepted.unused(new, changes)]


def accepted_file(folder: Path, base: Base) -> Path:
    """Return the file of acceptances: at the top of the repository, or beside an inventory that is compared alone."""
    return (folder if base.inventory.parts else folder.parent) / accepted.FILE


def _place(change: Change, site: Site, earlier: Site | None, base: Base) -> Place:
    """Return where a change stands now, or where it stood before."""
    name = change.hosts[0]
    for where in (site, earlier):
        host = where.hosts.get(name) if where else None
        if not where or not host:
            continue
        if not change.variable:
            place = where.places.find_host(name)
        else:
            place = where.places.find_entry(host, change.variable, change.path)
        if place.file:
            file = place.file if where is site else shown_path(Path(base.in_present(place.file)))
            return Place(file, place.line)
    return Place()
