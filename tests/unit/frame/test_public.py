# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is shown of addresses and commands, and what of them counts as a secret."""

from __future__ import annotations

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.public import (
    program_of,
    public_text,
    public_url,
    secrets_of_command,
    secrets_of_url,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://portal/a/b", "http://portal/a/b"),
        ("http://a:b@c:d@e/", "http://e/"),
        ("http://a:b@c/d?token=xyz&k#f", "http://c/d?token=***&***"),
        ("http://h/?a@b=c", "http://h/?***"),
        ("http://user?x:pw@h/?a=b", "http://********"),
        ("http://user/x:pw@h/", "http://********"),
        ("http://h/a?x=1;y=2", "http://h/a?x=***&y=***"),
        ("http://h/x;jsessionid=AB/y", "http://h/x;jsessionid=***/y"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("http://u:p@[fe80::1%25eth0]:80/x?y", "http://[fe80::1%25eth0]:80/x?***"),
        ("http://u:p w@host/a", "http://host/a"),
        ("http://tok%2fen@h", "http://h"),
        ("http://用户:密码@主机/路径", "http://主机/路径"),
        ("https://host/users/me@example.org", "https://host/users/me@example.org"),
        ("http://10.0.0.1:8080/?mail=a@b", "http://10.0.0.1:8080/?mail=***"),
        # Nobody can tell the host from a password that was not encoded: then nothing of either is shown.
        ("http://user:p/w@host/", "http://********"),
        ("http://user:p#w@host/", "http://********"),
        ("http://user:p?w@host/x", "http://********"),
        ("http://user:8080/x@host/", "http://********"),
        ("http://u:a@b/c@host/", "http://********"),
        ("http://user:secret/", "http://********"),
        ("user:pw@host", "host"),
        ("user:p/w@host/x?y=z", "host/x?y=***"),
        ("/srv/x@y?z", "/srv/x@y?z"),
        ("rest:https://u:p@h:8000/x", "rest:https://h:8000/x"),
        ("s3:https://KEY:SECRET@h/bucket", "s3:https://h/bucket"),
        ("s3:s3.amazonaws.com/bucket", "s3:s3.amazonaws.com/bucket"),
        ("sftp:backup@host:/srv", "sftp:backup@host:/srv"),
        ("sftp:backup:pw@host:/srv", "sftp:host:/srv"),
        ("sftp://backup:pw@host:22//srv", "sftp://host:22//srv"),
        ('rclone::webdav,url="https://u:p@h",pass=x:path', "rclone::webdav,url=***,pass=***:path"),
        ("user@odd://host", "odd://********"),
    ],
)
def test_an_address_is_shown_without_what_lets_anybody_in(url: str, shown: str) -> None:
    assert public_url(url) == shown


@given(
    user=st.text(st.characters(blacklist_categories=("Cs", "Zs", "Cc")), min_size=6, max_size=12),
    password=st.text(st.characters(blacklist_categories=("Cs", "Zs", "Cc")), min_size=6, max_size=12),
    tail=st.sampled_from(["", "/", "/path", "/a@b", "/?x=1", "/?m=a@b", ":8080/a"]),
)
def test_no_address_shows_its_password_whatever_stands_in_it(user: str, password: str, tail: str) -> None:
    shown = public_url(f"https://{user}:{password}@host.example{tail}")
    assert password not in shown.replace("host.example", "").replace("https://", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no address: a//b", "no address: a//b"),
        ('Get "https://u:p@h/x?tok=abc": dial', 'Get "https://h/x?tok=***": dial'),
        ("see http://a/b.", "see http://a/b."),
        ("(rest:http://u:p@h/) and http://v:q@i/", "(rest:http://h/) and http://i/"),
        ("a scheme alone: http://", "a scheme alone: http://"),
    ],
)
def test_addresses_in_a_text_are_shown_in_the_same_way(text: str, shown: str) -> None:
    assert public_text(text) == shown


def test_the_secrets_of_an_address_are_known_as_written_and_decoded() -> None:
    assert {"mon:p%2Fw", "mon:p/w", "p%2Fw", "p/w", "longtoken"} <= set(
        secrets_of_url("http://mon:p%2Fw@host/?t=longtoken&full=1")
    )
    assert "1" not in secrets_of_url("http://host/?full=1")


@pytest.mark.parametrize(
    ("command", "secrets", "others"),
    [
        (["check_http", "-H", "portal", "-w", "5", "-p", "/var"], [], ["portal", "5", "/var"]),
        (["check_mysql", "-p", "hunter2"], ["hunter2"], ["-p"]),
        (["check_mysql", "-phunter2"], ["hunter2"], []),
        (["check_x", "--password", "-dash/slash"], ["-dash/slash"], []),
        (["check_x", "--api-key=abc=="], ["abc=="], []),
        (["check_x", "-a", "mon:hunter2"], ["mon:hunter2", "hunter2"], ["mon"]),
        (["curl", "-u", "mon:hunter2", "-H", "Authorization: Bearer tok1"], ["hunter2", "tok1"], ["mon"]),
        (["check_x", "http://u:pw@host/?k=longvalue"], ["pw", "longvalue"], ["host"]),
        (["sh", "-c", "mysqldump --password=hunter2 all"], ["hunter2"], ["mysqldump", "all"]),
        (["check_x -p hunter2"], ["hunter2"], ["check_x"]),
        (["env", "PGPASSWORD=hunter2", "psql"], ["hunter2"], ["psql"]),
    ],
)
def test_the_arguments_of_a_command_that_may_be_secrets(
    command: list[str], secrets: list[str], others: list[str]
) -> None:
    found = secrets_of_command(command)
    assert set(secrets) <= set(found)
    assert not set(others) & set(found)


def test_a_program_is_named_without_folder_and_arguments() -> None:
    assert program_of(["/usr/lib/nagios/plugins/check_x", "-p", "hunter2"]) == "check_x"
    assert program_of(["check_x -p a/b"]) == "check_x"
    assert program_of([]) == program_of([" "]) == "the command"
