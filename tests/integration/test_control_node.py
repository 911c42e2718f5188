# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control node is a set: lost, it is rebuilt from the backup server and one sealed envelope, as the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import environment
import pytest

from tests.support.sites import Site

pytestmark = [pytest.mark.programs("restic", "sh"), pytest.mark.slow]


def rebuilt(site: Site, location: str, password: str) -> None:
    """Run the commands of docs/backup.md on what is left, with what stands in the envelope."""
    page = (environment.ROOT / "docs/backup.md").read_text(encoding="utf-8")
    section = page.partition("## The control node")[2].partition("\n## ")[0]
    (commands,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    envelope = site.folder / "envelope.password"
    envelope.write_text(password)
    for written, here in (
        ("sftp:backup@vault.example:/srv/control1", location),
        ("/root/envelope.password", str(envelope)),
    ):
        assert written in commands
        commands = commands.replace(written, here)
    place = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(site.folder / "cache")}
    done = subprocess.run(["sh", "-eu"], input=commands, env=place, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_lost_control_node_is_rebuilt_from_the_backup_server_and_the_envelope(site: Site) -> None:
    control = site.folder / "etc"
    control.mkdir()
    (control / "plan.yml").write_text("---\n# what the site's plan says\n")
    vault = str(site.folder / "vault")
    site.hosts = {"web1": site.hosts["web1"], "control1": site.hosts["db1"]}
    site.variables["egov_ops_backup_repositories"]["vault"] = {"location": vault, "create": True}
    site.hosts["control1"]["egov_ops_backup_sets__90_control"] = {
        "data": {"state": "absent"},
        "control": {
            "class": "config",
            "paths": [str(site.state), str(control)],
            "exclude": [str(site.state / "spool"), str(site.state / "locks")],
            "repository": "vault",
        },
    }
    site.has_repository()
    assert site.play("egov.ops.backup").rc == 0
    first = {record["id"] for record in site.records()}
    assert site.play("egov.ops.backup").rc == 0  # the first one's records are in it
    state = site.play("egov.ops.backup_status", "-e", "egov_ops_hosts=control1")
    assert "Without us, set control of control1:" in state.output
    assert f"  export RESTIC_REPOSITORY={vault}" in state.output.splitlines()
    envelope = (vault, (site.state / "passwords" / "vault").read_text())

    shutil.rmtree(site.state)
    shutil.rmtree(control)
    (site.folder / "hosts.yml").unlink()
    rebuilt(site, *envelope)

    assert (control / "plan.yml").read_text() == "---\n# what the site's plan says\n"
    assert {record["id"] for record in site.records()} >= first
    assert (site.state / "passwords" / "vault").stat().st_mode & 0o077 == 0
    done = site.play("egov.ops.ledger_verify")
    assert done.rc == 0, done.output
    done = site.play("egov.ops.backup_list", "-e", "egov_ops_hosts=web1")
    assert done.rc == 0, done.output
    assert "full" in done.output
    done = site.play("egov.ops.backup")
    assert done.rc == 2, done.output  # the records of the run that made the backup are lost, which is said once
    assert "is gone and was never drained" in " ".join(done.output.split())
    assert site.play("egov.ops.backup").rc == 0
    assert {record["status"] for record in site.records(kind="proof")} == {"ok"}
    assert site.verified()
