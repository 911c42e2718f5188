# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rotation of keys as an operator runs it: two hosts whose repositories have their password from one file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.sites import Site

pytestmark = [pytest.mark.slow, pytest.mark.programs("restic")]


def opens(site: Site, host: str, password: str) -> bool:
    """Ask restic itself whether a password opens a host's repository."""
    command = ["restic", "--no-cache", "--no-lock", "-r", str(site.folder / f"repository-{host}"), "cat", "config"]
    return subprocess.run(command, input=password, text=True, capture_output=True, check=False).returncode == 0


@pytest.fixture
def two(site: Site) -> Site:
    """Give a site of two hosts with a repository each, and one password file for both."""
    site.hosts = {
        name: {
            **site.hosts[name],
            "egov_ops_host_state_dir": str(site.folder / f"host-{name}"),
            "egov_ops_backup_repositories": {
                "local": {"location": str(site.folder / f"repository-{name}"), "create": True}
            },
        }
        for name in ("web1", "web2")
    }
    done = site.play("egov.ops.backup")
    assert done.rc == 0, done.output
    return site


def password_of(site: Site) -> str:
    return (site.state / "passwords" / "local").read_text()


def test_the_shared_password_changes_once_all_are_ready_and_then_the_old_keys_go(two: Site) -> None:
    old = password_of(two)
    planned = two.play("egov.ops.key_rotate", "--check")
    assert planned.rc == 0, planned.output
    assert not (two.state / "rotation").exists()
    narrowed = two.play("egov.ops.key_rotate", "--limit", "web1")
    assert narrowed.rc != 0
    assert "The new password is not proved on all repositories that take it, local of web2" in narrowed.output
    (new,) = [path.read_text() for path in (two.state / "rotation").glob("*/next")]
    assert password_of(two) == old
    assert [opens(two, host, text) for host in ("web1", "web2") for text in (old, new)] == [True, True, True, False]
    done = two.play("egov.ops.key_rotate")
    assert done.rc == 0, done.output
    assert password_of(two) == new
    assert [opens(two, host, text) for host in ("web1", "web2") for text in (old, new)] == [False, True, False, True]
    assert not list((two.state / "rotation").iterdir())
    again = two.play("egov.ops.backup")
    assert again.rc == 0, again.output
    everything = b"".join(path.read_bytes() for path in two.state.rglob("*") if path.is_file() and path.name != "local")
    for secret in (old.strip(), new.strip()):
        assert secret not in narrowed.output + done.output
        assert secret.encode() not in everything


@pytest.mark.long
def test_a_password_in_the_plan_is_told_where_the_new_one_is_and_goes_on_when_it_is_there(two: Site) -> None:
    del two.hosts["web2"]
    old = password_of(two).strip()
    entry = two.hosts["web1"]["egov_ops_backup_repositories"]["local"]
    entry["password"] = old
    told = two.play("egov.ops.key_rotate")
    assert told.rc != 0
    file = next((two.state / "rotation").glob("*/next"))
    assert f"Put the password in {file}" in " ".join(told.output.split())
    assert old not in told.output
    entry["password"] = new = Path(file).read_text().strip()
    done = two.play("egov.ops.key_rotate")
    assert done.rc == 0, done.output
    assert (opens(two, "web1", old), opens(two, "web1", new)) == (False, True)
