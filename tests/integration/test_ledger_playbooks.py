# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks over the ledger, on one that a real run has written."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import zoneinfo
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.sites import Site

pytestmark = pytest.mark.slow


@pytest.fixture
def sealed(site: Site) -> Site:
    """The site after one run."""
    done = site.play(site.procedure())
    assert done.rc == 0, done.output
    return site


def tamper(site: Site, statement: str) -> None:
    """Change the ledger's file as someone with the root keys would, past the triggers that guard it."""
    database = sqlite3.connect(site.state / "ledger.sqlite3")
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f"DROP TRIGGER {name}")
    database.execute(statement)
    database.commit()
    database.close()


def test_the_ledger_is_shown_with_its_runs(sealed):
    done = sealed.play("egov.ops.ledger")
    assert done.rc == 0, done.output
    assert sealed.records()[0]["run"] in done.output


def test_a_run_with_critical_findings_is_shown_as_critical(site):
    probes = {"memory": {"kind": "memory", "layer": "infrastructure", "warning": "0", "critical": "0"}}
    found = site.play(site.procedure([{"name": "Probe", "egov.ops.health_probe": {"probes": probes}}]))
    assert found.rc == 0, found.output
    run = site.records()[0]["run"]
    done = site.play("egov.ops.ledger")
    assert done.rc == 0, done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith(f"{run} ")]
    assert line.split("  ")[-1] == "critical (3 critical, 3 ok)"


def test_a_whole_ledger_verifies(sealed):
    done = sealed.play("egov.ops.ledger_verify")
    assert done.rc == 0, done.output
    assert f"proved to #{len(sealed.records())}" in done.output


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE record SET body = replace(body, '\"ok\"', '\"warning\"') WHERE seq = 3", "#3"),
        ("DELETE FROM record WHERE seq = 2", "#2"),
    ],
)
def test_a_changed_ledger_names_the_first_bad_record(sealed, statement, number):
    tamper(sealed, statement)
    done = sealed.play("egov.ops.ledger_verify")
    assert done.rc == 2
    assert number in done.output


def test_a_record_whose_algorithm_was_changed_is_named(sealed):
    tamper(sealed, "UPDATE record SET algorithm = 'md5' WHERE seq = 3")
    done = sealed.play("egov.ops.ledger_verify")
    assert done.rc == 2
    assert "#3" in done.output


def test_lines_that_are_no_witness_prove_nothing(sealed):
    with (sealed.state / "witness.jsonl").open("a") as witnesses:
        witnesses.write('{}\n5\n[]\n{"schema": 1}\nnull\n')
    done = sealed.play("egov.ops.ledger_verify")
    assert done.rc == 0, done.output


