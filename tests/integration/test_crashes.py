# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A defect of ours is one sentence for the user, and its stack is at -vvv and in the run's log of crashes alone."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import environment
import pytest

from tests.support.hostile import python
from tests.support.sites import PROBE, Done, Site

SECRET = "Pl4ntedsecret"
FIRST = "Traceback (most recent call last)"


def plant(site: Site, file: str, function: str, error: str) -> None:
    """Let the site use a copy of the collection in which a function of a file raises an error at once."""
    root = site.folder / "collections"
    copy = root / "ansible_collections/egov/ops"
    if not copy.exists():
        ignore = shutil.ignore_patterns("__pycache__")
        for name in ("plugins", "roles", "playbooks", "meta"):
            shutil.copytree(environment.ROOT / name, copy / name, ignore=ignore)
        shutil.copy(environment.ROOT / "galaxy.yml", copy)
    path = copy / "plugins" / file
    before, found, rest = path.read_text().partition(f"def {function}(")
    head, colon, body = rest.partition(":\n")
    assert found
    assert colon
    indent = "    " + before.rpartition("\n")[2]
    path.write_text(f"{before}{found}{head}:\n{indent}if True: raise {error}\n{body}")
    site.environment["ANSIBLE_COLLECTIONS_PATH"] = str(root)


def logs(site: Site) -> list[Path]:
    return sorted((site.state / "crashes").glob("*")) if (site.state / "crashes").exists() else []


def stack_stands_nowhere_else(site: Site, done: Done, words: str) -> None:
    """Check that the terminal without -v, the ledger and the reports hold no stack."""
    assert FIRST not in done.output
    assert words not in done.output.replace("KeyError in", "")
    with sqlite3.connect(f"file:{site.state / 'ledger.sqlite3'}?mode=ro", uri=True) as ledger:
        dump = "\n".join(ledger.iterdump())
    assert "broke: KeyError" in dump
    reports = list((site.state / "reports").iterdir())
    assert reports
    for text in [dump, *(path.read_text() for path in reports)]:
        assert FIRST not in text
        assert words not in text


def test_a_half_that_breaks_is_a_sentence_and_its_stack_is_in_the_log_of_the_run(either):
    either.hosts = {"db1": {**either.hosts["db1"], "ansible_password": SECRET}}
    plant(either, "module_utils/health/prober.py", "probe", f"KeyError('{SECRET} \\x1b[2J')")
    quiet = either.play(either.procedure([PROBE]))
    assert quiet.rc == 2, quiet.output
    stack_stands_nowhere_else(either, quiet, "in _perform")
    (log,) = logs(either)
    (step,) = either.records(kind="step")
    assert step["detail"]["message"].startswith(
        "The program of egov.ops on the host broke: KeyError in prober.py line "
    )
    assert step["detail"]["message"].endswith(f" The whole stack is in {log}.")
    assert str(log) in quiet.output
    assert log.name == f"{step['run']}.log"
    assert log.stat().st_mode & 0o777 == 0o600
    kept = log.read_text()
    assert f"    {FIRST}" in kept
    assert "in _perform" in kept
    assert " db1 egov.ops.health_probe release " in kept
    loud = either.play(either.procedure([PROBE]), "-vvv")
    assert f"db1: {FIRST}" in loud.output
    assert "in _perform" in loud.output
    assert len(logs(either)) == 2
    assert "\x1b" not in kept + loud.output + quiet.output
    assert SECRET not in kept + loud.output + quiet.output
    checked = either.play(either.procedure([PROBE]), "--check")
    assert "broke: KeyError" in checked.output
    assert "Run it with -vvv to see the whole stack." in checked.output
    assert len(logs(either)) == 2


def test_work_in_a_child_that_breaks_brings_its_stack_too(either):
    either.hosts = {"db1": either.hosts["db1"]}
    either.has_repository()
    plant(either, "module_utils/backup/run.py", "run", "KeyError('planted')")
    task = {"name": "Back up", "egov.ops.backup_run": {}, "tags": ["backup"]}
    done = either.play(either.procedure([task]))
    stack_stands_nowhere_else(either, done, "in _perform")
    (log,) = logs(either)
    assert "KeyError: 'planted'" in log.read_text()
    assert "in _perform" in log.read_text()
    assert " db1 egov.ops.backup_run release " in log.read_text()


def test_a_traceback_that_a_host_makes_up_is_harmless(either):
    stack = f"{FIRST}:\n2026-01-01T00:00:00Z web9 forged\n{SECRET}\u202e{{{{ 7 * 7 }}}}\tx\nKeyError: 1\n"
    answer = json.dumps({"failed": True, "msg": "broke: KeyError", "traceback": stack})
    host = either.hosts["db1"]
    either.hosts = {
        "db1": {
            **host,
            "ansible_password": SECRET,
            "ansible_python_interpreter": python(either.folder, "odd", answer),
        }
    }
    quiet = either.play(either.procedure([PROBE]))
    stack_stands_nowhere_else(either, quiet, "forged")
    loud = either.play(either.procedure([PROBE]), "-vvv")
    assert "db1: 2026-01-01T00:00:00Z web9 forged" in loud.output
    assert "{{ 7 * 7 }}" in loud.output
    for text in [loud.output, *(log.read_text() for log in logs(either))]:
        assert SECRET not in text
        assert "\u202e" not in text
        assert "[U+202E]" in text
        assert not [line for line in text.splitlines() if line.startswith("2026-01-01")]


@pytest.mark.parametrize("state", ["there", "unknown"])
def test_an_action_that_breaks_on_the_controller_uses_the_same_log(site, state):
    where = {
        "there": ("plugin_utils/actions/outcome.py", "counts_of"),
        "unknown": ("plugin_utils/plan/inventory_variables.py", "variables"),
    }
    plant(site, *where[state], "KeyError('planted')")
    site.hosts = {"db1": site.hosts["db1"]}
    done = site.run("ansible", "db1", "-m", "egov.ops.health_probe")
    assert "egov.ops.health_probe broke: KeyError: 'planted'. " in done.output
    assert FIRST not in done.output
    if state == "there":
        (log,) = logs(site)
        assert f"The whole stack is in {log}." in done.output
        assert "in counts_of" in log.read_text()
        assert "db1 egov.ops.health_probe release" in log.read_text()
        loud = site.run("ansible", "db1", "-m", "egov.ops.health_probe", "-vvv")
        assert f"db1: {FIRST}" in loud.output
    else:
        assert "Run it with -vvv to see the whole stack." in done.output
        assert logs(site) == []
