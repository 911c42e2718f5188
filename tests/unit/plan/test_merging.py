# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gc
import json
import time

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.egov.ops.plugins.plugin_utils.plan.checking import check
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import Memory, merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.problem import PlanError
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import Schema

SETS = "egov_ops_backup_sets"


def test_an_empty_inventory_follows_the_written_plan(schema: Schema) -> None:
    plan = merge({}, schema)
    assert plan[SETS]["config"] == {
        "class": "config",
        "paths": ["/etc"],
        "exclude": [],
        "full": "monthly",
        "incremental": "change",
        "repository": "local",
        "copies": [],
        "pre": [],
        "post": [],
        "hook_timeout": 60,
        "snapshot": False,
        "snapshot_size": 10,
        "stop": [],
        "rpo": 0,
    }
    assert plan["egov_ops_ledger_retention_days"] == 1095


def test_a_plan_has_a_value_for_each_variable_of_the_schema(schema: Schema) -> None:
    assert set(merge({}, schema)) == set(schema.variables)


def test_a_plan_can_be_stored_as_json(schema: Schema) -> None:
    plan = dict(merge({}, schema))
    assert json.loads(json.dumps(plan)) == plan


def test_variables_of_the_site_are_left_alone(schema: Schema) -> None:
    assert "ntp_servers" not in merge({"ntp_servers": ["ntp.example.org"]}, schema)


def test_a_group_that_adds_a_set_keeps_the_default_one(schema: Schema) -> None:
    plan = merge({f"{SETS}__50_web": {"www": {"class": "business_data", "paths": ["/srv/www"]}}}, schema)
    assert set(plan[SETS]) == {"config", "www"}


@pytest.mark.parametrize(
    ("kind", "full", "incremental"),
    [
        ("business_data", "daily", "change"),
        ("database", "weekly", "daily"),
        ("config", "monthly", "change"),
        ("os_image", "quarterly", None),
    ],
)
def test_the_class_of_a_set_decides_how_often_it_is_due(schema: Schema, kind: str, full: str, incremental: str) -> None:
    made = merge({SETS: {"data": {"class": kind, "paths": ["/srv"]}}}, schema)[SETS]["data"]
    assert (made["full"], made.get("incremental")) == (full, incremental)


def test_a_set_may_be_due_more_often_than_its_class(schema: Schema) -> None:
    made = merge({SETS: {"config": {"full": "weekly"}}}, schema)[SETS]["config"]
    assert (made["full"], made["incremental"]) == ("weekly", "change")


def test_an_empty_key_falls_back_to_its_default(schema: Schema) -> None:
    assert merge({SETS: {"config": {"repository": None}}}, schema)[SETS]["config"]["repository"] == "local"


def test_an_empty_variable_counts_as_not_given(schema: Schema) -> None:
    plan = merge({"egov_ops_timezone": None, SETS: None}, schema)
    assert plan["egov_ops_timezone"] == "Asia/Shanghai"
    assert set(plan[SETS]) == {"config"}


def test_absent_removes_a_default_entry(schema: Schema) -> None:
    assert merge({f"{SETS}__90_host": {"config": {"state": "absent"}}}, schema)[SETS] == {}


def test_parameters_of_a_probe_are_passed_on(schema: Schema) -> None:
    assert merge({}, schema)["egov_ops_probes"]["portal"] == {
        "kind": "http",
        "layer": "application",
        "url": "http://127.0.0.1/",
        "timeout": 3.0,
    }


def test_values_are_stored_in_their_type(schema: Schema) -> None:
    plan = merge({"egov_ops_managed": "no", "egov_ops_backup_proof_files": "40"}, schema)
    assert (plan["egov_ops_managed"], plan["egov_ops_backup_proof_files"]) == (False, 40)


def test_merging_leaves_the_defaults_untouched(schema: Schema) -> None:
    before = dict(merge({}, schema))
    merge({}, schema)[SETS]["config"]["paths"].append("/opt")
    merge({SETS: {"config": {"paths": ["/opt"]}}}, schema)
    assert dict(merge({}, schema)) == before


def test_origins_name_the_variables_that_made_an_entry(schema: Schema) -> None:
    variables = {f"{SETS}__50_web": {"config": {"full": "weekly"}}, "egov_ops_timezone": "UTC"}
    origins = merge(variables, schema).origins
    assert origins[f"{SETS}.config"] == ("default", f"{SETS}__50_web")
    assert origins["egov_ops_timezone"] == ("egov_ops_timezone",)
    assert origins["egov_ops_report"] == ("default",)


def test_every_value_of_a_plan_has_an_origin(schema: Schema) -> None:
    plan = merge({}, schema)
    entries = {f"{name}.{entry}" for name, value in plan.items() if schema.variables[name].layered for entry in value}
    assert set(plan.origins) == entries | {name for name in plan if not schema.variables[name].layered}


