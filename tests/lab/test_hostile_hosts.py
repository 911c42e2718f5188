# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real host whose Python answers what it likes, over ssh: nothing of it is obeyed, over either transport."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hostile import PYTHON, attacks
from tests.support.sites import PROBE, Site

from .lab import Lab

FOLDER = "/run/lab/hostile"
UNPACK = f"""
import json, os
os.makedirs("{FOLDER}")
with open("{FOLDER}.json") as stream:
    files = json.load(stream)
for name, text in files.items():
    with open("{FOLDER}/" + name, "w") as stream:
        stream.write(text)
    os.chmod("{FOLDER}/" + name, 0o755)
"""


@pytest.fixture(scope="module")
def mark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the controller that no answer may have made."""
    return tmp_path_factory.mktemp("mark") / "made"


@pytest.fixture(scope="module")
def answers(lab: Lab, mark: Path) -> Iterator[dict[str, str]]:
    """The attacks by name, each given by a Python of its own on n1."""
    found = attacks(str(mark))
    files = dict.fromkeys(found, PYTHON) | {f"{name}.answer": text for name, text in found.items()}
    lab.write("n1", f"{FOLDER}.json", json.dumps(files))
    lab.write("n1", f"{FOLDER}.py", UNPACK)
    lab.shell("n1", f"/usr/bin/python3 {FOLDER}.py")
    yield found
    lab.shell("n1", f"rm -r {FOLDER} {FOLDER}.json {FOLDER}.py")


@pytest.mark.parametrize("transport", ["stream", "module"])
def test_each_answer_that_is_none_is_a_record_and_nothing_else(
    site: Site, answers: dict[str, str], mark: Path, transport: str
) -> None:
    site.hosts = {name: {"ansible_host": "n1", "ansible_python_interpreter": f"{FOLDER}/{name}"} for name in answers}
    site.hosts["honest"] = {"ansible_host": "n2"}
    site.variables["egov_ops_transport"] = transport
    site.environment = {"ANSIBLE_FORKS": "8"}
    done = site.play(site.procedure([PROBE]), "-v", timeout=240)
    assert done.rc == 2, done.output[-4000:]
    assert not mark.exists()
    assert "invented" not in done.output.rpartition("PLAY RECAP")[2]
    assert {host: step for (host, _module), step in site.steps().items()} == {
        **dict.fromkeys(answers, ("failed", "malformed_answer")),
        "honest": ("ok", ""),
    }
    shown = [done.output.encode(), *(path.read_bytes() for path in (site.state / "reports").iterdir())]
    assert [content[:80] for content in shown if b"\x1b" in content or b"\x07" in content] == []
    with sqlite3.connect(site.state / "ledger.sqlite3") as ledger:
        kinds = ledger.execute("SELECT DISTINCT kind FROM record WHERE host NOT IN ('honest', 'controller')")
        assert kinds.fetchall() == [("step",)]
        active = ledger.execute("SELECT seq FROM record WHERE body LIKE '%\\u001b%' OR instr(body, char(27))")
        assert active.fetchall() == []
