# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attacks by the owner of the controller's files: on the ledger, its witness, and the spool of a run."""

from __future__ import annotations

from tests.support.attacks import Attack

#: SQL that changes the ledger past the triggers that guard it; the record whose number the verification must give.
_LEDGER = {
    "record that is edited": ("UPDATE record SET body = replace(body, '\"ok\"', '\"warning\"') WHERE seq = 3", "#3"),
    "record that is deleted": ("DELETE FROM record WHERE seq = 2", "#2"),
    "records that are exchanged": (
        "UPDATE record SET seq = 9999 WHERE seq = 2; UPDATE record SET seq = 2 WHERE seq = 5; "
        "UPDATE record SET seq = 5 WHERE seq = 9999",
        "#2",
    ),
    "hash of another algorithm": ("UPDATE record SET algorithm = 'md5' WHERE seq = 3", "#3"),
    "hash of its own": ("UPDATE record SET hash = lower(hex(randomblob(32))) WHERE seq = 3", "#3"),
    "tail that is cut off": (
        "DELETE FROM record WHERE seq > (SELECT max(seq) FROM record) - 2",
        "witness",
    ),
}
#: A line at the end of a spool whose run was killed.
_SPOOL: dict[str, bytes] = {
    "number that is none": b'{"attempt":NaN}',
    "identity that is a list": b'{"id":["1"]}',
    "bytes that are no text": b"\xff\xfe",
    "header that is none": b'{"header":{"longest":"long"}}',
    "line that is nested deep": b'{"id":"x","detail":' + b"[" * 5000 + b"]" * 5000 + b"}",
}

ATTACKS = [
    *(
        Attack("ledger", "owner of the controller's files", name, statement, outcome)
        for name, (statement, outcome) in _LEDGER.items()
    ),
    *(
        Attack("spool", "owner of the controller's files", name, line, "cannot be taken into the ledger")
        for name, line in _SPOOL.items()
    ),
]
