# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a procedure means stands in the catalogue: under another name each procedure is the same."""

from __future__ import annotations

import ast
from datetime import datetime, timedelta, timezone
from typing import Any

import environment
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.plan.checking import check
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import Plan, merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema
from ansible_collections.egov.ops.plugins.plugin_utils.plan.step_options import OPTIONS, options_of, procedures_with
from ansible_collections.egov.ops.plugins.plugin_utils.plan.vocabulary import load_vocabulary
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import LANGUAGES, Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import heading_of, owner_of
from ansible_collections.egov.ops.plugins.plugin_utils.runs.begin import described, steps_of
from ansible_collections.egov.ops.plugins.plugin_utils.schedule.due import late_procedures

PLAN = merge({}, load_schema())
CATALOGUE = PLAN["egov_ops_procedures"]
NOW = datetime(2028, 3, 1, 4, 5, 6, tzinfo=timezone.utc)


def renamed() -> Plan:
    """Return a plan whose catalogue has each procedure under another name alone."""
    gone = {name: {"state": "absent"} for name in CATALOGUE}
    return merge(
        {"egov_ops_procedures": {**gone, **{f"our_{name}": entry for name, entry in CATALOGUE.items()}}}, load_schema()
    )


def test_the_catalogue_says_what_each_procedure_means_to_a_module() -> None:
    found = {
        (name, module): options_of(PLAN, name, module)
        for name, entry in CATALOGUE.items()
        for module in {step["module"] for step in entry["steps"]} & set(OPTIONS)
    }
    assert found == {
        ("weekly", "backup_catalog"): {"reader": "report"},
        ("backup_status", "backup_catalog"): {"reader": "person"},
        ("weekly", "backup_check"): {"data": "new", "escrow": "noted"},
        ("monthly", "backup_check"): {"data": "all", "escrow": "noted"},
        ("quarterly", "backup_check"): {"data": "all", "escrow": "due"},
        ("backup_verify", "backup_check"): {"data": "all", "escrow": "due"},
    }


@pytest.mark.parametrize("procedure", ["", "standalone", "no_such"])
def test_outside_the_catalogue_the_defaults_hold(procedure: str) -> None:
    assert options_of(PLAN, procedure, "backup_check") == {"data": "all", "escrow": "noted"}


@pytest.mark.parametrize("name", CATALOGUE)
def test_under_another_name_a_procedure_is_the_same(name: str) -> None:
    plan, entry = renamed(), CATALOGUE[name]
    other = plan["egov_ops_procedures"]
    assert list(other) == [f"our_{one}" for one in CATALOGUE]
    for module in OPTIONS:
        assert options_of(plan, f"our_{name}", module) == options_of(PLAN, name, module)
    record = {"kind": "probe", "status": "warning", "domain": "none", "procedure": f"egov.ops.our_{name}"}
    assert owner_of(record, other) == entry["team"]
    assert heading_of(f"egov.ops.our_{name}", other) == heading_of(name, CATALOGUE)
    if entry["steps"]:
        assert described(f"our_{name}", other, None, None) == described(name, CATALOGUE, None, None)
        domains = {step["domain"] for step in entry["steps"]}
        assert steps_of(other[f"our_{name}"]["steps"], domains) == steps_of(entry["steps"], domains)


def test_under_other_names_the_same_procedures_are_late() -> None:
    def late(catalogue: Any) -> list[tuple[str, datetime]]:
        found = late_procedures(catalogue, {}, NOW - timedelta(days=200), NOW, "Asia/Shanghai")
        return [(entry.procedure.removeprefix("our_"), entry.by) for entry in found]

    assert late(renamed()["egov_ops_procedures"]) == late(CATALOGUE)
    assert [name for name, _by in late(CATALOGUE)] == ["daily", "weekly", "monthly", "quarterly"]


