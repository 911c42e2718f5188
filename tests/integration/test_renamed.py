# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site gives the procedures names of its own, and each means to its modules what the catalogue says."""

from __future__ import annotations

from typing import Any

import environment
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.plan import load_schema, merge

from tests.support.sites import Site

pytestmark = pytest.mark.slow

CATALOGUE = merge({}, load_schema())["egov_ops_procedures"]


def play_renamed(site: Site, name: str, *steps: str, of: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """Run a procedure with some steps of one of the catalogue's under a new name; return output, records by kind."""
    step = next(step for step in CATALOGUE[of]["steps"] if step["module"] in steps)
    site.variables["egov_ops_procedures"] = {
        **{known: {"state": "absent"} for known in CATALOGUE if known not in ("backup", name)},
        name: {**CATALOGUE[of], "steps": [step]},
    }
    source = "backup_verify" if "backup_check" in steps else "backup_status"
    text = (environment.ROOT / f"playbooks/{source}.yml").read_text(encoding="utf-8")
    path = site.folder / f"{name}.yml"
    path.write_text(text.replace(f"procedure: {source}", f"procedure: {name}"), encoding="utf-8")
    done = site.play(str(path))
    assert done.rc == 0, done.output
    made = [record for record in site.records() if record["procedure"] == name]
    return done.output, {record["kind"]: record for record in made}


def test_a_procedure_under_another_name_does_what_the_catalogue_says(site: Site) -> None:
    site.hosts = {"web1": site.hosts["web1"]}
    assert site.play("egov.ops.backup").rc == 0
    _output, quarter = play_renamed(site, "our_quarter", "backup_check", of="quarterly")
    assert (quarter["escrow"]["status"], quarter["check"]["status"]) == ("warning", "ok")
    _output, week = play_renamed(site, "our_week", "backup_check", of="weekly")
    assert (week["escrow"]["status"], week["escrow"]["reason"]) == ("skipped", "no_history")
    assert week["check"]["detail"]["message"] != quarter["check"]["detail"]["message"]
    output, _status = play_renamed(site, "our_status", "backup_catalog", of="backup_status")
    assert "Without us, set" in output
    output, _status = play_renamed(site, "our_week", "backup_catalog", of="weekly")
    assert "Without us, set" not in output
