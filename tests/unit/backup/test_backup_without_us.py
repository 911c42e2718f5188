# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of docs/backup.md restore a set without the collection, as they stand."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import environment
import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup import restic_recovery as without_us
from ansible_collections.egov.ops.plugins.module_utils.backup.catalogue import catalogue
from hypothesis import given
from hypothesis import strategies as st

from tests.support.backup_site import PASSWORD, Site
from tests.support.restore_site import tree


@pytest.mark.programs("restic", "sh")
def test_the_page_s_commands_restore_a_set(ready: Site) -> None:
    ready.sets["config"] = ready.sets.pop("pages")
    ready.back_up()
    password = ready.base / "password"
    password.write_text(f"{PASSWORD}\n")
    page = (environment.ROOT / "docs/backup.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"```sh\n(.*?)```", page.partition("## Without us")[2], re.DOTALL)
    for written, here in (
        ("/var/lib/egov-ops/host/repository", ready.repository),
        ("/root/repository.password", password),
        ("/srv/restored", ready.base / "restored"),
    ):
        assert written in commands
        commands = commands.replace(written, str(here))
    place = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(ready.base / "cache")}
    done = subprocess.run(["sh", "-eu"], input=commands, env=place, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    restored = ready.base / "restored" / str(ready.source).lstrip("/")
    assert {path.name: path.read_text() for path in restored.iterdir()} == {
        name: f"content of {name}\n" for name in ("a", "b", "c")
    }


def run_as_it_stands(site: Site, script: str, target: Path) -> subprocess.CompletedProcess[str]:
    password = site.base / "password"
    password.write_text(f"{PASSWORD}\n")
    given = {"RESTIC_PASSWORD_FILE": str(password), "TARGET": str(target)}
    place = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(site.base / "cache"), **given}
    return subprocess.run(["sh", "-eu"], input=script, env=place, text=True, capture_output=True, check=False)


@pytest.mark.programs("restic", "sh")
def test_the_script_beside_the_repository_restores_as_it_stands_when_all_else_is_lost(ready: Site) -> None:
    ready.sets["it's odd"] = {**ready.sets["pages"]}
    ready.back_up()
    before = tree(ready.source)
    (script,) = ready.base.glob("repository.restore-*")
    assert script.name == "repository.restore-web1.sh"
    assert PASSWORD not in script.read_text()
    shutil.rmtree(ready.state)
    shutil.rmtree(ready.source)
    target = ready.base / "restored"
    done = run_as_it_stands(ready, script.read_text(), target)
    assert done.returncode == 0, done.stderr
    for name in ("pages", "it's odd"):
        assert tree(target / name / str(ready.source).lstrip("/")) == before


@pytest.mark.programs("restic", "sh")
def test_the_commands_that_the_state_prints_restore_as_they_stand(ready: Site) -> None:
    ready.back_up()
    before = tree(ready.source)
    lines = ready.answer(catalogue, {}, "2026-05-20T02:00:00Z", {})["without_us"]["pages"]
    target = ready.base / "restored"
    done = run_as_it_stands(ready, "\n".join(lines) + "\n", target)
    assert done.returncode == 0, done.stderr
    assert tree(target / "pages" / str(ready.source).lstrip("/")) == before


def test_the_script_asks_for_what_it_lacks(ready: Site) -> None:
    ready.back_up()
    script = (ready.base / "repository.restore-web1.sh").read_text()
    done = subprocess.run(["/bin/sh"], input=script, env={}, text=True, capture_output=True, check=False)
    assert done.returncode != 0
    assert "name the file that holds the password" in done.stderr


def test_the_script_is_written_when_it_changes_and_only_then(ready: Site) -> None:
    ready.back_up()
    script = ready.base / "repository.restore-web1.sh"
    first = script.stat()
    assert first.st_mode & 0o077 == 0
    ready.back_up("2026-05-20T02:00:00Z")
    assert script.stat().st_ino == first.st_ino
    ready.sets["more"] = {**ready.sets["pages"]}
    ready.back_up("2026-05-20T03:00:00Z")
    assert "set=more" in script.read_text()
    script.unlink()
    ready.back_up("2026-05-20T04:00:00Z", check_mode=True)
    assert not script.exists()


def test_credentials_and_passwords_of_a_place_are_named_and_never_told() -> None:
    script = without_us.script("x.sh", "s3:https://objects.example/web1", ["AWS_SECRET_ACCESS_KEY"], "web1", ["a b"])
    assert '"${AWS_SECRET_ACCESS_KEY:?' in script
    site_lines = without_us.commands("rest:https://vault.example/", "web1", ["a b"])
    assert site_lines[-1].endswith("\"$TARGET\"/'a b'")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_quoted_text_is_one_word_of_the_shell(text: str) -> None:
    assert shlex.split(without_us.quoted(text)) == [text]
