# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each way in which a host is not reached has words and a next act of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.report import unreachable
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import LANGUAGES, Language
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.text import render_text
from ansible_collections.egov.ops.plugins.plugin_utils.report.sentences import next_act, title

from tests.support.report_ledger import DailyRun, ListLedger

#: What OpenSSH 9 and ansible-core 2.19 print.
MESSAGES = {
    "ssh: Could not resolve hostname web2.invalid: Name or service not known": "name",
    "ssh: connect to host 192.0.2.7 port 22: No route to host": "route",
    "ssh: connect to host 192.0.2.7 port 22: Connection timed out": "route",
    "ssh: connect to host 192.0.2.7 port 22: Network is unreachable": "route",
    "ssh: connect to host 127.0.0.1 port 1: Connection refused": "port",
    "No ED25519 host key is known for web2 and you have requested strict checking. Host key verification failed.": (
        "host_key"
    ),
    "Host key verification failed.": "host_key",
    "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @ Host key verification failed.": "host_key_changed",
    "Host key for web2 has changed and you have requested strict checking. Host key verification failed.": (
        "host_key_changed"
    ),
    "ops@web2: Permission denied (publickey,password).": "login",
    "Received disconnect from web2 port 22:2: Too many authentication failures": "login",
    "Incorrect sudo password": "sudo",
    "Missing sudo password": "sudo",
    "sudo: a password is required": "sudo",
    "/bin/sh: 1: /usr/bin/python3: not found": "python",
    "kex_exchange_identification: read: Connection reset by peer": "closed",
    "Connection closed by 192.0.2.7 port 22": "closed",
    "The moon is in the way": "",
}


@pytest.mark.parametrize("message", MESSAGES)
def test_what_was_said_tells_the_class(message: str) -> None:
    run = DailyRun(ListLedger(), ("web1", "web2"))
    run.good_host("web1")
    run.all_steps("web2", "unreachable", "", message=f"web2 cannot be reached: {message}.")
    run.seal()
    (finding,) = [row for row in run.report()["findings"] if row["status"] == "unreachable"]
    assert unreachable.class_of(finding["record"]) == MESSAGES[message]
    seen = {
        (
            title(finding["record"], ["web2"], Language(code, "UTC")),
            next_act(finding["record"], ["web2"], Language(code, "UTC")),
        )
        for code in LANGUAGES
    }
    assert len(seen) == len(LANGUAGES)
    assert all("web2" in words for words, _act in seen)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_class_has_words_of_its_own_in_each_language(language: str) -> None:
    words = Language(language, "UTC")
    for kind in ("title", "next"):
        texts = {words.text(f"{kind}.unreachable_{name}", n=1, hosts="web2", host="web2") for name in unreachable.NAMES}
        assert len(texts) == len(unreachable.NAMES)


def test_one_cause_on_several_hosts_is_told_once() -> None:
    hosts = ("web1", "web2", "db1")
    run = DailyRun(ListLedger(), hosts)
    run.good_host("db1")
    for number, host in enumerate(hosts[:2]):
        message = f"{host} cannot be reached: ssh: connect to host 192.0.2.{number} port 22: No route to host."
        run.all_steps(host, "unreachable", "", message=message)
    run.seal()
    data = run.report()
    assert {row["id"] for row in data["findings"]} == {"F-01"}
    assert "web1, web2: no answer on the network (route or time-out)" in render_text(data, "en")


@pytest.mark.programs("ssh")
def test_the_words_are_those_of_the_ssh_of_this_machine(tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    options = [
        "-F",
        "none",
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        f"UserKnownHostsFile={known}",
    ]
    for target, name in ((["-p", "1", "127.0.0.1"], "port"), (["host.invalid"], "name")):
        done = subprocess.run(
            ["ssh", *options, "-o", "ConnectTimeout=5", *target, "true"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 255
        record = {"detail": {"message": f"web2 cannot be reached: {done.stderr}"}}
        assert unreachable.class_of(record) == name, done.stderr  # type: ignore[arg-type]
