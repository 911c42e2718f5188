# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's repositories: what is published is installed, found by the scan, and missed when it is taken away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.sites import Site

from . import repositories
from .lab import Lab
from .system import LabError

APT = "apt-get -q -o Dpkg::Use-Pty=0 -o APT::Update::Error-Mode=any -o Acquire::Retries=0"


@pytest.fixture
def sample(lab: Lab) -> Iterator[Lab]:
    """Two hosts of which n1 runs version 1.0 of the sample service."""
    repositories.publish(lab, "1.0")
    lab.shell("n1", f"{APT} update && {APT} install -y lab-sample")
    yield lab
    lab.shell("n1", "rm -f /var/lib/dpkg/info/lab-sample.p*; dpkg --purge lab-sample; systemctl daemon-reload")
    repositories.take_down(lab)


def version(lab: Lab) -> str:
    """Return how the package stands, and which version the running service says it is."""
    said = "journalctl -q -o cat -u lab-sample | grep ^lab-sample | tail -1"
    return lab.shell("n1", f"dpkg-query -W -f '${{db:Status-Abbrev}}${{Version}}\n' lab-sample; {said}")


def test_a_security_version_is_found_by_the_scan_and_installed(sample: Lab, site: Site) -> None:
    assert version(sample) == "ii 1.0\nlab-sample 1.0\n"
    repositories.publish(sample, "1.1")
    done = site.play("egov.ops.patch_scan", "-l", "n1", "-e", "patch_rollout_refresh=true")
    assert done.rc == 0, done.output
    pending = [entry for entry in site.records(domain="updates", host="n1") if "lab-sample" in str(entry["detail"])]
    assert pending, site.records(domain="updates")
    assert any("security" in str(entry["detail"]) for entry in pending), pending
    assert "lab-security" in sample.shell("n1", f"{APT} -s upgrade")
    sample.shell("n1", f"{APT} upgrade -y")
    assert version(sample) == "ii 1.1\nlab-sample 1.1\n"


def test_a_broken_version_stays_half_installed_until_a_later_one_mends_it(sample: Lab) -> None:
    repositories.publish(sample, "1.2")
    with pytest.raises(LabError, match="lab-sample"):
        sample.shell("n1", f"{APT} update && {APT} upgrade -y")
    assert version(sample).startswith("iF 1.2\n")
    repositories.publish(sample, "1.3")
    sample.shell("n1", f"{APT} update && {APT} upgrade -y")
    assert version(sample) == "ii 1.3\nlab-sample 1.3\n"


def test_a_repository_that_is_down_or_corrupt_is_no_source(sample: Lab) -> None:
    repositories.corrupt(sample)
    with pytest.raises(LabError):
        sample.shell("n1", f"rm -rf /var/lib/apt/lists/*; {APT} update")
    repositories.index(sample)
    sample.shell("n1", f"{APT} update")
    repositories.take_down(sample)
    with pytest.raises(LabError):
        sample.shell("n1", f"{APT} update")
    repositories.serve(sample)
    sample.shell("n1", f"sleep 1; {APT} update")


def test_a_version_that_there_is_not_is_said(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"take one of 1\.0, 1\.1"):
        repositories.publish(lab, "9")
