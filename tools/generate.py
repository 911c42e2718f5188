#!/usr/bin/env python3
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write what follows from the plan's schema and catalogue; with --check only say whether it is up to date.

Made are docs/plan-variables.md, docs/procedures.md, the playbook of each procedure that records steps, in each role's
argument specs the variables of the plan that it works by, each role's README.md of its argument specs, and in
plugins/plugin_utils/ what loads many times faster than the YAML it is made of, plan/schema.json, plan/role_options.json
and report/messages.json, and plan/vocabulary.yml, by which a plan is checked where the host half is not.

It needs PyYAML, as in the environment of `make generate`. The collection is this checkout, or what PYTHONPATH names.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import environment
import yaml

sys.path.append(str(environment.link_collection(environment.CACHE / "tree")))

from ansible_collections.egov.ops.plugins.module_utils.hardening.clauses import CLAUSES
from ansible_collections.egov.ops.plugins.module_utils.hardening.expect import TERM
from ansible_collections.egov.ops.plugins.module_utils.hardening.registry import PRIMITIVES
from ansible_collections.egov.ops.plugins.module_utils.health.registry import KINDS
from ansible_collections.egov.ops.plugins.plugin_utils.common import DOMAINS
from ansible_collections.egov.ops.plugins.plugin_utils.operations import registry
from ansible_collections.egov.ops.plugins.plugin_utils.plan import (
    OPTIONS,
    Key,
    Schema,
    Variable,
    merge,
    parse,
    read_role_options,
    read_sources,
)
from ansible_collections.egov.ops.plugins.plugin_utils.runs import is_built
from role_texts import SPECIFICATIONS, render_option, render_readme

ROOT = Path(__file__).resolve().parent.parent

#: Steps that have a task file of their own in the role of their domain, and what its tasks do.
TASKS = {
    "backup_catalog": ("catalogue", "Judge the copies"),
    "backup_check": ("check", "Read the backups again"),
    "restore_drill": ("drill", "Drill a restore"),
    "backup_prune": ("prune", "Purge expired backups"),
    "key_rotate": ("rotate", "Rotate the keys of repositories"),
    "restore_accept": ("accept", "Accept the restore"),
    "restore_undo": ("undo", "Undo the restore"),
}

TEAMS = {
    "PM": ("project management", "项目管理"),
    "SYS": ("system", "系统运维"),
    "SEC": ("security", "安全保障"),
    "DATA": ("data", "数据管理"),
    "SUP": ("support", "技术支持"),
    "CS": ("customer service", "客户服务"),
}

#: When a procedure with steps ends with 0, when one without, and when those do that are neither.
JUDGED = "0 where each step was done and proved on each host and no finding reaches `egov_ops_fail_on`, else 2"
DONE = "0 where it did what was asked, else 2"
ENDS = {
    "validate": "0 where the plan has no mistake and takes away no protection that nobody has accepted, else 2",
    "ledger_verify": "0 where the ledger is whole, else 2",
}

#: Where variables of each scope may stand.
SCOPES = {
    "plan": "Of the inventory alone",
    "run": "Run options: also as extra variables (`-e`)",
    "command": "Of one command: as extra variables (`-e`) alone",
}

