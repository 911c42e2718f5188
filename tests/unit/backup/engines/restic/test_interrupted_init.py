# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A repository whose making was killed blocks nobody, and nothing that could be data is ever removed for it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.backup_site import RESTIC, Site, only

pytestmark = pytest.mark.slow

LATER = "2026-05-20T02:00:00Z"


@pytest.fixture
def begun(site: Site) -> Site:
    """Give a site with one file, whose `restic init` was killed when it had made its folders and not its config."""
    (site.source / "file").write_text("x")
    wrapper = site.base / "tools" / "restic"
    wrapper.parent.mkdir()
    wrapper.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *init*) (while ! ls {site.repository}/keys >/dev/null 2>&1; do sleep 0.01; done; kill -9 $$)'
        f' & ;; esac\nexec "{RESTIC}" "$@"\n'
    )
    wrapper.chmod(0o755)
    found = only(site.back_up(tool_path=[str(wrapper.parent)]))
    assert "restic could not make the repository" in found["detail"]["message"]
    assert site.repository.exists()
    assert not (site.repository / "config").exists()
    return site


def test_a_killed_init_is_made_good_by_the_next_run(begun: Site) -> None:
    assert only(begun.back_up(LATER))["status"] == "ok"
    assert len(begun.snapshots()) == 1
    assert only(begun.prove(LATER))["status"] == "ok"
    assert not (begun.state / "backup" / "locks" / "making local").exists()


def test_a_begun_repository_in_our_own_state_folder_needs_no_note(begun: Site) -> None:
    begun.repository.rename(begun.state / "repository")
    (begun.state / "backup" / "locks" / "making local").unlink()
    begun.repositories["local"]["location"] = "repository"
    assert only(begun.back_up(LATER))["status"] == "ok"


def test_check_mode_says_that_it_would_make_it_and_leaves_it(begun: Site) -> None:
    before = sorted(begun.repository.rglob("*"))
    assert "Would make a snapshot" in only(begun.back_up(LATER, check_mode=True))["detail"]["message"]
    assert sorted(begun.repository.rglob("*")) == before


@pytest.mark.parametrize("stranger", ["data/00/pack", "snapshots/one", "index/one", "thesis.doc", "keys/link"])
def test_what_could_be_data_is_left_alone(begun: Site, stranger: str) -> None:
    path = begun.repository / stranger
    path.parent.mkdir(exist_ok=True)
    if stranger == "keys/link":
        path.symlink_to(begun.source)
    else:
        path.write_text("precious")
    found = only(begun.back_up(LATER))
    assert (found["status"], found["reason"]) == ("failed", "not_ours")
    assert path.exists()
    assert (begun.source / "file").exists()


@pytest.mark.parametrize("why", ["no_note", "other_place", "no_create", "known"])
def test_what_is_not_provably_ours_is_left_alone(begun: Site, why: str) -> None:
    if why == "no_note":
        (begun.state / "backup" / "locks" / "making local").unlink()
    elif why == "other_place":
        begun.repository.rename(begun.base / "elsewhere")
        begun.repositories["local"]["location"] = str(begun.base / "elsewhere")
    elif why == "no_create":
        begun.repositories["local"]["create"] = False
    else:
        begun.sets["pages"]["known"] = True
    place = Path(begun.repositories["local"]["location"])
    before = sorted(place.rglob("*"))
    found = only(begun.back_up(LATER))
    assert (found["status"], found["reason"]) == ("failed", "not_ours")
    assert sorted(place.rglob("*")) == before


def test_an_init_that_outlives_its_killed_run_is_waited_for(site: Site) -> None:
    (site.source / "file").write_text("x")
    wrapper = site.base / "restic"
    wrapper.write_text(f'#!/bin/sh\ncase "$*" in *init*) sleep 1;; esac\nexec "{RESTIC}" "$@"\n')
    wrapper.chmod(0o755)
    child = os.fork()
    if child == 0:
        site.back_up(tool_path=[str(site.base)])
        os._exit(0)
    while not (site.state / "backup" / "locks" / "making local").exists():
        time.sleep(0.02)
    time.sleep(0.3)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    result = site.back_up(LATER)
    assert only(result)["status"] == "ok"
    assert len(list((site.repository / "keys").iterdir())) == 1  # the one of the init that was waited for
