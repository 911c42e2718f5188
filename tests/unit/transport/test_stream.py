# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stream: what is sent, how a Python is found, and what is made of the answer."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import RESULT_LIMIT
from ansible_collections.egov.ops.plugins.plugin_utils.transport import stream
from ansible_collections.egov.ops.plugins.plugin_utils.transport.answer import AnswerError

NONCE = "<egov-ops 0011>"


def send(interpreter: str, timeout: float = 20) -> subprocess.CompletedProcess[str]:
    data, nonce = stream.envelope(("host.record", "worst"), {}, {"timeout": 5}, {})
    done = subprocess.run(
        ["sh", "-c", stream.command(interpreter)], input=data, capture_output=True, timeout=timeout, check=False
    )
    return subprocess.CompletedProcess([nonce], done.returncode, done.stdout.decode(errors="replace"), "")


def script(path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_a_half_that_breaks_is_a_sentence_and_no_traceback():
    # worst(arguments, host) takes one argument: the half breaks as a defect of ours would.
    answer = send(sys.executable)
    result = stream.parse(answer.stdout, answer.args[0], {})
    assert result["failed"]
    assert result["msg"].startswith("The program of egov.ops on the host broke: TypeError in ")
    assert "Traceback" not in result["msg"]
    assert result["traceback"].startswith("Traceback (most recent call last):\n")
    assert "in _perform" in result["traceback"]


def test_the_named_interpreter_is_used(tmp_path):
    mark = tmp_path / "used"
    wrapper = script(tmp_path / "python with space", f'#!/bin/sh\ntouch {mark}\nexec "{sys.executable}" "$@"\n')
    send(f"'{wrapper}'")
    assert mark.exists()


def test_a_named_interpreter_that_is_missing_falls_back_to_the_platforms():
    answer = send("/nonexistent/python3")
    assert stream.parse(answer.stdout, answer.args[0], {})["python"]


def test_no_python_at_all_is_a_reason_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(stream, "INTERPRETERS", ("/nonexistent/python3",))
    answer = send("")
    with pytest.raises(stream.StreamError, match="No Python 3 was found") as caught:
        stream.parse(answer.stdout, answer.args[0], {})
    assert caught.value.reason == "no_python"


def test_a_flood_is_cut_on_the_host_and_named(tmp_path):
    answer = send(script(tmp_path / "floods", "#!/bin/sh\nexec yes egov\n"))
    assert len(answer.stdout) <= 2 * RESULT_LIMIT
    with pytest.raises(stream.StreamError) as caught:
        stream.parse(answer.stdout, answer.args[0], {})
    assert caught.value.reason == "too_large"


def test_a_half_that_dies_hands_on_its_last_words(tmp_path):
    answer = send(script(tmp_path / "dies", "#!/bin/sh\necho 'cannot allocate memory' >&2\nkill -9 $$\n"))
    with pytest.raises(stream.StreamError, match="cannot allocate memory"):
        stream.parse(answer.stdout, answer.args[0], {})


@pytest.mark.parametrize(
    "words",
    [
        "sudo: sorry, you must have a tty to run sudo",
        "sudo: 抱歉，您必须拥有一个终端来执行 sudo",
        "sudo: 抱歉，您必須先要有終端才能執行 sudo",
    ],
)
def test_a_sudo_that_wants_a_terminal_is_understood(words):
    with pytest.raises(stream.NoTerminal, match="requiretty"):
        stream.check_terminal(1, f"Authorised use only.\n{words}\n")


def test_a_half_that_ran_is_never_taken_for_one_that_sudo_refused(tmp_path):
    words = "sudo: sorry, you must have a tty to run sudo"
    answer = send(script(tmp_path / "dies", f"#!/bin/sh\necho '{words}' >&2\nexit 1\n"))
    stream.check_terminal(answer.returncode, answer.stdout)
    with pytest.raises(stream.StreamError, match="ended without a result: sudo: sorry"):
        stream.parse(answer.stdout, answer.args[0], {})


def test_banners_around_the_result_do_no_harm():
    output = f"Welcome to host\n{NONCE}{json.dumps({'msg': 'fine'})}{NONCE}\nlogout\n"
    assert stream.parse(output, NONCE, {}) == {"msg": "fine"}


def test_a_secret_in_the_result_is_masked_wherever_it_stands():
    output = NONCE + json.dumps({"msg": "said s3cret!", "list": [{"deep": "s3cret"}]}) + NONCE
    assert stream.parse(output, NONCE, {"repository": "s3cret"}) == {
        "msg": "said ********!",
        "list": [{"deep": "********"}],
    }


def test_a_result_over_the_limit_is_refused():
    output = NONCE + json.dumps({"msg": "x" * RESULT_LIMIT}) + NONCE
    with pytest.raises(stream.StreamError, match="more than the") as caught:
        stream.parse(output, NONCE, {})
    assert caught.value.reason == "too_large"


def test_broken_json_between_the_marks_is_an_error():
    with pytest.raises(AnswerError, match="must be JSON"):
        stream.parse(f"{NONCE}{{{NONCE}", NONCE, {})


def test_the_line_is_plain_sh():
    done = subprocess.run(["sh", "-n", "-c", stream.command("/usr/bin/python3")], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_answer_nested_beyond_reason_is_refused():
    deep = '{"evidence": ' + "[" * 100_000 + "]" * 100_000 + "}"
    with pytest.raises(AnswerError, match="nested deeper"):
        stream.parse(f"{NONCE}{deep}{NONCE}", NONCE, {})
