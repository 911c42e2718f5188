# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only copy of a password is not made where it ends with a container, and is named until it is in escrow."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from typing import Any

import pytest

from tests.support.sites import PASSWORD, Done, Site

pytestmark = [pytest.mark.programs("restic", "unshare"), pytest.mark.root]

ONLY_COPY = "The only copy of the password of repository local is {state}/passwords/local"


@pytest.fixture
def container(site: Site) -> Site:
    """A site of one host that does not accept the loss of a password."""
    site.hosts = {"web1": site.hosts["web1"]}
    del site.variables["egov_ops_ephemeral"]
    return site


def in_memory(site: Site, command: str) -> Done:
    """Run a command with the state folder on a tmpfs of its own, and keep a copy of what it leaves there."""
    site.write()
    kept = site.folder / "kept"
    script = (
        f"mount -t tmpfs -o mode=700 none {site.state} && {command}; code=$?; cp -r {site.state} {kept}; exit $code"
    )
    site.state.mkdir()
    return site.paste(f"unshare -m sh -c '{script}'")


def rows(site: Site, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(site.folder / "kept/ledger.sqlite3") as ledger:
        return ledger.execute(query).fetchall()


def test_no_password_is_created_where_it_would_not_last(container: Site) -> None:
    done = in_memory(container, "ansible-playbook egov.ops.backup -i hosts.yml")
    assert done.rc != 0, done.output
    first = done.output.partition("TASK [egov.ops.backup")[0]
    assert f"It lies on tmpfs (mounted on {container.state})" in first, done.output
    assert not (container.folder / "kept/passwords").exists()
    assert not (container.folder / "repository").exists()
    found = rows(container, "SELECT status, reason, body FROM record WHERE kind = 'step' AND domain = 'backup'")
    assert found[0][:2] == ("failed", "refused")
    for way in ("ansible-vault", "lookup('env', 'NAME')", "password_command", "egov_ops_ephemeral: accept"):
        assert way in found[0][2]
    assert rows(container, "SELECT 1 FROM record WHERE kind = 'key'") == []


def test_where_its_loss_is_accepted_each_run_says_so(container: Site) -> None:
    container.variables["egov_ops_ephemeral"] = "accept"
    done = in_memory(container, "ansible-playbook egov.ops.backup -i hosts.yml")
    assert done.rc == 0, done.output
    assert "as egov_ops_ephemeral: accept allows" in done.output.partition("TASK [egov.ops.backup")[0]
    line = ONLY_COPY.format(state=container.state) + ", which does not outlast this machine or container; put it"
    assert line in done.output
    assert (container.folder / "kept/passwords/local").exists()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["vault", "command", "environment"])
def test_each_way_that_is_named_gives_the_password(container: Site, way: str) -> None:
    options = ""
    repository = container.variables["egov_ops_backup_repositories"]["local"]
    if way == "vault":
        (container.folder / "group_vars").mkdir()
        (container.folder / "group_vars/all.yml").write_text(f"vault_local: {PASSWORD}\n")
        (container.folder / "key").write_text("open\n")
        options = "--vault-password-file key"
        assert container.paste(f"ansible-vault encrypt {options} group_vars/all.yml").rc == 0
        repository["password"] = "{{ vault_local }}"
    elif way == "command":
        (container.folder / "secret").write_text(PASSWORD + "\n")
        repository["password_command"] = ["cat", str(container.folder / "secret")]
    else:
        container.environment["REPOSITORY_PASSWORD"] = PASSWORD
        repository["password"] = "{{ lookup('env', 'REPOSITORY_PASSWORD') }}"
    done = in_memory(container, f"ansible-playbook egov.ops.backup -i hosts.yml {options}")
    assert done.rc == 0, done.output
    assert "The only copy" not in done.output
    assert PASSWORD not in done.output
    command = ["restic", "--no-cache", "--no-lock", "-r", str(container.folder / "repository"), "snapshots", "--json"]
    opened = subprocess.run(command, input=PASSWORD, text=True, capture_output=True, check=False)
    assert opened.returncode == 0, opened.stderr
    assert '"id"' in opened.stdout


@pytest.mark.slow
def test_the_only_copy_is_named_until_its_key_in_escrow_was_tested(site: Site) -> None:
    site.hosts = {"web1": site.hosts["web1"]}
    line = ONLY_COPY.format(state=site.state)
    assert line in site.play("egov.ops.backup").output
    assert line in site.play("egov.ops.backup").output
    copy = site.folder / "copy"
    site.variables["egov_ops_backup_repositories"]["local"]["escrow_file"] = str(copy)
    copy.write_text("not the password\n")
    copy.chmod(0o600)
    assert line in site.play("egov.ops.backup_verify").output
    shutil.copy(site.state / "passwords/local", copy)
    done = site.play("egov.ops.backup_verify")
    assert "The only copy" not in done.output
    assert done.rc == 0, done.output
    assert "The only copy" not in site.play("egov.ops.backup").output


@pytest.mark.slow
def test_a_password_that_a_person_has_brought_is_not_called_new(site: Site) -> None:
    site.has_repository()
    done = site.play("egov.ops.backup")
    assert done.rc == 0, done.output
    assert "The only copy" not in done.output