INTRODUCTION = """\
# The plan's variables

Made by `tools/generate.py` from `plugins/plugin_utils/plan/schema.yml`; change that file and run it again.

Set these in the inventory. Where a default comes from stands in the column "From": the written `plan` (with its
clause), a `law`, a `standard`, or `ours`. A *layered* variable is a dictionary by name that is merged from the default,
then `<variable>`, then each `<variable>__<layer>` in sorted order (name layers `__10_site`, `__50_web`, `__90_host`):
keys of an entry replace those of lower layers, lists are replaced as a whole, `state: absent` removes an entry, and an
empty key falls back to its default. So a group that adds an entry never loses the others.

An extra variable that is empty (`-e egov_ops_fail_on=`, an empty answer of a survey) counts as not given. An extra
variable of the site's own (`-e release=5`) is unknown to a template in the plan, which reads the inventory alone: set
it in the inventory, or pass it as an environment variable and write `{{ lookup('env', 'RELEASE') }}`.

Where a list is wanted, a text stands for its lines, or for what stands between its commas:
`-e egov_ops_restore_paths=/etc/hosts,/etc/fstab`. A comma in a path separates only where another path follows. A
command is always a list of words.

| Type | What it takes |
|---|---|
| path | an absolute path |
| location | a path on the host, or `backend:place` |
| duration | seconds, or such as `90s`, `15m`, `2h`, `1d` |
| time | a time of day with its zone: `02:30 Asia/Shanghai` |
| moment | a day and a time with its zone: `2026-12-31 18:00 Asia/Shanghai` |
| public_key | a public SSH key, as the line of a `.pub` file |
| override | `{reason: why the gates are overridden}` |
| timezone | a name of the time zone database |
| threshold | a range as monitoring plugins write it: `"80"`, `"10:"`, `"~:5"`, `"@1:2"` |
| texts | a text in each language: `{en: Night, zh: 夜间}` |
| step | what a run records for each host: `{module: health_probe, domain: health, clauses: [S3.1-2]}` |

`options` of a step say what its procedure means to the module:

{options}"""

PROCEDURES = """\
# The procedures

Made by `tools/generate.py` from `plugins/plugin_utils/plan/procedures.yml`; change that file and run it again.

A procedure is a playbook of that name: `ansible-playbook egov.ops.daily -i inventories/site`. The catalogue, the plan
variable `egov_ops_procedures`, says whose it is, when it is due and what a run must record for each host. A site
changes it in its inventory by a layer, and a procedure of its own is an entry and a playbook in the same frame.

A procedure that would work on no host ends with an error: the inventory does not exist, has no host or cannot be read
in full, a part of `egov_ops_hosts` or `--limit` is neither a host nor a group, or no host is ours. Hosts with
`egov_ops_managed: false`, network devices and Windows are never connected to; each has a row `not_ours` in every run.

Work that somebody else's lock keeps from being done is `failed`, and the run ends with 2; its record names the holder,
the host and the age. `skipped` as `busy` is only what another live run of egov.ops is doing.

What was due for a whole period and was not run is named in the first lines of every report until it is. A step that
this version does not have yet is recorded as skipped, the report begins with INCOMPLETE, and the step's clauses stay
due. [Exit codes](exit-codes.md) has every code with which a procedure ends."""

#: The hosts of a procedure; one that carries out a request works on the request's hosts where none are named.
PATTERN = "egov_ops_hosts | default('all', true)"
OF_REQUEST = "egov_ops_hosts | default(''), request=egov_ops_request | default('')"

PLAYBOOK = """\
---
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Made by tools/generate.py from the catalogue, plugins/plugin_utils/plan/procedures.yml, which says what is recorded.

- name: {title}
  hosts: "{{{{ lookup('egov.ops.hosts', {pattern}) }}}}"
  gather_facts: false
  ignore_unreachable: true
  tasks:
    - name: Begin the run
      egov.ops.run_begin:
        procedure: {procedure}
      register: egov_ops_run
      run_once: true
      vars: &controller
        ansible_connection: local  # a host's own may not even be installed, and is not needed
      tags: [always]

    - name: Do the work, and record whatever happens
      block:
{roles}
      always:
        - name: Seal the run
          egov.ops.run_seal:
          run_once: true
          vars: *controller
          tags: [always]

        - name: Judge each host
          egov.ops.run_verdict:
          vars: *controller
          tags: [always]
"""

VOCABULARY = """\
---
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Made by tools/generate.py from the registries of the host half; run it again after a change of those.

"""

ROLE = """\
        - name: {does}
          ansible.builtin.import_role:
            name: egov.ops.{role}
{tasks_from}            rolespec_validate: false  # run_begin has done it, for all hosts
          when: inventory_hostname not in egov_ops_run.not_ours
          tags: [{domain}]
"""


MESSAGES = ROOT / "plugins/plugin_utils/report/messages.yml"


