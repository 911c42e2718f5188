# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever happens in a play, each host that was begun has its record, the chain holds, and the exit code tells."""

from __future__ import annotations

import json
import os
from copy import deepcopy

import pytest
import yaml

from tests.support.sites import DEAD, HOSTS, OK, PROBE, PROBES, interpreter, statuses


def probe(**keywords):
    return {**deepcopy(PROBE), **keywords}


def test_a_good_run_is_green(either):
    done = either.play(either.procedure())
    assert done.rc == 0, done.output
    assert statuses(either) == dict.fromkeys(HOSTS, OK)


@pytest.mark.programs("ssh")
def test_all_hosts_unreachable(either):
    either.hosts = {name: dict(DEAD) for name in HOSTS}
    done = either.play(either.procedure())
    assert done.rc == 2, done.output
    assert statuses(either) == dict.fromkeys(HOSTS, ("unreachable", ""))
    assert all(done.recap(host)["failed"] == 1 for host in HOSTS)


@pytest.mark.programs("ssh")
def test_the_first_host_unreachable_hides_no_other(either):
    either.hosts["web1"] = dict(DEAD)
    either.hosts = {name: either.hosts[name] for name in HOSTS}
    done = either.play(either.procedure())
    assert done.rc == 2, done.output
    assert statuses(either) == {"web1": ("unreachable", ""), "web2": OK, "db1": OK}
    assert done.recap("web1")["failed"] == 1
    assert done.recap("web2")["failed"] == 0
    assert "web1" in done.output.rpartition("PLAY RECAP")[0].rpartition("TASK [Seal]")[2]


@pytest.mark.programs("ssh")
def test_a_dead_host_is_not_tried_again_by_later_tasks(either):
    either.hosts["web1"] = dict(DEAD)
    either.play(either.procedure([probe(), probe(name="Probe again")]))
    tries = [entry for entry in either.records(kind="step", host="web1") if entry["subject"] == "health_probe"]
    assert [entry["status"] for entry in tries] == ["unreachable", "unreachable"]
    assert "not tried again" in tries[1]["detail"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("echo 'out of memory' >&2; kill -9 $$", "failed", "error"),
        ("exec yes egov", "failed", "too_large"),
    ],
)
def test_a_half_that_dies_or_floods_is_a_record_of_its_host(site, body, status, reason):
    site.hosts["web2"]["ansible_python_interpreter"] = interpreter(site, "python", body)
    done = site.play(site.procedure())
    assert done.rc == 2, done.output
    assert statuses(site) == {"web1": OK, "web2": (status, reason), "db1": OK}


def test_the_task_timeout_is_a_record(either):
    # The time must do for the other hosts, whose modules take some seconds on a busy machine.
    either.hosts["web2"]["ansible_python_interpreter"] = interpreter(either, "python", "exec sleep 60")
    done = either.play(either.procedure([probe(timeout=12)]))
    assert done.rc == 2, done.output
    assert statuses(either) == {"web1": OK, "web2": ("failed", "timeout"), "db1": OK}


@pytest.mark.parametrize("mode", ["no password", "a wrong password"])
def test_a_become_password_that_does_not_do_is_a_record_with_its_cause(either, mode):
    sudo = either.folder / "sudo"
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    sudo.chmod(0o755)
    other = "nobody" if os.geteuid() == 0 else "root"  # between ordinary users the module way needs setfacl
    become = {"ansible_become": True, "ansible_become_user": other, "ansible_become_exe": str(sudo)}
    if mode == "a wrong password":
        become["ansible_become_password"] = "not-the-password"
    either.hosts["web2"].update(become)
    done = either.play(either.procedure(), "-vvv")
    assert done.rc == 2, done.output
    assert statuses(either) == {"web1": OK, "web2": ("failed", "error"), "db1": OK}
    (step,) = either.records(kind="step", host="web2")
    assert "a password is required" in step["detail"]["message"]
    assert "not-the-password" not in done.output


def test_a_host_variable_that_is_not_defined_is_a_record_of_its_host(site):
    site.hosts["web2"]["ansible_python_interpreter"] = "{{ no_such_variable }}"
    done = site.play(site.procedure())
    assert done.rc == 2, done.output
    assert statuses(site) == {"web1": OK, "web2": ("failed", "error"), "db1": OK}
    assert "no_such_variable" in site.records(kind="step", host="web2")[0]["detail"]["message"]


@pytest.mark.parametrize("when", ["no_such_variable", "1 +"])
def test_a_bad_condition_still_seals(site, when):
    done = site.play(site.procedure([probe(when=when)]))
    assert done.rc == 2, done.output
    assert "hosts are OK" not in done.output
    assert statuses(site) == dict.fromkeys(HOSTS, ("skipped", "not_reached"))


def test_a_task_skipped_by_its_condition_is_not_absence(site):
    done = site.play(site.procedure([probe(when="inventory_hostname != 'db1'")]))
    assert done.rc == 2, done.output
    assert statuses(site) == {"web1": OK, "web2": OK, "db1": ("skipped", "not_reached")}


def test_handlers_that_fail_on_all_hosts(site):
    fail = {"name": "Fail", "ansible.builtin.fail": {"msg": "handler"}}
    notify = {"name": "Notify", "ansible.builtin.command": "true", "changed_when": True, "notify": "Fail"}
    done = site.play(site.procedure([notify, probe()], handlers=[fail]))
    assert done.rc == 2, done.output
    assert statuses(site) == dict.fromkeys(HOSTS, OK)


