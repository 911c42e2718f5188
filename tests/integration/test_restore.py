# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore from the first look to its acceptance, with real playbooks, whatever happens to their process."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.gate_requests import approve, ask
from tests.support.signers import make_key, people, signers
from tests.support.sites import DEAD, Site, wait_for

pytestmark = [pytest.mark.programs("restic", "ssh-keygen"), pytest.mark.slow]

#: A repository that there is not.
WRONG = {"egov_ops_restore_from": "tape"}

SEED = os.environ["EGOV_OPS_SEED"]


def prepared(site: Site) -> Site:
    """Let a site have people with keys and a proved backup, and lose a file since."""
    site.hosts = {"web1": site.hosts["web1"]}
    for name in ("li", "wang"):
        make_key(site.folder, name)
    site.variables |= {"egov_ops_people": people(), "egov_ops_signers": signers(site.folder, "li", "wang")}
    site.has_repository()
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
    script.write_text(f'#!/bin/sh\ncase "$*" in *"restore --target"*) sleep {seconds};; esac\nexec "{real}" "$@"\n')
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


def test_a_lost_host_s_data_is_restored_on_another_from_a_copy(site: Site) -> None:
    site.hosts["web2"]["egov_ops_host_state_dir"] = str(site.folder / "host2")
    web1, web2 = site.hosts["web1"], site.hosts["web2"]
    site.variables["egov_ops_backup_repositories"]["vault"] = {"location": str(site.folder / "vault"), "create": True}
    site.variables["egov_ops_backup_sets"]["data"]["copies"] = ["vault"]
    prepared(site)
    before = contents(site)
    site.hosts = {"web1": web1, "web2": web2}
    shutil.rmtree(site.folder / "repository")
    shutil.rmtree(site.folder / "data")
    options = {
        "egov_ops_restore_set": "data",
        "egov_ops_restore_of": "web1",
        "egov_ops_restore_from": "any",
        "egov_ops_restore_destination": str(site.folder / "taken"),
    }
    refused = site.run("ansible", "web2", "-m", "egov.ops.backup_list", "-e", json.dumps({**options, **WRONG}))
    assert refused.rc != 0
    assert "Repository tape takes no copy of data; egov_ops_restore_from may be any or one of" in refused.output
    found = site.run("ansible", "web2", "-m", "egov.ops.backup_list", "-e", json.dumps(options))
    assert found.rc == 0, found.output
    line = next(line for line in found.output.splitlines() if line.startswith("operation: "))
    operation = {"egov_ops_operation": json.loads(line.removeprefix("operation: ")), "egov_ops_reason": "web1 is lost"}
    assert operation["egov_ops_operation"]["repository"] == "vault"
    done = site.play("egov.ops.request", "-e", json.dumps(operation), "-e", f"egov_ops_signing_key={site.folder}/li")
    assert done.rc == 0, done.output
    assert "host web1, whose data goes to another host" in done.output
    (digest,) = [record["subject"] for record in site.records(domain="gate", kind="request")]
    assert approve(site, digest).rc == 0
    done = site.play("egov.ops.restore", "-e", f"egov_ops_request={digest}", "-e", "egov_ops_hosts=web2")
    assert done.rc == 0, done.output
    taken = site.folder / "taken" / str(site.folder / "data").lstrip("/")
    assert {path.name: path.read_text() for path in sorted(taken.iterdir())} == before
    (record,) = site.records(kind="restore")
    assert (record["host"], record["detail"]["of"], record["detail"]["repository"]) == ("web2", "web1", "vault")
    assert ("web2", "health_probe") in site.steps()  # the probes of the host come after


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"egov_ops_restore_at": "yesterday"}, "'yesterday' is no time: write it as"),
        ({"egov_ops_restore_of": "web9"}, "There is no host web9 in this inventory"),
        ({"egov_ops_restore_set": "dta"}, "Set dta is not in the plan of this host: it has"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(site: Site, option: dict[str, str], words: str) -> None:
    site.hosts = {"web1": dict(DEAD)}
    done = site.run("ansible", "web1", "-m", "egov.ops.backup_list", "-e", json.dumps(option))
    assert done.rc != 0
    assert words in done.output, "the host, which is not there, was not asked"


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


def test_a_restore_without_a_host_works_on_the_host_of_its_request_alone(ready: Site) -> None:
    before = contents(ready)
    lose(ready)
    digest = approved(ready, "pages")
    ready.hosts["web2"] = {**ready.hosts["web1"], "egov_ops_host_state_dir": str(ready.folder / "host2")}
    done = ready.play("egov.ops.restore", "-e", f"egov_ops_request={digest[:8]}")
    assert done.rc == 0, done.output
    assert contents(ready) == before
    done = carry_out(ready, digest, "restore_accept")
    assert done.rc == 0, done.output
    assert "System user " in done.output
    assert [entry["kind"] for entry in ready.records(host="web2")] == []
    assert not (ready.folder / "host2").exists()
    done = ready.play("egov.ops.restore", "-e", "egov_ops_request=00000000")
    assert done.rc != 0
    assert "00000000" in done.output


def killed(site: Site, rounds: int) -> None:
    """Kill the controller at random moments of restores; the next run ends each of them, once."""
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
