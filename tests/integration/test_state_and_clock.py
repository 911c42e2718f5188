# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A state folder that somebody else could have written, and a clock behind the ledger, as a user meets them."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import iso, record
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger

from tests.support.sites import Site


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, site_in: Any) -> Site:
    """A site whose first run was made under a umask that hides nothing, with a state folder two folders down."""
    site: Site = site_in(tmp_path_factory.mktemp("begun"))
    site.hosts = {"web1": site.hosts["web1"]}
    site.variables["egov_ops_state_dir"] = str(site.folder / "deep" / "state")
    before = os.umask(0)
    try:
        done = site.play(site.procedure())
    finally:
        os.umask(before)
    assert done.rc == 0, done.output
    return site


def test_what_a_run_makes_is_the_owners_alone_under_any_umask(begun: Site) -> None:
    state = begun.folder / "deep" / "state"
    for path in (state.parent, state, *state.rglob("*")):
        assert path.is_symlink() or not path.stat().st_mode & 0o077, path


def test_a_run_is_refused_by_the_name_of_what_others_can_write(begun: Site) -> None:
    state = begun.folder / "deep" / "state"
    witness, aside = state / "witness.jsonl", begun.folder / "witness"

    state.chmod(0o777)
    open_folder = begun.play(begun.procedure())
    state.chmod(0o700)
    assert open_folder.rc == 2
    assert f"{state} can be written by everybody (mode 0777)" in open_folder.output

    witness.rename(aside)
    witness.symlink_to(aside)
    kept = aside.read_text()
    linked = begun.run("ansible", "web1", "-m", "egov.ops.health_probe")
    witness.unlink()
    aside.rename(witness)
    assert linked.rc == 2
    assert f"{witness} is a symlink to {aside}" in linked.output
    assert witness.read_text() == kept


def test_a_clock_behind_the_ledger_is_said_first_and_refuses_changes_until_it_is_accepted(begun: Site) -> None:
    ledger = begun.folder / "deep" / "state" / "ledger.sqlite3"
    time = iso(datetime.now(timezone.utc) + timedelta(days=5 * 365))
    seen = observation("backup", "portal", "ok")
    with Ledger(ledger) as opened:
        entry = record(
            run="r1", procedure="x", host="web1", domain="backup", observation=seen, started=time, finished=time
        )
        opened.append([entry])
        number = opened.head().count
    undo = ("ansible", "web1", "-m", "egov.ops.restore_undo")
    play = begun.play(begun.procedure())
    assert play.rc == 0, play.output
    said = f"record #{number} of the ledger was made at {time}"
    assert said in play.output.partition("TASK [Do")[0]
    refused = begun.run(*undo)
    assert refused.rc == 2
    assert "clock: The controller's clock says " in refused.output
    accept = ("ansible-playbook", "egov.ops.accept_clock")
    without = begun.run(*accept)
    assert without.rc == 2
    assert "needs a reason" in without.output
    accepted = begun.run(*accept, "-e", "egov_ops_reason='The clock ran ahead'")
    assert accepted.rc == 0, accepted.output
    with Ledger(ledger, read_only=True) as opened:
        (stored,) = opened.records(domain="gate", kind="clock")
    assert (stored.record["detail"]["upto"], stored.record["detail"]["why"]) == (number, "The clock ran ahead")
    assert "clock:" not in begun.run(*undo).output
    assert "Nothing to accept" in begun.run(*accept).output
