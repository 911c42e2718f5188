# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a survey, a command line and the environment say of a run, beside its inventory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.sites import PROBES, Site

CORES = [None, pytest.param("2.16", marks=pytest.mark.long), pytest.param("2.21", marks=pytest.mark.long)]
SURVEY = {"egov_ops_fail_on": "", "egov_ops_report_language": "", "egov_ops_hosts": "", "egov_ops_request": ""}

pytestmark = pytest.mark.slow


@pytest.fixture
def small(site: Site) -> Site:
    """The site with one host and one cheap probe."""
    site.hosts = {"web1": site.hosts["web1"]}
    site.variables["egov_ops_probes"] = PROBES
    return site


def test_empty_answers_of_a_survey_and_the_environment_leave_what_the_inventory_says(small: Site) -> None:
    elsewhere = small.folder / "elsewhere"
    small.environment["EGOV_OPS_STATE_DIR"] = str(elsewhere)
    answers = [f"-e{name}={value}" for name, value in SURVEY.items()]
    done = small.play("egov.ops.health_check", *answers)
    assert done.rc == 0, done.output
    assert (small.state / "ledger.sqlite3").exists()
    assert not elsewhere.exists()
    del small.variables["egov_ops_state_dir"]
    done = small.play("egov.ops.health_check", *answers)
    assert done.rc == 0, done.output
    assert (elsewhere / "ledger.sqlite3").exists()


@pytest.mark.parametrize("core", CORES)
def test_a_variable_that_only_the_command_line_gives_is_named_with_the_way_to_pass_it(
    small: Site, ansible_core: Callable[[str], Path], core: str | None
) -> None:
    if core:
        small.bin = ansible_core(core)
    small.variables |= {"title": "Release {{ release }}", "egov_ops_platform_name": "{{ title }}"}
    done = small.play("egov.ops.health_check", "-erelease=5")
    assert done.rc == 2, done.output
    output = " ".join(done.output.split())
    assert "egov_ops_platform_name cannot be templated" in output
    assert "release is an extra variable (-e), and the plan reads the inventory alone: set release in the" in output
    assert "{{ lookup('env', 'RELEASE') }}" in output
    done = small.play("egov.ops.health_check")
    assert done.rc == 2, done.output
    assert "extra variable" not in done.output
    small.variables["title"] = "Release {{ lookup('env', 'RELEASE') }}"
    small.environment["RELEASE"] = "5"
    assert small.play("egov.ops.health_check").rc == 0
    assert "Release 5" in (small.state / "reports/latest.json").read_text()
