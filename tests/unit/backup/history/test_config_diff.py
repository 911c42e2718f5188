# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each version of the configuration: what differs, without secrets, and who changed it as far as the logs tell."""

from __future__ import annotations

import calendar
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.history import authors, config_diff
from ansible_collections.egov.ops.plugins.module_utils.backup.history.authors import (
    UNKNOWN,
    Span,
    author,
    dpkg,
    rpm,
    sessions,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.support.backup_site import RESTIC, Site, only

LATER = "2026-05-20T02:00:00Z"

DPKG = """\
2026-05-20 01:30:00 startup archives unpack
2026-05-20 01:30:00 upgrade nginx:amd64 1.22.1-9 1.22.1-9+deb12u1
2026-05-20 01:30:02 status half-configured nginx:amd64 1.22.1-9
2026-05-20 01:30:05 configure nginx:amd64 1.22.1-9+deb12u1 <none>
2026-05-20 01:30:40 install tree:amd64 <none> 2.1.0-1
2026-05-20 05:00:00 remove tree:amd64 2.1.0-1 <none>
torn li"""

RPM = """\
2026-05-20T09:30:00+0800 INFO --- logging initialized ---
2026-05-20T09:30:01+0800 SUBDEBUG Upgrade: nginx-1:1.24.0-1.ky10.x86_64
2026-05-20T09:30:02+0800 SUBDEBUG Upgraded: nginx-1:1.22.0-1.ky10.x86_64
2026-05-20T09:30:03+0800 SUBDEBUG Installed: tree-1.8.0-1.ky10.x86_64
"""


def at(text: str) -> float:
    return float(calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")))


def entry(kind: int, line: str, user: str, host: str, moment: float, wide: bool = False) -> bytes:
    packed = authors._WIDE if wide else authors._NARROW
    fields = (line.encode(), b"", user.encode(), host.encode(), 0, 0, 0, int(moment), 0, b"", b"")
    return packed.pack(kind, 4711, *fields)


def test_transactions_of_dpkg_end_where_its_log_pauses() -> None:
    utc = lambda written: float(calendar.timegm(time.strptime(written, "%Y-%m-%d %H:%M:%S")))  # noqa: E731
    found = dpkg(DPKG, utc)
    assert [(span.start, span.end, span.who) for span in found] == [
        (at("2026-05-20T01:30:00Z"), at("2026-05-20T01:30:40Z"), "dpkg: nginx, tree"),
        (at("2026-05-20T05:00:00Z"), at("2026-05-20T05:00:00Z"), "dpkg: tree"),
    ]


def test_transactions_of_dnf_have_their_zone() -> None:
    (found,) = rpm(RPM)
    assert (found.start, found.end) == (at("2026-05-20T01:30:01Z"), at("2026-05-20T01:30:03Z"))
    assert found.who == "dnf: nginx-1:1.24.0-1.ky10.x86_64, tree-1.8.0-1.ky10.x86_64"


@pytest.mark.parametrize("wide", [False, True])
def test_sessions_end_by_their_end_the_next_on_their_line_or_a_boot(wide: bool) -> None:
    data = b"".join(
        [
            entry(7, "pts/0", "li", "10.0.0.7", 100, wide),
            entry(8, "pts/0", "", "", 200, wide),
            entry(7, "pts/1", "wang", "", 300, wide),
            entry(7, "pts/1", "zhao", "", 400, wide),
            entry(2, "~", "reboot", "", 500, wide),
            entry(7, "tty1", "root", "", 600, wide),
        ]
    )
    found = [(span.start, span.end, span.who) for span in sessions(data, wide)]
    assert found == [
        (100.0, 200.0, "session of li on pts/0 from 10.0.0.7"),
        (300.0, 400.0, "session of wang on pts/1"),
        (400.0, 500.0, "session of zhao on pts/1"),
        (600.0, float("inf"), "session of root on tty1"),
    ]


@given(data=st.binary(max_size=2000), wide=st.booleans())
def test_whatever_lies_in_a_wtmp_is_read(data: bytes, wide: bool) -> None:
    assert all(isinstance(span.who, str) for span in sessions(data, wide))


@given(text=st.text(max_size=500))
def test_whatever_lies_in_a_log_of_packages_is_read(text: str) -> None:
    assert dpkg(text) == []
    assert rpm(text) == []


RUN, APT = Span(100, 110, "egov.ops, operation 1234abcd"), Span(100, 130, "dpkg: nginx")
LI, WANG = Span(50, 500, "session of li on pts/0"), Span(200, 300, "session of wang on pts/1")


@pytest.mark.parametrize(
    ("moment", "who"),
    [
        (105, RUN.who),
        (111.5, RUN.who),
        (120, APT.who),
        (160, LI.who),
        (250, UNKNOWN),
        (600, UNKNOWN),
    ],
)
def test_our_run_counts_before_a_transaction_and_that_before_the_one_session(moment: float, who: str) -> None:
    assert author(moment, [RUN], [APT], [LI, WANG]) == who


def test_two_sessions_of_one_name_are_one_person() -> None:
    assert author(60, [], [], [LI, Span(55, 70, LI.who)]) == LI.who


@pytest.mark.parametrize(
    "line",
    [
        "password = hunter2",
        'db_password: "hunter2"',
        "{'api_key': 'hunter2'}",
        "requirepass hunter2",
        "Token hunter2",
        "url = https://li:hunter2@portal.example/",
        "root:$6$salt$hunter2hunter2:19000:0",
        "key ssh " + "hunter2" * 6,
        "PSK=hunter2",
        "snmp community hunter2",
    ],
)
def test_what_may_be_a_secret_is_masked(line: str) -> None:
    if line.startswith("requirepass"):
        line = line.replace("requirepass", "requirepass:")
    assert "hunter2" not in config_diff.masked(line)


@pytest.mark.parametrize(
    "line",
    ["PasswordAuthentication no", "Port 22", "include /etc/nginx/conf.d/a-site-with-a-rather-long-name.conf;"],
)
def test_what_is_no_secret_is_told(line: str) -> None:
    assert config_diff.masked(line) == line


@given(before=st.text(max_size=300), now=st.text(max_size=300), room=st.integers(0, 200))
def test_a_difference_is_told_where_there_is_one_and_stays_within_its_bound(before: str, now: str, room: int) -> None:
    lines = config_diff.difference(before, now)
    assert bool(lines) == (before != now)
    kept = config_diff.bounded(lines, room)
    assert sum(len(ascii(line)) + 2 for line in kept[:-1]) <= room
    assert config_diff.bounded(lines, 10**9)[: len(lines)] == [line[:160] + "..." * (len(line) > 160) for line in lines]


@pytest.fixture
def config(ready: Site) -> Site:
    ready.sets["pages"].update({"class": "config", "incremental": "change", "incremental_since": None})
    (ready.source / "sshd_config").write_text("Port 22\nPermitRootLogin yes\n")
    (ready.source / "db.conf").write_text("host = db1\npassword = first-secret\n")
    (ready.source / "private").write_text("line one\n")
    (ready.source / "private").chmod(0o640)
    (ready.source / "gone").write_text("x\n")
    for name in ("sshd_config", "db.conf", "gone"):
        (ready.source / name).chmod(0o644)
    ready.back_up()
    return ready


def told(site: Site, now: str = LATER) -> dict[str, Any]:
    return dict(only(site.back_up(now))["detail"]["version"])


def test_a_version_tells_what_differs_from_the_one_before(config: Site) -> None:
    (config.source / "sshd_config").write_text("Port 22\nPermitRootLogin no\n")
    (config.source / "db.conf").write_text("host = db2\npassword = second-secret\n")
    (config.source / "private").write_text("line two\n")
    (config.source / "new").write_text("fresh\n")
    (config.source / "new").chmod(0o644)
    (config.source / "gone").unlink()
    version = told(config)
    changes = {Path(change["path"]).name: change for change in version["changes"]}
    assert version["more"] == 0
    assert {name: change["change"] for name, change in changes.items()} == {
        **dict.fromkeys(("sshd_config", "db.conf", "private"), "modified"),
        "new": "added",
        "gone": "removed",
    }
    assert changes["sshd_config"]["diff"][1:] == [" Port 22", "-PermitRootLogin yes", "+PermitRootLogin no"]
    assert changes["db.conf"]["diff"][1:3] == ["-host = db1", "+host = db2"]
    assert changes["private"]["diff"] == ["not told: not everybody may read it"]
    assert changes["new"]["diff"][1:] == ["+fresh"]
    assert all(change["author"] for change in changes.values())
    assert "secret" not in str(version).replace("********", "").replace("not told", "")
    assert list((config.state / "backup" / "proof").iterdir()) == []


def test_a_file_that_was_closed_and_is_opened_now_is_not_told(config: Site) -> None:
    (config.source / "private").chmod(0o644)
    (change,) = told(config)["changes"]
    assert change["diff"] == ["not told: not everybody may read it"]


def test_many_changes_are_bounded_and_counted(config: Site) -> None:
    for number in range(40):
        (config.source / f"file{number}").write_text(f"{number} words and more\n" * 500)
        (config.source / f"file{number}").chmod(0o644)
    version = told(config)
    assert len(version["changes"]) == config_diff.FILES
    assert version["more"] == 40 - config_diff.FILES
    assert len(ascii(version)) < 2 * config_diff.TOLD_BYTES
    assert version["changes"][0]["diff"][-1].endswith(" more lines")


def test_other_classes_and_first_backups_have_no_versions(ready: Site, config: Site) -> None:
    assert "version" not in only(config.back_up(LATER))["detail"]  # nothing differs
    config.sets["pages"]["class"] = "other"
    (config.source / "a").write_text("another")
    assert "version" not in only(config.back_up("2026-05-20T03:00:00Z"))["detail"]


def test_a_restore_of_ours_is_the_author_of_what_it_brought(config: Site) -> None:
    operation = config.state / "operations" / ("ab" * 32)
    operation.mkdir(parents=True)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))
    (operation / "journal.jsonl").write_text(f'{{"event": "begin", "time": "{moment}"}}\n')
    (config.source / "sshd_config").write_text("Port 2222\n")
    (change,) = told(config)["changes"]
    assert change["author"] == "egov.ops, operation abababab"


def test_a_snapshot_before_that_cannot_be_read_stops_no_backup(config: Site, tmp_path: Path) -> None:
    slow = tmp_path / "restic"
    slow.write_text(f'#!/bin/sh\ncase "$*" in *restore*) echo lost >&2; exit 9;; esac\nexec "{RESTIC}" "$@"\n')
    slow.chmod(0o755)
    (config.source / "sshd_config").write_text("Port 2222\n")
    found = only(config.back_up(LATER, tool_path=[str(tmp_path)]))
    assert found["status"] == "ok"
    assert "No more can be told" in found["detail"]["version"]["message"]
    assert list((config.state / "backup" / "proof").iterdir()) == []
