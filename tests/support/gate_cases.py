# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the gate share: keys, a plan of four people, a request and its signatures."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.ssh_signature import public_key, sign
from ansible_collections.egov.ops.plugins.plugin_utils.gates.decision import Evidence, Signed
from ansible_collections.egov.ops.plugins.plugin_utils.gates.documents import APPROVAL, REQUEST, Approval, Request
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
SNAPSHOT = "0123456789abcdef" * 4

#: Each key's owner: li asks, wang and zhao approve, chen may do neither.
OWNERS = {"li_1": "li", "li_2": "li", "wang_1": "wang", "zhao_1": "zhao", "chen_1": "chen", "zhou_1": "zhou"}

#: A key that stands in no plan.
STRANGER = "stranger"


@functools.cache
def folder() -> Path:
    """Return the folder of the keys, which this process makes once and removes at its end."""
    if not shutil.which("ssh-keygen"):
        pytest.skip("needs ssh-keygen", allow_module_level=True)
    made = Path(tempfile.mkdtemp(prefix="egov-ops-keys-"))
    atexit.register(shutil.rmtree, made)
    for name in (*OWNERS, STRANGER):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(made / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return made


@functools.cache
def key(name: str) -> str:
    """Return the public half of a key."""
    return public_key(folder() / name)


def variables(**given: Any) -> dict[str, Any]:
    """Return an inventory's variables: people, keys, and what is given."""
    return {
        "egov_ops_people": {
            "li": {"team": "DATA", "may_request": ["restore"], "may_approve": ["restore"]},
            "wang": {"team": "SEC", "may_approve": ["restore"]},
            "zhao": {"team": "DATA", "may_request": ["restore"], "may_approve": ["restore"]},
            "chen": {"team": "SUP"},
            "zhou": {"team": "SEC", "may_request": ["restore"]},
        },
        "egov_ops_signers": {name: {"person": person, "key": key(name)} for name, person in OWNERS.items()},
        **{f"egov_ops_{name}": value for name, value in given.items()},
    }


def plan(**given: Any) -> Mapping[str, Any]:
    """Return a host's plan."""
    return merge(variables(**given), load_schema())


def operation(**given: Any) -> dict[str, Any]:
    """Return a restore back into place, or what is given instead."""
    return {
        "host": "web1",
        "set": "portal",
        "repository": "local",
        "snapshot": SNAPSHOT,
        "snapshot_time": "2026-03-04T01:00:00Z",
        "paths": ["/srv/portal"],
        "mode": "in_place",
        "destination": "",
        "files": 120,
        "bytes": 4096,
        "stop": ["nginx.service"],
        "seconds": 3.5,
        **given,
    }


def request(made: datetime = NOW, **given: Any) -> Request:
    """Return a request of li's, made now and valid for an hour."""
    fields: dict[str, Any] = {
        "action": "restore",
        "operation": operation(),
        "requester": "li",
        "reason": "The portal was deleted by mistake",
        "made": iso(made),
        "not_after": iso(made + timedelta(hours=1)),
        "nonce": "ab" * 16,
    }
    return Request(**{**fields, **given})


def signed_by(name: str, document: Request | Approval, namespace: str = "") -> str:
    """Return a real signature."""
    wanted = namespace or (REQUEST if isinstance(document, Request) else APPROVAL)
    return sign(document.body, wanted, folder() / name)


def approved(of: Request, *names: str, made: datetime = NOW) -> tuple[Signed, ...]:
    """Return approvals by the owners of keys, as they are found when their signatures are good."""
    return tuple(Signed(Approval(of.digest, OWNERS[name], iso(made)), key(name), True) for name in names)


def evidence(of: Request, *names: str, **given: Any) -> Evidence:
    """Return what is known of a request of li's that the owners of some keys have approved."""
    proof = {"status": "ok", "finished": iso(NOW - timedelta(hours=1))}
    known: dict[str, Any] = {"key": key("li_1"), "valid": True, "approvals": approved(of, *names), "proof": proof}
    return Evidence(**{"host": "web1", "action": "restore", **known, **given})
