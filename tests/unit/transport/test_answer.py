# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boundary to a host: an answer is data with a closed list of keys, and everything else is one sentence."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import hypothesis
import pytest
from ansible_collections.egov.ops.plugins.action import backup_list, package_scan
from ansible_collections.egov.ops.plugins.module_utils.hardening.auditor import audit
from ansible_collections.egov.ops.plugins.module_utils.health.prober import probe
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host, perform
from ansible_collections.egov.ops.plugins.module_utils.host.half import answer as answer_of_half
from ansible_collections.egov.ops.plugins.module_utils.host.record import (
    MESSAGE_LIMIT,
    REASONS,
    RESULT_LIMIT,
    STATUSES,
    observation,
)
from ansible_collections.egov.ops.plugins.plugin_utils.backup.sets import DIFF
from ansible_collections.egov.ops.plugins.plugin_utils.common.safe_text import inert_value
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import record
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema
from ansible_collections.egov.ops.plugins.plugin_utils.transport import answer, answer_shape, stream
from ansible_collections.egov.ops.plugins.plugin_utils.transport.answer import (
    Answer,
    AnswerError,
    Expected,
    decode,
    parse_answer,
)
from hypothesis import example, given
from hypothesis import strategies as st

NONCE = "<egov-ops 0011>"

#: What the parser may cost, as a multiple of what Python's JSON alone costs; with no short way it is over four.
COST = 3.2

#: What a health check with a probe of memory may answer.
PROBED = Expected(kinds=("memory",), some=True)
FOUND = {"kind": "memory", "subject": "memory", "status": "ok", "detail": {"message": "Fine.", "value": 3.5}}
GOOD = {"changed": False, "msg": "fine", "evidence": [FOUND]}


def found(**more: object) -> dict[str, object]:
    """Return a good answer whose one observation has other values."""
    return {**GOOD, "evidence": [{**FOUND, **more}]}


def nested(depth: int) -> object:
    value: object = 1
    for _level in range(depth):
        value = [value]
    return value