def documents() -> dict[Path, str]:
    """Return what is made: each file's path and text."""
    document = read_sources()
    schema = parse(document)
    catalogue = merge({}, schema)["egov_ops_procedures"]
    made = {
        ROOT / "docs/plan-variables.md": render_variables(schema),
        ROOT / "docs/procedures.md": render_procedures(catalogue),
        ROOT / "plugins/plugin_utils/plan/schema.json": f'{{"variables": {_in_lines(document["variables"])}}}\n',
        ROOT / "plugins/plugin_utils/report/messages.json": f"{_in_lines(yaml.safe_load(MESSAGES.read_bytes()))}\n",
        ROOT / "plugins/plugin_utils/plan/vocabulary.yml": render_vocabulary(),
    }
    for name, entry in catalogue.items():
        if any(is_built(step["module"]) for step in entry["steps"]):
            made[ROOT / f"playbooks/{name}.yml"] = render_playbook(name, entry)
    for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        own, _marker, _made = path.read_text(encoding="utf-8").partition(SPECIFICATIONS)
        chosen = [variable for variable in schema.variables.values() if variable.role == path.parts[-3]]
        made[path] = own + SPECIFICATIONS + "".join(map(render_option, chosen))
        made[path.parents[1] / "README.md"] = render_readme(path.parts[-3], yaml.safe_load(made[path]))
    made[ROOT / "plugins/plugin_utils/plan/role_options.json"] = f"{_in_lines(read_role_options())}\n"
    return made