def test_the_title_of_a_report_is_what_the_catalogue_calls_the_procedure() -> None:
    run = {"procedure": "egov.ops.our_daily", **heading_of("our_daily", renamed()["egov_ops_procedures"])}
    assert [Language(code).heading(run) for code in LANGUAGES] == ["Daily", "每日"]
    assert Language("en").heading({"procedure": "egov.ops.patch_scan"}) == "patch_scan"
    assert Language("zh").heading({"procedure": "patch_scan"}) == "patch_scan"  # of an earlier release


def steps(options: Any, module: str = "backup_check") -> dict[str, Any]:
    step = {"module": module, "domain": "backup", "options": options}
    return {"egov_ops_procedures": {"reread": {"title": {"en": "x", "zh": "x"}, "team": "DATA", "steps": [step]}}}


@pytest.mark.parametrize(
    "options",
    [
        {"data": "some"},
        {"depth": "all"},
        {"data": 5},
        {"data": ["all"]},
        {"data": None},
        {5: "all"},
        5,
        "all",
        ["all"],
        None,
    ],
)
def test_wrong_options_of_a_step_are_refused_with_what_is_allowed(options: Any) -> None:
    (problem,) = check(steps(options), load_schema())
    assert "are each a step of backup_check with data all or new, escrow noted or due" in problem.message
    assert problem.fatal


def test_a_step_of_a_module_without_options_takes_none() -> None:
    (problem,) = check(steps({"data": "all"}, "backup_run"), load_schema())
    assert "are each a step of backup_run with no options" in problem.message
    assert check(steps({}, "backup_run"), load_schema()) == []


def test_each_option_is_of_a_module_of_the_catalogue() -> None:
    modules = {step["module"] for entry in CATALOGUE.values() for step in entry["steps"]}
    assert set(OPTIONS) <= modules
    assert load_vocabulary()


def test_no_code_compares_the_name_of_a_procedure() -> None:
    found = []
    for path in sorted((environment.ROOT / "plugins").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                names = any("procedure" in ast.unparse(side) for side in sides if not isinstance(side, ast.Constant))
                named = [side.value for side in sides if isinstance(side, ast.Constant) and side.value in CATALOGUE]
                found += [(str(path), named)] if names and named else []
    assert found == []


#: Names of procedures that are written in code: where they are also a module's, an action's, a domain's or a kind's
#: name, or stand in a sentence for people, they are not looked for.
def test_no_code_names_a_procedure_that_is_nothing_else() -> None:
    plugins = environment.ROOT / "plugins"
    modules = {path.stem for path in (plugins / "modules").glob("*.py")}
    alone = set(CATALOGUE) - modules - {"backup", "restore", "health_check", "ledger", "report"}
    assert {"daily", "weekly", "monthly", "quarterly", "backup_status", "backup_verify"} <= alone
    found = set()
    for path in plugins.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in alone:
                found.add(str(path.relative_to(plugins)))
    # the words of cadences, and those of logrotate
    assert found == {
        "plugin_utils/schedule/calendar.py",
        "plugin_utils/report/period/span.py",
        "module_utils/hardening/settings.py",
    }


def test_the_procedures_that_give_an_option_come_with_those_of_the_fewest_steps_first() -> None:
    def steps(count: int, module: str, **options: str) -> dict[str, Any]:
        others = [{"module": "health_probe", "domain": "health"}] * (count - 1)
        return {"steps": [*others, {"module": module, "domain": "backup", "options": options}]}

    catalogue = {
        "long": steps(3, "backup_check", data="new"),
        "short": steps(1, "backup_check", data="new"),
        "brief": steps(1, "backup_check", data="new"),
        "whole": steps(1, "backup_check"),
        "nothing": {"steps": [{"module": "health_probe", "domain": "health"}]},
        "empty": {},
    }
    plan = {"egov_ops_procedures": catalogue}
    assert procedures_with(plan, "backup_check", "data", "new") == ["brief", "short", "long"]
    assert procedures_with(plan, "backup_check", "data", "all") == ["empty", "nothing", "whole"]
