#!/usr/bin/env python3
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write docs/plan-variables.md from the plan's schema; with --check only say whether it is up to date.

The collection must be importable (PYTHONPATH, or an installed collection path).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import Key, Schema, Variable, load_schema

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "plan-variables.md"

INTRODUCTION = """\
# The plan's variables

Made by `tools/generate.py` from `plugins/plugin_utils/plan/schema.yml`; change that file and run it again.

Set these in the inventory. Where a default comes from stands in the column "From": the written `plan` (with its
clause), a `law`, a `standard`, or `ours`. A *layered* variable is a dictionary by name that is merged from the default,
then `<variable>`, then each `<variable>__<layer>` in sorted order (name layers `__10_site`, `__50_web`, `__90_host`):
keys of an entry replace those of lower layers, lists are replaced as a whole, `state: absent` removes an entry, and an
empty key falls back to its default. So a group that adds an entry never loses the others.

| Type | What it takes |
|---|---|
| path | an absolute path |
| location | a path on the host, or `backend:place` |
| duration | seconds, or such as `90s`, `15m`, `2h`, `1d` |
| time | a time of day with its zone: `02:30 Asia/Shanghai` |
| timezone | a name of the time zone database |
| threshold | a range as monitoring plugins write it: `"80"`, `"10:"`, `"~:5"`, `"@1:2"` |"""


def render(schema: Schema) -> str:
    """Return the document."""
    variables = schema.variables.values()
    parts = [INTRODUCTION]
    for scope, title in (("plan", "Of the inventory alone"), ("run", "Run options: also as extra variables (`-e`)")):
        chosen = [variable for variable in variables if variable.scope == scope]
        parts += [f"\n## {title}\n", *_table("Variable", chosen)]
    for variable in variables:
        if variable.layered:
            parts += [f"\n## Entries of `{variable.name}`\n", *_table("Key", variable.entry.values())]
            if variable.open:
                parts.append("\nOther keys are passed on as they are.")
            if variable.default_file:
                parts.append(f"\nDefault: see `plugins/plugin_utils/plan/{variable.default_file}`.")
            else:
                parts += ["\nDefault:\n", "```yaml", yaml.safe_dump(variable.default, sort_keys=False).rstrip(), "```"]
    return "\n".join(parts) + "\n"


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
        return ", ".join(f"`{choice}`" for choice in key.choices)
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
    bounds = []
    if key.minimum is not None:
        law = f" ({key.minimum_origin})" if isinstance(key, Variable) and key.minimum_origin else ""
        bounds.append(f"at least {key.minimum:.12g} {key.unit}{law}")
    if key.maximum is not None:
        bounds.append(f"at most {key.maximum:.12g} {key.unit}")
    return ", ".join(bounds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the document is out of date")
    wanted = render(load_schema())
    if parser.parse_args().check:
        if DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == wanted:
            return 0
        print(f"{DOCUMENT} is out of date; run tools/generate.py.", file=sys.stderr)
        return 1
    DOCUMENT.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
