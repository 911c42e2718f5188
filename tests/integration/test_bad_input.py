# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A day on a host whose packages cannot be read, and with controls that make no sense: one sentence each.

The host is this machine in a mount namespace of its own, where other files stand in the place of some.
"""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support.sites import Site, interpreter

LISTS = {("package_list", "pending"), ("package_list", "installed"), ("held", "packages")}
OPENEULER = 'ID="openEuler"\nNAME="openEuler"\nVERSION_ID="24.03"\nPRETTY_NAME="openEuler 24.03"\n'
GOOD = {"primitive": "login_defs", "key": "PASS_MAX_DAYS", "expected": "<=100000", "clauses": ["8.1.4.1a"]}
WRONG = {
    "X-1": ({**GOOD, "primitive": "login_deffs"}, "there is no primitive login_deffs; did you mean login_defs"),
    "X-2": (
        {**GOOD, "expected": "at most 90"},
        "'at most 90' is not of the grammar of expected values; write one like",
    ),
    "X-3": ({**GOOD, "clauses": ["8.1.4.99z"]}, "there is no clause 8.1.4.99z in GB/T 22239-2019 or the plan"),
}

#: What stands in the place of which files, and the reason and words that the day finds for it.
Fault = tuple[dict[str, Path], str, str]

pytestmark = [pytest.mark.slow, pytest.mark.root, pytest.mark.programs("unshare")]


def replace(site: Site, instead: dict[str, Path]) -> None:
    """Let the site's playbooks, and so its hosts, see other files in the place of this machine's."""
    mounts = [f"mount --bind {shlex.quote(str(path))} {place}" for place, path in instead.items()]
    line = " && ".join([*mounts, f'exec "{site.bin}/ansible-playbook" "$@"'])
    folder = site.folder / "bin"
    folder.mkdir()
    (folder / "ansible").symlink_to(site.bin / "ansible")
    program = interpreter(site, "bin/ansible-playbook", f'exec unshare --mount sh -c {shlex.quote(line)} sh "$@"')
    site.bin = Path(program).parent


@contextmanager
def broken(site: Site) -> Iterator[Fault]:
    status = site.folder / "status"
    status.write_text("this is no status file")
    yield {"/var/lib/dpkg/status": status}, "error", "apt cannot read its database: "


@contextmanager
def locked(site: Site) -> Iterator[Fault]:
    with (site.folder / "lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        yield {"/var/lib/dpkg/lock-frontend": Path(lock.name)}, "busy", f"in use by python (pid {os.getpid()}) on "


@contextmanager
def without_bindings(site: Site) -> Iterator[Fault]:
    release, empty = site.folder / "os-release", site.folder / "empty"
    release.write_text(OPENEULER)
    empty.mkdir()
    instead = {"/etc/os-release": release, "/usr/lib/python3/dist-packages": empty}
    yield instead, "not_supported", "cannot import dnf; install python3-dnf"


@pytest.mark.parametrize(
    ("fault", "domains"),
    [
        (broken, "health,backup,updates,hardening"),
        (locked, "updates,hardening"),
        (without_bindings, "updates,hardening"),
    ],
)
def test_packages_that_cannot_be_read_are_one_sentence_and_the_day_goes_on(
    site: Site, fault: Callable[[Site], AbstractContextManager[Fault]], domains: str
) -> None:
    site.hosts = {"web1": site.hosts["web1"]}
    with fault(site) as (instead, reason, words):
        replace(site, instead)
        done = site.play("egov.ops.daily", "--tags", domains)
    assert done.rc == (2 if reason == "busy" else 0), done.output
    assert "Traceback" not in done.output
    assert set(site.steps().values()) == {("ok", "")}
    assert {entry["domain"] for entry in site.records(kind="step")} == set(domains.split(","))
    found = {(entry["kind"], entry["subject"]): entry for entry in site.records(domain="updates")}
    for key in LISTS:
        message = found[key]["detail"]["message"]
        assert (found[key]["status"], found[key]["reason"]) == ("failed" if reason == "busy" else "unknown", reason)
        assert words in message
        assert "\n" not in message
    assert set(found) > {("restarts", "processes"), ("reboot", "host")}
    assert "ok" in {entry["status"] for entry in site.records(kind="control")}


def test_controls_that_make_no_sense_are_one_sentence_each_and_the_others_go_on(site: Site) -> None:
    site.hosts = {"web1": site.hosts["web1"]}
    site.variables["egov_ops_controls__10_site"] = {"X-0": GOOD, **{name: entry for name, (entry, _) in WRONG.items()}}
    done = site.play("egov.ops.daily", "--tags", "health,hardening")
    assert done.rc == 0, done.output
    assert "Traceback" not in done.output
    found = {entry["subject"]: entry for entry in site.records(kind="control")}
    assert found["X-0"]["status"] == "ok"
    assert len(found) > 100
    for name, (_entry, sentence) in WRONG.items():
        assert (found[name]["status"], found[name]["reason"]) == ("unknown", "error")
        assert found[name]["detail"]["message"].startswith(f"Control {name} cannot be used: {sentence}")
    assert {name for name, entry in found.items() if entry["reason"] == "error"} == set(WRONG)
    assert site.steps()["web1", "health_probe"] == ("ok", "")


def test_two_controls_with_one_id_are_told_and_the_others_go_on(site: Site) -> None:
    site.hosts = {"web1": site.hosts["web1"]}
    folder = site.folder / "group_vars/all"
    folder.mkdir(parents=True)
    entry = "  X-0: {primitive: login_defs, key: PASS_MAX_DAYS, expected: '%s', clauses: [8.1.4.1a]}\n"
    (folder / "controls.yml").write_text("egov_ops_controls__10_site:\n" + entry % "<=1" + entry % "<=100000")
    done = site.play("egov.ops.daily", "--tags", "hardening")
    assert done.rc == 0, done.output
    told = " ".join(done.output.split())
    assert "uplicate" in told
    assert "X-0" in told
    found = {entry["subject"]: entry for entry in site.records(kind="control")}
    assert found["X-0"]["detail"]["expected"] == "<=100000"
    assert len(found) > 100
