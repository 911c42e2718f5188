# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same work on every Python of a host and under every ansible-core that the README lists."""

from __future__ import annotations

import pytest

from tests.support.sites import Site, has_apt_library

#: Each Python of a host, with an ansible-core that streams to it, where it is not that of the tests.
PYTHONS = [("3.6", "2.16"), ("3.7", None), ("3.8", None), ("3.11", None), ("3.13", "2.21")]
#: The kinds of records that say by which transport they came.
WORK = ("step", "proof", "backup", "memory")


@pytest.fixture
def one(site: Site) -> Site:
    """The site with one host."""
    site.hosts = {"web1": site.hosts["web1"]}
    return site


def day(site: Site, python: str, transport: str) -> None:
    """Run a day on a host with a Python of its own, over one transport, and check what it left."""
    site.hosts["web1"]["ansible_python_interpreter"] = python
    done = site.play("egov.ops.daily", "-e", f"egov_ops_transport={transport}")
    assert done.rc == 0, done.output
    steps = site.records(kind="step")
    assert {entry["status"] for entry in steps} == {"ok"}
    assert {entry["via"] for entry in site.records() if entry["kind"] in WORK} == {transport}
    assert len(site.records(domain="health")) > 25
    controls = site.records(kind="control")
    assert len(controls) > 100
    assert [entry["detail"]["message"] for entry in controls if entry["reason"] == "error"] == []
    updates = {(entry["kind"], entry["subject"]): entry["reason"] for entry in site.records(domain="updates")}
    assert set(updates) > {
        ("package_list", "pending"),
        ("held", "packages"),
        ("restarts", "processes"),
        ("reboot", "host"),
    }
    # it ran on the system's Python, which has the library of its package manager, or has none
    wrong = {"error", "not_supported"} if has_apt_library() else {"error"}
    assert wrong.isdisjoint(updates.values())
    assert [entry["status"] for entry in site.records(kind="proof")] == ["ok"]
    assert site.verified()


@pytest.mark.slow
@pytest.mark.parametrize(("version", "core"), PYTHONS)
def test_streamed_to_each_python_and_by_each_core(one, interpreter, ansible_core, version, core):
    if core:
        one.bin = ansible_core(core)
    one.has_repository()
    day(one, interpreter(version), "stream")
    pythons = {entry["subject"]: entry["detail"]["python"] for entry in one.records(kind="step")}
    assert pythons["health_probe"].startswith(f"{version}.")
    assert pythons["hardening_audit"] == pythons["health_probe"]


@pytest.mark.slow
@pytest.mark.parametrize(("core", "version"), [("2.16", "3.6"), ("2.19", "3.8"), ("2.21", "3.13")])
def test_as_a_module_under_each_core(one, ansible_core, interpreter, core, version):
    one.bin = ansible_core(core)
    one.has_repository()
    day(one, interpreter(version), "module")


@pytest.mark.slow
@pytest.mark.parametrize("core", ["2.16", "2.21"])
def test_a_refusal_stops_every_host_under_each_core(site, ansible_core, core):
    site.bin = ansible_core(core)
    site.hosts["db1"]["egov_ops_timezone"] = "Nowhere"
    done = site.play(site.procedure())
    assert done.rc != 0
    assert "Nowhere" in done.output
    assert "TASK [Probe]" not in done.output
    assert site.spools() == []
