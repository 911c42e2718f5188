# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a newcomer asks, and the file that answers: named from the listing of the rooms before the files were there."""

from __future__ import annotations

import ast
from pathlib import Path

import environment
import pytest

HOST = "plugins/module_utils"
BACKUP = f"{HOST}/backup"
CONTROLLER = "plugins/plugin_utils"

#: Question, file, and the function, class or constant in it that is the answer.
QUESTIONS = [
    ("Where is the retention decided?", f"{BACKUP}/repositories/retention.py", "retention"),
    ("What changes for an engine that cannot lock?", f"{BACKUP}/engines/contract.py", "CAPABILITIES"),
    ("Where does a new engine get its name?", f"{BACKUP}/engines/registry.py", "ENGINES"),
    ("How is restic called, and with which environment?", f"{BACKUP}/engines/restic/client.py", "Call"),
    ("What do restic's exit codes mean?", f"{BACKUP}/engines/restic/errors.py", "refuse"),
    ("Which files of a proof are restored?", f"{BACKUP}/proofs/sample.py", "choose"),
    ("How long may a backup stay without a proof?", f"{BACKUP}/proofs/proof_age.py", "severity"),
    ("How does a restored file have to match its manifest?", f"{BACKUP}/sets/comparison.py", "compare"),
    ("Which paths does a set leave out?", f"{BACKUP}/sets/source.py", "Source"),
    ("When is a database thawed after its snapshot?", f"{BACKUP}/fs_snapshots/freeze.py", "around"),
    ("Who removes the snapshots that a kill has left?", f"{BACKUP}/fs_snapshots/cleanup.py", "clear_all"),
    ("What does a restore do after a crash?", f"{BACKUP}/restores/phases.py", "duty"),
    ("Where may a restore not write?", f"{BACKUP}/restores/target.py", "resolve"),
    ("Who changed a file of the configuration?", f"{BACKUP}/history/authors.py", "author"),
    ("How does data come into place, the old or the new whole?", f"{HOST}/host/atomic_swap.py", "Swap"),
    ("How are events kept that outlast a crash?", f"{HOST}/host/journal.py", "Journal"),
    ("Why was this host not changed?", f"{CONTROLLER}/gates/decision.py", "decide"),
    ("What does a person sign?", f"{CONTROLLER}/gates/documents.py", "Request"),
    ("Which exit code does a run have?", f"{CONTROLLER}/runs/verdict.py", "judge"),
    ("What happens at the end of a run?", f"{CONTROLLER}/runs/finish.py", "seal"),
    ("How do records get from the spool into the ledger?", f"{CONTROLLER}/ledger/drain.py", "drain_spools"),
    ("Where would a second kind of ledger be opened?", f"{CONTROLLER}/ledger/connection.py", "open_ledger"),
    ("How is a changed record of the ledger found?", f"{CONTROLLER}/ledger/verification.py", "verify_ledger"),
    ("How do the layers of the plan become one value?", f"{CONTROLLER}/plan/layers.py", "merge_layers"),
    ("What makes a change of the plan a weaker one?", f"{CONTROLLER}/plan/strength.py", "is_weaker"),
    ("When is a set due, and when late?", f"{CONTROLLER}/schedule/due.py", "boundaries"),
    ("Which modules travel to a host?", f"{CONTROLLER}/transport/module_bundle.py", "sources"),
    ("What runs once, before Ansible forks its workers?", f"{CONTROLLER}/actions/startup.py", "read_shared"),
    ("Where is the newest good backup's age judged?", f"{CONTROLLER}/backup/freshness.py", "judge"),
    ("How is a day of a host shown in one mark?", f"{CONTROLLER}/report/period/day_strips.py", "strips"),
    ("Where does the report's page become HTML?", f"{CONTROLLER}/report/render/html.py", "render_html"),
    ("Which line of an inventory holds a value?", f"{CONTROLLER}/inventory_check/source_lines.py", "Places"),
]


def names_of(path: Path) -> set[str]:
    """Return what a file defines at its top."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)}
    return names


@pytest.mark.parametrize(("question", "file", "answer"), QUESTIONS, ids=[question for question, _, _ in QUESTIONS])
def test_the_file_that_a_question_leads_to_answers_it(question: str, file: str, answer: str) -> None:
    assert answer in names_of(environment.ROOT / file)
