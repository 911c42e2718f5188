# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the gates says what the collection does."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.action_registry import ACTIONS
from ansible_collections.egov.ops.plugins.plugin_utils.gate import GATES
from ansible_collections.egov.ops.plugins.plugin_utils.plan import check, load_schema

from tests.support.gate_cases import key

PAGE = (Path(__file__).resolve().parents[3] / "docs/gates.md").read_text(encoding="utf-8")


def chapter(title: str) -> str:
    """Return the text below a heading of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_plan_on_the_page_is_a_plan() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    for name in ("li", "wang"):
        text = re.sub(rf"ssh-ed25519 AAAA\.\.\. {name}@", f"{key(f'{name}_1')} {name}@", text)
    assert check(yaml.safe_load(text), load_schema()) == []


def test_each_gate_has_its_row() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", chapter("The gates"), re.MULTILINE)) == set(GATES)


def test_each_action_has_its_row() -> None:
    rows = []
    for name, action in ACTIONS.items():
        asked = f"yes: {action.source['en']}" if action.fields is not None else "no"
        rows.append(f"| `{name}` | {action.title['zh']} | `{action.module}` | {asked} |")
    assert re.findall(r"^\| `.*$", chapter("The actions"), re.MULTILINE) == rows


def test_each_run_option_on_the_page_is_one() -> None:
    named = set(re.findall(r"egov_ops_[a-z_]*[a-z]", PAGE))
    assert {name for name in named if load_schema().find(name)[0] is None} == set()
