# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused before any host is touched: one sentence, nothing written."""

from __future__ import annotations

import pytest

from tests.support.sites import Site


def refused(site: Site, done, *words: str) -> None:
    assert done.rc != 0, done.output
    for word in words:
        assert word in done.output, done.output
    assert "Traceback" not in done.output
    assert not (site.folder / "host").exists()
    assert not (site.state / "ledger.sqlite3").exists()
    assert site.spools() == []
    assert "TASK [Probe]" not in done.output


def test_strategy_free(site):
    refused(site, site.play(site.procedure(strategy="free")), "strategy: free is refused")


def test_strategy_free_of_a_sites_own_settings(site):
    site.environment["ANSIBLE_STRATEGY"] = "free"
    refused(site, site.play(site.procedure()), "strategy: free is refused")


def test_merged_dictionaries(site):
    site.environment["ANSIBLE_HASH_BEHAVIOUR"] = "merge"
    refused(site, site.play(site.procedure()), "hash_behaviour: merge is refused")


def test_an_unknown_tag(site):
    refused(site, site.play(site.procedure(), "--tags", "helth"), "--tags helth is refused", "did you mean health")


def test_a_tag_like_no_other(site):
    refused(site, site.play(site.procedure(), "--tags", "zzz"), "has that tag. Allowed: health.")


def test_skipping_always(site):
    done = site.play(site.procedure(), "--skip-tags", "always")
    assert done.rc != 0, done.output
    assert "--skip-tags always is refused" in done.output
    assert site.spools() == []


def test_starting_past_the_beginning(site):
    done = site.play(site.procedure(), "--start-at-task", "Probe")
    assert done.rc != 0, done.output
    assert "No run has begun" in done.output


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("egov_ops_timezon", "UTC", ("egov_ops_timezon", "egov_ops_timezone")),
        ("egov_ops_timezone", "Mars/Olympus", ("egov_ops_timezone", "Mars/Olympus")),
        ("egov_ops_fail_on", "sometimes", ("egov_ops_fail_on", "sometimes", "warning")),
        ("egov_ops_ledger_retention_days", 30, ("egov_ops_ledger_retention_days", "30", "190")),
        ("egov_ops_report", "perhaps", ("egov_ops_report", "perhaps")),
        ("egov_ops_backup_proof_files", "many", ("egov_ops_backup_proof_files", "many")),
        ("egov_ops_state_dir", "relative/path", ("egov_ops_state_dir", "relative/path")),
        ("egov_ops_backup_sets", ["a list"], ("egov_ops_backup_sets",)),
        ("egov_ops_backup_sets", {"x": {"class": "sundry", "paths": ["/etc"]}}, ("sundry", "business_data")),
        ("egov_ops_probes", {"x": {"kind": "load", "layer": "cellar"}}, ("cellar", "infrastructure")),
        ("egov_ops_procedures", {"daily": {"cadence": "daily", "at": "25:00 UTC"}}, ("25:00",)),
    ],
)
def test_a_bad_value_in_the_plan(site, name, value, words):
    site.variables[name] = value
    refused(site, site.play(site.procedure()), *words)


def test_a_plan_variable_on_the_command_line(site):
    done = site.play(site.procedure(), "-e", "egov_ops_ledger_retention_days=3000")
    refused(site, done, "egov_ops_ledger_retention_days", "inventory")


def test_one_bad_host_refuses_the_run_of_all(site):
    site.hosts["db1"]["egov_ops_timezone"] = "Nowhere"
    refused(site, site.play(site.procedure()), "db1", "egov_ops_timezone", "Nowhere")


def test_hosts_that_disagree_on_the_state_folder(site):
    site.hosts["db1"]["egov_ops_state_dir"] = str(site.folder / "other")
    refused(site, site.play(site.procedure()), "egov_ops_state_dir", "db1")


def test_a_missing_password_file(site):
    repository = {
        "location": str(site.folder / "repository"),
        "password_file": "/nonexistent/password",
        "create": False,
    }
    site.variables["egov_ops_backup_repositories"] = {"local": repository}
    refused(site, site.play(site.procedure()), "/nonexistent/password")


def test_a_locale_without_utf8(site):
    site.environment["LC_ALL"] = "POSIX"
    done = site.play(site.procedure())
    assert done.rc != 0
    assert "UTF-8" in done.output


def test_a_variable_that_looks_like_a_roles_is_a_warning(site):
    site.variables["backup_timeot"] = 5
    done = site.play("egov.ops.health_check", "--tags", "health")
    assert done.rc == 0, done.output
    assert "backup_timeot" in done.output


def test_async_is_refused(site):
    done = site.run("ansible", "web1", "-m", "egov.ops.health_probe", "-B", "10")
    assert done.rc != 0
    assert "async" in done.output


def test_a_bad_value_of_a_roles_option(site):
    site.hosts["web2"]["backup_timeout"] = "soon"
    refused(site, site.play("egov.ops.daily"), "backup_timeout", "soon", "int")
