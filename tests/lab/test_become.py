# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to become root on a real host: each works or says why it does not, with and without pipelining.

One host under several names, each of which logs in as another user.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.sites import Site

from .lab import Lab

PASSWORD = "lab-Passw0rd 政务"

USERS = """
for user in asked terminal none; do
    useradd --create-home --shell /bin/bash $user
    install -d -m 700 -o $user -g $user /home/$user/.ssh
    install -m 600 -o $user -g $user /home/ops/.ssh/authorized_keys /home/$user/.ssh/
done
cat >/etc/sudoers.d/tried <<END
asked ALL=(ALL) ALL
terminal ALL=(ALL) NOPASSWD: ALL
Defaults:terminal requiretty
END
chmod 440 /etc/sudoers.d/tried
cat >/run/lab/passwords
chpasswd </run/lab/passwords
"""

#: By name: who logs in, how that becomes root, and the sentence where it does not.
WAYS: dict[str, tuple[dict[str, Any], str]] = {
    "sudo": ({"ansible_user": "ops"}, ""),
    "password": ({"ansible_user": "asked", "ansible_become_password": PASSWORD}, ""),
    "wrong": ({"ansible_user": "asked", "ansible_become_password": "wrong"}, "Incorrect sudo password."),
    "missing": ({"ansible_user": "asked"}, "Missing sudo password."),
    "su": ({"ansible_user": "none", "ansible_become_method": "su", "ansible_become_password": PASSWORD}, ""),
    "unprivileged": ({"ansible_user": "none", "ansible_become": False}, ""),
    "requiretty": ({"ansible_user": "terminal"}, ""),
}


@pytest.fixture(scope="module")
def users(lab: Lab) -> Iterator[None]:
    """The users on n1, and root with a password."""
    lab.write("n1", "/run/lab/users.sh", USERS)
    lab.write("n1", "/run/lab/given", f"asked:{PASSWORD}\nroot:{PASSWORD}\n", mode="600")
    lab.shell("n1", "sh -eu /run/lab/users.sh </run/lab/given")
    yield
    lab.shell(
        "n1", "for user in asked terminal none; do userdel -rf $user; done; rm /etc/sudoers.d/tried; passwd -l root"
    )


@pytest.mark.parametrize("pipelining", [False, True])
def test_each_way_works_or_says_why_not(site: Site, users: None, pipelining: bool) -> None:
    site.hosts = {name: {"ansible_host": "n1", **way} for name, (way, _sentence) in WAYS.items()}
    site.environment = {"ANSIBLE_PIPELINING": str(pipelining), "ANSIBLE_FORKS": str(len(WAYS))}
    done = site.play("egov.ops.health_check", timeout=240)
    assert done.rc == 2, done.output
    steps = {record["host"]: record for record in site.records(kind="step")}
    for name, (_way, sentence) in WAYS.items():
        assert steps[name]["status"] == ("failed" if sentence else "ok"), steps[name]
        assert steps[name]["detail"]["message"].endswith(sentence)
    assert {name for name, step in steps.items() if step["via"] == "module"} == {"su", "requiretty"}
    assert PASSWORD not in done.output + str(site.records())


def test_where_sudo_wants_a_terminal_a_stream_is_told_so(site: Site, users: None) -> None:
    site.hosts = {"terminal": {"ansible_host": "n1", **WAYS["requiretty"][0]}}
    site.variables["egov_ops_transport"] = "stream"
    done = site.play("egov.ops.health_check")
    assert done.rc == 2, done.output
    (step,) = site.records(kind="step")
    assert step["status"] == "failed"
    assert step["detail"]["message"].startswith("sudo on the host wants a terminal (requiretty)")
