# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue of procedures, and what is made from it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema
from ansible_collections.egov.ops.plugins.plugin_utils.runs.begin import is_built

ROOT = Path(__file__).resolve().parents[3]
CATALOGUE = merge({}, load_schema())["egov_ops_procedures"]
WITH_STEPS = [name for name, entry in CATALOGUE.items() if any(is_built(step["module"]) for step in entry["steps"])]


def playbook(name: str) -> Any:
    return yaml.safe_load((ROOT / f"playbooks/{name}.yml").read_text(encoding="utf-8"))


def tasks_of(name: str) -> list[Path]:
    """Return the task files of the roles that a playbook imports."""
    (play,) = playbook(name)
    block = next(task["block"] for task in play["tasks"] if "block" in task)
    imports = [task["ansible.builtin.import_role"] for task in block]
    return [
        ROOT / "roles" / each["name"].rpartition(".")[2] / "tasks" / f"{each.get('tasks_from', 'main')}.yml"
        for each in imports
    ]


def modules_of(tasks: Path) -> set[str]:
    """Return the modules of the collection that a role's task file calls."""
    return set(re.findall(r"egov\.ops\.(\w+):", tasks.read_text(encoding="utf-8")))


def test_what_is_made_from_schema_and_catalogue_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "tools/generate.py"), "--check"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""


def test_an_outdated_playbook_is_named(tmp_path: Path) -> None:
    for folder in ("docs", "playbooks", "roles", "tools", "plugins/plugin_utils/plan", "plugins/plugin_utils/report"):
        subprocess.run(["cp", "-r", "--parents", folder, str(tmp_path)], cwd=ROOT, check=True)
    copy = tmp_path / "playbooks/weekly.yml"
    copy.write_text(copy.read_text().replace("procedure: weekly", "procedure: daily"))
    command = [sys.executable, str(tmp_path / "tools/generate.py")]
    done = subprocess.run([*command, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "playbooks/weekly.yml is out of date; run tools/generate.py.\n")
    subprocess.run(command, check=True)
    assert copy.read_bytes() == (ROOT / "playbooks/weekly.yml").read_bytes()


def test_each_playbook_is_a_procedure_and_each_procedure_a_playbook() -> None:
    not_built = {name for name, entry in CATALOGUE.items() if entry["steps"] and name not in WITH_STEPS}
    assert {path.stem for path in (ROOT / "playbooks").glob("*.yml")} == set(CATALOGUE) - not_built


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_procedure_has_an_owner_words_and_clauses(name: str) -> None:
    entry = CATALOGUE[name]
    assert {"title", "purpose", "team"} <= set(entry)
    clauses = [*entry["clauses"], *(clause for step in entry["steps"] for clause in step["clauses"])]
    assert entry["clauses"]
    assert [clause for clause in clauses if not re.fullmatch(r"S\d+(\.\d+)*(-\w+)?", clause)] == []
    assert "cadence" not in entry or "at" in entry


@pytest.mark.parametrize("name", WITH_STEPS)
def test_a_playbook_does_each_step_that_stands_and_none_that_is_not_announced(name: str) -> None:
    done = {module for tasks in tasks_of(name) for module in modules_of(tasks)}
    announced = {step["module"] for step in CATALOGUE[name]["steps"]}
    assert done == {module for module in announced if is_built(module)}


@pytest.mark.parametrize("name", WITH_STEPS)
def test_a_run_may_last_until_the_daily_one_begins_and_no_longer(name: str) -> None:
    entry = CATALOGUE[name]
    if name == "daily" or "at" not in entry:
        assert entry["longest"] <= 4 * 3600
        return
    hour, minute = (int(part) for part in entry["at"].split()[0].split(":"))
    daily = int(CATALOGUE["daily"]["at"][:2]) + 24
    assert hour + minute / 60 + entry["longest"] / 3600 <= daily
