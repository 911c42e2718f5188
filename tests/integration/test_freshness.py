# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real daily run says of each host how old its backups are: of those that fail, and of those that are away, too."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.sites import DEAD, Site

pytestmark = pytest.mark.slow


def backed_up(site: Site, host: str, hours: float) -> None:
    """Let the ledger hold a good backup of a host's set that was made so many hours ago, to somewhere else."""
    then = iso(datetime.now(timezone.utc) - timedelta(hours=hours))
    made = observation("backup", "data", "ok", added_bytes=500, repository="earlier", message="made")
    state = StateDir(site.state)
    state.prepare()
    with Ledger(state.ledger) as ledger:
        about = {"run": f"daily-{hours}", "procedure": "daily", "host": host, "domain": "backup"}
        ledger.append([record(observation=made, started=then, finished=then, **about)])


@pytest.mark.programs("ssh")
def test_a_daily_run_tells_whose_backups_have_failed_for_days(site: Site) -> None:
    tools = site.folder / "tools"
    tools.mkdir()
    (tools / "restic").write_text("#!/bin/sh\necho 'Fatal: no such thing today' >&2\nexit 1\n")
    (tools / "restic").chmod(0o755)
    site.hosts["web1"]["egov_ops_tool_path"] = [str(tools)]
    site.hosts["web2"] = dict(DEAD)
    for host, hours in (("web1", 40), ("web2", 80), ("db1", 80)):
        backed_up(site, host, hours)
    site.variables["egov_ops_fail_on"] = "warning"
    done = site.play("egov.ops.daily")
    assert done.rc == 2, done.output
    found = {entry["host"]: entry for entry in site.records(kind="freshness")}
    assert {host: entry["status"] for host, entry in found.items()} == {
        "web1": "warning",
        "web2": "critical",
        "db1": "ok",
    }
    assert found["web1"]["detail"]["message"] == (
        "The newest good backup of set data is 40.0 h old; its objective is 30.0 h."
    )
    told = {(finding["host"], finding["kind"]) for finding in site.report()["findings"]}
    assert {("web1", "freshness"), ("web1", "backup"), ("web2", "freshness")} <= told
    assert ("db1", "freshness") not in told
    assert "40.0 h old" in (site.state / "reports" / "latest.html").read_text()
    # the next good run ends the finding
    site.hosts["web1"].pop("egov_ops_tool_path")
    site.hosts.pop("web2")
    done = site.play("egov.ops.daily")
    assert {entry["status"] for entry in site.records(kind="freshness", run=site.report()["run"]["id"])} == {"ok"}
    assert ("web1", "freshness") in {(entry["host"], entry["kind"]) for entry in site.report()["fixed"]}, json.dumps(
        site.report()["fixed"]
    )
