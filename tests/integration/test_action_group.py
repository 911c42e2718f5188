# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action group, by which a playbook gives an option to all modules over a half at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.sites import Site

HALVES = ("health_probe", "backup_run", "backup_prove", "package_scan", "hardening_audit")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("core", ["2.16", "2.21"])
def test_a_default_of_the_group_reaches_each_module(site: Site, ansible_core: Callable[[str], Path], core: str) -> None:
    site.bin = ansible_core(core)
    site.hosts = {"web1": site.hosts["web1"]}
    tasks = [{"name": name, f"egov.ops.{name}": {}, "ignore_errors": True} for name in HALVES]
    defaults = {"group/egov.ops.ops": {"timeout": "soon"}}
    play = {"name": "All", "hosts": "all", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}
    (site.folder / "all.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    done = site.play("all.yml")
    for name in HALVES:
        said = done.output.partition(f"TASK [{name}]")[2].partition("TASK [")[0]
        assert "fatal: [web1]" in said
        assert "argument 'timeout' is of type " in said
        assert "unable to convert to float" in said
