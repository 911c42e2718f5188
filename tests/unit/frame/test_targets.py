# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which patterns of hosts are refused: those that Ansible would pass over."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.targets import refuse_no_match

GROUPS = {"all": ["web1", "web2", "db1"], "ungrouped": ["db1"], "web": ["web1", "web2"], "empty": []}


def answer(pattern: Any, limit: str | None = None, groups: dict[str, list[str]] | None = None) -> str:
    try:
        refuse_no_match(pattern, GROUPS if groups is None else groups, ["hosts.yml"], limit, DataLoader())
    except OpsError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("pattern", "limit"),
    [
        ("all", None),
        ("all", "web1"),
        ("web1", "web1"),
        ("web:db1", "web2"),
        ("web,db1", "db*"),
        ("web[0]", "web1"),
        ("~(web|db)1", None),
        ("all:!web", "db1"),
        ("web:&web1", None),
        ("web,empty", None),
        ("localhost", None),
        ("localhost", "localhost"),
    ],
)
def test_a_pattern_that_leaves_hosts_passes(pattern: str, limit: str | None) -> None:
    assert answer(pattern, limit) == ""


@pytest.mark.parametrize(
    ("pattern", "limit", "sentence"),
    [
        ("web1", "db1", "--limit is 'db1', which leaves out every host that this play works on (web1)"),
        (
            "web",
            "ungrouped",
            "--limit is 'ungrouped', which leaves out every host that this play works on (web1, web2)",
        ),
        ("localhost", "db1", "--limit is 'db1', which leaves out every host that this play works on (localhost)"),
        ("all", "web1,nosuch", "--limit is 'web1,nosuch', but nosuch is no host and no group"),
        ("nosuch*", None, "egov_ops_hosts is 'nosuch*', but nosuch* is no host and no group"),
        ("web:&nosuch", None, "nosuch is no host and no group"),
        ("web:!web", None, "egov_ops_hosts is 'web:!web', which leaves no host"),
        ("empty", None, "egov_ops_hosts is 'empty', which leaves no host"),
        (["web1"], None, "egov_ops_hosts is ['web1'], but must be a text"),
    ],
)
def test_a_pattern_that_leaves_none_or_names_nothing_is_refused(pattern: Any, limit: str, sentence: str) -> None:
    assert sentence in answer(pattern, limit)


def test_of_an_inventory_without_hosts_only_localhost_can_be_chosen() -> None:
    nothing: dict[str, list[str]] = {"all": [], "ungrouped": []}
    assert "-i is hosts.yml" in answer("all", None, nothing)
    assert answer("localhost", None, nothing) == ""


def test_two_thousand_hosts_cost_little() -> None:
    hosts = [f"host{number}" for number in range(2000)]
    groups = {"all": hosts, "ungrouped": [], **{f"group{number}": hosts[number::20] for number in range(20)}}
    begun = time.process_time()
    assert answer("group1,host5", "group1", groups) == ""
    assert time.process_time() - begun < 0.3
