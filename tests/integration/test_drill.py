# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore drill on the host that the plan names for it, with real playbooks."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.sites import DEAD, Site

pytestmark = [pytest.mark.programs("restic", "ssh"), pytest.mark.slow]


def test_a_set_is_drilled_on_the_drill_host_from_its_copy(site: Site) -> None:
    site.hosts = {"web1": site.hosts["web1"], "vault1": {**site.hosts["db1"]}}
    site.hosts["vault1"] |= {"egov_ops_host_state_dir": str(site.folder / "vault-state"), "egov_ops_managed": False}
    site.hosts["web1"]["egov_ops_drill_host"] = "vault1"
    site.variables["egov_ops_backup_repositories"]["vault"] = {"location": str(site.folder / "vault"), "create": True}
    site.variables["egov_ops_backup_sets"]["data"]["copies"] = ["vault"]
    command = ["grep", "-q", "content 3", "{sandbox}" + f"{site.folder}/data/file3"]
    site.variables["egov_ops_drill_assertions"] = {"file3": {"set": "data", "command": command}}
    limited = ("-e", "egov_ops_hosts=web1")
    site.has_repository()
    done = site.play("egov.ops.backup", *limited)
    assert done.rc == 0, done.output
    done = site.play("egov.ops.restore_drill", *limited)
    assert done.rc == 0, done.output
    (drill,) = site.records(kind="drill")
    assert (drill["host"], drill["subject"], drill["status"]) == ("web1", "data", "ok")
    assert (drill["detail"]["repository"], drill["detail"]["drilled_on"]) == ("vault", "vault1")
    assert drill["detail"]["rto_seconds"] > 0
    assert "1 of 1 set proved by a restore" in done.output
    assert re.search(
        r"web1/data came back in \d\S* s \(RTO\): 5 files, .+ of vault; .+ would be lost \(RPO\)", done.output
    )
    (row,) = json.loads((site.state / "reports/latest.json").read_text())["backup"]
    assert row["drill"]["rto_seconds"] == drill["detail"]["rto_seconds"]
    assert (row["drill"]["files"], row["drill"]["bytes"]) == (5, drill["detail"]["bytes"])
    assert '<th scope="col" class="right">RTO</th>' in (site.state / "reports/latest.html").read_text()
    assert [entry["status"] for entry in drill["detail"]["assertions"]] == ["ok"]
    assert list((site.folder / "vault-state" / "backup" / "drill").iterdir()) == []
    step = site.records(kind="step")[-1]
    assert step["detail"]["delegated_to"] == "vault1"

    site.hosts["vault1"] = {**DEAD, "egov_ops_managed": False}
    done = site.play("egov.ops.restore_drill", *limited)
    assert done.rc == 2, done.output
    assert "vault1 cannot be reached" in site.records(kind="step")[-1]["detail"]["message"]
    assert done.recap("web1")["unreachable"] == 0

    site.hosts["web1"]["egov_ops_drill_host"] = "nowhere"
    done = site.play("egov.ops.restore_drill", *limited)
    assert done.rc == 2, done.output
    assert "There is no host nowhere in this inventory" in site.records(kind="step")[-1]["detail"]["message"]
