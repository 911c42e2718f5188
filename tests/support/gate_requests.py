# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests for a restore, approvals of them, and the gate's records on a site of local hosts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool

from tests.support.sites import Done, Site


def ask(site: Site, name: str = "restored", mode: str = "beside") -> str:
    """Have li ask for a restore of web1 into a folder, and return the request's digest."""
    destination = str(site.folder / name) if mode == "beside" else ""
    options = {"egov_ops_restore_set": "data", "egov_ops_restore_mode": mode}
    if destination:
        options["egov_ops_restore_destination"] = destination
    found = site.run("ansible", "web1", "-m", "egov.ops.backup_list", "-e", json.dumps(options))
    assert found.rc == 0, found.output
    line = next(line for line in found.output.splitlines() if line.startswith("operation: "))
    operation = {"egov_ops_operation": json.loads(line.removeprefix("operation: ")), "egov_ops_reason": f"Lost {name}"}
    done = site.play("egov.ops.request", "-e", json.dumps(operation), "-e", f"egov_ops_signing_key={site.folder}/li")
    assert done.rc == 0, done.output
    digest: str
    (digest,) = [
        entry["subject"] for entry in records(site, "request") if entry["detail"]["message"].endswith(f"Lost {name}")
    ]
    return digest


def approve(site: Site, digest: str, name: str = "wang", confirm: str | None = None) -> Done:
    """Have somebody approve a request."""
    wanted = {"egov_ops_request": digest, "egov_ops_signing_key": str(site.folder / name)}
    wanted["egov_ops_confirm"] = digest[:8] if confirm is None else confirm
    return site.play("egov.ops.approve", "-e", json.dumps(wanted))


def records(site: Site, kind: str) -> list[Mapping[str, Any]]:
    """Return the gate's records of a kind: of the ledger, and those that still wait in spools."""
    waiting = [record for path in site.spools() for record in Spool(path).holding(b'"domain":"gate"')]
    return [entry for entry in [*site.records(domain="gate"), *waiting] if entry["kind"] == kind]