def test_a_ledger_whose_writer_was_killed_is_read_as_it_was_before(sealed):
    script = f"""
import os, sqlite3

database = sqlite3.connect({str(sealed.state / "ledger.sqlite3")!r}, isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN IMMEDIATE")
for seq in range(1000, 1400):
    body = "json_object('id', ?, 'padding', hex(randomblob(2000)))"
    database.execute(f"INSERT INTO record (seq, body, hash, algorithm) VALUES (?, {{body}}, '', '')", (seq, seq))
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", script], check=False)
    assert (sealed.state / "ledger.sqlite3-journal").stat().st_size > 0
    done = sealed.play("egov.ops.ledger_verify")
    assert done.rc == 0, done.output
    assert not any(entry["id"] == 1000 for entry in sealed.records())


def test_a_cut_tail_contradicts_its_witness(sealed):
    last = len(sealed.records())
    tamper(sealed, f"DELETE FROM record WHERE seq > {last - 2}")
    done = sealed.play("egov.ops.ledger_verify")
    assert done.rc == 2
    assert "witness" in done.output


def test_without_a_witness_the_tail_is_not_provable(sealed):
    (sealed.state / "witness.jsonl").unlink()
    done = sealed.play("egov.ops.ledger_verify")
    assert done.rc == 0, done.output
    assert "no witness shows" in done.output


def test_a_retention_below_the_law_is_refused(sealed):
    done = sealed.run("ansible", "web1", "-m", "egov.ops.ledger_purge", "-a", "retention_days=100")
    assert done.rc != 0
    assert "190" in done.output


def test_nothing_young_is_purged(sealed):
    before = sealed.records()
    assert sealed.play("egov.ops.ledger_purge").rc == 0
    assert sealed.records() == before


def test_the_report_of_an_earlier_run_is_written_again(sealed):
    first = sealed.records()[0]["run"]
    sealed.play(sealed.procedure())
    (sealed.state / "reports" / f"{first}.html").unlink()
    done = sealed.play("egov.ops.report", "-e", f"egov_ops_report_run={first}", "-e", "egov_ops_report_language=zh")
    assert done.rc == 0, done.output
    assert 'lang="zh' in (sealed.state / "reports" / f"{first}.html").read_text()
    assert sealed.report()["run"]["id"] != first


def test_the_report_of_a_day_is_written_in_each_form(sealed):
    shutil.rmtree(sealed.state / "rollups")  # derived: a report makes them again
    begun = datetime.fromisoformat(sealed.records()[0]["started"].replace("Z", "+00:00"))
    day = begun.astimezone(zoneinfo.ZoneInfo("Asia/Shanghai")).date().isoformat()
    options = ["-e", f"egov_ops_report_from={day}", "-e", f"egov_ops_report_to={day}"]
    assert sealed.play("egov.ops.report", *options, "--check").rc == 0
    assert not (sealed.state / "rollups").exists()
    done = sealed.play("egov.ops.report", *options)
    assert done.rc == 0, done.output
    name = f"range-{day}-{day}"
    assert {path.suffix for path in (sealed.state / "reports").glob(f"{name}.*")} == {".html", ".json", ".md", ".txt"}
    data = json.loads((sealed.state / "reports" / f"{name}.json").read_text())
    kept = [path.name for path in (sealed.state / "rollups").iterdir()]
    assert kept == [f"{data['runs'][0]['run']}.json"]
    assert [run["run"] for run in data["runs"]] == [sealed.records()[0]["run"]]
    assert (sealed.state / "reports" / "latest.html").readlink().name == f"{data['runs'][0]['run']}.html"


def test_what_is_no_report_is_refused_by_name(sealed):
    refused = {
        "period=fortnight": "fortnight",
        "period=week from=2001-01-01": "holds no run from 2001-01-01 to 2001-01-07",
        "period=day group=mail": "group is 'mail', which the inventory does not have",
        "group=all": "group and team narrow the report of a range",
        "period=day run=20260101T000000Z-000000000000": "beside a range of days",
    }
    for options, words in refused.items():
        arguments = [word for option in options.split() for word in ("-e", f"egov_ops_report_{option}")]
        done = sealed.play("egov.ops.report", *arguments)
        assert done.rc != 0, options
        assert words in " ".join(done.output.split()), done.output
        assert "Traceback" not in done.output


def test_the_same_ledger_gives_the_same_report(sealed):
    page = sealed.state / "reports" / "latest.html"
    before = page.read_bytes()
    assert sealed.play("egov.ops.report").rc == 0
    assert page.read_bytes() == before


def test_what_has_grown_too_old_is_exported_and_still_verifies(site):
    then = iso(datetime.now(timezone.utc) - timedelta(days=400))
    old = [
        record(
            run="20250101T000000Z-000000000000",
            procedure="daily",
            host="web1",
            domain="health",
            observation=observation("memory", f"memory{number}", "ok"),
            started=then,
            finished=then,
        )
        for number in range(5)
    ]
    state = StateDir(site.state)
    state.prepare()
    with Ledger(state.ledger) as ledger:
        ledger.append(old)
    site.variables["egov_ops_ledger_retention_days"] = 365
    assert site.play(site.procedure()).rc == 0
    kept = [path.name for path in (site.state / "rollups").iterdir()]
    (site.state / "rollups" / "20250101T000000Z-000000000000.json").write_text("of a run that is purged")
    done = site.play("egov.ops.ledger_purge")
    assert done.rc == 0, done.output
    assert not site.records(run="20250101T000000Z-000000000000")
    assert [path.name for path in (site.state / "rollups").iterdir()] == kept
    (export,) = (site.state / "exports").glob("*.jsonl")
    assert len(export.read_text().splitlines()) == len(old) + 1
    assert site.play("egov.ops.ledger_verify").rc == 0
    again = site.run("ansible", "web1", "-m", "egov.ops.ledger_verify", "-a", f"export={export}")
    assert again.rc == 0, again.output
