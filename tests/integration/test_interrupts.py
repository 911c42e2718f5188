# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are stopped, cannot write, meet each other, or are no run at all: no evidence is lost or told twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter

import pytest

from tests.support.sites import DEAD, HOSTS, OK, PROBE, SLOW, interpreter, start_and_stay, statuses, wait_for

pytestmark = pytest.mark.slow


def stop(site, number: int) -> subprocess.Popen[str]:
    """Start a run whose first task is recorded and whose second never ends, and end it by a signal."""
    process = start_and_stay(site)
    assert site.spools()[0].read_bytes().count(b'"kind":"step"') == len(HOSTS)
    if number == signal.SIGKILL:
        os.killpg(process.pid, number)
    else:
        os.kill(process.pid, number)
    process.communicate(timeout=60)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_stopped_run_is_sealed_as_interrupted_by_the_next(site, number):
    process = stop(site, number)
    assert process.returncode != 0
    assert len(site.spools()) == 1
    done = site.play(site.procedure(name="other"))
    assert done.rc == 0, done.output
    assert "was interrupted" in done.output
    assert statuses(site) == dict.fromkeys(HOSTS, OK)
    seals = {entry["procedure"]: (entry["status"], entry["reason"]) for entry in site.records(kind="seal")}
    assert seals == {"frame": ("failed", "interrupted"), "other": ("ok", "")}
    first = site.records(kind="begin")[0]["run"]
    assert {status for (_, module), status in site.steps(first).items()} == {OK}


def test_what_a_killed_run_had_not_done_is_recorded_as_interrupted(site):
    process = site.start("ansible-playbook", site.procedure([SLOW, PROBE]))
    wait_for(lambda: site.spools() and b'"kind":"begin"' in site.spools()[0].read_bytes())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    site.play(site.procedure(name="other"))
    first = site.records(kind="begin")[0]["run"]
    assert site.steps(first) == {(host, "health_probe"): ("failed", "interrupted") for host in HOSTS}
    assert (site.state / "reports" / f"{first}.json").is_file()


def test_a_spool_that_cannot_be_written_fails_the_task(site):
    move = {
        "name": "Take the spool away",
        "ansible.builtin.shell": f"mv {site.state}/spool {site.state}/away && touch {site.state}/spool",
        "run_once": True,
        "changed_when": False,
    }
    done = site.play(site.procedure([move, PROBE]))
    assert done.rc == 2, done.output
    assert done.recap("web2")["failed"] == 1
    (site.state / "spool").unlink()
    (site.state / "away").rename(site.state / "spool")
    done = site.play(site.procedure(name="other"))
    first = site.records(kind="begin")[0]["run"]
    assert site.steps(first) == {(host, "health_probe"): ("failed", "interrupted") for host in HOSTS}


def test_a_state_folder_that_cannot_be_made_refuses_the_run(site):
    (site.folder / "state").write_text("a file is in the way")
    done = site.play(site.procedure())
    assert done.rc == 2, done.output
    assert "state folder" in done.output
    assert "egov_ops_state_dir" in done.output
    assert "TASK [Probe]" not in done.output


@pytest.mark.root
def test_a_full_disk_at_the_seal_keeps_the_evidence_and_names_the_spool(site):
    site.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(site.state)], check=True)
    try:
        fill = {
            "name": "Fill the disk",
            "ansible.builtin.shell": f"dd if=/dev/zero of={site.state}/filler bs=4k || true",
            "run_once": True,
            "changed_when": False,
        }
        done = site.play(site.procedure([PROBE, fill]))
        assert done.rc == 2, done.output
        assert "The run is not sealed" in done.output
        assert str(site.spools()[0]) in done.output.replace("\n", " ")
        assert len(site.spools()) == 1
        (site.state / "filler").unlink()
        done = site.play(site.procedure(name="other"))
        assert done.rc == 0, done.output
        assert statuses(site) == dict.fromkeys(HOSTS, OK)
        assert {entry["procedure"] for entry in site.records(kind="step")} == {"frame", "other"}
    finally:
        subprocess.run(["umount", str(site.state)], check=True)


