# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules over this room's halves; the controller reads them without loading the halves."""

#: How a moment of the past is written, and what the day alone is filled up with; and what is said of anything else.
TIME_FORMS = (("%Y-%m-%dT%H:%M:%SZ", ""), ("%Y-%m-%dT%H:%MZ", ""), ("%Y-%m-%d", "T23:59:59Z"))
NO_TIME = "%r is no time: write it as 2026-01-31T02:30:00Z (UTC) or 2026-01-31."

#: In place of a repository's name: the first within reach.
ANY = "any"

_SETS = {
    "sets": {"type": "dict", "default": {}},
    "repositories": {"type": "dict", "default": {}},
    "host_name": {"type": "str", "default": ""},
}

#: Of a half that may take long: the work that another call started (host/watched.py).
_WATCHED = {"job": {"type": "str", "default": ""}}

RUN = dict(
    _SETS,
    copy_seconds={"type": "float", "default": 1800.0},
    timeout={"type": "float", "default": 3600.0},
    **_WATCHED,
)

CHECK = dict(
    _SETS,
    data={"type": "str", "choices": ["new", "all"]},
    timeout={"type": "float", "default": 3600.0},
)

CATALOGUE = dict(
    _SETS,
    site={"type": "str", "default": ""},
    proofs={"type": "dict", "default": {}},
    checks={"type": "dict", "default": {}},
    unproved={"type": "list", "elements": "float", "default": []},
    timeout={"type": "float", "default": 300.0},
)

PROVE = dict(
    _SETS,
    seed={"type": "str", "default": ""},
    snapshot={"type": "str", "default": ""},
    files={"type": "int", "default": 0},
    max_bytes={"type": "int", "default": 0},
    timeout={"type": "float", "default": 1800.0},
)

DRILL = dict(
    _SETS,
    copy={"type": "str", "default": ""},
    folder={"type": "str", "default": ""},
    assertions={"type": "dict", "default": {}},
    moved={"type": "dict", "default": {}},
    timeout={"type": "float", "default": 7200.0},
    **_WATCHED,
)

LIST = dict(
    _SETS,
    set={"type": "str", "default": ""},
    paths={"type": "list", "elements": "str", "default": []},
    at={"type": "str", "default": ""},
    snapshot={"type": "str", "default": ""},
    mode={"type": "str", "choices": ["beside", "in_place"]},
    destination={"type": "str", "default": ""},
    of={"type": "str", "default": ""},
    from_repository={"type": "str", "default": ""},
    target={"type": "str", "default": ""},
    timeout={"type": "float", "default": 600.0},
)

#: What a task that changes a host gives its half about the request, and a person never.
_OPERATION = {
    "request": {"type": "str"},
    "operation": {"type": "dict", "default": {}},
    "operation_id": {"type": "str", "default": ""},
    "gates": {"type": "list", "elements": "str", "default": []},
    "requester": {"type": "str", "default": ""},
    "approvers": {"type": "list", "elements": "str", "default": []},
}

RESTORE = dict(
    _OPERATION,
    repositories={"type": "dict", "default": {}},
    job_timeout={"type": "float", "default": 14400.0},
    moved={"type": "dict", "default": {}},
    attach={"type": "bool", "default": False},
    recorded={"type": "bool", "default": False},
    timeout={"type": "float", "default": 60.0},
)

SETTLE = dict(_OPERATION, person={"type": "str", "default": ""}, timeout={"type": "float", "default": 3600.0})

PRUNE = dict(
    _OPERATION,
    elsewhere={"type": "bool", "default": False},
    repositories={"type": "dict", "default": {}},
    host_name={"type": "str", "default": ""},
    sets={"type": "dict", "default": {}},
    rules={"type": "dict", "default": {}},
    holds={"type": "list", "elements": "dict", "default": []},
    proofs={"type": "dict", "default": {}},
    known={"type": "dict", "default": {}},
    timeout={"type": "float", "default": 3600.0},
)
