# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small site to back up: folders below a temporary one, a real repository of restic, and the halves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.backup.proofs.proof import prove
from ansible_collections.egov.ops.plugins.module_utils.backup.run import run
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host, perform

PASSWORD = "correct horse battery staple"
NOBODY = 65534
NOW = "2026-05-20T01:00:00Z"

#: As restic makes it, but for a key that costs no work to derive (scrypt with N=2): half a second less for each call.
REPOSITORY = Path(__file__).with_name("repository")

#: restic of this machine, which an ordinary user may have in a folder of their own.
RESTIC = shutil.which("restic") or "/usr/bin/restic"


class Site:
    """One host with a source folder, a repository and a state folder."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.source = base / "source"
        self.repository = base / "repository"
        self.state = base / "state"
        self.source.mkdir()
        self.sets: dict[str, dict[str, Any]] = {
            "pages": {
                "class": "other",
                "paths": [str(self.source)],
                "exclude": [],
                "repository": "local",
                "full_since": "2026-05-18T00:00:00Z",
                "incremental": "daily",
                "incremental_since": "2026-05-20T00:00:00Z",
            }
        }
        self.repositories: dict[str, dict[str, Any]] = {"local": {"location": str(self.repository), "create": True}}
        self.secrets: dict[str, str] = {}

    def host(self, now: str = NOW, password: str = PASSWORD, **context: Any) -> Host:
        place = {"state_dir": str(self.state), "tool_path": [str(Path(RESTIC).parent)]}
        context = {"now": now, "run": "test-run", "timeout": 60, **place, **context}
        return Host(context, {**{f"repository:{name}": password for name in self.repositories}, **self.secrets})

    def arguments(self, **more: Any) -> dict[str, Any]:
        return {"sets": self.sets, "repositories": self.repositories, "host_name": "web1", **more}

    def back_up(self, now: str = NOW, **context: Any) -> dict[str, Any]:
        """Run the half and return its result; a failure of the whole half fails the test."""
        return self.answer(run, {}, now, context)

    def prove(self, now: str = NOW, more: dict[str, Any] | None = None, **context: Any) -> dict[str, Any]:
        return self.answer(prove, more or {}, now, context)

    def answer(self, half: Any, more: dict[str, Any], now: str, context: dict[str, Any]) -> dict[str, Any]:
        result = perform(half, self.arguments(**more), self.host(now, **context))
        assert not result.get("failed"), result
        json.dumps(result).encode("utf-8")
        return result

    def restic(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return restic(self.repository, *arguments)

    def snapshots(self) -> list[dict[str, Any]]:
        """Return what restic itself says is in the repository, oldest first."""
        listed = self.restic("--json", "snapshots").stdout.partition(b"\n")[2]
        return sorted(json.loads(listed), key=lambda entry: entry["time"])

    def packs(self) -> list[Path]:
        return [path for path in (self.repository / "data").rglob("*") if path.is_file()]


def restic(repository: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run restic itself; what the caller's environment says of repositories and passwords is not for the tests."""
    return subprocess.run(
        ["restic", "--no-cache", "--repo", str(repository), *arguments],
        input=PASSWORD.encode() + b"\n",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=60,
        check=False,
    )


def only(result: dict[str, Any]) -> dict[str, Any]:
    """Return the one observation of a result."""
    (observation,) = result["evidence"]
    return dict(observation)


def as_nobody(work: Callable[[], Any]) -> Any:
    """Return what a function returns in a child process that has no privileges."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            with os.fdopen(writer, "w") as stream:
                json.dump(work(), stream)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    assert said, "the child without privileges died"
    return json.loads(said)
