# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines, ledger, clock, proofs and secrets of real hosts: what cannot be trusted is named until a person says so."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.gate_requests import approve, ask, records
from tests.support.signers import make_key, people, signers
from tests.support.sites import PROBES, Site

from .lab import Lab

HEALTH = "egov.ops.health_check"
PAGE = "/srv/lab-trust/index.html"
#: It gets into the evidence as the name of a unit that has failed.
SECRET = "Hunter2-2026"
UNIT = f"portal-{SECRET}.service"
REDACT = ["ledger_redact"]


@pytest.fixture
def seen(site: Site, lab: Lab) -> Iterator[Site]:
    """A site of two machines, looked at once."""
    site.hosts = {name: {"ansible_host": host, "egov_ops_machine_alias": ""} for name, host in HOSTS.items()}
    site.variables["egov_ops_probes"] = PROBES
    kept = {host: lab.shell(host, "cat /etc/machine-id").strip() for host in HOSTS.values()}
    done = site.play(HEALTH)
    assert done.rc == 0, done.output
    yield site
    for host, identity in kept.items():
        lab.shell(host, f"echo {identity} >/etc/machine-id")


HOSTS = {"web1": "n1", "web2": "n2"}


def faults(site: Site) -> list[tuple[str, str]]:
    """Return the critical findings about machines, by SQL: host and fault."""
    query = """
        SELECT host, json_extract(body, '$.detail.fault') FROM record
        WHERE domain = 'machine' AND kind = 'identity' AND status = 'critical' ORDER BY seq
    """
    with sqlite3.connect(site.state / "ledger.sqlite3") as ledger:
        return ledger.execute(query).fetchall()


def test_a_changed_missing_and_shared_machine_is_a_finding_until_a_person_accepts_it(seen: Site, lab: Lab) -> None:
    lab.shell("n1", "tr 0-9a-f 1-9a-f0 </etc/machine-id >/run/id; cat /run/id >/etc/machine-id")
    lab.shell("n2", ": >/etc/machine-id")
    done = seen.play(HEALTH, "-e", "egov_ops_fail_on=critical")
    assert done.rc == 2, done.output
    assert sorted(faults(seen)) == [("web1", "changed"), ("web2", "missing")]
    message = str(seen.records(domain="machine", host="web1")[-1]["detail"]["message"])
    digits = message.partition("answers to web1 is ")[2][:8]
    accepted = {"egov_ops_accept_machine": {"web1": digits}, "egov_ops_reason": "A new board."}
    done = seen.play("egov.ops.accept_machine", "-e", json.dumps(accepted))
    assert done.rc == 0, done.output
    done = seen.play(HEALTH, "--limit", "web1", "-e", "egov_ops_fail_on=critical")
    assert done.rc == 0, done.output
    seen.hosts["web3"] = dict(seen.hosts["web1"])  # a second name for the first machine
    done = seen.play(HEALTH, "--limit", "web1,web3", "-e", "egov_ops_fail_on=critical")
    assert done.rc == 2, done.output
    assert {host for host, fault in faults(seen) if fault == "shared"} == {"web1", "web3"}


@pytest.mark.long
def test_a_ledger_that_was_cut_and_a_clock_that_is_behind_are_said_until_they_are_accepted(seen: Site) -> None:
    ledger = seen.state / "ledger.sqlite3"
    older = seen.folder / "older"
    shutil.copy(ledger, older)
    assert seen.play(HEALTH).rc == 0
    shutil.copy(older, ledger)
    done = seen.play(HEALTH)
    assert done.rc == 2, done.output
    assert "or it is an older copy" in " ".join(done.output.split())
    said = {"egov_ops_accept_ledger": {"name": "Zhang Wei", "reason": "The disk broke."}}
    assert seen.play("egov.ops.accept_ledger", "-e", json.dumps(said)).rc == 0
    assert seen.play("egov.ops.ledger_verify").rc == 0

    time = iso(datetime.now(timezone.utc) + timedelta(days=5 * 365))
    ahead = observation("backup", "portal", "ok")
    with Ledger(ledger) as opened:
        entry = record(
            run="r1", procedure="x", host="web1", domain="backup", observation=ahead, started=time, finished=time
        )
        opened.append([entry])
    behind = seen.play(HEALTH)
    assert behind.rc == 0, behind.output
    assert f"of the ledger was made at {time}" in behind.output.partition("TASK [egov.ops.health_check")[0]
    assert seen.play("egov.ops.accept_clock", "-e", "egov_ops_reason='It was 2031 on a spare board'").rc == 0
    assert "of the ledger was made at" not in seen.play(HEALTH).output

    seen.state.chmod(0o777)
    done = seen.play(HEALTH)
    seen.state.chmod(0o700)
    assert done.rc == 2
    assert f"{seen.state} can be written by everybody (mode 0777)" in done.output


