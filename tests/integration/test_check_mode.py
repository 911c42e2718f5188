# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run in check mode says what a run would say, ends as it would end, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.sites import DEAD, PROBE, SLOW, Site

MARK = "CHECK MODE: nothing was changed and nothing is recorded."


def files(site: Site) -> list[str]:
    """Return each file below the site's folder with its size and times, by find; Ansible's own home is left out."""
    command = ["find", str(site.folder), "-path", f"{site.folder}/home", "-prune", "-o", "-type", "f"]
    done = subprocess.run([*command, "-printf", "%P %s %T@ %C@\n"], capture_output=True, text=True, check=True)
    return sorted(line for line in done.stdout.splitlines() if not line.startswith("hosts.yml"))


def temporary(site: Site) -> list[Path]:
    """Return what is left in the folder of Ansible's temporary files."""
    return sorted((site.folder / "home/.ansible/tmp").glob("*"))


def test_a_check_is_a_summary_with_the_rules_of_a_run_and_changes_no_file(site: Site) -> None:
    site.has_repository()
    first = site.play("egov.ops.backup", "--check")
    assert first.rc == 0, first.output
    assert MARK in first.output
    assert "0 of 3 sets proved by a restore; a check makes no backup and restores none" in first.output
    assert "Evidence:" not in first.output
    assert not (site.state / "ledger.sqlite3").exists()
    assert site.play("egov.ops.backup").rc == 0
    before = files(site)

    site.hosts["web2"] = dict(DEAD)
    site.variables["egov_ops_report_language"] = "zh"
    dead = site.play("egov.ops.backup", "--check")
    assert dead.rc == 2, dead.output
    assert "检查模式：未作任何修改，也未留下记录。" in dead.output
    assert [dead.recap(host)["failed"] for host in ("web1", "web2", "db1")] == [0, 1, 0]
    assert "web2 cannot be reached" in dead.output

    del site.variables["egov_ops_report_language"]
    local = site.hosts["web1"]
    site.hosts["web2"] = {**local, "egov_ops_backup_repositories": {"local": {"location": "/dev/null/repository"}}}
    broken = site.play("egov.ops.backup", "--check")
    assert broken.rc == 2, broken.output
    assert "/dev/null/repository" in broken.output
    assert [broken.recap(host)["failed"] for host in ("web1", "web2", "db1")] == [0, 1, 0]

    assert files(site) == before
    assert temporary(site) == []


def test_findings_end_a_check_as_they_end_a_run_and_are_compared_with_the_last_one(site: Site) -> None:
    probes = {"memory": {"kind": "memory", "layer": "infrastructure", "critical": "0"}}
    task = {**PROBE, "egov.ops.health_probe": {"probes": probes, "timeout": 20}}
    procedure = site.procedure([task])
    assert site.play(procedure).rc == 0
    for fail_on, code in (("none", 0), ("critical", 2)):
        done = site.play(procedure, "--check", "-e", f"egov_ops_fail_on={fail_on}")
        assert done.rc == code, done.output
        assert "Action needed: " in done.output, done.output
        assert "First run" not in done.output
    run = site.play(procedure, "-e", "egov_ops_fail_on=critical")
    assert run.rc == 2, run.output
    assert len({entry["run"] for entry in site.records(kind="seal")}) == 2


def test_hosts_in_turns_are_judged_each_in_its_turn(site: Site) -> None:
    site.hosts["db1"] = dict(DEAD)
    done = site.play(site.procedure(serial=1), "--check")
    assert done.rc == 2, done.output
    assert done.output.count(MARK) == 3
    assert [done.recap(host)["failed"] for host in ("web1", "web2", "db1")] == [0, 0, 1]
    assert not site.state.exists()


def test_a_ledger_that_was_cut_ends_a_check_with_2(site: Site) -> None:
    procedure = site.procedure()
    assert site.play(procedure).rc == 0
    (site.state / "ledger.sqlite3").unlink()
    done = site.play(procedure, "--check")
    assert done.rc == 2, done.output
    assert f"put the right {site.state}/ledger.sqlite3 back" in done.output
    assert MARK in done.output
    assert not (site.state / "ledger.sqlite3").exists()


def test_a_check_that_is_killed_leaves_nothing_to_the_next_run(site: Site) -> None:
    slow = {**SLOW, "check_mode": False}
    check = site.start("ansible-playbook", site.procedure([PROBE, slow], name="stays"), "--check")
    stays = site.folder / "web1.stays"
    for _ in range(600):
        if stays.exists() or check.poll() is not None:
            break
        time.sleep(0.1)
    os.killpg(check.pid, signal.SIGKILL)
    check.communicate()
    assert stays.exists()
    assert not site.state.exists()
    again = site.play(site.procedure(), "--check")
    assert again.rc == 0, again.output
    done = site.play(site.procedure())
    assert done.rc == 0, done.output
    assert len({entry["run"] for entry in site.records()}) == 1


def test_a_check_without_a_begin_is_refused_as_a_run_is(site: Site) -> None:
    for module in ("run_seal", "run_verdict"):
        done = site.run("ansible", "web1", "-m", f"egov.ops.{module}", "--check")
        assert done.rc != 0, done.output
        assert "egov.ops.run_begin" in done.output


@pytest.mark.parametrize("core", [pytest.param(core, marks=pytest.mark.slow) for core in ("2.16", "2.21")])
def test_each_core_checks_alike(site: Site, ansible_core: object, core: str) -> None:
    site.bin = ansible_core(core)  # type: ignore[operator]
    site.hosts["web2"] = dict(DEAD)
    done = site.play(site.procedure(), "--check")
    assert done.rc == 2, done.output
    assert MARK in done.output
    assert [done.recap(host)["failed"] for host in ("web1", "web2", "db1")] == [0, 1, 0]
    assert not site.state.exists()
    assert temporary(site) == []
