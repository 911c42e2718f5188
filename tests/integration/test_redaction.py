# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A password that got into the ledger is asked for, approved twice and replaced, and none of it is ever shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.gate_requests import approve, records
from tests.support.signers import make_key, signers
from tests.support.sites import Done, Site

pytestmark = [pytest.mark.programs("ssh-keygen"), pytest.mark.slow]

SECRET = "Portal 2026 & co"
TIME = "2026-03-04T05:06:07Z"
ACTION = ["ledger_redact"]


@pytest.fixture(scope="module")
def leaked(tmp_path_factory: pytest.TempPathFactory, site_in: Any) -> Site:
    """A site with a run, and the secret in a record; li may ask, and wang and zhao may approve."""
    site: Site = site_in(tmp_path_factory.mktemp("leaked"))
    site.hosts = {"web1": site.hosts["web1"]}
    for name in ("li", "wang", "zhao"):
        make_key(site.folder, name)
    site.variables |= {
        "egov_ops_people": {
            "li": {"team": "DATA", "may_request": ACTION, "may_approve": ACTION},
            "wang": {"team": "SEC", "may_approve": ACTION},
            "zhao": {"team": "PM", "may_approve": ACTION},
        },
        "egov_ops_signers": signers(site.folder, "li", "wang", "zhao"),
        "egov_ops_gates": {"ledger_redact": {"gates": ["approval"], "approvals": 1}},  # fewer than count
    }
    assert site.play(site.procedure()).rc == 0
    seen = observation("probe", "login", "warning", output=f"psql: {SECRET} refused")
    about = {"run": "r1", "procedure": "daily", "host": "web1", "domain": "health"}
    with Ledger(site.state / "ledger.sqlite3") as ledger:
        ledger.append([record(**about, observation=seen, started=TIME, finished=TIME)])
    (site.state / "reports" / "old.txt").write_text(f"psql: {SECRET} refused\n")
    write(site.folder / "value", SECRET)
    return site


def write(path: Path, value: str) -> None:
    path.touch(0o600)
    path.write_text(f"{value}\n")


def run(site: Site, *more: str, file: str = "value", **options: str) -> Done:
    """Run the procedure with a value from a file."""
    given = {"egov_ops_redact": {"file": str(site.folder / file), "what": "An old password"}, **options}
    done = site.play("egov.ops.ledger_redact", "-e", json.dumps(given), *more)
    assert SECRET not in done.output
    return done


def test_a_secret_is_replaced_when_two_people_have_approved_it(leaked: Site) -> None:
    found = run(leaked)
    assert found.rc == 0, found.output
    operation = next(line for line in found.output.splitlines() if line.startswith('{"egov_ops_action"'))
    assert "health/probe login: detail.output" in operation
    assert "file reports/old.txt" in operation
    key = ("-e", f"egov_ops_signing_key={leaked.folder}/li", "-e", "egov_ops_reason='It was in an output'")
    asked = leaked.play("egov.ops.request", "-e", operation, *key)
    assert asked.rc == 0, asked.output
    (request,) = (entry["subject"] for entry in records(leaked, "request"))
    assert approve(leaked, request).rc == 0
    wanted = {"egov_ops_request": request[:8]}

    alone = run(leaked, **wanted)
    assert alone.rc == 2
    assert "has 1 of 2 approvals" in alone.output
    assert approve(leaked, request, "zhao").rc == 0

    write(leaked.folder / "other", "refused")
    other = run(leaked, file="other", **wanted)
    assert other.rc == 2
    assert "does not stand where the request" in other.output
    assert SECRET in (leaked.state / "reports" / "old.txt").read_text()

    done = run(leaked, **wanted)
    assert done.rc == 0, done.output
    left = [path for path in leaked.state.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert left == []
    verified = leaked.play("egov.ops.ledger_verify")
    assert verified.rc == 0, verified.output
    assert f"(request {request[:8]}): #" in verified.output

    again = run(leaked, **wanted)
    assert again.rc == 2
    assert "was carried out already" in again.output


def test_a_redaction_that_nobody_has_approved_is_a_forgery(leaked: Site) -> None:
    """It runs after the redaction: who writes the database himself has no signatures for a second one."""
    with Ledger(leaked.state / "ledger.sqlite3") as ledger:
        (stored,) = ledger.records(domain="run", kind="redaction")
        head = ledger.head()
        detail = {**stored.record["detail"], "upto": head.count, "head": head.hash}
        ledger.append([{**stored.record, "id": "f" * 32, "detail": detail}])
    done = leaked.play("egov.ops.ledger_verify")
    assert done.rc == 2
    assert "is a redaction that the request" in done.output
