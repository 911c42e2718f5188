# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attack list, each entry carried out for real; `make check` runs one of each kind."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.confined import validate_untrusted

from tests.support.attacks import Attack, all_attacks, changes
from tests.support.hostile import python
from tests.support.sites import PROBE, Site, start_and_stay

ATTACKS = all_attacks()
#: Seconds that judging a change may take here, where other work goes on, and MiB of its process.
SECONDS, MEBIBYTES = 60, 1024


def chosen(kind: str, quick: str) -> list[object]:
    """Return the attacks of a kind as parameters: all but one are long."""
    attacks = [attack for attack in ATTACKS if attack.kind == kind]
    assert quick in [attack.name for attack in attacks]
    return [
        pytest.param(attack, id=attack.name, marks=() if attack.name == quick else pytest.mark.long)
        for attack in attacks
    ]


def test_the_list_is_long_enough_and_each_of_its_entries_is_run() -> None:
    assert len(ATTACKS) >= 60
    assert [
        name for name, number in Counter((attack.kind, attack.name) for attack in ATTACKS).items() if number > 1
    ] == []
    assert {attack.kind for attack in ATTACKS} == {"answer", "change", "command line", "ledger", "spool"}
    assert all(attack.actor and attack.outcome for attack in ATTACKS)


@pytest.mark.parametrize("attack", chosen("change", "alias bomb"))
def test_a_change_is_judged_within_its_limits_and_runs_nothing(attack: Attack, tmp_path: Path) -> None:
    inventory = tmp_path / "site"
    inventory.mkdir()
    (inventory / "hosts.yml").write_text(changes.HOSTS)
    attack.attempt(inventory)  # type: ignore[operator]
    began = time.monotonic()
    data = validate_untrusted(Wanted(str(inventory)), [], None)
    assert time.monotonic() - began < SECONDS
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024 < MEBIBYTES
    errors = [problem["message"] for problem in data["problems"] if problem["severity"] == "error"]
    assert any(attack.outcome in message for message in errors), errors
    assert "Traceback" not in str(data)
    assert list(tmp_path.rglob(changes.MARK)) == []


@pytest.fixture(scope="module")
def answered(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, site_in: Callable[[Path], Site]
) -> dict[str, tuple[str, str]]:
    """What one real run made of each answer that is asked for: the reason and the sentence of each host's step."""
    site = site_in(tmp_path_factory.mktemp("answers"))
    honest = site.hosts["db1"]
    parameters = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    attacks = [attack for attack in ATTACKS if attack.kind == "answer" and {"attack": attack} in parameters]
    site.hosts = {
        attack.name: {**honest, "ansible_python_interpreter": python(site.folder, attack.name, str(attack.attempt))}
        for attack in attacks
    }
    site.environment = {"ANSIBLE_FORKS": "4"}
    done = site.play(site.procedure([PROBE]), timeout=300)
    assert done.rc == 2, done.output[-4000:]
    assert "invented" not in done.output.rpartition("PLAY RECAP")[2]
    return {entry["host"]: (entry["reason"], entry["detail"]["message"]) for entry in site.records(kind="step")}


@pytest.mark.parametrize("attack", chosen("answer", "addhost"))
def test_an_answer_is_data_and_changes_nothing_of_the_play(
    attack: Attack, answered: dict[str, tuple[str, str]]
) -> None:
    reason, sentence = answered[attack.name]
    assert reason in ("malformed_answer", "too_large")
    assert attack.outcome in f"{reason} {sentence}"
    assert not Path("/egov-ops-mark").exists()


@pytest.mark.parametrize("attack", chosen("command line", "retention from the command line"))
def test_an_option_that_would_loosen_the_plan_is_refused(attack: Attack, site: Site) -> None:
    done = site.play(site.procedure(), *str(attack.attempt).split(" ", 1))
    assert done.rc != 0
    assert attack.outcome in " ".join(done.output.split())
    assert "Traceback" not in done.output
    assert not (site.state / "ledger.sqlite3").exists()


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, site_in: Callable[[Path], Site]) -> Site:
    """The site after one run."""
    site = site_in(tmp_path_factory.mktemp("sealed"))
    done = site.play(site.procedure())
    assert done.rc == 0, done.output
    return site


@pytest.mark.parametrize("attack", chosen("ledger", "record that is edited"))
def test_a_changed_ledger_is_told_by_its_first_bad_record(attack: Attack, sealed: Site, tmp_path: Path) -> None:
    shutil.copytree(sealed.state, tmp_path / "kept", ignore=shutil.ignore_patterns("*.jsonl.lock"))
    try:
        with sqlite3.connect(sealed.state / "ledger.sqlite3") as database:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f"DROP TRIGGER {name}")
            database.executescript(str(attack.attempt))
        database.close()
        done = sealed.play("egov.ops.ledger_verify")
        assert done.rc == 2, done.output
        assert attack.outcome in done.output
    finally:
        shutil.rmtree(sealed.state)
        shutil.copytree(tmp_path / "kept", sealed.state)


@pytest.mark.parametrize("attack", chosen("spool", "number that is none"))
def test_a_spoilt_line_of_a_spool_is_set_aside_and_told(attack: Attack, site: Site) -> None:
    process = start_and_stay(site)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    (spool,) = site.spools()
    with spool.open("ab") as stream:
        stream.write(attack.attempt + b"\n")  # type: ignore[operator]
    done = site.play(site.procedure(name="other"))
    assert done.rc == 2, done.output
    assert attack.outcome in " ".join(done.output.split())
    (path,) = (site.state / "rejected").iterdir()
    assert path.read_bytes() == attack.attempt + b"\n"  # type: ignore[operator]
