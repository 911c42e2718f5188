# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of results: a person, a program, CI servers and a code host read the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check import output
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted, validate

from tests.support.validation_site import site, write


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> output.Data:
    """A validation with an error, a warning and a file that is not checked, from the folder of the inventory."""
    write(site(tmp_path), host_vars__web1="egov_ops_timezone: Mars & <Venus>\nbackup_timeuot: 3\n")
    (tmp_path / "group_vars/database").write_text("$ANSIBLE_VAULT;1.1;AES256\n00\n")
    monkeypatch.chdir(tmp_path)
    found: output.Data = validate(Wanted("."))
    return found


def test_the_text_has_a_line_for_each_problem_and_the_outcome(data: output.Data) -> None:
    lines = output.render_text(data).splitlines()
    assert lines[0].startswith("host_vars/web1.yml:1: egov_ops_timezone is 'Mars & <Venus>', but must be a time zone")
    assert lines[0].endswith("(web1)")
    assert lines[1].startswith("host_vars/web1.yml:2: warning: backup_timeuot is not an option of the role backup")
    assert lines[2:] == [
        "Not checked, because encrypted: group_vars/database.",
        ".: 3 hosts, 5 files, 1 error, 1 warning.",
    ]


def test_the_json_is_the_data(data: output.Data) -> None:
    assert json.loads(output.render_json(data)) == data
    assert set(data["problems"][0]) == {
        *("severity", "rule", "file", "line", "variable", "path", "value", "allowed", "message", "hosts"),
    }


def test_the_junit_report_has_a_case_for_each_file_and_fails_by_errors_alone(data: output.Data) -> None:
    root = ElementTree.fromstring(output.render_junit(data))
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "1", "1")
    cases = {case.get("name"): [part.tag for part in case] for case in suite}
    assert cases["host_vars/web1.yml"] == ["failure", "system-out"]
    assert cases["group_vars/database"] == ["skipped"]
    assert cases["hosts.yml"] == []


def test_the_sarif_log_points_at_the_line(data: output.Data) -> None:
    (run,) = json.loads(output.render_sarif(data))["runs"]
    error, warning = run["results"]
    place = error["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("host_vars/web1.yml", 1)
    assert (error["level"], warning["level"]) == ("error", "warning")
    assert run["tool"]["driver"]["rules"][error["ruleIndex"]]["id"] == error["ruleId"] == "value"


def test_a_path_with_spaces_is_an_address_in_the_sarif_log(data: output.Data) -> None:
    data["problems"][0]["file"] = "my site/门户.yml"
    (run,) = json.loads(output.render_sarif(data))["runs"]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "my%20site/%E9%97%A8%E6%88%B7.yml"


def test_control_characters_break_no_report(data: output.Data) -> None:
    data["problems"][0]["message"] = "a\x00b\x1bc"
    assert "abc" in ElementTree.tostring(ElementTree.fromstring(output.render_junit(data)), encoding="unicode")


def test_all_files_are_written(data: output.Data, tmp_path: Path) -> None:
    written = output.write(data, tmp_path / "results/today")
    assert [Path(path).name for path in written] == list(output.FILES)
    assert all(Path(path).stat().st_size for path in written)


def test_a_folder_that_cannot_be_made_is_one_sentence(data: output.Data, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OpsError, match=r"^The results cannot be written to .*; name another folder\.$"):
        output.write(data, tmp_path / "file/results")


def test_each_rule_that_a_problem_can_have_is_explained() -> None:
    root = Path(output.__file__).resolve().parents[1]
    text = "\n".join(
        path.read_text() for folder in ("plan", "inventory_check") for path in (root / folder).glob("*.py")
    )
    import re

    used: set[Any] = {*re.findall(r'rule="(\w+)"', text), "value", "word", "clause", "step", "required", "reference"}
    assert used <= set(output.RULES)
    assert {rule for rule in output.RULES if f'"{rule}"' not in text} == set()
