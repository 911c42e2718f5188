# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of restores share: requests for a site's snapshots, and trees as they are on disk."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.backup.restores.accept_undo import accept, undo
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.job import restore
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.listing import listing
from ansible_collections.egov.ops.plugins.module_utils.host.half import perform
from ansible_collections.egov.ops.plugins.plugin_utils.transport import stream

from tests.support.backup_site import PASSWORD, RESTIC, Site


def now() -> str:
    """Return the time: a restore compares the controller's clock with the host's."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def found(site: Site, **asked: Any) -> dict[str, Any]:
    """Return what backup_list finds on a site."""
    options = {"set": "pages", "paths": [], "at": "", "snapshot": "", "mode": "in_place", "destination": ""}
    return perform(listing, site.arguments(**{**options, **asked}), site.host(now()))


def request(site: Site, nonce: str = "", **asked: Any) -> dict[str, Any]:
    """Return what restore_run is given for a request; another nonce makes another request of the same restore."""
    result = found(site, **asked)
    assert not result.get("failed"), result
    operation = {**result["operation"], "seconds": 5.0}
    identity = hashlib.sha256(json.dumps([operation, nonce], sort_keys=True).encode()).hexdigest()
    return {
        "operation": operation,
        "operation_id": identity,
        "gates": ["approval", "lock"],
        "requester": "li@example.org",
        "approvers": ["wang@example.org"],
        "repositories": site.repositories,
        "moved": {},
        "job_timeout": 120.0,
        "attach": False,
        "recorded": False,
    }


def call(site: Site, arguments: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Make one trip of restore_run."""
    return perform(restore, dict(arguments), site.host(now(), program=stream.program("backup.restores.job"), **context))


def carry_out(site: Site, arguments: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Start a restore and ask for it until it has ended, as the action does."""
    result = call(site, arguments, **context)
    while result.get("running"):
        result = call(site, {**arguments, "attach": True}, **context)
    return result


def recorded(site: Site, arguments: dict[str, Any]) -> None:
    """Tell the host that the end of a restore is on the controller's disk."""
    assert not call(site, {**arguments, "recorded": True}).get("failed")


def left_out(record: dict[str, Any]) -> dict[str, int]:
    """Return how many paths were not compared, by why; of an ordinary user without what nobody but root can set."""
    beyond = () if os.geteuid() == 0 else ("owner", "set-id bits", "system xattrs")
    return {why: count for why, count in record["detail"]["not_compared"].items() if why not in beyond}


def settle(site: Site, what: str, arguments: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Accept or undo a restore."""
    half = {"accept": accept, "undo": undo}[what]
    given = {"operation_id": arguments["operation_id"], "person": "zhao"}
    return perform(half, given, site.host(now(), **context))


def journal(site: Site, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a restore, read from its file."""
    path = site.state / "operations" / arguments["operation_id"] / "journal.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def tree(path: Path) -> dict[str, Any]:
    """Return all that lies at and below a path: type, mode, owner, time, extended attributes and content of each."""
    seen = {}
    for each in sorted([path, *path.rglob("*")]):
        info = each.lstat()
        content: Any = ""
        if stat.S_ISREG(info.st_mode):
            content = hashlib.sha256(each.read_bytes()).hexdigest()
        elif stat.S_ISLNK(info.st_mode):
            content = str(each.readlink())
        attributes = {
            name: os.getxattr(each, name, follow_symlinks=False) for name in os.listxattr(each, follow_symlinks=False)
        }
        seen[str(each.relative_to(path))] = (
            info.st_mode,
            info.st_uid,
            info.st_gid,
            info.st_mtime_ns,
            attributes,
            content,
        )
    return seen


def leftovers(site: Site) -> list[str]:
    """Return the folders of restores that lie on the site."""
    return sorted(path.name for path in site.base.rglob(".egov-ops-*"))


def spoil(site: Site) -> dict[str, object]:
    """Change the source, and return what it is then."""
    (site.source / "a").write_text("spoilt")
    (site.source / "b").unlink(missing_ok=True)
    (site.source / "extra").write_text("new since")
    return tree(site.source)


def stand_in(site: Site, body: str) -> Path:
    """Put a program of this name before the system's; what it is called with is in its log."""
    folder = site.base / "tools"
    folder.mkdir(exist_ok=True)
    log = folder / "log"
    program = folder / "systemctl"
    program.write_text(f'#!/bin/sh\necho "$@" >> {log}\n{body}\n')
    program.chmod(0o755)
    return log


def with_units(site: Site, body: str = "", **asked: Any) -> tuple[dict[str, Any], Path, dict[str, Any]]:
    """Return a request for a set with two units, the log of systemctl and the context of calls that find it."""
    log = stand_in(site, body)
    site.sets["pages"]["stop"] = ["web.service", "idle.service"]
    context = {"tool_path": [str(site.base / "tools"), *site.host().tool_path]}
    return request(site, **asked), log, context


def trip(
    site: Site, python: str, half: tuple[str, str], arguments: dict[str, Any], user: int | None = None
) -> dict[str, Any]:
    """Send a half to a Python as the action does, and return its result; as another user if one is named."""
    context = {
        "now": now(),
        "timeout": 60,
        "tool_path": [RESTIC.rpartition("/")[0]],
        "state_dir": str(site.state),
        "program": stream.program("backup.restores.job"),
    }
    data, nonce = stream.envelope(half, arguments, context, {"repository:local": PASSWORD})
    line = stream.command(python)
    rights: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    done = subprocess.run(["sh", "-c", line], input=data, stdout=subprocess.PIPE, timeout=90, check=False, **rights)
    return stream.parse(done.stdout.decode(), nonce, {})
