# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of domains: what is made of it, and that nothing beside it lists them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

import environment
import generate
import pytest
import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.common import domains
from ansible_collections.egov.ops.plugins.plugin_utils.common.domains import (
    DOMAINS,
    GATE,
    MACHINES,
    OWNERS,
    REPORTED,
    RUN,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema
from ansible_collections.egov.ops.plugins.plugin_utils.plan.vocabulary import load_vocabulary
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import LANGUAGES, catalogue

ROOT = environment.ROOT
STEPS = [
    step for entry in load_schema().variables["egov_ops_procedures"].default.values() for step in entry.get("steps", ())
]


def test_each_step_of_the_catalogue_is_of_a_domain_of_the_table() -> None:
    assert {step["domain"] for step in STEPS} == set(DOMAINS) - {GATE, MACHINES, RUN}


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_is_whole(name: str) -> None:
    domain = DOMAINS[name]
    assert set(domain.title) == set(LANGUAGES)
    assert catalogue()[f"domain.{name}"] == domain.title
    assert domain.team in ("", *load_schema().variables["egov_ops_people"].entry["team"].choices)
    assert any(clause.startswith(domain.chapter) for clause in load_vocabulary().clauses)
    assert all((ROOT / "roles" / role).is_dir() for role in domain.roles)
    assert bool(domain.roles) == bool(domain.task)


def test_each_role_does_the_work_of_one_domain() -> None:
    roles = sorted(role for domain in DOMAINS.values() for role in domain.roles)
    assert roles == sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())


def test_each_task_of_a_playbook_is_of_its_domains_role() -> None:
    for path in sorted((ROOT / "playbooks").glob("*.yml")):
        for play in yaml.safe_load(path.read_text(encoding="utf-8")):
            for task in (inner for outer in play["tasks"] for inner in outer.get("block", ())):
                (tag,) = task["tags"]
                assert task["ansible.builtin.import_role"]["name"] == f"egov.ops.{DOMAINS[tag].roles[0]}", path.name


def test_a_domain_that_is_added_gets_its_playbook_its_owner_and_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    archive = domains.Domain("SUP", "S5.4", {"en": "Archive", "zh": "档案"}, ("archive",), "Look at the archive")
    monkeypatch.setitem(DOMAINS, "archive", archive)  # type: ignore[arg-type]
    catalogue.cache_clear()
    monkeypatch.setattr(generate, "is_built", lambda _module: True)
    entry = {"title": {"en": "Archive"}, "steps": [{"module": "archive_check", "domain": "archive"}]}
    playbook = generate.render_playbook("archive", entry)
    assert re.search(r"Look at the archive\n *ansible.builtin.import_role:\n *name: egov.ops.archive\n", playbook)
    try:
        assert catalogue()["domain.archive"]["zh"] == "档案"
    finally:
        catalogue.cache_clear()
    assert domains.with_others({"archive", "backup"}) == [*REPORTED, "archive"]
    assert domains.sentence_of("archive") == "other"
    assert domains.sentence_of("health") == "health"
    assert [domains.place_of(name) for name in ("health", "hardening", "archive")] == [0, 3, 4]


def test_the_owners_are_the_teams_of_the_table() -> None:
    assert OWNERS["backup"] == OWNERS["restore"] == "DATA"
    assert OWNERS["health"] == "SYS"
    assert OWNERS["updates"] == OWNERS["hardening"] == "SEC"
    assert GATE not in OWNERS


#: Where names of domains stand beside each other as keys of the report's JSON, as figures or as methods of an engine.
LISTED_IN = {
    "module_utils/backup/engines/contract.py",
    "plugin_utils/common/domains.py",
    "plugin_utils/report/run/build.py",
    "plugin_utils/report/render/html.py",
    "plugin_utils/report/period/build.py",
    "plugin_utils/report/period/counts.py",
}


def test_domains_are_listed_in_one_place() -> None:
    plugins = ROOT / "plugins"
    found = set()
    for path in [*plugins.glob("*_utils/**/*.py"), *(plugins / "action").glob("*.py"), *(ROOT / "tools").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if len((set(DOMAINS) - {RUN}) & set(constants(node))) > 1:  # "run" is also what a run's data is called
                found.add(str(path.relative_to(plugins if plugins in path.parents else ROOT)))
    # tools/ledgers.py writes made-up records; its table says which maker makes those of which domain
    assert found - {"tools/ledgers.py"} <= LISTED_IN


def constants(node: ast.AST) -> Iterable[str]:
    """Return the texts that stand beside each other in a list, a set, a tuple or as keys of a dictionary."""
    items = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
    return [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]
