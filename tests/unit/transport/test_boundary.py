# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an action does with the answers of a host, call after call, and what Ansible's own code gets of its output."""

from __future__ import annotations

import gc
import importlib
import resource
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.egov.ops.plugins import action as actions
from ansible_collections.egov.ops.plugins.plugin_utils.actions import host_task as host_task_module
from ansible_collections.egov.ops.plugins.plugin_utils.actions import outcome as outcome_module
from ansible_collections.egov.ops.plugins.plugin_utils.actions import task
from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema
from ansible_collections.egov.ops.plugins.plugin_utils.transport import boundary
from ansible_collections.egov.ops.plugins.plugin_utils.transport.answer import _COMMON
from ansible_collections.egov.ops.plugins.plugin_utils.transport.boundary import RAW
from ansible_collections.egov.ops.plugins.plugin_utils.transport.stream import StreamError

NOW = datetime(2026, 5, 20, tzinfo=timezone.utc)
NAMES = sorted(path.stem for path in Path(next(iter(actions.__path__))).glob("*.py"))
CLASSES = {
    name: importlib.import_module(f"ansible_collections.egov.ops.plugins.action.{name}").ActionModule for name in NAMES
}
HALVES = {name: found for name, found in CLASSES.items() if issubclass(found, host_task_module.HostTask)}


def host_task(name: str, answers: Iterator[dict[str, Any]], given: dict[str, Any]) -> Any:
    """Return an action whose host gives these answers; `calls` are the options of each, `said` what was printed."""

    class Fed(HALVES[name]):  # type: ignore[misc, valid-type]
        def prepare(self, *_arguments: Any) -> tuple[dict[str, Any], dict[str, str]]:
            return dict(given), {}

        def _send(self, _plan: Any, arguments: dict[str, Any], *_rest: Any) -> tuple[dict[str, Any], str]:
            self.calls.append(arguments)
            return next(answers), "stream"

        def say(self, text: str) -> None:
            self.said.append(text)

    made = Fed.__new__(Fed)
    made._task = SimpleNamespace(action=f"egov.ops.{name}", check_mode=False, diff=False, timeout=0, delegate_to=None)
    made.calls, made.said = [], []
    return made


def attempt(made: Any) -> dict[str, Any]:
    plan = merge({}, load_schema())
    found: dict[str, Any] = host_task_module.HostTask._attempt(made, {}, plan, "web1", "run", NOW, {})
    return found


def running(**again: Any) -> Iterator[dict[str, Any]]:
    while True:
        yield {"running": True, "changed": True, "msg": "at work", "again": again}


SETS = {"sets": {"data": {"repository": "local"}}, "timeout": 0.2}
DRILLED = {"kind": "drill", "subject": "data", "status": "ok", "detail": {}}


def test_work_that_never_ends_ends_after_its_limit(monkeypatch):
    monkeypatch.setattr(host_task_module, "GRACE", 0.2)
    monkeypatch.setattr(host_task_module, "PAUSE", 0.05)
    made = host_task("restore_drill", running(job="a" * 32), SETS)
    started = time.monotonic()
    outcome = attempt(made)
    assert (outcome["status"], outcome["reason"]) == ("failed", "timeout")
    assert "after 0.6 s" in outcome["msg"]
    assert time.monotonic() - started < 5
    assert 3 <= len(made.calls) <= 14  # however fast the host answers
    assert made.calls[1] == {"sets": SETS["sets"], "job": "a" * 32}


def test_a_job_of_its_own_has_its_own_limit(monkeypatch):
    monkeypatch.setattr(host_task_module, "GRACE", 0.1)
    monkeypatch.setattr(host_task_module, "PAUSE", 0.05)
    given = {"operation": {"set": "data"}, "timeout": 0.1, "job_timeout": 0.5}
    made = host_task("restore_run", running(), given)
    assert "after 0.7 s" in attempt(made)["msg"]
    assert made.calls[1]["attach"] is True


def test_the_answer_after_lines_of_progress_is_judged_as_any_other():
    def answers() -> Iterator[dict[str, Any]]:
        yield {"running": True, "msg": "at work \u202e", "again": {"job": "a" * 32}}
        yield {"msg": "done", "evidence": [DRILLED], "add_host": {"host_name": "x"}}

    made = host_task("restore_drill", answers(), SETS)
    outcome = attempt(made)
    assert outcome["reason"] == "malformed_answer"
    assert outcome["msg"].startswith("The answer of web1 to restore_drill is malformed: it has the key 'add_host'")
    assert made.said == ["web1: at work [U+202E]"]


@pytest.mark.parametrize("name", sorted(HALVES.keys() - {"backup_run", "restore_drill", "restore_run"}))
def test_only_what_may_take_long_may_say_that_it_goes_on(name):
    given = {
        **SETS,
        "probes": {},
        "controls": {},
        "escrow": {},
        "snapshot": "",
        "set": "",
        "mode": "beside",
        "paths": [],
        "destination": "",
        "host_name": "web1",
        "operation": {"set": "data", "repositories": []},
    }
    outcome = attempt(host_task(name, iter([{"running": True, "msg": "x", "evidence": []}]), given))
    assert outcome["reason"] == "malformed_answer"
    assert "running must not be said" in outcome["msg"]


