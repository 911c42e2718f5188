# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore on a real systemd host: its job is a unit, its service stands still for the exchange alone."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace

import pytest

from tests.support.gate_requests import approve, ask
from tests.support.signers import make_key, people, signers
from tests.support.sites import Site, wait_for

from .lab import Lab

SERVICE = """
[Service]
ExecStartPre=/usr/bin/test -e /srv/lab-pages/index.html
ExecStart=/bin/sleep infinity
"""

SLOW = """#!/bin/sh
case "$*" in *"restore --target"*) sleep 5;; esac
exec /usr/bin/restic "$@"
"""


@pytest.fixture
def pages(site: Site, lab: Lab) -> Site:
    """A site whose host serves pages, has a proved backup of them, and has lost one since."""
    site.hosts = {"web1": {"ansible_host": "n1"}}
    lab.shell("n1", "rm -rf /srv/lab-pages /srv/.egov-ops-*; mkdir /srv/lab-pages; chown ops:ops /srv/lab-pages")
    lab.write("n1", "/srv/lab-pages/index.html", "whole")
    lab.write("n1", "/srv/lab-pages/other.html", "whole", mode="640")
    lab.write("n1", "/run/systemd/system/lab-pages.service", SERVICE)
    lab.shell("n1", "systemctl daemon-reload; systemctl restart lab-pages")
    for name in ("li", "wang"):
        make_key(site.folder, name)
    site.variables |= {
        "egov_ops_people": people(),
        "egov_ops_signers": signers(site.folder, "li", "wang"),
        "egov_ops_backup_sets": {
            "config": {"state": "absent"},
            "data": {
                "class": "other",
                "paths": ["/srv/lab-pages"],
                "full": "weekly",
                "repository": "own",
                "stop": ["lab-pages.service"],
            },
        },
    }
    done = site.play("egov.ops.backup")
    assert done.rc == 0, done.output
    lab.shell("n1", "echo spoilt >/srv/lab-pages/index.html; rm /srv/lab-pages/other.html")
    return site


def approved(site: Site, name: str) -> str:
    digest: str = ask(site, name, "in_place")
    done = approve(site, digest)
    assert done.rc == 0, done.output
    return digest


def whole(lab: Lab) -> bool:
    """Tell whether the pages are as they were backed up, and their service runs."""
    seen = lab.shell("n1", "stat -c '%a %U' /srv/lab-pages/other.html /srv/lab-pages; cat /srv/lab-pages/*")
    return seen.split() == ["640", "root", "755", "ops", "wholewhole"] and runs(lab)


def runs(lab: Lab) -> bool:
    return lab.shell("n1", "systemctl is-active lab-pages || true").strip() == "active"


def unit(digest: str) -> str:
    return f"egov-ops-{digest[:16]}.service"


def test_a_service_stands_still_for_the_exchange_alone(pages: Site, lab: Lab) -> None:
    digest = approved(pages, "index")
    done = pages.play("egov.ops.restore", "-e", f"egov_ops_request={digest}")
    assert done.rc == 0, done.output
    assert whole(lab)
    (record,) = pages.records(kind="restore")
    assert 0 < record["detail"]["down_seconds"] < record["detail"]["seconds"]
    done = pages.play("egov.ops.restore_undo", "-e", f"egov_ops_request={digest}")
    assert done.rc == 0, done.output
    assert lab.shell("n1", "cat /srv/lab-pages/*").strip() == "spoilt"
    assert runs(lab)
    assert lab.shell("n1", "ls -d /srv/.egov-ops-* 2>/dev/null || true") == ""


def test_the_job_is_a_unit_that_outlives_the_controller(pages: Site, lab: Lab) -> None:
    lab.write("n1", "/opt/lab/restic", SLOW, mode="755")
    pages.variables["egov_ops_tool_path"] = ["/opt/lab"]
    digest = approved(pages, "unit")
    process = pages.start("ansible-playbook", "egov.ops.restore", "-e", f"egov_ops_request={digest}")
    wait_for(lambda: lab.shell("n1", f"systemctl is-active {unit(digest)} || true").strip() == "active", 60)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert lab.shell("n1", f"systemctl is-active {unit(digest)}").strip() == "active"
    done = pages.play("egov.ops.restore", "-e", f"egov_ops_request={digest}")
    assert done.rc == 0, done.output
    assert whole(lab)
    (record,) = pages.records(kind="restore")
    assert record["detail"]["attempts"] == 1
    assert lab.shell("n1", f"systemctl is-active {unit(digest)} || true").strip() == "inactive"


def test_two_control_nodes_that_begin_at_once_see_one_restore_and_its_end(pages: Site, lab: Lab) -> None:
    lab.write("n1", "/opt/lab/restic", SLOW, mode="755")
    pages.variables["egov_ops_tool_path"] = ["/opt/lab"]
    digest = approved(pages, "twice")
    folder = pages.folder / "other"
    other = replace(pages, folder=folder, variables=pages.variables | {"egov_ops_state_dir": str(folder / "state")})
    shutil.copytree(pages.state, other.state)
    nodes = (pages, other)
    begun = [node.start("ansible-playbook", "egov.ops.restore", "-e", f"egov_ops_request={digest}") for node in nodes]
    outputs = [process.communicate(timeout=120)[0] for process in begun]
    assert [process.returncode for process in begun] == [0, 0], outputs
    assert whole(lab)
    for node in nodes:
        (record,) = node.records(kind="restore")
        assert record["detail"]["attempts"] == 1


def test_a_killed_unit_is_continued_by_the_next_run(pages: Site, lab: Lab) -> None:
    lab.write("n1", "/opt/lab/restic", SLOW, mode="755")
    pages.variables["egov_ops_tool_path"] = ["/opt/lab"]
    digest = approved(pages, "killed")
    process = pages.start("ansible-playbook", "egov.ops.restore", "-e", f"egov_ops_request={digest}")
    wait_for(lambda: lab.shell("n1", f"systemctl is-active {unit(digest)} || true").strip() == "active", 60)
    lab.shell("n1", f"systemctl kill --signal=KILL {unit(digest)}")
    output, _nothing = process.communicate(timeout=120)
    assert process.returncode == 2, output
    assert lab.shell("n1", "cat /srv/lab-pages/*").strip() == "spoilt"
    done = pages.play("egov.ops.restore", "-e", f"egov_ops_request={digest}")
    assert done.rc == 0, done.output
    assert whole(lab)
