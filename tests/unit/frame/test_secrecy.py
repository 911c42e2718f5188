# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an action keeps secret: which values a host is given, which are names, and Ansible's settings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible_collections.egov.ops.plugins.module_utils.host.public import MASK
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber
from ansible_collections.egov.ops.plugins.plugin_utils.actions import secrecy
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema
from ansible_collections.egov.ops.plugins.plugin_utils.transport.stream import scrub


def test_a_host_is_given_only_the_secrets_that_its_arguments_bring() -> None:
    known = Scrubber(["in-argument", "of another host"])
    given = secrecy.with_hidden(
        {"repository:a": "own"}, known, {"probes": {"x": {"command": ["a", "b in-argument c"]}}}
    )
    assert given == {"repository:a": "own", "hidden:0": "in-argument"}


def test_a_name_of_the_plan_is_no_secret_whatever_has_its_text() -> None:
    plan = merge({"egov_ops_backup_sets": {"database": {"class": "database", "paths": ["/srv"]}}}, load_schema())
    known = secrecy.scrubber(["database", "hunter22"], {"web1", *plan.names()})
    assert known.values == ["hunter22"]
    assert secrecy.scrubber(["base", "web1", "hunter22"], {"web10", "database"}).values == ["hunter22"]


def test_a_host_is_told_which_of_its_secrets_stand_in_a_name() -> None:
    given = secrecy.with_hidden({"repository:a": "data", "repository:b": "hunter22"}, Scrubber(), {}, {"database"})
    assert scrub({"subject": "database", "msg": "hunter22"}, given) == {"subject": "database", "msg": MASK}
    assert {name: given[name] for name in ("repository:a", "repository:b")} == {
        "repository:a": "data",
        "repository:b": "hunter22",
    }


def test_an_outcome_is_scrubbed_and_without_secrets_only_its_message() -> None:
    outcome = {"msg": "told hunter22 of ssh://u:p@h", "evidence": [{"subject": "hunter22", "kind": "x"}]}
    assert secrecy.scrubbed(outcome, Scrubber(["hunter22"]))["evidence"][0]["subject"] == MASK
    assert secrecy.scrubbed(outcome, Scrubber([])) == {**outcome, "msg": "told hunter22 of ssh://h"}


def test_a_user_and_a_region_are_words_of_other_text() -> None:
    secrets = {"credentials:r:RESTIC_REST_USERNAME": "backup", "credentials:r:AWS_DEFAULT_REGION": "north-1"}
    assert scrub({"msg": "a backup in north-1"}, secrets) == {"msg": "a backup in north-1"}


class Plugin:
    """A plugin of Ansible that takes some options."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def get_option(self, name: str) -> Any:
        return self.options[name]


def test_the_passwords_of_connection_and_become_count_wherever_they_come_from() -> None:
    connection = Plugin(password="of-ssh")
    connection.become = Plugin(become_pass="of-sudo")  # type: ignore[attr-defined]
    assert secrecy.logins(connection) == {"of-ssh", "of-sudo"}
    assert secrecy.logins(Plugin()) == set()


def test_settings_that_show_options_are_named_and_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_DEBUG", True)
    monkeypatch.setattr(constants, "DEFAULT_KEEP_REMOTE_FILES", True)
    assert secrecy.showing() == ["ANSIBLE_DEBUG", "ANSIBLE_KEEP_REMOTE_FILES"]
    task = SimpleNamespace(no_log=False)
    with secrecy.concealed(task):
        assert (constants.DEFAULT_DEBUG, constants.DEFAULT_KEEP_REMOTE_FILES, task.no_log) == (False, False, True)
    assert (constants.DEFAULT_DEBUG, constants.DEFAULT_KEEP_REMOTE_FILES, task.no_log) == (True, False, False)