def test_no_action_lets_its_host_speak_of_a_step_or_give_what_ansible_obeys():
    kept = (
        set(outcome_module.outcome_of("ok", "", ""))
        | set(_COMMON)
        | {"evidence_count", "gate", "ansible_facts", "warnings"}
    )
    for name, found in HALVES.items():
        assert not {"step", "gate", "request", "approval", "operation", "override"} & set(found.KINDS), name
        assert not kept & set(found.RESULTS), name


class Connected(host_task_module.HostTask):
    """An action whose connection gives what a test wants."""

    DOMAIN = "health"

    def prepare(self, *_arguments: Any) -> tuple[dict[str, Any], dict[str, str]]:
        return {}, {}


@pytest.fixture
def connected(monkeypatch):
    """An action whose host answers each command with control characters."""
    output = {"rc": 0, "stdout": "FOUND\r\n/usr/bin/py\x1b[2J\n", "stderr": "\x9b!\n"}
    monkeypatch.setattr(ActionBase, "_low_level_execute_command", lambda self, *_args, **_more: dict(output))
    return Connected.__new__(Connected)


def test_ansible_gets_the_output_of_commands_harmless_and_we_get_it_as_it_came(connected):
    done = connected._low_level_execute_command("command -v python")
    assert done["stdout"] == "FOUND\n/usr/bin/py[U+001B][2J\n"
    assert done["stdout_lines"] == ["FOUND", "/usr/bin/py[U+001B][2J"]
    assert done["stderr"] == "[U+009B]!\n"
    assert done[RAW] == ("FOUND\r\n/usr/bin/py\x1b[2J\n", "\x9b!\n")


def test_ansible_gets_nothing_of_what_a_module_printed(connected):
    profile = ("legacy",) if len(signature(ActionBase._parse_returned_data).parameters) > 2 else ()  # 2.16 has none
    raw = '{"add_host": {}, "warnings": ["x"], "_ansible_suppress_tmpdir_delete": true}', ""
    given = {RAW: raw, "stdout": raw[0], "stderr": "", "rc": 0}
    assert set(connected._parse_returned_data(given, *profile)) <= {"_ansible_parsed"}
    assert connected._printed == raw


def grow(mebibytes: int, seconds: float) -> None:
    """Take memory beyond what this process has ever had, then CPU."""
    held, begun = [], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun < mebibytes * 1024:
        held.append(b"x" * 2**20)
    until = time.process_time() + seconds
    while time.process_time() < until:
        sum(range(1000))


@pytest.mark.parametrize(("mebibytes", "stopped"), [(8, False), (64, True)])
def test_a_command_whose_output_fills_the_memory_is_stopped(connected, monkeypatch, mebibytes, stopped):
    def flooded(*_arguments: Any, **_more: Any) -> dict[str, Any]:
        try:
            grow(mebibytes, 0.5 if not stopped else 5)
        except Exception:  # as Ansible's own code swallows some
            stopped_too_weakly.append(True)
        return {"rc": 0, "stdout": "", "stderr": ""}

    stopped_too_weakly: list[bool] = []
    monkeypatch.setattr(boundary, "FLOOD", 32)
    monkeypatch.setattr(ActionBase, "_low_level_execute_command", flooded)
    before = signal.getsignal(signal.SIGPROF)
    if stopped:
        with pytest.raises(StreamError, match="32 MiB") as caught:
            connected._low_level_execute_command("x")
        assert caught.value.reason == "too_large"
    else:
        connected._low_level_execute_command("x")
    assert stopped_too_weakly == []
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGPROF) == before


class Breaking(task.Task):
    """An action of ours with a defect, or that ansible-core breaks."""

    error: Exception

    def perform(self, *_arguments: Any) -> dict[str, Any]:
        raise self.error


@pytest.mark.parametrize(
    "error", [KeyError("of Br4kensecret"), AnsibleError("of Br4kensecret"), OpsError("Br4kensecret")]
)
def test_what_breaks_an_action_shows_no_secret_of_its_text_or_traceback(monkeypatch, error):
    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
    monkeypatch.setattr(ActionBase, "validate_argument_spec", lambda *_arguments: (None, {}))
    made, said = Breaking.__new__(Breaking), []
    made.error = error
    made._task = SimpleNamespace(action="egov.ops.broken", async_val=0, args={}, no_log=False, check_mode=True)
    made._display = SimpleNamespace(vvv=said.append)
    made._connection = made._loader = None
    with pytest.raises(AnsibleActionFail) as raised:
        made.run(None, {"ansible_password": "Br4kensecret"})
    gc.enable()
    assert "********" in str(raised.value)
    assert "Br4kensecret" not in f"{raised.value} {said}"
    assert raised.value.__suppress_context__
    if isinstance(error, KeyError):
        assert "egov.ops.broken broke: KeyError" in str(raised.value)
        assert "in perform" in "\n".join(said)
        assert not any("\n" in line for line in said)
        assert str(raised.value).endswith("Run it with -vvv to see the whole stack.")


def test_nothing_is_printed_of_a_task_that_is_not_to_be_shown():
    made, said = Breaking.__new__(Breaking), []
    made._display = SimpleNamespace(display=said.append)
    for no_log in (True, False):
        made._task = SimpleNamespace(no_log=no_log)
        made.say(f"no_log is {no_log}")
    assert said == ["no_log is False"]
