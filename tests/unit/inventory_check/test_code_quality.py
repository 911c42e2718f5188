# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GitLab's code quality report: its documented format, and fingerprints that last."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check import code_quality
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted, validate
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.output import blank

from tests.support.validation_site import site, write

#: As GitLab's documentation lists the properties of an entry.
FORMAT = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\./|/|\.\.)."},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
BROKEN = """\
    egov_ops_timezone: Mars
    backup_timeuot: 3
    egov_ops_fail_on: critical
    egov_ops_fail_on: critical
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a site below it that has errors, warnings and a key that stands twice."""
    folder = tmp_path / "repository"
    write(site(folder / "inventories/site"), host_vars__web1=BROKEN)
    (folder / ".git").mkdir()
    return folder


def entries(inventory: Path | str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(code_quality.render(validate(Wanted(str(inventory)))))
    jsonschema.validate(found, FORMAT)
    return found


def fingerprints(found: list[dict[str, Any]]) -> set[str]:
    unique = {entry["fingerprint"] for entry in found}
    assert len(unique) == len(found)
    return unique


def test_the_report_has_the_documented_format(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    found = entries("inventories/site")
    by_check = {entry["check_name"]: entry for entry in found}
    assert {"value", "option", "repeated"} <= set(by_check)
    value = by_check["value"]
    assert value["location"] == {"path": "inventories/site/host_vars/web1.yml", "lines": {"begin": 1}}
    assert value["description"].startswith("egov_ops_timezone is 'Mars', but must be")
    assert value["description"].endswith("(web1)")
    assert (value["severity"], by_check["option"]["severity"]) == ("critical", "minor")


@pytest.mark.parametrize("folder", [".", "inventories", "inventories/site/host_vars", "/"])
def test_paths_and_fingerprints_are_the_same_from_every_folder(
    repository: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    expected = entries("inventories/site")
    monkeypatch.chdir(folder)
    found = entries(repository / "inventories/site")
    assert [entry["location"] for entry in found] == [entry["location"] for entry in expected]
    assert fingerprints(found) == fingerprints(expected)


def test_fingerprints_stay_when_lines_or_the_checkout_move(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    expected = fingerprints(entries("inventories/site"))
    moved = repository.parent / "elsewhere"
    shutil.copytree(repository, moved)
    variables = moved / "inventories/site/host_vars/web1.yml"
    variables.write_text("\n\n\n" + variables.read_text())
    monkeypatch.chdir(moved)
    assert fingerprints(entries("inventories/site")) == expected


def test_the_same_problem_twice_in_a_file_has_two_fingerprints() -> None:
    data: dict[str, Any] = blank("site", "")
    problem = {"severity": "error", "rule": "syntax", "file": "site/a.yml", "variable": "", "path": [], "value": ""}
    for line in (3, 9):
        data["problems"].append({**problem, "line": line, "allowed": "", "message": "wrong", "hosts": []})
    assert len(fingerprints(json.loads(code_quality.render(data)))) == 2


def test_a_problem_without_a_file_belongs_to_the_inventory(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    data: dict[str, Any] = validate(Wanted("inventories/site"))
    data["problems"][0].update(file="", line=0)
    found = json.loads(code_quality.render(data))
    jsonschema.validate(found, FORMAT)
    assert found[0]["location"] == {"path": "inventories/site", "lines": {"begin": 1}}


def test_nothing_wrong_is_an_empty_list(tmp_path: Path) -> None:
    assert entries(site(tmp_path)) == []
