# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore from the first look to its acceptance, with real playbooks, whatever happens to their process."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from signers import make_key, people, signers
from sites import Site, wait_for
from test_gate import approve, ask

pytestmark = [pytest.mark.programs("restic", "ssh-keygen"), pytest.mark.slow]

SEED = int(os.environ.get("EGOV_OPS_SEED") or random.randrange(2**32))


def prepared(site: Site) -> Site:
    """Let a site have people with keys and a proved backup, and lose a file since."""
    site.hosts = {"web1": site.hosts["web1"]}
    for name in ("li", "wang"):
        make_key(site.folder, name)
    site.variables |= {"egov_ops_people": people(), "egov_ops_signers": signers(site.folder, "li", "wang")}
    done = site.play("egov.ops.backup")
    assert done.rc == 0, done.output
    return site


@pytest.fixture
def ready(site: Site) -> Site:
    return prepared(site)


def contents(site: Site) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((site.folder / "data").iterdir())}


def lose(site: Site) -> dict[str, str]:
    """Spoil the data, and return what it is then."""
    (site.folder / "data" / "file0").write_text("spoilt")
    (site.folder / "data" / "file1").unlink(missing_ok=True)
    return contents(site)


def approved(site: Site, name: str, mode: str = "in_place") -> str:
    digest = ask(site, name, mode)
    done = approve(site, digest)
    assert done.rc == 0, done.output
    return digest


def carry_out(site: Site, digest: str, procedure: str = "restore", *more: str) -> Any:
    return site.play(f"egov.ops.{procedure}", "-e", f"egov_ops_request={digest}", *more)


def begun(site: Site, digest: str) -> bool:
    path = site.folder / "host" / "operations" / digest / "journal.jsonl"
    return path.exists() and b'"begin"' in path.read_bytes()


def slow_restic(site: Site, seconds: float) -> None:
    """Put a restic before the system's that restores after so many seconds."""
    tools = site.folder / "tools"
    tools.mkdir(exist_ok=True)
    real = Path(site.variables["egov_ops_tool_path"][-1]) / "restic"
    script = tools / "restic"
    script.write_text(f'#!/bin/sh\ncase "$*" in *"restore --target"*) sleep {seconds};; esac\nexec {real} "$@"\n')
    script.chmod(0o755)
    site.variables["egov_ops_tool_path"] = [str(tools), site.variables["egov_ops_tool_path"][-1]]


def test_a_restore_is_asked_for_approved_carried_out_and_accepted(either: Site) -> None:
    site = prepared(either)
    before = contents(site)
    lost = lose(site)
    digest = approved(site, "pages")
    done = carry_out(site, digest, "restore", "--check")
    assert done.rc == 0, done.output
    assert "Would restore 5 files" in done.output
    assert contents(site) == lost
    done = carry_out(site, digest)
    assert done.rc == 0, done.output
    assert contents(site) == before
    (record,) = site.records(kind="restore")
    assert (record["status"], record["subject"], record["detail"]["operation"]) == ("ok", "data", digest)
    assert (record["detail"]["requester"], record["detail"]["approvers"]) == ("li", ["wang"])
    assert record["detail"]["bytes_per_second"] > 0
    again = carry_out(site, digest)
    assert again.rc == 2, again.output
    assert len(site.records(kind="restore")) == 1
    done = carry_out(site, digest, "restore_accept")
    assert done.rc == 0, done.output
    (acceptance,) = site.records(kind="restore_acceptance")
    assert acceptance["detail"]["person"]
    assert list(site.folder.glob(".egov-ops-*")) == []
    assert contents(site) == before
    assert site.verified()


def test_a_restore_is_undone(ready: Site) -> None:
    lost = lose(ready)
    digest = approved(ready, "pages")
    assert carry_out(ready, digest).rc == 0
    done = carry_out(ready, digest, "restore_undo")
    assert done.rc == 0, done.output
    assert contents(ready) == lost
    assert [record["status"] for record in ready.records(kind="restore_undo")] == ["ok"]
    assert list(ready.folder.glob(".egov-ops-*")) == []


def test_a_long_restore_says_how_far_it_is_every_fifteen_seconds(ready: Site) -> None:
    before = contents(ready)
    lose(ready)
    slow_restic(ready, 25)
    digest = approved(ready, "pages")
    process = ready.start("ansible-playbook", "egov.ops.restore", "-e", f"egov_ops_request={digest}")
    assert process.stdout
    signs = (f"restore {digest[:8]}: restoring for", "Carry out the restore")
    told = [time.monotonic() for line in process.stdout if any(sign in line for sign in signs)]
    assert process.wait() == 0
    assert contents(ready) == before
    assert len(told) >= 3
    assert max(later - earlier for earlier, later in pairwise(told)) <= 15, told


def test_an_interrupted_controller_leaves_the_job_running_and_the_next_run_attaches(ready: Site) -> None:
    before = contents(ready)
    lost = lose(ready)
    slow_restic(ready, 8)
    digest = approved(ready, "pages")
    process = ready.start("ansible-playbook", "egov.ops.restore", "-e", f"egov_ops_request={digest}")
    wait_for(lambda: begun(ready, digest))
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert contents(ready) == lost
    done = carry_out(ready, digest)
    assert done.rc == 0, done.output
    assert contents(ready) == before
    (record,) = ready.records(kind="restore")
    assert record["detail"]["attempts"] == 1


def test_an_interrupted_restore_is_cancelled_by_its_undoing(ready: Site) -> None:
    lost = lose(ready)
    slow_restic(ready, 60)
    digest = approved(ready, "pages")
    process = ready.start("ansible-playbook", "egov.ops.restore", "-e", f"egov_ops_request={digest}")
    wait_for(lambda: list(ready.folder.glob(".egov-ops-*/tree")))
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    done = carry_out(ready, digest, "restore_undo")
    assert done.rc == 0, done.output
    assert contents(ready) == lost
    assert list(ready.folder.glob(".egov-ops-*")) == []
    assert subprocess.run(["pgrep", "-f", digest[:16]], capture_output=True, check=False).returncode == 1


def test_a_restore_for_another_host_is_refused(ready: Site) -> None:
    digest = approved(ready, "pages")
    ready.hosts["web2"] = dict(ready.hosts["web1"])
    done = ready.play("egov.ops.restore", "--limit", "web2", "-e", f"egov_ops_request={digest}")
    assert done.rc == 2, done.output
    assert not (ready.folder / "host" / "operations").exists()


def killed(site: Site, rounds: int) -> None:
    """Kill the controller at random moments of restores; the next run ends each of them, once."""
    print(f"EGOV_OPS_SEED={SEED}")
    rng = random.Random(SEED)
    new = contents(site)
    for number in range(rounds):
        old = lose(site)
        digest = approved(site, f"pages{number}")
        process = site.start("ansible-playbook", "egov.ops.restore", "-e", f"egov_ops_request={digest}")
        time.sleep(rng.uniform(1.0, 5.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        assert contents(site) in (old, new)
        done = carry_out(site, digest)
        counts_once = done.rc == 2 and "was carried out already" in done.output
        assert done.rc == 0 or counts_once, done.output
        assert contents(site) == new
        told = [record for record in site.records(kind="restore") if record["detail"]["operation"] == digest]
        assert told, done.output
        assert carry_out(site, digest, "restore_accept").rc == 0
    assert site.verified()


def test_a_controller_killed_at_five_moments_loses_nothing(ready: Site) -> None:
    killed(ready, 5)


@pytest.mark.long
def test_a_controller_killed_at_fifty_moments_loses_nothing(ready: Site) -> None:
    killed(ready, 50)
