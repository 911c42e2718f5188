# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole day on a real host: health, backup, proof, ledger and report, judged from outside."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.support.sites import DEAD, Done, Site, interpreter

STEPS = {"health_probe", "backup_run", "backup_prove", "package_scan", "hardening_audit"}
UPDATES = {"step", "package_list", "held", "restarts", "reboot"}


@pytest.fixture
def one(site: Site) -> Site:
    """The site with one host."""
    site.hosts = {"web1": site.hosts["web1"]}
    return site


def restic(site: Site, *arguments: str) -> str:
    """Run restic on the site's repository as a person would, with the password file."""
    command = ["restic", "--no-cache", "-r", str(site.folder / "repository"), "--password-file"]
    done = subprocess.run(
        [*command, str(site.state / "passwords" / "local"), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def snapshots(site: Site) -> list[dict]:
    """Return the repository's snapshots, asked of restic itself."""
    return json.loads(restic(site, "snapshots", "--json"))


@pytest.fixture(scope="module")
def first_day(site_in, tmp_path_factory) -> tuple[Site, Done]:
    """The site with one host after its first day, and what that printed."""
    site = site_in(tmp_path_factory.mktemp("first_day"))
    site.hosts = {"web1": site.hosts["web1"]}
    return site, site.play("egov.ops.daily", "-vvv")


def test_a_day_leaves_backup_proof_evidence_and_report(first_day):
    one, done = first_day
    assert done.rc == 0, done.output
    assert one.verified()
    assert {module for _, module in one.steps()} == STEPS
    assert one.steps()[("web1", "package_scan")] == ("ok", "")
    assert {entry["kind"] for entry in one.records(domain="updates")} == UPDATES
    (proof,) = one.records(kind="proof")
    assert proof["status"] == "ok"
    assert proof["detail"]["files"] == 5
    (snapshot,) = snapshots(one)
    target = one.folder / "restored"
    restic(one, "restore", snapshot["id"], "--target", str(target))
    data = one.folder / "data"
    for path in data.iterdir():
        assert (target / str(data).lstrip("/") / path.name).read_bytes() == path.read_bytes()
    assert "INCOMPLETE" not in done.output
    assert (one.state / "reports" / "latest.html").read_text().startswith("<!")
    layers = {entry["detail"]["layer"] for entry in one.records(domain="health") if entry["kind"] != "step"}
    assert layers == {"infrastructure", "platform", "application"}


def test_secrets_stand_in_no_record_output_or_argument(first_day):
    one, done = first_day
    secret = (one.state / "passwords" / "local").read_text().strip()
    assert len(secret) > 30
    assert secret not in done.output
    for path in [*one.state.rglob("*"), *(one.folder / "host").rglob("*"), *(one.folder / "home").rglob("*")]:
        if path.is_file() and path.parent.name != "passwords":
            assert secret.encode() not in path.read_bytes(), path
    mode = stat.S_IMODE((one.state / "passwords" / "local").stat().st_mode)
    assert mode == 0o600


@pytest.mark.slow
@pytest.mark.parametrize(
    ("procedure", "lacking", "more"),
    [
        ("monthly", {"version_scan", "firewall_audit"}, {"backup_check", "backup_prune"}),
        ("quarterly", {"version_scan", "performance_assess"}, {"backup_check", "restore_drill"}),
    ],
)
def test_a_longer_procedure_does_what_stands_and_says_that_it_is_incomplete(one, procedure, lacking, more):
    one.has_repository()
    done = one.play(f"egov.ops.{procedure}")
    assert done.rc == 0, done.output
    lines = [line.strip() for line in done.output.splitlines()]
    (first,) = [number for number, line in enumerate(lines) if line.startswith("INCOMPLETE. ")]
    assert lines[first - 1].startswith("TASK [Seal the run]"), "it is the first line of the summary"
    (unbuilt,) = [line for line in lines if line.startswith("Not built yet, so their clauses stay due: ")]
    assert unbuilt.endswith(".")
    steps = {module: outcome for (_host, module), outcome in one.steps().items()}
    assert {module for module, outcome in steps.items() if outcome == ("skipped", "not_built")} == lacking
    assert steps.keys() - lacking == STEPS | more
    assert all(steps[module] == ("ok", "") for module in steps.keys() - lacking), steps
    (check,) = one.records(kind="check")
    assert (check["status"], check["detail"]["read"]) == ("ok", 8)
    (escrow,) = one.records(kind="escrow")
    assert escrow["status"] == {"monthly": "skipped", "quarterly": "warning"}[procedure]


@pytest.mark.slow
def test_a_week_is_whole_and_reads_the_new_backups_again(one):
    one.has_repository()
    done = one.play("egov.ops.weekly")
    assert done.rc == 0, done.output
    assert "INCOMPLETE" not in done.output
    assert {module for _, module in one.steps()} == STEPS | {"backup_check", "backup_catalog"}
    (fresh,) = one.records(kind="freshness")
    assert fresh["status"] == "ok", "once, though two steps of the week know the sets"
    (device,) = one.records(kind="device")
    assert (device["host"], device["subject"]) == ("web1", "local")
    (copies,) = one.records(kind="copies")
    assert copies["status"] == "warning"
    assert "Give the set copies" in copies["detail"]["next"]
    assert copies["detail"]["places"][0]["proved"], "by the proof that the same run has made"
    (check,) = one.records(kind="check")
    assert (check["status"], check["detail"]["read"]) == ("ok", 2)
    assert check["detail"]["hashed"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("procedure", "domain", "trips"),
    [
        ("health_check", "health", 1),
        ("backup", "backup", 2),
        ("backup_status", "backup", 1),
        ("patch_scan", "updates", 1),
        ("harden_audit", "hardening", 1),
    ],
)
def test_a_procedure_of_one_domain_is_whole_in_one_trip_for_each_step(one, procedure, domain, trips):
    one.has_repository()
    done = one.play(f"egov.ops.{procedure}", "-vvv")
    assert done.rc == 0, done.output
    assert len(re.findall(r"^<127\.0\.0\.1> EXEC |^<web1> EXEC ", done.output, re.MULTILINE)) == trips
    steps = one.records(kind="step")
    assert [(step["domain"], step["status"]) for step in steps] == [(domain, "ok")] * trips
    assert one.report()["run"]["procedure"] == procedure
    assert "\nINCOMPLETE" not in done.output


@pytest.mark.slow
def test_a_second_day_makes_no_second_full(one):
    one.has_repository()
    one.play("egov.ops.daily")
    (one.folder / "data" / "new").write_text("changed")
    done = one.play("egov.ops.daily")
    assert done.rc == 0, done.output
    assert [snapshot["tags"][2] for snapshot in snapshots(one)] == ["kind=full"]


@pytest.mark.slow
def test_a_lost_password_of_a_known_repository_is_not_replaced(one):
    one.play("egov.ops.backup")
    (one.state / "passwords" / "local").unlink()
    done = one.play("egov.ops.backup")
    assert done.rc == 2, done.output
    assert "is gone" in done.output
    assert not (one.state / "passwords" / "local").exists()


@pytest.mark.slow
def test_a_lost_repository_is_not_made_anew(one):
    one.has_repository()
    one.play("egov.ops.backup")
    (one.folder / "repository").rename(one.folder / "elsewhere")
    done = one.play("egov.ops.backup")
    assert done.rc == 2, done.output
    assert "held snapshots" in done.output
    assert not (one.folder / "repository").exists()


def broken(folder: Path, name: str) -> Path:
    """Return a folder with a tool that fails with words of its own."""
    tools = folder / "tools"
    tools.mkdir()
    (tools / name).write_text("#!/bin/sh\necho 'Fatal: no such thing today' >&2\nexit 1\n")
    (tools / name).chmod(0o755)
    return tools


@pytest.mark.slow
def test_a_failed_tools_own_words_reach_the_user(one, tmp_path):
    one.hosts["web1"]["egov_ops_tool_path"] = [str(broken(tmp_path, "restic"))]
    done = one.play("egov.ops.backup")
    assert "no such thing today" in done.output
    assert "no such thing today" in one.records(kind="backup")[0]["detail"]["message"]


@pytest.mark.slow
def test_one_machine_under_two_names_has_two_rows_and_one_repository(site):
    site.has_repository()
    site.hosts.pop("db1")
    done = site.play("egov.ops.daily")
    assert done.rc == 0, done.output
    assert {snapshot["hostname"] for snapshot in snapshots(site)} == {"web1", "web2"}
    assert {entry["host"] for entry in site.records(kind="proof")} == {"web1", "web2"}


def test_tags_narrow_the_day_and_say_so(one):
    done = one.play("egov.ops.daily", "--tags", "health")
    assert done.rc == 0, done.output
    assert {module for _, module in one.steps()} == {"health_probe"}
    assert one.records(kind="begin")[0]["detail"]["tags"] == ["health"]


@pytest.mark.slow
def test_skipped_tags_narrow_the_day_and_say_so(one):
    done = one.play("egov.ops.daily", "--skip-tags", "backup")
    assert done.rc == 0, done.output
    assert "backup" not in one.records(kind="begin")[0]["detail"]["tags"]
    assert "Partial run" in done.output


def test_findings_fail_the_run_where_asked(one):
    one.variables["egov_ops_probes__90_test"] = {
        "never": {"kind": "tcp", "layer": "application", "address": "127.0.0.1:1"}
    }
    assert one.play("egov.ops.health_check").rc == 0
    assert one.play("egov.ops.health_check", "-e", "egov_ops_fail_on=critical").rc == 2


@pytest.mark.slow
@pytest.mark.programs("ssh")
def test_a_dead_host_has_each_of_its_steps(site):
    site.has_repository()
    site.hosts["web2"] = dict(DEAD)
    done = site.play("egov.ops.daily")
    assert done.rc == 2, done.output
    steps = {module: status for (host, module), status in site.steps().items() if host == "web2"}
    assert set(steps) == STEPS
    assert steps["health_probe"] == steps["backup_run"] == steps["backup_prove"] == ("unreachable", "")
    assert done.recap("web1")["failed"] == 0
    assert done.recap("web2")["failed"] == 1


@pytest.mark.slow
@pytest.mark.root
def test_an_ordinary_users_backup_names_what_it_may_not_read(one):
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder = Path(name)
        shutil.copytree(one.folder / "data", folder / "data")
        secret = folder / "data" / "secret"
        secret.write_text("for root alone")
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, 65534, 65534)
        os.chown(secret, 0, 0)
        secret.chmod(0o600)
        body = 'exec setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 "$@"'
        one.hosts["web1"]["ansible_python_interpreter"] = interpreter(one, "python", body)
        one.variables["egov_ops_host_state_dir"] = str(folder / "host")
        one.variables["egov_ops_backup_repositories"]["local"]["location"] = str(folder / "repository")
        one.variables["egov_ops_backup_sets"]["data"]["paths"] = [str(folder / "data")]
        done = one.play("egov.ops.daily")
        assert done.rc == 0, done.output
    (entry,) = one.records(kind="backup")
    assert (entry["status"], entry["reason"]) == ("warning", "unreadable_files")
    assert str(secret) in json.dumps(entry["detail"]["unreadable"])
    (proof,) = one.records(kind="proof")
    assert proof["status"] == "ok"
    assert "owner" in proof["detail"]["not_compared"]


@pytest.mark.slow
def test_a_host_that_fails_in_one_domain_keeps_its_other_and_hides_no_host(site, tmp_path):
    site.has_repository()
    site.hosts["web1"]["egov_ops_tool_path"] = [str(broken(tmp_path, "restic"))]
    site.hosts["web2"]["egov_ops_probes__90_host"] = {"odd": {"kind": "no_such_kind", "layer": "platform"}}
    done = site.play("egov.ops.daily")
    assert done.rc == 2, done.output
    steps = site.steps()
    assert steps[("web2", "health_probe")] == ("failed", "error")
    assert "no_such_kind" in done.output
    assert {host for (host, module), status in steps.items() if module == "health_probe" and status[0] == "ok"} == {
        "web1",
        "db1",
    }
    backups = {entry["host"]: entry["status"] for entry in site.records(kind="backup")}
    assert backups == {"web1": "failed", "web2": "ok", "db1": "ok"}
    assert [done.recap(host)["failed"] for host in ("web1", "web2", "db1")] == [1, 1, 0]
