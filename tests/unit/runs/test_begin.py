# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused at the beginning of a run, and which steps it announces."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.runs import begin

DOMAINS = ["health", "backup"]


def step(module: str, domain: str, *clauses: str) -> dict[str, Any]:
    return {"module": module, "domain": domain, "clauses": list(clauses)}


#: A catalogue of two: one that hosts are visited in, and one that works on the controller alone.
CATALOGUE = {
    "daily": {"steps": [step("health_probe", "health", "S3.1-2")], "observes": True, "longest": 60.0},
    "ledger": {"steps": [], "observes": False, "longest": 60.0},
}


@pytest.mark.parametrize("strategy", ["free", "ansible.builtin.free", "host_pinned", "debug"])
def test_a_strategy_other_than_linear_is_refused_by_name(strategy):
    with pytest.raises(OpsError, match=strategy):
        begin.refuse_settings(strategy, "replace")


@pytest.mark.parametrize("strategy", ["linear", "ansible.builtin.linear"])
def test_linear_passes(strategy):
    begin.refuse_settings(strategy, "replace")


def test_merged_dictionaries_are_refused():
    with pytest.raises(OpsError, match="hash_behaviour: merge"):
        begin.refuse_settings("linear", "merge")


@pytest.mark.parametrize(
    ("tags", "skipped", "left"),
    [
        (["all"], [], ["health", "backup"]),
        ([], [], ["health", "backup"]),
        (["backup"], [], ["backup"]),
        (["all"], ["backup"], ["health"]),
        (["health", "backup"], ["health"], ["backup"]),
        (["tagged"], [], ["health", "backup"]),
    ],
)
def test_tags_narrow_the_domains(tags, skipped, left):
    assert begin.selected_domains(DOMAINS, tags, skipped) == left


def test_an_unknown_tag_is_refused_with_the_nearest_one():
    with pytest.raises(OpsError, match=r"--tags helth is refused.*did you mean health"):
        begin.selected_domains(DOMAINS, ["helth"], [])


def test_skipping_always_is_refused():
    with pytest.raises(OpsError, match="--skip-tags always"):
        begin.selected_domains(DOMAINS, ["all"], ["always"])


@pytest.mark.parametrize(
    "variables",
    [
        {"ansible_connection": "winrm"},
        {"ansible_connection": "ansible.netcommon.network_cli"},
        {"ansible_network_os": "ios"},
    ],
)
def test_hosts_that_are_not_ours_are_told(variables):
    assert begin.is_foreign({"egov_ops_managed": True}, variables)


def test_a_host_that_the_plan_does_not_manage_is_not_ours():
    assert begin.is_foreign({"egov_ops_managed": False}, {})


@pytest.mark.parametrize(
    "variables", [{}, {"ansible_connection": "local"}, {"ansible_connection": "community.general.lxc"}]
)
def test_other_hosts_are_ours(variables):
    assert not begin.is_foreign({"egov_ops_managed": True}, variables)


def test_a_step_of_a_domain_that_is_not_there_is_announced_as_not_built():
    steps = begin.steps_of([step("run_begin", "health"), step("no_such_module", "backup")], DOMAINS)
    assert [step["built"] for step in steps] == [True, False]


def test_steps_of_domains_that_tags_leave_out_are_not_announced():
    steps = begin.steps_of([step("a", "health"), step("b", "backup")], ["backup"])
    assert [step["module"] for step in steps] == ["b"]


def test_a_step_is_announced_with_the_clauses_that_it_serves():
    (announced,) = begin.steps_of([step("run_begin", "health", "S3.1-2")], DOMAINS)
    assert announced["clauses"] == ["S3.1-2"]


def test_the_catalogue_says_all_of_a_procedure():
    assert begin.described("daily", CATALOGUE, None, None) == CATALOGUE["daily"]


@pytest.mark.parametrize(("steps", "observes"), [([step("a", "health")], None), (None, False)])
def test_a_playbook_that_would_say_otherwise_than_the_catalogue_is_refused(steps, observes):
    with pytest.raises(OpsError, match="daily is in the catalogue"):
        begin.described("daily", CATALOGUE, steps, observes)


def test_a_procedure_of_the_sites_own_brings_its_steps():
    found = begin.described("night", CATALOGUE, [step("a", "health")], True)
    assert (found["steps"], found["observes"]) == ([step("a", "health")], True)


def test_a_mistyped_procedure_is_refused_with_the_nearest_one():
    with pytest.raises(OpsError, match="dayly is no procedure of the catalogue; did you mean daily"):
        begin.described("dayly", CATALOGUE, None, None)


def test_a_procedure_of_which_nothing_is_said_is_refused():
    with pytest.raises(OpsError, match="give run_begin its steps"):
        begin.described("xyz", CATALOGUE, None, None)


def test_a_procedure_without_steps_is_no_run():
    with pytest.raises(OpsError, match="ledger records nothing of hosts"):
        begin.described("ledger", CATALOGUE, None, None)