def _in_lines(entries: Mapping[str, Any]) -> str:
    """Return a JSON object with an entry to a line."""
    lines = [json.dumps({name: entry}, ensure_ascii=False)[1:-1] for name, entry in entries.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def render_procedures(catalogue: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page of the procedures."""
    parts = [PROCEDURES, "\n| Procedure | 流程 | Team | Due | Longest |", "|---|---|---|---|---|"]
    for name, entry in catalogue.items():
        team, due = TEAMS[entry["team"]][0], _due(entry)
        longest = f"{entry['longest'] / 3600:g} h" if entry["steps"] else ""
        parts.append(f"| [{name}](#{name}) | {entry['title']['zh']} | {team} | {due} | {longest} |")
    for name, entry in catalogue.items():
        english, chinese = TEAMS[entry["team"]]
        parts += [
            f"\n## {name}\n",
            f"{entry['purpose']['en']} {entry['purpose']['zh']}\n",
            f"- Team: {english} ({entry['team']}, {chinese})",
            f"- Due: {_due(entry)}",
            f"- Clauses: {', '.join(entry['clauses'])}",
            f"- [Exit code](exit-codes.md): {ENDS.get(name, JUDGED if entry['steps'] else DONE)}",
        ]
        if entry["steps"]:
            parts += ["\n| Step | Domain and tag | Clauses | State |", "|---|---|---|---|"]
        for step in entry["steps"]:
            state = "stands" if is_built(step["module"]) else "not built yet"
            options = ", ".join(f"{name}: {value}" for name, value in step.get("options", {}).items())
            module = f"`{step['module']}`" + (f" ({options})" if options else "")
            parts.append(f"| {module} | {step['domain']} | {', '.join(step['clauses'])} | {state} |")
    return "\n".join(parts) + "\n"


def _due(entry: Mapping[str, Any]) -> str:
    return f"{entry['cadence']}, {entry['at']}" if "cadence" in entry else "when it is wanted"


def render_playbook(name: str, entry: Mapping[str, Any]) -> str:
    """Return the playbook of a procedure: the frame, and the roles that there are for its domains."""
    built = [step for step in entry["steps"] if is_built(step["module"])]
    roles = []
    for domain in dict.fromkeys(step["domain"] for step in built):
        role, does = DOMAINS[domain].roles[0], DOMAINS[domain].task
        files = {TASKS.get(step["module"], ("", does)) for step in built if step["domain"] == domain}
        for file, action in sorted(files):
            tasks_from = f"            tasks_from: {file}\n" if file else ""
            roles.append(ROLE.format(role=role, does=action, domain=domain, tasks_from=tasks_from))
    pattern = OF_REQUEST if registry.is_known(name) else PATTERN
    text = "\n".join(roles).rstrip("\n")
    return PLAYBOOK.format(title=entry["title"]["en"], procedure=name, pattern=pattern, roles=text)


def render_vocabulary() -> str:
    """Return the words of the host half that a plan may use."""
    kinds = {
        "kinds": {name: {**_kind(kind), "limit": kind.limit} for name, kind in sorted(KINDS.items())},
        "primitives": {name: _kind(primitive) for name, primitive in sorted(PRIMITIVES.items())},
    }
    clauses = sorted(clause for clause in CLAUSES if not clause.startswith("S"))
    pieces = [TERM.pattern[start : start + 100] for start in range(0, len(TERM.pattern), 100)]
    lists = {"standard": clauses, "expected": [f"'{piece}'" for piece in pieces]}
    parts = [f"{name}:\n" + "".join(f"  - {item}\n" for item in items) for name, items in lists.items()]
    return VOCABULARY + yaml.safe_dump(kinds, sort_keys=False, width=110, default_flow_style=None) + "".join(parts)


def _kind(kind: Any) -> dict[str, list[str]]:
    parameters = kind.parameters()
    return {"parameters": list(parameters), "required": [name for name, needed in parameters.items() if needed]}


def render_variables(schema: Schema) -> str:
    """Return the page of the plan's variables."""
    variables = schema.variables.values()
    parts = [INTRODUCTION.replace("{options}", "\n".join(_step_options()))]
    for scope, title in SCOPES.items():
        chosen = [variable for variable in variables if variable.scope == scope]
        parts += [f"\n## {title}\n", *_table("Variable", chosen)]
    for variable in variables:
        if variable.layered:
            parts += [f"\n## Entries of `{variable.name}`\n", *_table("Key", variable.entry.values())]
            if variable.open:
                parts.append(f"\nOther keys are passed on as they are.{_secret(variable.secret_others)}")
            if variable.default_file:
                parts.append(f"\nDefault: see `plugins/plugin_utils/plan/{variable.default_file}`.")
            else:
                parts += ["\nDefault:\n", "```yaml", yaml.safe_dump(variable.default, sort_keys=False).rstrip(), "```"]
    return "\n".join(parts) + "\n"


def _step_options() -> Iterator[str]:
    yield "| Module | Option | What it takes, the default first |\n|---|---|---|"
    for module, options in OPTIONS.items():
        for name, allowed in options.items():
            yield f"| `{module}` | `{name}` | {', '.join(f'`{value}`' for value in allowed)} |"


def _secret(names: Iterable[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f" Of those, {listed} may hold a secret and never leave the host." if listed else ""


def _table(title: str, keys: Iterable[Key]) -> Iterator[str]:
    yield f"| {title} | Type | Default | Bounds | From | Meaning | 含义 |"
    yield "|---|---|---|---|---|---|---|"
    for key in keys:
        origin = f"{key.origin} {key.clause}".strip()
        description = (key.description["en"], key.description["zh"])
        yield f"| {' | '.join((f'`{key.name}`', _type(key), _default(key), _bounds(key), origin, *description))} |"


def _type(key: Key) -> str:
    if isinstance(key, Variable) and key.layered:
        return "layered"
    if key.choices:
        choices = ", ".join(f"`{choice}`" for choice in key.choices)
        return f"list of {choices}" if key.elements else choices
    return f"list of {key.elements}" if key.elements else key.type


def _default(key: Key) -> str:
    if key.default_by:
        by = key.default_by
        return f"by {by['key']}: " + ", ".join(f"{name} `{value}`" for name, value in by["values"].items())
    if isinstance(key, Variable) and key.layered:
        return "below"
    if key.default is None:
        return "required" if key.required else ""
    return f"`{json.dumps(key.default, ensure_ascii=False)}`"


def _bounds(key: Key) -> str:
    bounds = ["never shown"] if key.secret else []
    if key.minimum is not None:
        law = f" ({key.minimum_origin})" if isinstance(key, Variable) and key.minimum_origin else ""
        bounds.append(f"at least {key.minimum:.12g} {key.unit}{law}")
    if key.maximum is not None:
        bounds.append(f"at most {key.maximum:.12g} {key.unit}")
    return ", ".join(bounds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file is out of date")
    only_check = parser.parse_args().check
    made = documents()
    outdated = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in outdated:
        if only_check:
            print(f"{path.relative_to(ROOT)} is out of date; run tools/generate.py.", file=sys.stderr)
        else:
            path.write_text(made[path], encoding="utf-8")
    return int(only_check and bool(outdated))


if __name__ == "__main__":
    sys.exit(main())
