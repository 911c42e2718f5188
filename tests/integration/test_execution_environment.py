# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As AWX does it: an execution environment is described by ansible-builder, procedures are driven by ansible-runner."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import environment
import pytest
import yaml

from tests.support.sites import DEAD, Site

BIN = Path(sys.executable).parent


@pytest.fixture
def builder() -> str:
    """The command ansible-builder."""
    if not (BIN / "ansible-builder").exists():
        pytest.skip("needs ansible-builder")
    return str(BIN / "ansible-builder")


def test_the_execution_environment_can_be_built_from_its_description(builder: str, tmp_path: Path) -> None:
    shutil.copy(environment.ROOT / "execution-environment.yml", tmp_path)
    galaxy = [str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(tmp_path / "build")]
    subprocess.run(galaxy, cwd=environment.ROOT, stdout=subprocess.DEVNULL, check=True)
    done = subprocess.run(
        [builder, "create", "--context", "context", "--output-filename", "Containerfile"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    copied = [line for line in (tmp_path / "context/Containerfile").read_text().splitlines() if "egov-ops" in line]
    assert copied
    for line in copied:
        assert (tmp_path / "context" / line.split()[1]).is_file()


def test_an_execution_environment_learns_what_the_collection_needs(builder: str) -> None:
    tree = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"])
    shown = subprocess.run([builder, "introspect", str(tree)], capture_output=True, text=True, check=True).stdout
    found = yaml.safe_load(shown)
    assert [entry.split()[0] for entry in found["python"]] == ["tzdata"]
    assert {entry.split()[0] for entry in found["system"]} == {
        *("git", "git-core", "openssh-client", "openssh-clients"),
    }


@pytest.mark.programs("dpkg-query", "git", "ssh", "ssh-keygen")
def test_the_list_names_the_debian_packages_of_the_programs_that_we_start(builder: str) -> None:
    listed = [
        str(Path(builder).with_name("bindep")),
        "--file",
        str(environment.ROOT / "meta/ee-bindep.txt"),
        "--list_all",
        "newline",
    ]
    packages = set(subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split())
    for program in ("git", "ssh", "ssh-keygen"):
        owner = subprocess.run(
            ["dpkg-query", "--search", f"/usr/bin/{program}"], capture_output=True, text=True, check=True
        )
        assert owner.stdout.split(":")[0] in packages, owner


def driven(site: Site, playbook: str) -> Any:
    """Run a procedure of the site by ansible-runner and return its runner."""
    runner = pytest.importorskip("ansible_runner", reason="needs ansible-runner")
    data = site.folder / "runner"
    (data / "project").mkdir(parents=True)
    return runner.run(
        private_data_dir=str(data),
        inventory=str(site.write()),
        playbook=playbook,
        quiet=True,
        envvars={
            "HOME": str(site.folder),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{site.bin}:/usr/bin:/bin",
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        },
    )


@pytest.mark.slow
def test_a_runner_sees_each_task_its_status_and_the_summary(site: Site) -> None:
    site.hosts.pop("db1")
    run = driven(site, "egov.ops.daily")
    assert (run.status, run.rc) == ("successful", 0)
    assert set(run.stats["ok"]) == {"web1", "web2"}
    done = {(event["event_data"]["task_action"], event["event"]) for event in run.events if "task_action" in str(event)}
    assert ("egov.ops.health_probe", "runner_on_ok") in done
    assert ("egov.ops.run_seal", "runner_on_ok") in done
    output = Path(run.config.artifact_dir, "stdout").read_text()
    assert "Evidence: run " in output
    assert site.verified()


@pytest.mark.slow
@pytest.mark.programs("ssh")
def test_a_runner_sees_which_host_is_bad(site: Site) -> None:
    site.hosts = {"web1": site.hosts["web1"], "gone": dict(DEAD)}
    run = driven(site, "egov.ops.health_check")
    assert run.status == "failed"
    assert set(run.stats["failures"]) == {"gone"}
    assert "web1" in run.stats["ok"]
    failed = [event for event in run.events if event["event"] == "runner_on_failed"]
    assert [event["event_data"]["host"] for event in failed] == ["gone"]
    assert site.steps()[("gone", "health_probe")] == ("unreachable", "")
