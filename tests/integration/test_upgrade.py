# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection is replaced by its next version while its ledger is in use."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
from pathlib import Path

import environment
import pytest

from tests.support.sites import Site, interpreter, wait_for

#: What the next version adds to the ledger's schema.
MIGRATION = '    ("CREATE TABLE next_version (added INTEGER)",),\n)\n'

pytestmark = pytest.mark.slow


def installed(site: Site, sources: Path) -> None:
    """Build the collection from a folder and install it for the site, over what is there."""
    galaxy = [str(site.bin / "ansible-galaxy"), "collection"]
    built = site.folder / "built"
    shutil.rmtree(built, ignore_errors=True)
    subprocess.run([*galaxy, "build", "--output-path", str(built)], cwd=sources, stdout=subprocess.DEVNULL, check=True)
    (archive,) = built.glob("*.tar.gz")
    place = site.environment["ANSIBLE_COLLECTIONS_PATH"]
    command = [*galaxy, "install", "--upgrade", "--offline", str(archive), "-p", place]
    subprocess.run(command, cwd=site.folder, stdout=subprocess.DEVNULL, check=True)


def next_version(folder: Path) -> Path:
    """Return a copy of the checkout that is the next version, with one more migration."""
    for name in environment.checkout_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(environment.ROOT / name, folder / name)
    galaxy, migrations = folder / "galaxy.yml", folder / "plugins/plugin_utils/ledger/migrations.py"
    galaxy.write_text(galaxy.read_text().replace("\nversion: 0.", "\nversion: 99."))
    steps = migrations.read_text()
    migrations.write_text(steps.removesuffix(")\n") + MIGRATION)
    return folder


def bodies(ledger: Path) -> list[tuple[str, str]]:
    """Return each record of a ledger of any version as its bytes, with its place in the chain."""
    with contextlib.closing(sqlite3.connect(ledger)) as database:
        return database.execute("SELECT hash, body FROM record ORDER BY seq").fetchall()


def test_the_next_version_goes_on_with_ledger_and_spool_of_the_one_before(
    site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    site.environment["ANSIBLE_COLLECTIONS_PATH"] = str(tmp_path / "collections")
    installed(site, environment.ROOT)
    assert site.play("egov.ops.health_check").rc == 0
    before = bodies(site.state / "ledger.sqlite3")

    # The old version's last run is killed and leaves its spool.
    started = site.folder / "started"
    slow = interpreter(site, "slow-python", f"echo $$ > {started}; exec sleep 600")
    site.hosts["web1"]["ansible_python_interpreter"] = slow
    process = site.start("ansible-playbook", "egov.ops.health_check")
    stand_in = int(wait_for(lambda: started.exists() and started.read_text()))
    # Not before the end: the killed run's worker waits for it, and would leave its evidence.
    request.addfinalizer(lambda: os.kill(stand_in, signal.SIGKILL))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert len(site.spools()) == 1

    installed(site, next_version(tmp_path / "next"))
    site.hosts["web1"]["ansible_python_interpreter"] = "/usr/bin/python3"
    done = site.play("egov.ops.health_check")
    assert done.rc == 0, done.output
    assert "was interrupted" in done.output
    assert site.play("egov.ops.ledger_verify").rc == 0
    assert site.spools() == []

    after = bodies(site.state / "ledger.sqlite3")
    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert bodies(site.state / "ledger.sqlite3.schema1") == before

    site.environment["ANSIBLE_COLLECTIONS_PATH"] = os.environ["ANSIBLE_COLLECTIONS_PATH"]
    done = site.play("egov.ops.health_check")
    assert done.rc != 0
    assert "newer egov.ops" in done.output, "the version before does not write what it does not know"
