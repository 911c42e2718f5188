# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.plan.password import (
    CREDENTIALS,
    SIZE_LIMIT,
    PasswordError,
    PasswordMissing,
    given,
    read,
    read_or_create,
    read_whole,
    variables,
)

RACER = """
import pathlib, sys
from ansible_collections.egov.ops.plugins.plugin_utils.plan.password import read_or_create
sys.stdin.read()
print(read_or_create(pathlib.Path(sys.argv[1])))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "repository.password"


def put(file: Path, content: bytes, mode: int = 0o600) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
    return file


def test_a_created_password_is_long_and_read_back(file: Path) -> None:
    password = read_or_create(file)
    assert len(password) >= 43
    assert read(file) == password


def test_a_created_file_is_for_its_owner_alone(file: Path) -> None:
    previous = os.umask(0)
    try:
        read_or_create(file)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_creating_leaves_nothing_else_behind(file: Path) -> None:
    read_or_create(file)
    assert list(file.parent.iterdir()) == [file]


def test_a_password_is_created_once(file: Path) -> None:
    assert read_or_create(file) == read_or_create(file)


def test_two_files_get_different_passwords(tmp_path: Path) -> None:
    assert read_or_create(tmp_path / "a") != read_or_create(tmp_path / "b")


def test_runs_that_start_at_once_agree_on_one_password(file: Path) -> None:
    runs = [
        subprocess.Popen([sys.executable, "-c", RACER, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    for run in runs:
        assert run.stdin
        run.stdin.close()
        run.stdin = None
    answers = {run.communicate()[0] for run in runs}
    assert answers == {f"{read(file)}\n"}


def test_an_existing_password_is_its_first_line(file: Path) -> None:
    assert read(put(file, "密码 with spaces \r\na remark\n".encode())) == "密码 with spaces "


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_open_to_others_is_refused_with_the_remedy(file: Path, mode: int) -> None:
    with pytest.raises(PasswordError, match=r"is open to others \(mode 06\d\d\); run chmod 600 on it\.$"):
        read_or_create(put(file, b"secret\n", mode))


@pytest.mark.parametrize("content", [b"", b"\nsecret\n", b"\r\n"])
def test_a_file_without_a_password_is_refused_and_kept(file: Path, content: bytes) -> None:
    with pytest.raises(PasswordError, match="empty first line"):
        read_or_create(put(file, content))
    assert file.read_bytes() == content


def test_a_file_that_is_no_text_is_refused(file: Path) -> None:
    with pytest.raises(PasswordError, match="not UTF-8"):
        read(put(file, b"\xff\xfe\n"))


def test_a_missing_file_is_told_apart(file: Path) -> None:
    with pytest.raises(PasswordMissing, match="does not exist"):
        read(file)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PasswordError, match="Is a directory"):
        read(tmp_path)


def test_a_named_pipe_in_its_place_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(PasswordError, match="not a regular file"):
        read(tmp_path / "pipe")


def test_a_link_to_nowhere_is_not_filled(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(PasswordError):
        read_or_create(tmp_path / "link")
    assert not (tmp_path / "target").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PasswordError, match=r"cannot be (read|created) \(Not a directory\)\.$"):
        read_or_create(tmp_path / "file" / "password")


def test_the_password_is_in_no_message(file: Path) -> None:
    with pytest.raises(PasswordError) as caught:
        read(put(file, b"hunter2\n", 0o644))
    assert "hunter2" not in str(caught.value)


def test_a_password_by_value_or_command_is_taken_and_none_means_a_file() -> None:
    assert given({"password": "hunter2", "password_command": []}) == "hunter2"
    assert given({"password": "", "password_command": ["printf", "hun ter2\\nmore"]}) == "hun ter2"
    assert given({"password": "", "password_command": []}) == given({}) == ""


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("echo hunter2; echo the vault is sealed >&2; exit 3", "ended with code 3: the vault is sealed"),
        ("echo; echo hunter2", "an empty first line"),
        ("printf 'hunter2\\377'", "not UTF-8"),
    ],
)
def test_a_command_that_fails_is_told_in_its_own_words_and_without_what_it_printed(script: str, word: str) -> None:
    with pytest.raises(PasswordError) as told:
        given({"password_command": ["sh", "-c", script]})
    assert word in str(told.value)
    assert "hunter2" not in str(told.value)


def test_a_command_that_is_missing_is_told() -> None:
    with pytest.raises(PasswordError, match="command nonesuch for a password cannot be run"):
        given({"password_command": ["nonesuch"]})


def test_a_file_of_credentials_gives_those_of_repositories(file: Path) -> None:
    put(file, b"# of the object store\n\nAWS_ACCESS_KEY_ID=AKIA=1\n AWS_SECRET_ACCESS_KEY=s3cret\n")
    assert variables(file) == {"AWS_ACCESS_KEY_ID": "AKIA=1", "AWS_SECRET_ACCESS_KEY": "s3cret"}


@pytest.mark.parametrize("line", ["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID=", "LD_PRELOAD=/tmp/x", "=x"])
def test_any_other_line_is_refused_by_its_number_and_not_shown(file: Path, line: str) -> None:
    put(file, f"AWS_DEFAULT_REGION=cn\n{line}\n".encode())
    with pytest.raises(PasswordError, match="Line 2 of the credentials file") as refused:
        variables(file)
    assert "/tmp/x" not in str(refused.value)
    assert all(name in str(refused.value) for name in CREDENTIALS)


def test_a_file_of_just_the_most_bytes_is_read_and_one_more_is_refused(file: Path) -> None:
    assert len(read_whole(put(file, b"x" * SIZE_LIMIT))) == SIZE_LIMIT == 64 * 1024
    with pytest.raises(PasswordError):
        read_whole(put(file, b"x" * (SIZE_LIMIT + 1)))


def test_a_file_for_a_whole_secret_keeps_its_lines_and_loses_the_last_lines_end(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("one\ntwo\r\n\n")
    file.chmod(0o600)
    assert read_whole(file) == "one\ntwo"
    file.write_text("\r\n")
    with pytest.raises(PasswordError, match=f"The file {file} is empty; write the value there."):
        read_whole(file)


def test_the_first_line_that_a_command_prints_may_end_as_on_windows() -> None:
    assert given({"password_command": ["printf", "one\\r\\ntwo\\n"]}) == "one"
