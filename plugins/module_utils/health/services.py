# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services: units of systemd, logins, files that a service has to renew, plugins of other monitors."""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.health.probe import Absent, Unusable
from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import number
from ansible_collections.egov.ops.plugins.module_utils.host.members import members_of
from ansible_collections.egov.ops.plugins.module_utils.host.public import program_of, secrets_of_command
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation


def _systemctl(probe, *words):
    # type: (Probe, str) -> str
    if not os.path.isdir(probe.path("/run/systemd/system")):
        raise Absent("systemd does not run on this host.")
    done = probe.run(["systemctl"] + list(words))
    if done.rc != 0:
        raise RuntimeError("systemctl failed: %s" % done.error)
    return done.out


def failed_units(probe):
    # type: (Probe) -> list[Observation]
    """Units of systemd that have failed."""
    listed = _systemctl(probe, "list-units", "--state=failed", "--no-legend", "--plain", "--no-pager", "--full")
    units = [line.split()[0] for line in listed.splitlines() if line.strip()]
    message = "%d units have failed" % len(units) + (": " + ", ".join(units[:5]) if units else "")
    act = "Read why: systemctl status %s." % " ".join(units[:5])
    return [probe.measured(len(units), "units", message, act, units=units[:100], **members_of(units))]


def service(probe, unit):
    # type: (Probe, str) -> list[Observation]
    """Whether a unit of systemd is active."""
    shown = _systemctl(probe, "show", "--property=LoadState,ActiveState,SubState,NRestarts", "--", unit)
    state = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    words = "%s (%s)" % (state.get("ActiveState"), state.get("SubState"))
    restarts = int(state.get("NRestarts") or 0)
    if state.get("LoadState") == "not-found":
        return [probe.failed("%s is not installed." % unit, "Install it, or take the probe out of the plan.")]
    if state.get("ActiveState") in ("active", "reloading"):
        return [probe.passed("%s is %s." % (unit, words), restarts=restarts)]
    return [probe.failed("%s is %s." % (unit, words), "Read why: journalctl -u %s -n 50." % unit, restarts=restarts)]


def login(probe):
    # type: (Probe) -> list[Observation]
    """Whether users can log in: no lock file, and a readable account file with root in it."""
    for path in ("/run/nologin", "/etc/nologin"):
        if os.path.exists(probe.path(path)):
            return [probe.failed("%s keeps users from logging in." % path, "Remove it once the maintenance is over.")]
    try:
        accounts = probe.read("/etc/passwd").splitlines()
    except Absent:
        accounts = []
    if not any(line.split(":")[2:3] == ["0"] for line in accounts):
        return [probe.failed("/etc/passwd has no account of root.", "Restore it from /etc/passwd- or the backup.")]
    return [probe.passed("Users can log in.", accounts=len(accounts))]


def file_age(probe, path):
    # type: (Probe, str) -> list[Observation]
    """Hours since a file, or the newest that a pattern matches, was last written."""
    from glob import glob

    found = glob(probe.path(path))
    if not found:
        return [probe.failed("No file matches %s." % path, "Start the job that writes it, or correct the path.")]
    newest = max(found, key=os.path.getmtime)
    hours = (time.time() - os.path.getmtime(newest)) / 3600
    message = "%s was written %s hours ago" % (newest, number(hours))
    return [probe.measured(hours, "hours", message, "Find out why the job that writes it has stopped.")]


def nagios_plugin(probe, command):
    # type: (Probe, list[str]) -> list[Observation]
    """Ask a plugin of the Nagios family: its exit code is the status, its first line the message.

    Its arguments may be secrets: they are not shown, and taken out of what it says.
    """
    if not isinstance(command, (list, tuple)) or not command:
        raise Unusable("its command has to be a list of words")
    name, scrubber = program_of(command), Scrubber(secrets_of_command(command))
    done = probe.run([str(word) for word in command])
    if done.missing:
        raise Absent("%s is not installed." % name)
    status = {0: "ok", 1: "warning", 2: "critical"}.get(-1 if done.rc is None else done.rc, "unknown")
    out, error = scrubber.text(done.scrub(done.out)), scrubber.text(done.error)
    message, _bar, performance = (out.strip().splitlines() or [error])[0].partition("|")
    act = "Run %s by hand on the host, as the plan has it in probe %s." % (name, probe.name)
    act = "" if status == "ok" else act
    reason = "error" if status == "unknown" else ""
    return [probe.finding(status, message.strip()[:500], act, reason=reason, performance=performance.strip()[:500])]
