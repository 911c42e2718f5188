# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scan of packages over both transports, from an interpreter that has no library of a package manager."""

from __future__ import annotations

import sys

import pytest

from tests.support.sites import Site, has_apt_library


def test_it_runs_on_the_systems_python_whatever_the_inventory_names(either: Site) -> None:
    if not has_apt_library():
        pytest.skip("needs python3-apt")
    either.hosts = {"web1": {**either.hosts["web1"], "ansible_python_interpreter": sys.executable}}
    done = either.play("egov.ops.daily", "--tags", "updates")
    assert done.rc == 0, done.output
    found = {(entry["kind"], entry["subject"]): entry for entry in either.records(domain="updates")}
    assert found["package_list", "pending"]["reason"] in ("", "stale_lists", "busy")
    assert found["package_list", "installed"]["detail"]["counts"]["installed"] > 50
    assert set(found) >= {("held", "packages"), ("restarts", "processes"), ("reboot", "host")}