#: Answers that are none, each with what its sentence says.
ATTACKS = {
    # what Ansible obeys
    "a mark": ({**GOOD, "machine": {"machine": "the id itself"}}, "machine"),
    "unknown mark": ({**GOOD, "machine": {"address": "0" * 32}}, "machine"),
    "add_host": ({**GOOD, "add_host": {"host_name": "n2", "host_vars": {"ansible_connection": "local"}}}, "'add_host'"),
    "add_group": ({**GOOD, "add_group": "all"}, "'add_group'"),
    "warnings": ({**GOOD, "warnings": ["\x1b[2J"]}, "'warnings'"),
    "deprecations": ({**GOOD, "deprecations": [{"msg": "x"}]}, "'deprecations'"),
    "facts": ({**GOOD, "ansible_facts": {"ansible_python_interpreter": "x"}}, "'ansible_facts'"),
    "internal": ({**GOOD, "_ansible_no_log": True}, "'_ansible_no_log'"),
    "unreachable": ({**GOOD, "unreachable": True}, "'unreachable'"),
    "exception": ({**GOOD, "exception": "Traceback"}, "'exception'"),
    "results": ({**GOOD, "results": []}, "'results'"),
    "skipped": ({**GOOD, "skipped": True}, "'skipped'"),
    "stdout": ({**GOOD, "stdout": "x"}, "'stdout'"),
    "gate": ({**GOOD, "gate": {"allowed": True}}, "'gate'"),
    "status": ({**GOOD, "status": "ok"}, "'status'"),
    "transport": ({**GOOD, "transport": "controller"}, "'transport'"),
    "a key of a control character": ({**GOOD, "\x1b[2J": 1}, r"'\\x1b\[2J'"),
    # types of the common keys
    "changed of a list": ({**GOOD, "changed": [1]}, "changed must be true or false"),
    "changed of a number": ({**GOOD, "changed": 1}, "changed must be true or false"),
    "failed of a text": ({**GOOD, "failed": "no"}, "failed must be true or false"),
    "no msg": ({"evidence": [FOUND]}, "must have the key msg"),
    "msg of a list": ({**GOOD, "msg": ["x"]}, "msg must be a text"),
    "msg of two lines": ({**GOOD, "msg": "fine\nok: [web2]"}, "in one line"),
    "msg that clears the screen": ({**GOOD, "msg": "\x1b[2Jfine"}, "msg must be"),
    "msg of a C1 character": ({**GOOD, "msg": "\x9b2J"}, "msg must be"),
    "msg of half a character": ({**GOOD, "msg": "\ud800"}, "msg must be"),
    "msg too long": ({**GOOD, "msg": "x" * (MESSAGE_LIMIT + 1)}, "msg must be"),
    "reason of no list": ({**GOOD, "failed": True, "reason": "fun"}, "reason must be one of busy"),
    "summary of texts": ({**GOOD, "summary": {"ok": "1"}}, "summary.ok must be a whole number"),
    "summary of a status that there is not": ({**GOOD, "summary": {"fine": 1}}, "must be one of critical"),
    "cpu below nothing": ({**GOOD, "cpu": -1}, "cpu must be"),
    "cpu of a flag": ({**GOOD, "cpu": True}, "cpu must be"),
    # observations
    "members of a text": (found(detail={"members": "a.service"}), r"detail\.members must be a list"),
    "a member of a list": (found(detail={"members": [["a"]]}), r"members\[0\] must be a text"),
    "an empty member": (found(detail={"members": [""]}), r"members\[0\] must be a text"),
    "a member of two lines": (found(detail={"members": ["a\nb"]}), r"members\[0\] must be a text"),
    "a member too long": (found(detail={"members": ["x" * 401]}), r"members\[0\] must be a text"),
    "too many members": (found(detail={"members": ["x"] * 201}), "at most 200"),
    "fewer than no members": (found(detail={"more_members": -1}), "more_members must be a whole number"),
    "evidence of a mapping": ({**GOOD, "evidence": {}}, "evidence must be a list"),
    "evidence of texts": ({**GOOD, "evidence": ["x"]}, r"evidence\[0\] must be a mapping"),
    "no evidence": ({**GOOD, "evidence": []}, "evidence must hold"),
    "no key evidence": ({"msg": "fine"}, "evidence must hold"),
    "a forged step": (found(kind="step", subject="backup_run"), "of another step"),
    "a kind of another module": (found(kind="backup", subject="data"), "of another step"),
    "a forged gate": (found(kind="gate"), "of another step"),
    "a status that there is not": (found(status="good"), r"evidence\[0\].status must be one of critical"),
    "a reason that there is not": (found(reason="fun"), r"evidence\[0\].reason must be one of"),
    "a kind of a list": (found(kind=["memory"]), r"evidence\[0\].kind must be a text"),
    "no subject": ({**GOOD, "evidence": [{"kind": "memory", "status": "ok"}]}, "must have the key subject"),
    "an empty subject": (found(subject=""), r"evidence\[0\].subject must be"),
    "a subject of two lines": (found(subject="a\nb"), r"evidence\[0\].subject must be"),
    "a key of an observation": (found(host="web2"), r"evidence\[0\] has the key 'host'"),
    "clauses of a text": (found(clauses="S1"), r"evidence\[0\].clauses must be a list"),
    "clauses of numbers": (found(clauses=[1]), r"evidence\[0\].clauses\[0\] must be a text"),
    "a duration of a text": (found(duration="1"), r"evidence\[0\].duration must be a number"),
    "a detail of a list": (found(detail=[]), r"evidence\[0\].detail must be a mapping"),
    "a message of a list": (found(detail={"message": ["x"]}), r"detail.message must be a text"),
    "an escape in a detail": (found(detail={"any": {"x": ["\x1b"]}}), r"detail.any.x\[0\] must be valid Unicode"),
    "an escape in a key": (found(detail={"\x1b": 1}), "must be valid Unicode"),
    "half a character in a detail": (found(detail={"any": "\udcff"}), "must be valid Unicode"),
    "bytes that are a text": (found(detail={"bytes": "9"}), "detail.bytes must be a whole number"),
    "a rate of nothing": (
        found(detail={"bytes": 5e-324, "restore_seconds": 9e18}),
        "detail.bytes must be a whole number",
    ),
    "a version of a text": (found(detail={"version": "2"}), "detail.version must be a mapping"),
    "a version without changes": (found(detail={"version": {"more": 1}}), "must have the key changes"),
    "moved paths of a text": (found(detail={"changed_during_backup": {"count": 1, "first": "x"}}), "must be a list"),
    "a value of a list": (found(detail={"value": [1]}), "detail.value must be"),
    # sizes and numbers
    "nested too deep": (found(detail={"any": nested(40)}), "nested deeper than 32"),
    "too many values": (found(detail={"any": [0] * (answer_shape.VALUES + 1)}), "more than"),
    "too long a text": (found(detail={"any": "x" * (answer_shape.TEXT_LIMIT + 1)}), "at most"),
    "too large a number": (found(detail={"any": 2**63}), "64 bits"),
    "infinity": (found(detail={"any": float("inf")}), "finite"),
    "not a number": (found(detail={"any": float("nan")}), "finite"),
    # work that goes on
    "running": ({"running": True, "msg": "x", "evidence": []}, "running must not be said"),
    "running of a text": ({"running": "yes", "msg": "x"}, "running must be true or false"),
    "no mapping": ([], "must be a mapping"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_no_answer_is_one_sentence_that_names_the_place(name):
    value, words = ATTACKS[name]
    with pytest.raises(AnswerError, match=words) as caught:
        parse_answer(value, PROBED)
    text = str(caught.value)
    assert "\n" not in text
    assert text == inert_value(text)
    assert text.isascii()
    assert len(text) < 1200


#: JSON that is none, or that cannot be read in any Python.
BROKEN = {
    "cut": '{"msg": "fine"',
    "no JSON": "fine",
    "a list": "[]",
    "a number": "1",
    "NaN": '{"msg": NaN}',
    "Infinity": '{"msg": -Infinity}',
    "5,000 digits": '{"msg": ' + "9" * 5000 + "}",
    "3 million digits": '{"msg": ' + "9" * 3_000_000 + "}",
    "2,600 deep": '{"a":' * 2600 + "1" + "}" * 2600,
    "500,000 deep": "[" * 500_000 + "]" * 500_000,
    "a raw control character": '{"msg": "\x1b"}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_json_that_cannot_be_read_is_one_sentence(name):
    started = time.process_time()
    with pytest.raises(AnswerError) as caught:
        parse_answer(decode(BROKEN[name]), PROBED)
    assert time.process_time() - started < 5
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("depth", [20, 500, 2600, 100_000])
@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_no_depth_ends_the_process_on_any_python(interpreter, version, depth):
    whole = {"msg": "x", "evidence": [{"kind": "k", "subject": "s", "status": "ok", "detail": {"deep": 0}}]}
    head, _zero, tail = json.dumps(whole).rpartition("0")
    script = f"""
import sys
sys.path[:0] = sys.argv[2].split(":")
from ansible_collections.egov.ops.plugins.plugin_utils.transport import answer
depth = int(sys.argv[1])
text = {head!r} + "[" * depth + "]" * depth + {tail!r}
try:
    answer.parse_answer(answer.decode(text), answer.Expected(kinds=("k",)))
    print("taken")
except answer.AnswerError as error:
    print(error)
"""
    path = ":".join([os.environ["PYTHONPATH"], *(entry for entry in sys.path if "site-packages" in entry)])
    done = subprocess.run(
        [interpreter(version), "-c", script, str(depth), path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert ("taken" in done.stdout) == (depth == 20), done.stdout


def test_a_good_answer_is_taken_whole():
    got = parse_answer(decode(json.dumps({**GOOD, "summary": {"ok": 1}, "python": "3.11.2", "cpu": 0.1})), PROBED)
    assert got == Answer(
        changed=False,
        msg="fine",
        evidence=[{**FOUND, "reason": "", "clauses": [], "duration": None}],
        summary={"ok": 1},
        failed=False,
        reason="",
        running=False,
        again={},
        python="3.11.2",
        cpu=0.1,
        traceback="",
        machine={},
        more={},
    )


def test_a_failure_needs_no_evidence_and_brings_none_of_another_step():
    assert parse_answer({"failed": True, "msg": "no", "reason": "busy"}, PROBED).reason == "busy"
    with pytest.raises(AnswerError, match="of another step"):
        parse_answer({**found(kind="step"), "failed": True}, PROBED)


def test_each_thing_that_was_asked_for_is_there_and_nothing_else():
    asked = Expected(kinds=("control",), subjects={"control": {"AC-1", "AC-2"}})

    def controls(*names: str) -> dict[str, object]:
        return {"msg": "x", "evidence": [{"kind": "control", "subject": name, "status": "ok"} for name in names]}

    assert len(parse_answer(controls("AC-2", "AC-1"), asked).evidence) == 2
    with pytest.raises(AnswerError, match="'AC-2', which was asked for"):
        parse_answer(controls("AC-1"), asked)
    with pytest.raises(AnswerError, match="'AC-3', a control that was not asked for"):
        parse_answer(controls("AC-1", "AC-2", "AC-3"), asked)
    with pytest.raises(AnswerError, match="an observation of the kind restore_undo"):
        parse_answer({"msg": "x"}, Expected(kinds=("restore_undo",), subjects={"restore_undo": None}))
    with pytest.raises(AnswerError, match="the package_list 'pending'"):
        parse_answer({"msg": "x"}, Expected(kinds=("reboot",), subjects=package_scan._SUBJECTS))


@pytest.mark.parametrize(
    ("again", "allowed", "words"),
    [
        ({"job": "0" * 32}, ("job",), ""),
        ({"attach": True}, ("attach",), ""),
        ({}, ("attach",), ""),
        ({}, ("job",), "again must have the key job"),
        ({"attach": True}, ("job",), "again has the key 'attach'"),
        ({"job": "0" * 31}, ("job",), "again.job must be 32 hex"),
        ({"job": "../../etc/passwd"}, ("job",), "again.job must be"),
        ({"attach": False}, ("attach",), "again.attach must be true"),
        ({"attach": 1}, ("attach",), "again.attach must be true"),
        ({"sets": {}}, ("job",), "again has the key 'sets'"),
        ([], ("job",), "again must be a mapping"),
    ],
)
def test_work_that_goes_on_is_asked_for_as_the_step_says_and_with_no_other_options(again, allowed, words):
    value = {"running": True, "changed": True, "msg": "at work", "evidence": [], "summary": {}, "again": again}
    if not words:
        assert parse_answer(value, Expected(again=allowed)).running
        return
    with pytest.raises(AnswerError, match=words):
        parse_answer(value, Expected(again=allowed))


def test_results_are_those_that_the_step_declares():
    told = {"msg": "x", "diff": [{"header": "set", "prepared": "- a\tb\n+ c\n"}]}
    assert parse_answer(told, Expected(results=DIFF)).more == {"diff": told["diff"]}
    with pytest.raises(AnswerError, match="'diff'"):
        parse_answer(told, Expected())
    with pytest.raises(AnswerError, match=r"diff\[0\].prepared must be a text"):
        parse_answer({"msg": "x", "diff": [{"header": "set", "prepared": 1}]}, Expected(results=DIFF))
    with pytest.raises(AnswerError, match="must be valid Unicode"):
        parse_answer({"msg": "x", "diff": [{"header": "set", "prepared": "\x1b"}]}, Expected(results=DIFF))


ASKED = {
    "sets": {"data": {"repository": "local", "copies": ["away"], "stop": ["web.service"]}},
    "host_name": "web1",
    "set": "data",
    "mode": "in_place",
    "paths": ["/srv"],
    "destination": "",
}
OPERATION = {
    "host": "web1",
    "set": "data",
    "repository": "local",
    "snapshot": "0" * 64,
    "snapshot_time": "2026-05-20T01:00:00Z",
    "paths": ["/srv/\udcff\x1b\n"],
    "mode": "in_place",
    "destination": "",
    "files": 1,
    "bytes": 2,
    "stop": ["web.service"],
}


@pytest.mark.parametrize(
    "change",
    [
        {"host": "db1"},
        {"set": "other"},
        {"repository": "elsewhere"},
        {"mode": "beside"},
        {"stop": ["sshd.service"]},
        {"destination": "/etc"},
        {"of": "db1"},
        {"of": None},
        {"snapshot": "--target=/etc"},
        {"snapshot": "latest"},
        {"snapshot": "0" * 8 + "\n--delete"},
        {"original": "-r/tmp/x"},
        {"paths": "/srv"},
        {"paths": ["/\ud800"]},
        {"paths": ["/\x00"]},
        {"files": "1"},
        {"bytes": True},
        {"more": 1},
    ],
)
def test_an_operation_is_the_one_that_was_asked_for(change):
    expected = Expected(results={"operation": backup_list._operation_of(ASKED)})
    assert parse_answer({"msg": "x", "operation": OPERATION}, expected).more["operation"] == OPERATION
    assert parse_answer({"msg": "x", "operation": {}}, expected).more == {"operation": {}}
    with pytest.raises(AnswerError, match="operation"):
        parse_answer({"msg": "x", "operation": {**OPERATION, **change}}, expected)


def test_over_both_transports_an_answer_is_found_among_noise():
    body = json.dumps(GOOD)
    assert stream.parse(f"motd\n{NONCE}{body}{NONCE}\n", NONCE, {}) == GOOD
    assert stream.parse_module(f"motd {{\n\n{body}\n", "{warning}", {}) == GOOD
    with pytest.raises(AnswerError, match="JSON object"):
        stream.parse(f"{NONCE}[]{NONCE}", NONCE, {})
    with pytest.raises(stream.StreamError) as caught:
        stream.parse_module("{" + "x" * (RESULT_LIMIT + 1), "", {})
    assert caught.value.reason == "too_large"
    with pytest.raises(stream.StreamError, match=r"without a result: \[U\+001B\]\[2J") as caught:
        stream.parse_module("", "\x1b[2J", {})
    assert caught.value.reason == "error"


def test_the_refusal_of_ansibles_own_part_of_a_module_is_its_sentence():
    refused = {"failed": True, "msg": "missing required arguments: sets", "invocation": {}, "exception": "x"}
    assert stream.parse_module(json.dumps(refused), "", {}) == {"failed": True, "msg": refused["msg"]}


#: Whatever JSON can hold, half characters and numbers that JSON has no word for included.
TEXTS = st.text(st.characters(codec=None, categories=("L", "N", "P", "Cc", "Cs", "Zs", "Cf")), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBSERVED = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["memory", "step", "gate"]) | VALUES,
        "subject": st.just("memory") | VALUES,
        "status": st.sampled_from(STATUSES) | VALUES,
        "reason": st.sampled_from(REASONS) | VALUES,
        "clauses": st.just(["S1"]) | VALUES,
        "duration": st.just(0.5) | VALUES,
        "detail": st.dictionaries(st.sampled_from(["message", "value", "bytes", "version", "x"]), VALUES) | VALUES,
        "host": VALUES,
    },
)
ANSWERS = st.fixed_dictionaries(
    {"msg": st.just("fine") | VALUES},
    optional={
        **{name: st.booleans() | VALUES for name in ("changed", "failed", "running")},
        "evidence": st.lists(OBSERVED | st.just(FOUND), max_size=3) | VALUES,
        "summary": st.dictionaries(st.sampled_from(STATUSES), st.integers()) | VALUES,
        "again": st.just({"job": "a" * 32}) | VALUES,
        "reason": VALUES,
        "python": VALUES,
        "cpu": VALUES,
        **dict.fromkeys(("add_host", "ansible_facts", "warnings", "_ansible_x", "unreachable", "operation"), VALUES),
    },
)


def texts_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from texts_of(list(pair))
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)


@example({"msg": {"À": {"\x1f": None}}}, Expected())
@given(ANSWERS | VALUES, st.sampled_from([PROBED, Expected(kinds=("memory",), again=("job",)), Expected()]))
def test_whatever_json_a_host_sends_nothing_but_the_listed_keys_comes_out(value, expected):
    try:
        got = parse_answer(decode(json.dumps(value)), expected)
    except AnswerError as error:
        assert str(error).isascii()
        assert "\n" not in str(error)
        return
    assert [type(got.changed), type(got.failed), type(got.running)] == [bool] * 3
    assert type(got.msg) is str
    assert got.more == {}
    assert not got.again or got.again == {"job": "a" * 32}
    assert got.running <= bool(expected.again)
    assert {item["kind"] for item in got.evidence} <= set(expected.kinds)
    for item in got.evidence:
        assert set(item) == {"kind", "subject", "status", "reason", "clauses", "duration", "detail"}
        made = record(
            run="r",
            procedure="p",
            host="h",
            domain="health",
            observation=item,
            started="2026-01-02T03:04:05Z",
            finished="2026-01-02T03:04:05Z",
        )
        json.dumps(made, allow_nan=False, ensure_ascii=False).encode("utf-8")
    for text in texts_of([got.evidence, got.msg, got.summary, got.python]):
        assert not any((ord(sign) < 32 and sign not in "\n\t") or 127 <= ord(sign) < 160 for sign in text)


@given(TEXTS, TEXTS, st.dictionaries(TEXTS, VALUES))
def test_an_honest_half_is_understood_whatever_names_its_host_has(message, subject, detail):
    bounded = json.loads(json.dumps(detail), parse_int=lambda digits: int(digits) % 2**63)
    seen = observation("memory", subject or "x", "ok", "", ("S1",), 0.1, any=bounded, message=message)
    text = answer_of_half({"changed": False, "msg": message, "summary": {}, "evidence": [seen]})
    got = parse_answer(decode(text), PROBED)
    if message.isprintable() and subject.isprintable():
        assert (got.msg, got.evidence[0]["subject"]) == (message, subject or "x")


def test_an_honest_half_shows_odd_names_as_escapes_and_keeps_what_a_later_command_needs():
    seen = observation("memory", "caf\udce9\n", "ok", message="a\x1b[2J\tb\nc", value=float("nan"))
    told = {"msg": "\x1b" + "x" * 3000, "evidence": [seen], "operation": {"paths": ["/srv/\udcff\x1b"]}}
    got = json.loads(answer_of_half(told))
    assert got["evidence"][0]["subject"] == "caf\\udce9\\n"
    assert got["evidence"][0]["detail"] == {"message": "a\\x1b[2J\tb\nc", "value": None}
    assert got["msg"] == ("\\x1b" + "x" * 3000)[:MESSAGE_LIMIT]
    assert got["operation"] == {"paths": ["/srv/\udcff\x1b"]}


@pytest.fixture(scope="module")
def daily(tmp_path_factory):
    """Answers of this machine to the whole plan, each as text with what was expected: health and hardening."""
    plan = merge({}, load_schema())
    folder = str(tmp_path_factory.mktemp("host"))
    probes, controls = plan["egov_ops_probes"], plan["egov_ops_controls"]
    asked = (
        (probe, {"probes": probes}, Expected(kinds={entry["kind"] for entry in probes.values()}, some=True)),
        (audit, {"controls": controls}, Expected(kinds=("control",), subjects={"control": set(controls)})),
    )
    answers = []
    for half, arguments, expected in asked:
        host = Host({"timeout": 60, "now": "2026-05-20T00:00:00Z", "state_dir": folder})
        answers.append((answer_of_half(perform(half, arguments, host)), expected))
    return answers


def outcome(value, expected):
    """Return the answer in a value, or in half a sentence why it is none."""
    try:
        return parse_answer(value, expected)
    except AnswerError as error:
        return str(error)


def test_the_answers_of_a_host_to_a_daily_take_the_short_way(daily):
    for text, expected in daily:
        value = decode(text)
        assert type(value) is answer.Plain
        assert answer._are_usual(value["evidence"])
        assert parse_answer(value, expected) == parse_answer(dict(value), expected)


#: What a hostile host may put in the place of a part of a good answer, as JSON.
PIECES = (
    *(
        '"\\u001b"',
        '"\\ud800"',
        '"\\n"',
        '"a\\tb"',
        '"\\u007f"',
        '"\\u0085"',
        '"\\b"',
        '"\\\\ud800"',
        '"\u202e"',
        '"\x7f"',
    ),
    *("1e999", "-1", "NaN", "true", "null", "9223372036854775808", "1.5", '""', "[]", "{}", '"x"', "[[1]]"),
    *(f"{'[' * depth}{']' * depth}" for depth in (27, 28, 29, 30, 31, 32, 33, 40)),
    *('{"a": {"b": ["\\u0000"]}}', '{"en": 1}', '{"\\n": "x"}', '{"x": 1, "x": 2}', f'"{"x" * 2001}"'),
    *('"ok"', '"failed"', '"step"', '"memory"', '["S1"]', "[1]", '[["S1"]]', '"not_due"', "0.5", "[null]", "[{}]"),
)
#: Where: after the name of a field, or of a key of a detail.
NAMES = (*answer._ORDER, *answer._READ, *answer._COMMON, "found", "expected", "limit", "en")


@given(st.data())
@hypothesis.settings(max_examples=400, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_the_short_way_allows_what_the_long_way_allows_and_nothing_else(daily, data):
    text, expected = data.draw(st.sampled_from(daily))
    value = json.loads(text)
    first = data.draw(st.integers(0, len(value["evidence"]) - 1))
    value["evidence"] = value["evidence"][first : first + 3]
    expected = expected._replace(subjects={})
    changed = json.dumps(value)
    for _change in range(data.draw(st.integers(1, 2))):
        name = data.draw(st.sampled_from(NAMES))
        piece = data.draw(st.sampled_from(PIECES) | VALUES.map(json.dumps))
        hits = list(re.finditer(rf'"{name}": ', changed))
        if hits:  # the value after the name is replaced
            place = data.draw(st.sampled_from(hits)).end()
            try:
                _old, end = json.JSONDecoder().raw_decode(changed, place)
            except ValueError:  # an earlier change has broken it
                break
            changed = changed[:place] + piece + changed[end:]
        else:
            changed = changed.replace('"detail": {', f'"detail": {{"{name}": {piece}, ', 1)
    try:
        decoded = decode(changed)
    except AnswerError:
        return
    assert outcome(decoded, expected) == outcome(dict(decoded), expected)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("name", ["subject", "status", "clauses", "duration", "message", "title", "value", "any"])
def test_each_odd_piece_is_judged_alike_on_both_ways(name, piece):
    seen = {**observation("memory", "memory", "ok", "", ("S1",), 0.5), "detail": {"message": "x"}}
    (seen if name in seen else seen["detail"])[name] = "PIECE"
    text = json.dumps({"msg": "x", "evidence": [seen, seen]}).replace('"PIECE"', piece)
    try:
        decoded = decode(text)
    except AnswerError:
        return
    assert outcome(decoded, PROBED) == outcome(dict(decoded), PROBED)


@pytest.mark.parametrize("depth", [27, 28, 29, 30, 31])
def test_the_limit_of_depth_is_the_same_on_both_ways(depth):
    seen = observation("memory", "memory", "ok", any=nested(depth))
    decoded = decode(json.dumps({"msg": "x", "evidence": [seen]}))
    assert type(decoded) is answer.Plain
    assert answer._are_usual(decoded["evidence"]) == (depth <= 28)
    assert outcome(decoded, PROBED) == outcome(dict(decoded), PROBED)


def test_of_a_key_that_stands_twice_only_the_checked_value_is_used():
    body = json.dumps(found(detail={"any": 1}))
    twice = body.replace('"any": 1', '"any": 1, "any": 2')
    assert parse_answer(decode(twice), PROBED).evidence[0]["detail"]["any"] == 2
    for bad in ("1e999", str(2**63), str(-(2**63) - 1), f"[{2**63}]", '{"x": [1e999]}', "[" * 40 + "1" + "]" * 40):
        with pytest.raises(AnswerError):
            parse_answer(decode(body.replace('"any": 1', f'"any": 1, "any": {bad}')), PROBED)


def test_the_answers_of_a_host_to_a_daily_cost_little(daily):
    plain, whole = 0.0, 0.0
    for text, expected in daily:
        # By turns, so that whatever else the machine does falls on both alike.
        turns = [(spent(json.loads, text), spent(whole_way, text, expected)) for _ in range(60)]
        plain += min(turn[0] for turn in turns)
        whole += min(turn[1] for turn in turns)
    print(f"JSON alone {plain * 1000:.2f} ms, the whole parser {whole * 1000:.2f} ms")
    assert whole < COST * plain, (plain, whole)


def whole_way(text, expected):
    parse_answer(decode(text), expected)


def spent(work, *arguments) -> float:
    """Return the seconds of CPU that a call takes."""
    started = time.process_time()
    work(*arguments)
    return time.process_time() - started