@pytest.mark.long
def test_a_proof_that_a_host_made_of_its_own_backup_does_not_count_where_the_plan_says_so(seen: Site, lab: Lab) -> None:
    lab.write("n1", PAGE, "good")
    for name in ("li", "wang"):
        make_key(seen.folder, name)
    data = {"class": "other", "paths": ["/srv/lab-trust"], "full": "weekly", "repository": "own"}
    seen.variables |= {
        "egov_ops_people": people(),
        "egov_ops_signers": signers(seen.folder, "li", "wang"),
        "egov_ops_backup_sets": {"config": {"state": "absent"}, "data": data},
        "egov_ops_proof_by": "drill_host",
    }
    assert seen.play("egov.ops.backup", "--limit", "web1").rc == 0
    assert seen.records(kind="proof", host="web1")[-1]["status"] == "ok"
    digest = ask(seen, "page", "in_place")
    assert approve(seen, digest).rc == 0
    lab.write("n1", PAGE, "spoilt")
    restore = ["egov.ops.restore", "--limit", "web1", "--tags", "restore", "-e", f"egov_ops_request={digest}"]
    done = seen.play(*restore)
    assert done.rc == 2, done.output
    assert "by another host (egov_ops_proof_by)" in " ".join(done.output.split())
    assert lab.shell("n1", f"cat {PAGE}") == "spoilt"
    seen.variables["egov_ops_proof_by"] = "any"
    done = seen.play(*restore)
    assert done.rc == 0, done.output
    assert lab.shell("n1", f"cat {PAGE}") == "good"


def test_a_secret_that_came_from_a_host_is_taken_out_everywhere(seen: Site, lab: Lab) -> None:
    lab.write("n1", f"/run/systemd/system/{UNIT}", "[Service]\nType=oneshot\nExecStart=/bin/false\n")
    lab.shell("n1", f"systemctl daemon-reload; systemctl start {UNIT} || true")
    for name in ("li", "wang", "zhao"):
        make_key(seen.folder, name)
    seen.variables |= {
        "egov_ops_probes": {"units": {"kind": "failed_units", "layer": "platform", "critical": "0"}},
        "egov_ops_people": {
            "li": {"team": "DATA", "may_request": REDACT},
            "wang": {"team": "SEC", "may_approve": REDACT},
            "zhao": {"team": "PM", "may_approve": REDACT},
        },
        "egov_ops_signers": signers(seen.folder, "li", "wang", "zhao"),
        "egov_ops_gates": {"ledger_redact": {"gates": ["approval"], "approvals": 2}},
    }
    try:
        assert seen.play(HEALTH, "--limit", "web1").rc == 0
    finally:
        lab.shell("n1", f"systemctl reset-failed {UNIT}; rm /run/systemd/system/{UNIT}; systemctl daemon-reload")
    assert holders(seen) != []
    value = seen.folder / "value"
    value.touch(0o600)
    value.write_text(f"{SECRET}\n")
    given = {"egov_ops_redact": {"file": str(value), "what": "An old password"}}
    found = seen.play("egov.ops.ledger_redact", "-e", json.dumps(given))
    assert found.rc == 0, found.output
    operation = next(line for line in found.output.splitlines() if line.startswith('{"egov_ops_action"'))
    key = ("-e", f"egov_ops_signing_key={seen.folder}/li", "-e", "egov_ops_reason='It was a name'")
    assert seen.play("egov.ops.request", "-e", operation, *key).rc == 0
    (request,) = (entry["subject"] for entry in records(seen, "request"))
    for name in ("wang", "zhao"):
        assert approve(seen, request, name).rc == 0
    done = seen.play("egov.ops.ledger_redact", "-e", json.dumps({**given, "egov_ops_request": request[:8]}))
    assert done.rc == 0, done.output
    assert holders(seen) == []
    assert seen.play("egov.ops.ledger_verify").rc == 0


def holders(site: Site) -> list[str]:
    """Return the files of the state folder in which the secret stands, by grep."""
    done = subprocess.run(
        ["grep", "-rlF", SECRET, str(site.state)], stdout=subprocess.PIPE, text=True, check=False, timeout=60
    )
    return done.stdout.split()
