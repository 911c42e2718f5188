# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A spool that somebody has spoilt: the run that meets it says so and ends with 2, once, and no later run does."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timezone

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.drain import drain_spools
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.ledger_cases import in_child, kill_here
from tests.support.sites import HOSTS, OK, PROBE, start_and_stay, statuses

pytestmark = pytest.mark.slow

DEEP = b'{"id":"x","detail":' + b"[" * 5000 + b"]" * 5000 + b"}\n"
BAD = b'{"attempt":NaN}\n{"id":["1"]}\n\xff\xfe\n{"header":{"longest":"long"}}\n' + DEEP


def poison(site) -> None:
    """Kill a run whose first task is recorded, and spoil its spool."""
    process = start_and_stay(site)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    (spool,) = site.spools()
    with spool.open("ab") as stream:
        stream.write(BAD)


def test_a_spoilt_spool_ends_one_run_with_2_and_no_later_one(site):
    poison(site)
    (spool,) = site.spools()
    first = site.play(site.procedure(name="other"))
    assert first.rc == 2, first.output
    output = " ".join(first.output.split())
    (path,) = (site.state / "rejected").iterdir()
    sentence = f"5 lines in the spool of the run {spool.stem} cannot be taken into the ledger"
    assert f"{sentence} (first cause: it holds NaN" in output
    assert "Traceback" not in first.output
    assert path.read_bytes() == BAD
    assert path.stat().st_mode & 0o777 == 0o600
    assert statuses(site) == dict.fromkeys(HOSTS, OK), "the run does its work all the same"
    (record,) = site.records(kind="rejected")
    assert (record["host"], record["procedure"], record["detail"]["count"]) == ("controller", "other", 5)
    reasons = {(entry["host"], entry["kind"]): entry["reason"] for entry in site.records(run=spool.stem)}
    assert reasons["controller", "seal"] == "interrupted"
    assert {entry["status"] for entry in site.records(run=spool.stem, kind="step")} == {"ok"}
    report = site.report()
    (finding,) = [row for row in report["findings"] if row["kind"] == "rejected"]
    assert (finding["host"], finding["status"]) == ("controller", "failed")
    assert "5 lines in the spool" in finding["title"] and str(path) in finding["next"]
    assert f"5 lines in the spool of the run {spool.stem} are no evidence" in output, "the summary says it too"
    assert "controller" not in [row["name"] for row in report["hosts"]]

    second = site.play(site.procedure(name="other"))
    assert second.rc == 0, second.output
    assert "set aside" not in second.output
    assert [row for row in site.report()["findings"] if row["kind"] == "rejected"] == []
    assert len(list((site.state / "rejected").iterdir())) == 1
    verified = site.play("egov.ops.ledger_verify")
    assert verified.rc == 0, verified.output


def test_what_a_killed_run_has_set_aside_ends_the_next_one_with_2(site):
    poison(site)
    state = StateDir(site.state)

    def die_after_the_commit() -> None:
        Spool.remove = lambda _spool: kill_here()
        with Ledger(state.ledger) as ledger:
            drain_spools(state, ledger, datetime.now(timezone.utc))

    assert in_child(die_after_the_commit) == -signal.SIGKILL
    first = site.play(site.procedure(name="other"))
    assert first.rc == 2, first.output
    assert "5 lines in the spool of the run" in " ".join(first.output.split())
    second = site.play(site.procedure(name="other"))
    assert second.rc == 0, second.output


def test_a_run_whose_own_spool_is_spoilt_keeps_its_evidence_and_ends_with_2(site):
    spoil = {
        "name": "Spoil the spool",
        "ansible.builtin.shell": f"for spool in {site.state}/spool/*.jsonl; do printf 'edited\\n' >> $spool; done",
        "delegate_to": "localhost",
        "run_once": True,
        "vars": {"ansible_connection": "ansible.builtin.local"},
    }
    done = site.play(site.procedure([PROBE, spoil, PROBE]))
    assert done.rc == 2, done.output
    assert "1 line in the spool of the run" in " ".join(done.output.split())
    assert statuses(site) == dict.fromkeys(HOSTS, OK)
    assert site.spools() == []
    again = site.play(site.procedure())
    assert again.rc == 0, again.output


def test_foreign_things_among_the_spools_end_one_run_with_2(site):
    done = site.play(site.procedure())
    assert done.rc == 0, done.output
    os.mkfifo(site.state / "spool" / "pipe.jsonl")
    (site.state / "spool" / "folder.jsonl").mkdir()
    (site.state / "spool" / "notes.jsonl").write_text("notes\n")
    first = site.play(site.procedure())
    assert first.rc == 2, first.output
    assert len(list((site.state / "rejected").iterdir())) == 3
    assert statuses(site) == dict.fromkeys(HOSTS, OK)
    second = site.play(site.procedure())
    assert second.rc == 0, second.output
