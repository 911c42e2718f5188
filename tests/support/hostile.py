# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that answer what they like: a Python that gives a prepared answer over either transport, and the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: A Python in the place of a host's own: it answers what lies beside it, as a stream or as a module wants it.
PYTHON = """\
#!/usr/bin/python3
import json, os, sys
with open(__file__ + ".answer") as stream:
    answer = stream.read()
mark = ""
if "-c" in sys.argv:
    mark = json.loads(sys.stdin.read())["nonce"]
elif len(sys.argv) == 1:
    sys.stdin.read()
sys.stdout.write("\\n" + mark + answer + mark + "\\n")
"""

FOUND: dict[str, Any] = {
    "kind": "memory",
    "subject": "memory",
    "status": "ok",
    "reason": "",
    "clauses": [],
    "duration": 0.1,
    "detail": {"message": "Fine.", "probe": "memory"},
}
GOOD: dict[str, Any] = {"changed": False, "msg": "fine", "summary": {"ok": 1}, "evidence": [FOUND]}


def attacks(mark: str) -> dict[str, str]:
    """Return answers by name, each of which must end as malformed; mark is a file that none may have made."""
    pays = f"sh -c 'id >{mark}' y"
    lets_in = {"ansible_connection": "local", "ansible_python_interpreter": pays}
    plan = {"egov_ops_backup_repositories": {"own": {"location": "/tmp/x", "password_command": ["touch", mark]}}}
    named = {"host_name": "invented", "groups": ["all"], "host_vars": {**lets_in, **plan}}

    def more(**keys: Any) -> str:
        return json.dumps({**GOOD, **keys})

    def seen(**keys: Any) -> str:
        return json.dumps({**GOOD, "evidence": [{**FOUND, **keys}]})

    return {
        "addhost": json.dumps({"msg": "fine", "evidence": [], "add_host": named}),
        "addhost2": more(add_host=named),
        "addgroup": more(add_group="invented", parent_groups=["all"]),
        "warnings": more(warnings=["\x1b]0;owned\x07\x1b[2J"]),
        "deprecations": more(deprecations=[{"msg": "\x1b[2J", "version": "9"}]),
        "facts": more(ansible_facts={**lets_in, "egov_ops_managed": False}),
        "internal": more(_ansible_no_log=True, _ansible_verbose_override=True, _ansible_delegated_vars=lets_in),
        "unreachable": more(unreachable=True),
        "exception": more(failed=False, exception="\x1b[2JTraceback"),
        "stack": more(traceback="Traceback"),
        "stackescape": json.dumps({"failed": True, "msg": "x", "traceback": "a\n\x1b[2J"}),
        "stacklong": json.dumps({"failed": True, "msg": "x", "traceback": "x" * (16 * 1024 + 1)}),
        "failedtext": more(failed="no"),
        "changedlist": more(changed=["\x1b[2J"]),
        "invocation": more(invocation={"module_args": lets_in}),
        "step": seen(kind="step", subject="backup_run"),
        "ownstep": seen(kind="step", subject="health_probe"),
        "otherkind": seen(kind="backup", subject="data"),
        "override": seen(kind="override", status="critical"),
        "nothing": more(evidence=[]),
        "running": json.dumps({"running": True, "msg": "x", "evidence": []}),
        "again": json.dumps({"running": True, "msg": "x", "again": {"probes": {}, "timeout": 1e9}}),
        "escape": more(msg="\x1b[2J\x1b]0;owned\x07"),
        "rawescape": more().replace("fine", "\x1b[2J"),
        "c1": more(msg="\x9b2J"),
        "twolines": more(msg="fine\nok: [web2]"),
        "surrogate": seen(subject="\ud800"),
        "detailescape": seen(detail={"message": "Fine.", "found": {"\x1b[2J": 1}}),
        "detailtype": seen(detail={"message": ["x"], "version": "x", "bytes": "x"}),
        "deep": more().replace('"Fine."', "[" * 2600 + "]" * 2600),
        "deeper": more().replace('"Fine."', "[" * 200_000 + "]" * 200_000),
        "nan": more().replace("0.1", "NaN"),
        "infinity": more().replace("0.1", "1e999"),
        "digits": more().replace("0.1", "9" * 5000),
        "twice": more().replace('"evidence"', '"add_host": {"host_name": "n9"}, "evidence": [], "evidence"'),
        "mapping": json.dumps({**GOOD, "evidence": {"0": FOUND}}),
    }


#: An answer that may be given: what would be obeyed or hide something stands in it as text.
ODD = json.dumps(
    {
        **GOOD,
        "msg": "{{ lookup('pipe', 'false') }} \u202e",
        "evidence": [
            {**FOUND, "subject": "a\u202eb", "status": "warning", "detail": {"message": "{{ 7 * 7 }}\u202e\n"}}
        ],
    }
)


def python(folder: Path, name: str, answer: str) -> str:
    """Write a Python that gives an answer, and return its path."""
    path = folder / name
    path.write_text(PYTHON)
    path.chmod(0o755)
    path.with_name(f"{name}.answer").write_text(answer, encoding="utf-8")
    return str(path)


#: A Python that prints for as long as somebody reads, however much.
FLOOD = """\
#!/bin/sh
trap '' PIPE
exec yes '{"msg": "fine"}'
"""
