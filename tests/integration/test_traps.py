# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users meet in the first week: surroundings that are not as clean as a test's."""

from __future__ import annotations

import shutil

import pytest

from tests.support.sites import HOSTS, OK, Site, statuses

pytestmark = pytest.mark.slow


def test_a_shell_that_greets_does_no_harm(either: Site) -> None:
    shell = either.folder / "greeting-sh"
    shell.write_text('#!/bin/sh\necho "Welcome. Authorised use only. {\\"not\\": json}"\nexec /bin/sh "$@"\n')
    shell.chmod(0o755)
    either.hosts["web1"]["ansible_shell_executable"] = str(shell)
    done = either.play(either.procedure())
    assert done.rc == 0, done.output
    assert statuses(either) == dict.fromkeys(HOSTS, OK)


def test_a_sites_own_ansible_cfg_does_no_harm(site: Site) -> None:
    (site.folder / "ansible.cfg").write_text(
        "[defaults]\nstdout_callback = minimal\nforks = 1\ngathering = explicit\nansible_managed = ours\n"
        "callbacks_enabled = ansible.builtin.tree\nlocal_tmp = ./tmp\n[connection]\npipelining = false\n"
    )
    done = site.play(site.procedure())
    assert done.rc == 0, done.output
    assert statuses(site) == dict.fromkeys(HOSTS, OK)


def test_a_proxy_for_the_world_does_not_catch_loopback_probes(site: Site) -> None:
    site.environment["http_proxy"] = site.environment["https_proxy"] = "http://127.0.0.1:1"
    done = site.play(site.procedure())
    assert done.rc == 0, done.output
    assert statuses(site) == dict.fromkeys(HOSTS, OK)


def test_a_state_folder_copied_elsewhere_goes_on_with_its_chain(site: Site) -> None:
    site.has_repository()
    assert site.play("egov.ops.daily").rc == 0
    before = len(site.records())
    shutil.move(site.folder / "state", site.folder / "copied")
    site.variables["egov_ops_state_dir"] = str(site.folder / "copied")
    done = site.play("egov.ops.daily")
    assert done.rc == 0, done.output
    shutil.move(site.folder / "copied", site.folder / "state")
    assert len(site.records()) > before
    assert site.verified()


def test_host_names_that_are_not_ascii(site: Site) -> None:
    site.hosts = {"政务-web1": site.hosts["web1"]}
    site.has_repository()
    done = site.play("egov.ops.daily")
    assert done.rc == 0, done.output
    assert set(site.steps().values()) == {OK}
    assert [entry["status"] for entry in site.records(kind="proof")] == ["ok"]


def test_a_folder_with_spaces_and_chinese_characters(site: Site) -> None:
    state = site.folder / "政务 状态"
    site.variables["egov_ops_state_dir"] = str(state)
    site.variables["egov_ops_host_state_dir"] = str(site.folder / "主机 状态")
    done = site.play("egov.ops.daily")
    assert done.rc == 0, done.output
    assert (state / "reports" / "latest.html").exists()


def test_nothing_matched_is_said_by_ansible_and_leaves_no_run(site: Site) -> None:
    done = site.play("egov.ops.daily", "--limit", "nobody_there")
    assert "nobody_there" in done.output
    assert not site.state.exists()