@pytest.mark.root
def test_no_space_for_the_report_keeps_the_evidence_and_fails_the_run(site):
    (site.state / "reports").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,mode=700", "tmpfs", str(site.state / "reports")], check=True)
    try:
        done = site.play(site.procedure())
        assert done.rc == 2, done.output
        assert "egov.ops.report" in done.output
        assert site.spools() == []
        assert set(site.steps().values()) == {OK}
        assert site.verified()
    finally:
        subprocess.run(["umount", str(site.state / "reports")], check=True)


@pytest.mark.root
def test_a_full_temporary_folder_on_the_host_stops_nothing(site):
    full = site.folder / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,mode=700", "tmpfs", str(full)], check=True)
    try:
        subprocess.run(f"dd if=/dev/zero of={full}/filler bs=4k 2>/dev/null", shell=True, check=False)
        site.hosts["web1"]["ansible_remote_tmp"] = str(full / "ansible")
        site.hosts["web1"]["ansible_python_interpreter"] = interpreter(
            site, "python", f'TMPDIR={full} exec /usr/bin/python3 "$@"'
        )
        done = site.play(site.procedure())
        assert done.rc == 0, done.output
        assert statuses(site) == dict.fromkeys(HOSTS, OK)
    finally:
        subprocess.run(["umount", str(full)], check=True)


def test_twenty_runs_at_once_lose_and_double_nothing(site):
    site.hosts = {"web1": site.hosts["web1"]}
    processes = [site.start("ansible-playbook", site.procedure(name=f"p{number}")) for number in range(20)]
    outputs = [process.communicate(timeout=200)[0] for process in processes]
    assert "".join(text for text, process in zip(outputs, processes, strict=True) if process.returncode) == ""
    assert site.verified()
    assert site.spools() == []
    assert Counter(entry["procedure"] for entry in site.records(kind="step")) == {f"p{n}": 1 for n in range(20)}
    assert len({entry["run"] for entry in site.records()}) == 20


def test_the_second_of_two_runs_of_one_procedure_is_busy_and_stays_due(site):
    site.hosts = {"web1": site.hosts["web1"]}
    first = start_and_stay(site)
    done = site.play(site.procedure(options={"wait": 1}))
    os.kill(first.pid, signal.SIGINT)
    first.communicate(timeout=60)
    assert done.rc == 2, done.output
    assert "still running" in done.output or "in the way" in done.output
    assert site.steps() == {("web1", "health_probe"): ("skipped", "busy")}


def test_a_module_used_alone_leaves_records_that_the_next_run_drains(site):
    done = site.run("ansible", "web1", "-m", "egov.ops.health_probe")
    assert done.rc == 0, done.output
    assert len(site.spools()) == 1
    site.play(site.procedure())
    alone = [entry for entry in site.records(host="web1") if entry["procedure"] == "standalone"]
    assert alone
    steps = [(entry["subject"], entry["reason"]) for entry in alone if entry["kind"] == "step"]
    assert steps == [("health_probe", "standalone")]
    assert [entry["procedure"] for entry in site.records(kind="seal")] == ["frame"]
    assert site.verified()


@pytest.mark.programs("ssh")
def test_a_module_used_alone_on_a_dead_host_fails(site):
    site.hosts["web1"] = dict(DEAD)
    done = site.run("ansible", "web1", "-m", "egov.ops.health_probe")
    assert done.rc != 0
    assert "UNREACHABLE" in done.output


def test_check_mode_writes_nothing_anywhere(site):
    done = site.play("egov.ops.daily", "--check", "--diff")
    assert done.rc == 0, done.output
    assert sorted(path.name for path in site.folder.iterdir()) == ["data", "home", "hosts.yml"]
    assert list((site.folder / "home/.ansible/tmp").iterdir()) == []


def test_seal_and_verdict_without_a_begin_fail(site):
    for module in ("run_seal", "run_verdict"):
        done = site.run("ansible", "web1", "-m", f"egov.ops.{module}")
        assert done.rc != 0, done.output
        assert "egov.ops.run_begin" in done.output


def test_a_play_variable_cannot_change_the_plan(site):
    play = {"vars": {"egov_ops_state_dir": "/nonexistent/elsewhere"}}
    done = site.play(site.procedure(**play))
    assert done.rc == 0, done.output
    assert (site.state / "ledger.sqlite3").exists()
