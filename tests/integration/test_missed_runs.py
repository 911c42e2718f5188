# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was not run in its time: named by every run as late, in one line, until a whole run catches it up."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import yaml
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import CONTROLLER, iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.sites import Done, Site

pytestmark = pytest.mark.slow


def done_before(site: Site, procedure: str, days: int) -> None:
    """Let the ledger hold a whole run of a procedure that ended some days ago."""
    then = iso(datetime.now(timezone.utc) - timedelta(days=days))
    frame = [
        observation("begin", procedure, "ok", hosts=["web1"], limit="", tags=[]),
        observation("seal", procedure, "ok", hosts=1, bad=0),
    ]
    about = {"run": f"{procedure}-{days}", "procedure": procedure, "host": CONTROLLER, "domain": "run"}
    state = StateDir(site.state)
    state.prepare()
    with Ledger(state.ledger) as ledger:
        ledger.append([record(observation=entry, started=then, finished=then, **about) for entry in frame])


def short(site: Site, procedure: str) -> str:
    """Let a procedure of the catalogue be one health check, as a site may, and return its playbook."""
    step = {"module": "health_probe", "domain": "health", "clauses": []}
    site.variables.setdefault("egov_ops_procedures__10_site", {})[procedure] = {"steps": [step]}
    play = site.framed(name=procedure)
    play["tasks"][0]["egov.ops.run_begin"] = {"procedure": procedure}
    path = site.folder / f"{procedure}.yml"
    path.write_text(yaml.safe_dump([play], sort_keys=False))
    return str(path)


def late(site: Site, done: Done) -> dict[str, str]:
    """Return what a run's output and report call late, each with its line."""
    assert done.rc == 0, done.output
    lines = [line.strip() for line in done.output.splitlines() if " late, last done on " in line]
    named = {line.split()[0]: line for line in lines}
    assert len(named) == len(lines)
    assert list(named) == [entry["procedure"] for entry in site.report()["late"]]
    return named


def test_what_was_missed_is_named_once_in_each_run_until_a_whole_run_catches_it_up(site: Site) -> None:
    site.hosts.pop("db1")
    for procedure in ("daily", "weekly"):
        done_before(site, procedure, 15)
    daily, weekly = short(site, "daily"), short(site, "weekly")
    named = late(site, site.play(site.procedure()))
    assert list(named) == ["daily", "weekly"]
    assert named["weekly"].endswith("; run: ansible-playbook egov.ops.weekly -i hosts.yml")
    assert list(late(site, site.play(daily))) == ["weekly"]
    # a run of some hosts alone satisfies nothing outside them
    assert list(late(site, site.play(weekly, "--limit", "web1"))) == ["weekly"]
    assert late(site, site.play(weekly)) == {}
    assert site.verified()
