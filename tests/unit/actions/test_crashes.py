# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The traceback of what broke: how it travels in an answer, what may stand in it, and the log that keeps it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import environment
import pytest
from ansible_collections.egov.ops.plugins.module_utils.host import half
from ansible_collections.egov.ops.plugins.plugin_utils.actions import crashes
from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.transport import stream
from ansible_collections.egov.ops.plugins.plugin_utils.transport.answer import AnswerError, Expected, parse_answer

LIMIT = 16 * 1024
STACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in inner\nKeyError: 1\n'


def answered(text: str) -> dict[str, object]:
    """Return the answer of a half that breaks with a text, as the controller decodes it."""

    def inner(_arguments: object, _host: object) -> None:
        raise KeyError(text)

    host = half.Host({"timeout": 5}, {"password": "Pl4ntedsecret"})
    return stream.parse_module(half.answer(half.perform(inner, {}, host)), "", {})


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[2J\x07\x9b\ud800\ttab",
        "Pl4ntedsecret",
        "x" * 100_000,
        "密" * 20_000,
        "\x1b" * 20_000,
        "Pl4ntedsecret" * 9999,
    ],
)
def test_whatever_a_half_breaks_with_its_traceback_may_be_answered(text: str) -> None:
    answer = parse_answer(answered(text), Expected())
    assert len(answer.traceback.encode()) <= LIMIT
    assert "secret" not in answer.traceback + answer.msg
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", answer.traceback)
    assert answer.traceback.startswith("Traceback (most" if len(text) < 100 else "[the beginning is left out]\n")
    if len(text) < 100:
        assert "in inner" in answer.traceback


@pytest.mark.parametrize("stack", ["x" * LIMIT, "密" * (LIMIT // 3), STACK, "a\tb"])
def test_lines_up_to_the_limit_are_allowed(stack: str) -> None:
    assert parse_answer({"failed": True, "msg": "x", "traceback": stack}, Expected()).traceback == stack


@pytest.mark.parametrize(
    "stack",
    ["x" * (LIMIT + 1), "密" * (LIMIT // 3 + 1), "a\r\n", "\x1b[2J", "a\n\x9b", "\x00", "\ud800", 1, ["x"], None],
)
def test_nothing_else_is_allowed(stack: object) -> None:
    with pytest.raises(AnswerError, match=r"^traceback must be "):
        parse_answer({"failed": True, "msg": "x", "traceback": stack}, Expected())


@pytest.mark.parametrize("more", [{}, {"failed": False}, {"running": True, "again": {"attach": True}}])
def test_only_a_failed_answer_may_have_one(more: dict[str, object]) -> None:
    with pytest.raises(AnswerError, match="traceback must not be said of a step that did not fail"):
        parse_answer({"msg": "x", "traceback": STACK, **more}, Expected(again=("attach",)))


def test_a_python_that_breaks_before_the_half_gives_its_stack_apart_from_the_sentence() -> None:
    with pytest.raises(stream.StreamError) as caught:
        stream.parse(STACK.replace("1\n", "Pl4ntedsecret\n"), "nonce", {"password": "Pl4ntedsecret"})
    assert "Traceback" not in str(caught.value)
    assert caught.value.stack.startswith("Traceback")
    assert "secret" not in str(caught.value) + caught.value.stack


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / "state")


def log_of(state: StateDir) -> Path:
    (path,) = state.crashes.iterdir()
    return path


def test_each_stack_is_an_entry_of_its_own_which_its_text_cannot_forge(state: StateDir) -> None:
    said = crashes.keep(state, "web1 health_probe", STACK)
    crashes.keep(state, "web2 health_probe", "2026-01-01T00:00:00Z web9 forged")
    path = log_of(state)
    assert said == f"The whole stack is in {path}."
    assert (path.stat().st_mode & 0o777, state.crashes.stat().st_mode & 0o777) == (0o600, 0o700)
    headings = [line for line in path.read_text().splitlines() if not line.startswith("    ")]
    assert [line.split()[1] for line in headings] == ["web1", "web2"]
    assert all(line.endswith(f" release {crashes.release_digest()}") for line in headings)
    assert "    KeyError: 1\n" in path.read_text()


def test_the_digest_of_the_release_is_what_the_documented_command_says() -> None:
    command = "find plugins -name '*.py' -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum | cut -c1-16"
    assert command in (environment.ROOT / "docs/development.md").read_text()
    said = subprocess.run(["sh", "-c", command], cwd=environment.ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == crashes.release_digest()


def test_a_log_is_bounded_and_says_so(state: StateDir) -> None:
    said = [crashes.keep(state, "web1 health_probe", "x" * 100_000) for _ in range(80)]
    assert log_of(state).stat().st_size <= crashes.LOG_LIMIT
    assert said[0] == f"The whole stack is in {log_of(state)}."
    assert said[-1].startswith(f"{log_of(state)} is full, so the stack is not there.")
    assert crashes.LOG_LIMIT - log_of(state).stat().st_size < 2 * LIMIT


def test_old_logs_are_removed_and_the_newest_stay(state: StateDir) -> None:
    state.prepare()
    state.crashes.mkdir(mode=0o700)
    for number in range(60):
        (state.crashes / f"20200101T0000{number:02}Z-x.log").touch()
    crashes.keep(state, "web1 health_probe", STACK)
    names = sorted(path.name for path in state.crashes.iterdir())
    assert len(names) == crashes.LOGS
    assert names[0] == "20200101T000011Z-x.log"
    assert "web1" in (state.crashes / names[-1]).read_text()


def test_a_log_that_cannot_be_written_is_said_and_hides_no_crash(state: StateDir, tmp_path: Path) -> None:
    state.prepare()
    state.crashes.symlink_to(tmp_path)
    assert f"{state.crashes} is a symlink to {tmp_path}" in crashes.keep(state, "web1 health_probe", STACK)
    state.crashes.unlink()
    crashes.keep(state, "web1 health_probe", STACK)
    path = log_of(state)
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    said = crashes.keep(state, "web1 health_probe", STACK)
    assert said.startswith(f"{path} is a symlink to {tmp_path / 'elsewhere'} ")
    assert said.endswith("-vvv to see the whole stack.")
    assert not (tmp_path / "elsewhere").exists()


def test_an_answer_without_a_crash_has_no_such_key() -> None:
    host = half.Host({"timeout": 5})
    assert "traceback" not in json.loads(half.answer(half.perform(lambda *_given: {"msg": "fine"}, {}, host)))
