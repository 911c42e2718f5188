# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup, through a playbook's own eyes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.ledger_cases import make_record, make_state

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    base: {folder}
    egov_ops_state_dir: "{{{{ base }}}}/state"
  tasks:
    - ansible.builtin.copy:
        content: "{{{{ query('egov.ops.ledger'{options}) | to_json }}}}"
        dest: "{{{{ base }}}}/found.json"
"""


def play(folder: Path, options: str) -> subprocess.CompletedProcess[str]:
    book = folder / "play.yml"
    book.write_text(PLAY.format(folder=folder, options=options), encoding="utf-8")
    tree = next(path for path in sys.path if Path(path, "ansible_collections/egov/ops").is_dir())
    settings = {"ANSIBLE_COLLECTIONS_PATH": tree, "ANSIBLE_HOME": str(folder), "ANSIBLE_LOCALHOST_WARNING": "False"}
    return subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", book],
        env={**os.environ, **settings},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Ledger(make_state(tmp_path).ledger) as ledger:
        ledger.append(
            [make_record(identifier="1"), make_record(identifier="2", status="failed"), make_record(host="db1")]
        )
    return tmp_path


def test_records_are_returned_newest_first_with_their_place_in_the_chain(folder: Path) -> None:
    done = play(folder, ", host='web1', status=['ok', 'failed']")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    assert [(record["id"], record["seq"], len(record["hash"])) for record in found] == [("2", 2, 64), ("1", 1, 64)]


@pytest.mark.parametrize(
    ("options", "said"),
    [(", 'web1'", "takes options such as host="), (", state_dir='/nonexistent'", "no ledger at /nonexistent")],
)
def test_what_cannot_be_looked_up_is_one_sentence(folder: Path, options: str, said: str) -> None:
    done = play(folder, options)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
