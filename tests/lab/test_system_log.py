# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told to the system's log of a real systemd host is read back from its journal."""

from __future__ import annotations

import json

import environment

from .lab import Lab

ROOM = environment.ROOT / "plugins/plugin_utils/ledger"
HEADER, FIRST, SECOND = "a" * 64, "b" * 64, "c" * 64

PROGRAM = f"""
import json, sys, time
sys.path.insert(0, "/run/lab")
import system_log
begun = "spool begun run=%s header={HEADER}"
lines = "spool run=%s lines=1 sha256=%s"
for text in (begun % "r1", lines % ("r1", "{FIRST}"), lines % ("r10", "{SECOND}"), lines % ("r1", "{SECOND}")):
    system_log.log(text)
until = time.monotonic() + 20
found = None
while time.monotonic() < until and (found is None or len(found.hashes) < 2):
    found = system_log.logged("r1")
    time.sleep(0.2)
print(json.dumps([found.header, found.hashes, system_log.logged("r2")]))
"""


def test_the_journal_of_a_host_keeps_what_spools_are_compared_with(lab: Lab) -> None:
    lab.write("n1", "/run/lab/system_log.py", (ROOM / "system_log.py").read_text())
    lab.write("n1", "/run/lab/journal.py", PROGRAM)
    answer = lab.shell("n1", "python3 /run/lab/journal.py && rm /run/lab/system_log.py /run/lab/journal.py")
    assert json.loads(answer) == [HEADER, [FIRST, SECOND], None]
