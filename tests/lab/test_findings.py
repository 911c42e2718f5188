# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ails a real host is found, and only while it does: one check of a sick host, one of the host cured."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record

from tests.support.sites import Site

from .faults import fault
from .lab import Lab

FLAPPING = """
[Service]
ExecStart=/bin/sh -c 'sleep 0.3; exit 1'
Restart=always
RestartSec=1h
[Unit]
StartLimitIntervalSec=0
"""

PROBES = {
    "cron": {"kind": "service", "layer": "platform", "unit": "cron.service"},
    "flapping": {"kind": "service", "layer": "platform", "unit": "lab-flapping.service"},
    "peer": {"kind": "tcp", "layer": "application", "address": "n2:22", "critical": "3"},
    "name": {"kind": "dns", "layer": "platform", "name": "n2"},
}


def found(site: Site) -> dict[tuple[str, str], Record]:
    """Run a health check of n1 and return what it recorded, by kind and subject."""
    done = site.play("egov.ops.health_check", "-l", "n1", timeout=180)
    assert done.rc == 0, done.output
    run = site.records(kind="seal")[-1]["run"]
    return {(record["kind"], record["subject"]): record for record in site.records(run=run, host="n1", domain="health")}


@contextlib.contextmanager
def sick(lab: Lab) -> Iterator[None]:
    """Let all of it ail n1 at once: units that failed and flap, disks that are full and hang, a service and a name."""
    lab.write("n1", "/run/systemd/system/lab-flapping.service", FLAPPING)
    lab.shell("n1", "systemctl daemon-reload; systemctl start lab-flapping")
    lab.shell("n1", "systemd-run --quiet --unit=lab-failed --wait /bin/false || true")
    try:
        with (
            fault(lab, "fill_disk", "n1"),
            fault(lab, "hang_mount", "n1"),
            fault(lab, "stop_service", "n1", "cron.service"),
            fault(lab, "kill_dns", "n1"),
        ):
            yield
    finally:
        lab.shell("n1", "systemctl stop lab-flapping; rm /run/systemd/system/lab-flapping.service")
        lab.shell("n1", "systemctl daemon-reload; systemctl reset-failed")


#: What is recorded of the sick host and of the cured one.
EXPECTED = {
    ("failed_units", "units"): ("warning", "ok"),
    ("service", "lab-flapping.service"): ("critical", "critical"),  # it is gone afterwards
    ("service", "cron.service"): ("critical", "ok"),
    ("filesystem_space", "/srv/data"): ("critical", None),
    ("mounts_alive", "/mnt/share"): ("critical", None),
    ("tcp", "n2:22"): ("critical", "ok"),
    ("dns", "name"): ("critical", "ok"),
    ("clock_skew", "clock"): ("ok", "ok"),
    ("kernel_errors", "kernel_errors"): ("skipped", "skipped"),  # it is the machine's, which root of a host cannot read
}


def test_what_ails_a_host_is_found_while_it_does(lab: Lab, site: Site) -> None:
    site.variables["egov_ops_probes__50_test"] = PROBES
    with sick(lab):
        seen = found(site)
    cured = found(site)
    statuses = {key: tuple(run[key]["status"] if key in run else None for run in (seen, cured)) for key in EXPECTED}
    assert statuses == EXPECTED
    assert seen["failed_units", "units"]["detail"]["units"] == ["lab-failed.service"]
    assert "activating (auto-restart)" in seen["service", "lab-flapping.service"]["detail"]["message"]
    assert ("step", "health_probe") in seen, "a mount that hangs does not hang the check"


def test_a_clock_that_is_wrong_is_found(lab: Lab, site: Site) -> None:
    with fault(lab, "skew_time", "n1", "+2h"):
        seen = found(site)["clock_skew", "clock"]
    assert seen["status"] == "critical"
    assert abs(seen["detail"]["value"] - 7200) < 60


def test_the_real_ssh_server_is_asked_for_each_kind_of_connection(lab: Lab, site: Site) -> None:
    place = "/etc/ssh/sshd_config.d/lab.conf"
    lab.write("n1", place, "PermitRootLogin no\nMatch User backup\n  PermitRootLogin yes\n")
    try:
        done = site.play("egov.ops.harden_audit", "-l", "n1", timeout=180)
    finally:
        lab.shell("n1", f"rm {place}")
    assert done.rc == 0, done.output
    (judged,) = [record for record in site.records(host="n1", domain="hardening") if record["subject"] == "AC-001"]
    assert judged["status"] == "warning"
    assert judged["detail"]["found"] == {"PermitRootLogin in Match User backup": "yes"}