@pytest.mark.programs("ssh")
def test_serial_with_a_batch_wholly_dead(site):
    site.hosts["web1"] = dict(DEAD)
    site.hosts = {name: site.hosts[name] for name in HOSTS}
    done = site.play(site.procedure(serial=1))
    assert done.rc == 2, done.output
    assert statuses(site) == {
        "web1": ("unreachable", ""),
        "web2": ("skipped", "not_started"),
        "db1": ("skipped", "not_started"),
    }


def test_serial_without_a_failure_is_one_run(site):
    done = site.play(site.procedure(serial=1))
    assert done.rc == 0, done.output
    assert statuses(site) == dict.fromkeys(HOSTS, OK)
    assert len({entry["run"] for entry in site.records()}) == 1


@pytest.mark.parametrize(
    ("keywords", "others"),
    [({"any_errors_fatal": True}, ("skipped", "not_reached")), ({"max_fail_percentage": 10}, OK)],
)
def test_one_failed_host_that_stops_the_play(site, keywords, others):
    fail = {"name": "Fail", "ansible.builtin.fail": {"msg": "stop"}, "when": "inventory_hostname == 'web2'"}
    done = site.play(site.procedure([fail, probe()], **keywords))
    assert done.rc == 2, done.output
    assert statuses(site) == {"web1": others, "web2": ("skipped", "not_reached"), "db1": others}


def test_two_plays_of_one_process_are_one_run_with_all_records(site):
    path = site.folder / "two.yml"
    path.write_text(yaml.safe_dump([site.framed(name="first"), site.framed(name="second")], sort_keys=False))
    done = site.play(str(path))
    assert done.rc == 0, done.output
    assert statuses(site) == dict.fromkeys(HOSTS, OK)
    assert {entry["procedure"] for entry in site.records(kind="seal")} == {"first", "second"}
    assert len({entry["run"] for entry in site.records()}) == 1


@pytest.mark.parametrize("lost", HOSTS)
def test_a_host_that_the_first_play_lost_has_its_row_in_the_second(site, lost):
    fail = {"name": "Fail", "ansible.builtin.fail": {"msg": "stop"}, "when": f"inventory_hostname == '{lost}'"}
    path = site.folder / "two.yml"
    plays = [site.framed([fail, probe()], name="first"), site.framed(name="second")]
    path.write_text(yaml.safe_dump(plays, sort_keys=False))
    done = site.play(str(path))
    assert done.rc == 2, done.output
    second = {entry["host"]: entry["reason"] for entry in site.records(kind="step", procedure="second")}
    assert second == {**dict.fromkeys(HOSTS, ""), lost: "not_reached"}


def test_limit_narrows_the_run_and_is_said(site):
    done = site.play(site.procedure(), "--limit", "web1")
    assert done.rc == 0, done.output
    assert site.steps() == {("web1", "health_probe"): OK}
    begun = site.records(kind="begin")[-1]
    assert begun["detail"]["limit"] == "web1"


def test_a_run_of_one_failing_host_does_not_fail_the_others_in_the_recap(site):
    site.hosts["db1"]["ansible_python_interpreter"] = interpreter(site, "python", "exit 3")
    done = site.play(site.procedure())
    assert [done.recap(host)["failed"] for host in HOSTS] == [0, 0, 1]


def test_loop_and_retry_leave_a_record_each(either):
    looped = probe(loop=["a", "b"])
    either.play(either.procedure([looped]))
    steps = either.records(kind="step", host="web1")
    assert [entry["detail"]["item"] for entry in steps] == ["a", "b"]
    assert [entry["attempt"] for entry in steps] == [1, 2]


def test_in_a_procedure_a_result_is_brief_and_its_records_are_whole(site):
    site.hosts = {"web1": site.hosts["web1"]}
    failing = {"kind": "memory", "layer": "infrastructure", "critical": "-1:-1"}
    found = probe(register="found")
    found["egov.ops.health_probe"]["probes"] = {**PROBES, "failing": failing}
    content = {"content": "{{ found.evidence | to_json }}", "dest": str(site.folder / "found")}
    site.play(site.procedure([found, {"name": "Keep", "ansible.builtin.copy": content}]))
    (shown,) = json.loads((site.folder / "found").read_text())
    record, *others = [entry for entry in site.records(domain="health") if entry["status"] == "critical"]
    assert (shown["subject"], shown["status"], others) == (record["subject"], "critical", [])
    assert set(shown["detail"]) == {"message", "next"}
    assert set(record["detail"]) > {"message", "next", "value", "layer"}


def test_hosts_that_are_not_ours_have_a_row(site):
    site.hosts["web2"]["egov_ops_managed"] = False
    done = site.play(site.procedure())
    assert done.rc == 0, done.output
    assert statuses(site) == {"web1": OK, "web2": ("skipped", "not_ours"), "db1": OK}


def test_a_network_device_has_a_row_even_as_the_first_host(site):
    site.hosts = {
        "switch1": {"ansible_connection": "ansible.netcommon.network_cli", "ansible_network_os": "x"},
        **site.hosts,
    }
    site.play(site.procedure())
    assert statuses(site) == {"switch1": ("skipped", "not_ours"), **dict.fromkeys(HOSTS, OK)}


def test_a_fault_after_the_first_batchs_seal_forgets_no_later_host(site):
    site.variables["egov_ops_witness_key"] = "/nonexistent/key"
    done = site.play(site.procedure(serial=1))
    assert done.rc == 2, done.output
    site.variables.pop("egov_ops_witness_key")
    site.play(site.procedure(name="other"))
    first = site.records(kind="begin")[0]["run"]
    assert site.steps(first) == {
        ("web1", "health_probe"): OK,
        ("web2", "health_probe"): ("failed", "interrupted"),
        ("db1", "health_probe"): ("failed", "interrupted"),
    }