def test_a_run_option_may_come_as_an_extra_variable(schema: Schema) -> None:
    plan = merge({"egov_ops_report_language": "en"}, schema, {"egov_ops_report_language": "zh"})
    assert plan["egov_ops_report_language"] == "zh"
    assert plan.origins["egov_ops_report_language"] == ("egov_ops_report_language",)


@pytest.mark.parametrize("empty", ["", " ", None])
def test_an_empty_extra_variable_counts_as_not_given(schema: Schema, empty: str | None) -> None:
    options = [name for name, variable in schema.variables.items() if variable.scope != "plan"]
    assert dict(merge({}, schema, dict.fromkeys(options, empty))) == dict(merge({}, schema))
    inventory = {"egov_ops_fail_on": "critical"}
    assert merge(inventory, schema, {"egov_ops_fail_on": empty})["egov_ops_fail_on"] == "critical"


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ("/etc/hosts", ["/etc/hosts"]),
        ("/etc/hosts, /etc/fstab", ["/etc/hosts", "/etc/fstab"]),
        ("/etc/hosts\n/etc/fstab\n", ["/etc/hosts", "/etc/fstab"]),
        ('["/etc/hosts", /etc/fstab]', ["/etc/hosts", "/etc/fstab"]),
        ("/srv/a,b", ["/srv/a,b"]),
        (["/srv/a,/srv/b"], ["/srv/a,/srv/b"]),
    ],
)
def test_a_text_becomes_a_list_where_one_is_wanted(schema: Schema, given: object, paths: list[str]) -> None:
    assert merge({}, schema, {"egov_ops_restore_paths": given})["egov_ops_restore_paths"] == paths
    plan = merge({SETS: {"config": {"paths": given}}, "egov_ops_tool_path": given}, schema)
    assert (plan[SETS]["config"]["paths"], plan["egov_ops_tool_path"]) == (paths, paths)


@pytest.mark.parametrize("given", ["data,exports", "data\nexports"])
def test_names_in_a_text_become_a_list(schema: Schema, given: str) -> None:
    plan = merge({SETS: {"config": {"exclude": given}}}, schema)
    assert plan[SETS]["config"]["exclude"] == ["data", "exports"]


def test_a_text_is_no_command(schema: Schema) -> None:
    with pytest.raises(PlanError, match=r"config\.pre is .*must be a list"):
        merge({SETS: {"config": {"pre": "systemctl stop portal"}}}, schema)


@pytest.mark.parametrize("given", ["[/etc/hosts", "[{/etc: }]", "relative"])
def test_a_text_that_makes_no_list_of_paths_is_refused(schema: Schema, given: str) -> None:
    with pytest.raises(PlanError, match=r"egov_ops_tool_path is .*must be a list"):
        merge({"egov_ops_tool_path": given}, schema)


def test_a_plan_variable_among_the_extra_variables_does_not_count(schema: Schema) -> None:
    assert merge({}, schema, {"egov_ops_timezone": "UTC"})["egov_ops_timezone"] == "Asia/Shanghai"


def test_a_plan_that_cannot_be_followed_is_refused(schema: Schema) -> None:
    with pytest.raises(PlanError, match=r"^egov_ops_timezone is 'Mars', but must be .*\. \(1 more\)$"):
        merge({"egov_ops_fail_on": "often", "egov_ops_timezone": "Mars"}, schema)


def test_values_loaded_by_ansible_are_stored_in_pythons_own_types(schema: Schema) -> None:
    text = """
    egov_ops_backup_sets: {www: {class: other, full: daily, paths: [/srv/www]}}
    egov_ops_probes: {web: {kind: http, layer: application, url: "http://127.0.0.1/", codes: [200]}}
    """
    plan = merge(DataLoader().load(text), schema)
    probe, backup_set = plan["egov_ops_probes"]["web"], plan[SETS]["www"]
    assert (probe["url"], probe["codes"], backup_set["paths"]) == ("http://127.0.0.1/", [200], ["/srv/www"])
    found = {type(value) for value in (probe["url"], probe["codes"], backup_set["class"], backup_set["paths"])}
    assert found == {str, list}


def test_checking_and_merging_a_plan_of_100_entries_takes_at_most_5_ms(schema: Schema) -> None:
    probe = {"kind": "http", "layer": "application", "url": "http://127.0.0.1/", "warning": "1", "critical": "5"}
    variables = {"egov_ops_probes": {f"probe_{number}": probe for number in range(100)}}
    costs = []
    gc.disable()  # as in a worker; here it would search all that the other tests have left
    for _ in range(10):
        started = time.process_time()
        memory = Memory()  # as the beginning of a run does it
        check(variables, schema, memory=memory)
        merge(variables, schema, memory=memory)
        costs.append(time.process_time() - started)
    gc.enable()
    assert min(costs) < 0.005
