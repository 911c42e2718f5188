# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make generate` writes of a role: the options that follow from the plan's schema, and its README."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.plan import Variable

README = """\
# egov.ops.{role}

Made by `tools/generate.py` from `meta/argument_specs.yml`; change that file and run it again.

{description}

`ansible-doc -t role egov.ops.{role}` shows the same. The procedures that use the role, and when each is due:
[The procedures](../../docs/procedures.md). What they end with: [Exit codes](../../docs/exit-codes.md).

| Variable | Type | Default | Meaning |
|---|---|---|---|
{variables}
"""

#: How Ansible's documentation marks what is code.
CODE = re.compile(r"C\(([^)]*)\)")

SPECIFICATIONS = "      # From here on made by tools/generate.py from the plan's schema, which has their defaults.\n"

#: The plan's types that Ansible has too, and what its argument specs call the others.
TYPES = {"str": "str", "int": "int", "float": "float", "bool": "bool", "list": "list", "dict": "dict", "path": "path"}


def render_option(variable: Variable) -> str:
    """Return a variable of the plan as an option of an argument spec."""
    layers = f" Merged with its layers C({variable.name}__LAYER)." if variable.layered else ""
    meaning = textwrap.wrap(variable.description["en"] + layers, 110)
    lines = [f"{variable.name}:", "  description: >-", *(f"    {line}" for line in meaning)]
    lines.append(f"  type: {TYPES.get(variable.type, 'raw')}")
    if variable.elements:
        lines.append(f"  elements: {TYPES.get(variable.elements, 'raw')}")
    if variable.choices:
        lines.append(f"  choices: [{', '.join(variable.choices)}]")
    return textwrap.indent("\n".join(lines) + "\n", " " * 6)


def render_readme(role: str, document: Mapping[str, Any]) -> str:
    """Return a role's README, which Ansible Galaxy asks for, of its argument specs."""
    specification = document["argument_specs"]["main"]
    rows = []
    for name, option in specification["options"].items():
        meaning = option["description"] if isinstance(option["description"], list) else [option["description"]]
        default = f"`{option['default']}`" if "default" in option else "that of the plan"
        rows.append(f"| `{name}` | {option['type']} | {default} | {' '.join(meaning)} |")
    texts = {"description": "\n\n".join(specification["description"]), "variables": "\n".join(rows)}
    return README.format(role=role, **{name: CODE.sub(r"`\1`", text) for name, text in texts.items()})
